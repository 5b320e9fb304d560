"""The journal: one session's events, a line each, chained by their hashes and fsynced before anything acts on them."""

from __future__ import annotations

import fcntl
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, cast

from veza_e2e.canonical import JSON, digest, dumps
from veza_e2e.eventdata import from_data, to_data
from veza_e2e.events import Event, SessionEnded, UnknownEvent

GENESIS = "0" * 64
_OWN = ("seq", "at", "type", "prev", "hash")


class JournalError(Exception):
    """The journal cannot be used as it is."""


class DamagedError(JournalError):
    """A line does not fit the chain.

    Attributes:
        seq: the sequence number where the chain breaks.
    """

    def __init__(self, path: Path, seq: int, reason: str) -> None:
        super().__init__(f"{path}: event {seq}: {reason}")
        self.path = path
        self.seq = seq
        self.reason = reason


class LockedError(JournalError):
    """Another process works on this session."""


class UnwritableError(JournalError):
    """An event could not be brought to the disk; nothing may act on it."""


@dataclass(frozen=True, slots=True)
class Line:
    """An event with its place in the chain."""

    seq: int
    at: str
    event: Event
    prev: str
    hash: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a journal file holds."""

    lines: tuple[Line, ...]
    torn: int
    """Bytes of an unterminated last line, which was not read."""

    @property
    def ended(self) -> bool:
        """Whether the last event is SessionEnded."""
        return bool(self.lines) and isinstance(self.lines[-1].event, SessionEnded)


class Sink(Protocol):
    """Where a journal's lines go."""

    def write(self, data: bytes) -> None:
        """Bring `data` to where it is safe before returning."""
        ...


def timestamp(at: datetime) -> str:
    """Return RFC 3339 in UTC with milliseconds and `Z`; at the ends of time, where UTC has no year, as it stands."""
    try:
        at = at.astimezone(UTC)
    except OverflowError:
        at = at.replace(tzinfo=UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def chain(seq: int, at: str, event: Event, prev: str) -> tuple[Line, bytes]:
    """Return the line for `event` and its bytes, the newline included."""
    name = event.name if isinstance(event, UnknownEvent) else type(event).__name__
    members: dict[str, JSON] = {**to_data(event), "seq": seq, "at": at, "type": name, "prev": prev}
    own = digest(members)
    return Line(seq, at, event, prev, own), (dumps({**members, "hash": own}) + "\n").encode()


def parse(data: bytes, path: Path) -> Reading:
    """Return the lines of a journal's bytes, each checked against the chain.

    Raises:
        DamagedError: a terminated line is not the canonical form of the next event in the chain.
    """
    *whole, rest = data.split(b"\n")
    lines: list[Line] = []
    prev = GENESIS
    for seq, raw in enumerate(whole, 1):
        line = _parse_line(raw, path, seq, prev)
        if lines and isinstance(lines[-1].event, SessionEnded):
            raise DamagedError(path, seq, "something stands after SessionEnded")
        lines.append(line)
        prev = line.hash
    return Reading(tuple(lines), len(rest))


def _parse_line(raw: bytes, path: Path, seq: int, prev: str) -> Line:
    try:
        members = json.loads(raw, parse_float=_no_float)
    except (ValueError, RecursionError) as error:
        raise DamagedError(path, seq, "is not JSON") from error
    if not isinstance(members, dict) or not all(name in members for name in _OWN):
        raise DamagedError(path, seq, "lacks one of " + ", ".join(_OWN))
    try:
        canonical = dumps(members).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise DamagedError(path, seq, "has no canonical form") from error
    if canonical != raw:
        raise DamagedError(path, seq, "is not in its canonical form")
    claimed = members.pop("hash")
    if members["seq"] != seq or isinstance(members["seq"], bool):
        raise DamagedError(path, seq, f"has the sequence number {members['seq']!r:.20}")
    if members["prev"] != prev:
        raise DamagedError(path, seq, "does not follow from the event before it")
    if digest(members) != claimed:
        raise DamagedError(path, seq, "does not have the hash it claims")
    kind, at = members["type"], members["at"]
    if not isinstance(kind, str) or not _is_moment(at):
        raise DamagedError(path, seq, "has no type, or no time in UTC")
    data = {key: value for key, value in members.items() if key not in _OWN}
    return Line(seq, at, from_data(kind, cast("Mapping[str, JSON]", data)), prev, str(claimed))


def _is_moment(at: object) -> bool:
    if not isinstance(at, str) or not at.endswith("Z"):
        return False
    try:
        return datetime.fromisoformat(at).tzinfo is not None
    except ValueError:
        return False


def _no_float(text: str) -> float:
    raise ValueError(f"a float: {text:.20}")


def read(path: Path) -> Reading:
    """Return what the journal at `path` holds.

    Raises:
        DamagedError: see `parse`.
        OSError: it cannot be read.
    """
    return parse(path.read_bytes(), path)


class MemorySink:
    """Keeps what is written: a pre-flight's events until there is a session, a replay's journal."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> None:
        """Keep `data`."""
        self.data += data


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
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._fd)
            raise LockedError(f"{path}: another process works on this session") from error
        if create:
            _sync_directory(path.parent)

    def write(self, data: bytes) -> None:
        """Append `data` and bring it to the disk; a write that fails leaves no half line behind."""
        if self._half_line:
            raise UnwritableError(f"{self._path}: ends in a half line that could not be cut")
        size = os.fstat(self._fd).st_size
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view) :]
            _full_sync(self._fd)
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
        _full_sync(self._fd)

    def close(self) -> None:
        """Release the lock."""
        os.close(self._fd)


def _full_sync(fd: int) -> None:
    if sys.platform == "darwin":
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
    else:
        os.fsync(fd)


def _sync_directory(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class Now(Protocol):
    """The part of the clock that a journal needs."""

    def now(self) -> datetime:
        """Return the time, aware."""
        ...


class Journal:
    """Appends events to a chain and keeps them at hand.

    Args:
        sink: where the lines go.
        clock: the time of each event.
        lines: what the journal holds already.
        guard: puts signals off while a line is written.
        listeners: told of each line once it is safe: the terminal.
    """

    def __init__(
        self,
        sink: Sink,
        clock: Now,
        lines: Sequence[Line] = (),
        *,
        guard: Callable[[], AbstractContextManager[None]] | None = None,
        listeners: Sequence[Callable[[Line], None]] = (),
    ) -> None:
        self._sink = sink
        self._clock = clock
        self._lines = list(lines)
        self._guard = guard or nullcontext
        self._listeners = listeners

    @property
    def lines(self) -> Sequence[Line]:
        """All events so far."""
        return self._lines

    def append(self, event: Event) -> Line:
        """Bring `event` to the disk and return its line.

        Raises:
            UnwritableError: it did not get there; nothing may act on the event.
        """
        with self._guard():
            prev = self._lines[-1].hash if self._lines else GENESIS
            line, data = chain(len(self._lines) + 1, timestamp(self._clock.now()), event, prev)
            self._sink.write(data)
            self._lines.append(line)
            for listener in self._listeners:
                listener(line)
        return line

    def move(self, sink: Sink) -> None:
        """Write what was kept so far to `sink`, and all that follows."""
        data = b"".join(chain(line.seq, line.at, line.event, line.prev)[1] for line in self._lines)
        sink.write(data)
        self._sink = sink

    def events(self) -> Iterator[Event]:
        """Iterate over the events alone."""
        return (line.event for line in self._lines)
