"""The journal's file: locked by one process; each line is synced to the disk before anything acts on it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Protocol

from veza_e2e.journal.chain import JournalError
from veza_e2e.journal.disk import sync_file, sync_folder


class LockedError(JournalError):
    """Another process works on this session."""


class UnwritableError(JournalError):
    """An event could not be written to the disk; nothing may act on it."""


class Sink(Protocol):
    """Where a journal's lines go."""

    def write(self, data: bytes) -> None:
        """Store `data` safely before returning."""
        ...


class MemorySink:
    """Keeps lines in memory: during a pre-flight, until there is a session; and during a replay."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> None:
        """Keep `data`."""
        self.data += data


def is_locked(path: Path) -> bool:
    """Whether a process works on this journal."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


class FileSink:
    """The journal's file, locked for this process."""

    def __init__(self, path: Path, *, create: bool) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | (os.O_CREAT | os.O_EXCL if create else 0)
        self._path = path
        self._half_line = False
        try:
            self._fd = os.open(path, flags, 0o644)
        except OSError as error:
            raise UnwritableError(f"{path}: {error.strerror}") from error
        try:
            # Only a reader that asks whether a new journal is locked can hold it, and lets go at once.
            fcntl.flock(self._fd, fcntl.LOCK_EX | (0 if create else fcntl.LOCK_NB))
        except OSError as error:
            os.close(self._fd)
            raise LockedError(f"{path}: another process works on this session") from error
        try:
            if create:
                sync_folder(path.parent)
        except OSError as error:
            os.close(self._fd)
            raise UnwritableError(f"{path.parent}: {error.strerror}") from error

    def write(self, data: bytes) -> None:
        """Append `data` and sync it to the disk. A failed write leaves no half line."""
        if self._half_line:
            raise UnwritableError(f"{self._path}: ends in a half line that could not be cut")
        size = os.fstat(self._fd).st_size
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view) :]
            sync_file(self._fd)
        except OSError as error:
            try:
                os.ftruncate(self._fd, size)
            except OSError as second:
                self._half_line = True
                error.add_note(f"and the half line could not be cut: {second.strerror}")
            raise UnwritableError(f"{self._path}: {error.strerror}") from error

    def load(self) -> bytes:
        """Return the whole file."""
        return os.pread(self._fd, os.fstat(self._fd).st_size, 0)

    def cut(self, count: int) -> None:
        """Remove the last `count` bytes."""
        os.ftruncate(self._fd, os.fstat(self._fd).st_size - count)
        sync_file(self._fd)

    def close(self) -> None:
        """Release the lock."""
        os.close(self._fd)
