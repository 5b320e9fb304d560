"""Hashes and parses a journal's lines, and checks each against the previous line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import cast

from veza_e2e.canonical import JSON, clean, encoded, loads
from veza_e2e.frozen import dataclass
from veza_e2e.journal.codec import from_data, to_data
from veza_e2e.journal.events import Event, SessionEnded, UnknownEvent

GENESIS = "0" * 64
_OWN = ("seq", "at", "type", "prev", "hash")
_NAMES = frozenset(_OWN)


class JournalError(Exception):
    """The journal cannot be used."""


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


@dataclass(frozen=True, slots=True)
class Line:
    """An event with its place in the chain. Two lines are equal if their hashes are, which cover all of them."""

    seq: int
    at: str
    event: Event
    prev: str
    hash: str

    def __eq__(self, other: object) -> bool:
        return self.hash == other.hash if isinstance(other, Line) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.hash)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a journal file holds."""

    lines: tuple[Line, ...]
    torn: int
    """Bytes of an unterminated last line, which was not read."""

    @property
    def count(self) -> int:
        """How many events there are."""
        return len(self.lines)

    @property
    def last(self) -> Line | None:
        """The last event."""
        return self.lines[-1] if self.lines else None

    @property
    def ended(self) -> bool:
        """Whether the last event is SessionEnded."""
        return _ends(self.last)


@dataclass(frozen=True, slots=True)
class Scan:
    """What was found while a journal was read once, line by line."""

    count: int
    first: Line | None
    last: Line | None
    torn: int
    """Bytes of an unterminated last line, which was not read."""
    digest: str
    """The file's SHA-256, in hex."""
    lines: tuple[Line, ...] | None
    """All lines; None of a journal that is larger than what was to be kept in memory."""

    @property
    def ended(self) -> bool:
        """Whether the last event is SessionEnded."""
        return _ends(self.last)


def _ends(last: Line | None) -> bool:
    return last is not None and isinstance(last.event, SessionEnded)


def timestamp(at: datetime) -> str:
    """Return RFC 3339 in UTC with milliseconds and `Z`. Times outside UTC's years keep their own offset."""
    try:
        at = at.astimezone(UTC)
    except OverflowError:
        at = at.replace(tzinfo=UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def chain(seq: int, at: str, event: Event, prev: str) -> tuple[Line, bytes]:
    """Return the line for `event` and its bytes, the newline included."""
    name = event.name if isinstance(event, UnknownEvent) else type(event).__name__
    members: dict[str, JSON] = {**to_data(event), "seq": seq, "at": at, "type": name, "prev": prev}
    cleaned = cast("dict[str, JSON]", clean(members))
    own = sha256(encoded(cleaned)).hexdigest()
    return Line(seq, at, event, prev, own), encoded({**cleaned, "hash": own}) + b"\n"


def parse(data: bytes, path: Path) -> Reading:
    """Return the lines of a journal's bytes, each checked against the chain.

    Raises:
        DamagedError: a terminated line is not the canonical form of the next event in the chain.
    """
    *whole, rest = data.split(b"\n")
    return Reading(tuple(_chained(whole, path, _parse_again)), len(rest))


def _chained(
    raws: Iterable[bytes], path: Path, parsed: Callable[[bytes, Path, int, str], Line] | None = None
) -> Iterator[Line]:
    """Yield the line of each terminated line's bytes, checked against the chain."""
    before: Line | None = None
    for seq, raw in enumerate(raws, 1):
        line = (parsed or _parse_line)(raw, path, seq, before.hash if before else GENESIS)
        if _ends(before):
            raise DamagedError(path, seq, "something stands after SessionEnded")
        before = line
        yield line


def _parse_line(raw: bytes, path: Path, seq: int, prev: str) -> Line:
    try:
        members = loads(raw)
    except ValueError as error:
        raise DamagedError(path, seq, "is not JSON") from error
    if not isinstance(members, dict) or not members.keys() >= _NAMES:
        raise DamagedError(path, seq, "lacks one of " + ", ".join(_OWN))
    try:
        canonical = encoded(members)
    except (ValueError, RecursionError) as error:
        raise DamagedError(path, seq, "has no canonical form") from error
    if canonical != raw:
        raise DamagedError(path, seq, "is not in its canonical form")
    without = _without_hash(raw, members)
    claimed = members.pop("hash")
    if members["seq"] != seq or isinstance(members["seq"], bool):
        raise DamagedError(path, seq, f"has the sequence number {members['seq']!r:.20}")
    if members["prev"] != prev:
        raise DamagedError(path, seq, "does not follow from the event before it")
    if sha256(without).hexdigest() != claimed:
        raise DamagedError(path, seq, "does not have the hash it claims")
    kind, at = members["type"], members["at"]
    if not isinstance(kind, str) or not _is_moment(at):
        raise DamagedError(path, seq, "has no type, or no time in UTC")
    data = {key: value for key, value in members.items() if key not in _NAMES}
    return Line(seq, at, from_data(kind, cast("Mapping[str, JSON]", data)), prev, str(claimed))


_parse_again = lru_cache(maxsize=2048)(_parse_line)
"""For journals that a command reads more than once."""


def _without_hash(raw: bytes, members: Mapping[str, JSON]) -> bytes:
    """Return a canonical line without its hash, from its bytes: the members before it tell where it stands."""
    own = b',"hash":' + encoded(members["hash"])
    if raw.count(own) == 1:
        return raw.replace(own, b"")
    start = len(encoded({name: one for name, one in members.items() if name < "hash"})) - len("}")
    return raw[:start] + raw[start + len(own) :]


def _is_moment(at: object) -> bool:
    if not isinstance(at, str) or not at.endswith("Z"):
        return False
    try:
        return datetime.fromisoformat(at).tzinfo is not None
    except ValueError:
        return False


def each_line(path: Path) -> Iterator[Line]:
    """Iterate over a journal's terminated lines, however large it is; none is kept.

    Raises:
        DamagedError: see `parse`.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        yield from _chained((raw[:-1] for raw in file if raw.endswith(b"\n")), path)


def scan(path: Path, keep: int) -> Scan:
    """Read a journal once, line by line, and check it as `parse` does.

    Args:
        path: the journal.
        keep: how many bytes a journal may have for its lines to be kept.

    Raises:
        DamagedError: see `parse`.
        OSError: it cannot be read.
    """
    digest, size, torn = sha256(), 0, 0
    count, first, last = 0, None, None
    kept: list[Line] | None = []

    def raws(file: Iterable[bytes]) -> Iterator[bytes]:
        nonlocal size, torn
        for raw in file:
            digest.update(raw)
            size += len(raw)
            if raw.endswith(b"\n"):
                yield raw[:-1]
            else:
                torn = len(raw)

    with path.open("rb") as file:
        for last in _chained(raws(file), path):
            count += 1
            first = first or last
            if size > keep:
                kept = None
            if kept is not None:
                kept.append(last)
    return Scan(count, first, last, torn, digest.hexdigest(), None if kept is None else tuple(kept))


def read(path: Path) -> Reading:
    """Return what the journal at `path` holds.

    Raises:
        DamagedError: see `parse`.
        OSError: it cannot be read.
    """
    return parse(path.read_bytes(), path)
