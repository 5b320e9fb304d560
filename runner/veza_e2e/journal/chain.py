"""Hashes and parses a journal's lines, and checks each against the previous line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import cast

from veza_e2e.canonical import JSON, clean, encoded, loads
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


def read(path: Path) -> Reading:
    """Return what the journal at `path` holds.

    Raises:
        DamagedError: see `parse`.
        OSError: it cannot be read.
    """
    return parse(path.read_bytes(), path)
