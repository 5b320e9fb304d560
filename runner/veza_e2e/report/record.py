"""Makes the record: an entry for each event of a session, in order, under its step."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from itertools import groupby

from veza_e2e.canonical import JSON
from veza_e2e.frozen import dataclass
from veza_e2e.journal import Line
from veza_e2e.journal.events import (
    Asked,
    CallFailed,
    CallFinished,
)
from veza_e2e.journal.readings import RowsRead
from veza_e2e.report.calls import Call, describe, request, timing, title
from veza_e2e.report.telling import kind_of, say

_RUN = 4
"""The number of polls without news that are shown as one entry."""


@dataclass(frozen=True, slots=True)
class Back:
    """A row of the report that an event bears out."""

    title: str
    id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the record."""

    seq: int
    at: str
    kind: str
    text: str
    calls: tuple[Call, ...] = ()
    """The call, if the event is a call whose texts are shown; else empty."""
    code: tuple[str, ...] = ()
    """Texts that are shown unchanged: SQL, rows."""
    also: tuple[int, ...] = ()
    """Further events that this entry stands for."""
    backs: tuple[Back, ...] = ()
    same: tuple[int, ...] = ()
    """The earlier event whose answer this one repeats; empty if there is none."""

    @property
    def seqs(self) -> tuple[int, ...]:
        """The events that it stands for."""
        return self.seq, *self.also

    @property
    def told_below(self) -> bool:
        """Whether it has texts of its own, under a heading of its own."""
        return bool(self.calls or self.code)


@dataclass(frozen=True, slots=True)
class Chapter:
    """Consecutive events of one step."""

    title: str
    first: int
    entries: tuple[Entry, ...]
    size: str
    """The number of its events and calls."""

    @property
    def heading(self) -> str:
        """Its heading in `report.md`: no other has it, and every forge makes the same anchor of it."""
        return f"From event {self.first}"

    def places(self) -> Iterator[tuple[int, str]]:
        """Yield each event with the anchor under which it stands."""
        for entry in self.entries:
            place = f"event-{entry.seq}" if entry.told_below else f"from-event-{self.first}"
            yield from ((seq, place) for seq in entry.seqs)


@dataclass(slots=True)
class _Shown:
    """The responses shown so far, so that a repeated response can be referred to."""

    answers: dict[str, tuple[CallFinished, str, int]] = field(default_factory=dict)

    def repeated(self, seq: int, event: CallFinished, asked: str) -> int | None:
        """Return an earlier event with the same response to the same GET; else remember this one."""
        earlier, request_text, number = self.answers.get(event.url, (None, "", 0))
        if earlier is not None and request_text == asked and _same(earlier, event):
            return number
        self.answers[event.url] = (event, asked, seq)
        return None


def _same(*answers: CallFinished) -> bool:
    """Whether the answers are the same, as they are written down."""
    return len({f"{one.status} {json.dumps(one.response_body, sort_keys=True, default=str)}" for one in answers}) == 1


def record(lines: Sequence[Line], titles: Mapping[str, str]) -> tuple[Chapter, ...]:
    """Return the chapters of a session.

    Args:
        lines: the journal's lines.
        titles: the steps' titles by name.
    """
    chapters: list[tuple[str | None, list[Entry]]] = []
    shown = _Shown()
    for line in lines:
        step = getattr(line.event, "step", None)
        if not chapters or chapters[-1][0] != step:
            chapters.append((step, []))
        chapters[-1][1].append(_entry(line, shown))
    return tuple(
        Chapter(
            _title(step, titles) if step else _outside(number, len(chapters)),
            entries[0].seq,
            tuple(_runs(entries)),
            _size(entries),
        )
        for number, (step, entries) in enumerate(chapters)
    )


def _title(step: str, titles: Mapping[str, str]) -> str:
    return f"Step {list(titles).index(step) + 1}, {titles[step]}" if step in titles else step


def _outside(number: int, count: int) -> str:
    if number == 0:
        return "Before the steps"
    return "After the steps" if number == count - 1 else "Between the steps"


def _runs(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Yield the entries; each long run of polls without news becomes one entry."""
    for polled, group in groupby(entries, key=lambda entry: entry.kind == "poll"):
        run = list(group)
        if polled and len(run) >= _RUN:
            text = f"{len(run)} reads, each with an answer that is shown above; the last at {run[-1].at}"
            yield replace(run[0], text=text, also=tuple(entry.seq for entry in run[1:]), same=())
        else:
            yield from run


def _size(entries: Sequence[Entry]) -> str:
    calls = sum(entry.kind in {"call", "poll"} for entry in entries)
    events = f"{len(entries)} event{'s' if len(entries) > 1 else ''}"
    return f"{events}, {calls} call{'s' if calls > 1 else ''}" if calls else events


def _entry(line: Line, shown: _Shown) -> Entry:
    event = line.event
    at = line.at[11:23]
    if isinstance(event, CallFinished | CallFailed):
        asked = request(event)
        same = None
        if isinstance(event, CallFinished) and event.method == "GET":
            same = shown.repeated(line.seq, event, asked)
        if same is not None:
            return Entry(line.seq, at, "poll", f"{title(event)}, {timing(event)}: the same answer as", same=(same,))
        call = describe(event, asked)
        return Entry(line.seq, at, "call", call.title, (call,))
    if isinstance(event, RowsRead):
        return Entry(line.seq, at, "rows", say(event), code=(event.sql, _rows(event.rows)))
    if isinstance(event, Asked) and "\n" in event.text.strip():
        return Entry(line.seq, at, "operator", f"Asked ({event.question})", code=(event.text.strip(),))
    return Entry(line.seq, at, kind_of(event), say(event))


def _rows(rows: Sequence[Mapping[str, JSON]]) -> str:
    return json.dumps([dict(row) for row in rows], indent=2, ensure_ascii=False, sort_keys=True, default=list)
