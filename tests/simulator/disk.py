"""The simulated disk: a folder in memory that forgets, at a kill, what was not synced.

The files are real ones, on a file system in memory. `os.fsync` alone is another one: it notes what is safe. A kill
keeps an image of what is safe; whatever a `finally` does afterwards is undone by putting that image back.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

DISK_FULL = "disk: full"


class Killed(BaseException):
    """The process was killed: nobody may catch it, and nothing after it counts."""


class Disk:
    """What is safe of the files below `root`, by their number; and how a kill leaves them.

    Args:
        root: the folder.
        chance: decides how much of what was not synced is left.
        tick: told of each sync, before and after it.
        full_at: the number of the sync that finds the disk full; 0 for none.
    """

    def __init__(self, root: Path, chance: Random, tick: Callable[[str], None], full_at: int = 0) -> None:
        self.syncs = 0
        self._full_at = full_at
        self.root = root
        self._chance = chance
        self._tick = tick
        self._safe: dict[int, int] = {}
        self._entries: dict[int, frozenset[str]] = {}
        self._image: dict[Path, bytes] | None = None

    @contextmanager
    def mounted(self) -> Iterator[None]:
        """Let the machine use this disk; put the image back at the end if the machine was killed."""
        real = os.fsync
        os.fsync = self.sync  # type: ignore[assignment]
        try:
            yield
        finally:
            os.fsync = real
            if self._image is not None:
                self._restore(self._image)
                self._image = None

    def sync(self, descriptor: int) -> None:
        self._tick("disk: before a sync")
        self.syncs += 1
        if self.syncs == self._full_at:
            self._tick(DISK_FULL)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        about = os.fstat(descriptor)
        if stat.S_ISDIR(about.st_mode):
            self._entries[about.st_ino] = frozenset(os.listdir(descriptor))
        else:
            self._safe[about.st_ino] = about.st_size
        self._tick("disk: after a sync")

    def safe_bytes(self, path: Path) -> bytes:
        """What of a file would be there after a kill."""
        try:
            data = path.read_bytes()
            return data[: self._safe.get(path.stat().st_ino, 0)]
        except OSError:
            return b""

    def kill(self) -> None:
        """Keep what is safe, and for a part of the rest let chance decide."""
        if self._image is None:
            self._image = dict(self._left())

    @property
    def frozen(self) -> bool:
        return self._image is not None

    def _left(self) -> Iterator[tuple[Path, bytes]]:
        for folder, _, names in os.walk(self.root):
            listed = self._entries.get(Path(folder).stat().st_ino)
            for name in sorted(names):
                path = Path(folder) / name
                if listed is not None and name not in listed and self._chance.random() < 0.5:
                    continue  # its entry in the folder was never synced
                data = path.read_bytes()
                safe = self._safe.get(path.stat().st_ino)
                if safe is None:
                    yield path, data
                    continue
                unsafe = data[safe:]
                yield path, data[:safe] + unsafe[: self._chance.randint(0, len(unsafe))]

    def _restore(self, image: dict[Path, bytes]) -> None:
        found = {Path(folder) / name for folder, _, names in os.walk(self.root) for name in names}
        for path in found - image.keys():
            path.unlink()
        for path, data in image.items():
            if not path.is_file() or path.read_bytes() != data:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            self._safe[path.stat().st_ino] = len(data)


def new_root(below: Path) -> Path:
    """Make an empty folder, on a file system in memory if there is one."""
    shutil.rmtree(below, ignore_errors=True)
    below.mkdir(parents=True)
    return below
