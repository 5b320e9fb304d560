"""What a report states, before it is Markdown or HTML: texts, marks, links to events, commands, addresses."""

from __future__ import annotations

from typing import TypeAlias

from veza_e2e.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """A status word as `--json` has it, such as `not_met`."""

    word: str

    @property
    def told(self) -> str:
        """The status for people."""
        return self.word.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Ref:
    """An event that bears something out."""

    seq: int
    label: str
    place: str | None
    """The heading of `report.md` under which it stands; None for an addendum."""
    rank: int = 0
    """How telling it is; the highest are shown first where there are many."""


@dataclass(frozen=True, slots=True)
class Events:
    """The events that bear something out, in order."""

    refs: tuple[Ref, ...]

    def telling(self, count: int) -> tuple[Ref, ...]:
        """Return the most telling `count` of them, in order."""
        chosen = sorted(self.refs, key=lambda ref: (-ref.rank, ref.seq))[:count]
        return tuple(sorted(chosen, key=lambda ref: ref.seq))


@dataclass(frozen=True, slots=True)
class Command:
    """A command line to copy."""

    text: str


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a related document."""

    url: str


@dataclass(frozen=True, slots=True)
class Id:
    """An id, a digest or an address: shown as it is, to copy."""

    text: str


Cell: TypeAlias = str | Status | Events | Command | Address | Id


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, with the events that it speaks of."""

    text: str
    seqs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """A name with a value, and the events that tell it."""

    name: str
    value: Cell
    seqs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table."""

    cells: tuple[Cell, ...]
    id: str = ""
    """What a page calls it, so that an event can lead back to it."""
    seqs: tuple[int, ...] = ()
    """The events that it is computed from."""


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the report."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[Row, ...]
    intro: str = ""

    @property
    def id(self) -> str:
        """What a page calls it."""
        return anchor(self.title)


def anchor(title: str) -> str:
    """Return what a page calls the section of this title."""
    return title.lower().replace(",", "").replace("'", "").replace(" ", "-")
