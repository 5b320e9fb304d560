"""Indexes a journal's lines for the rules of evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, TypeVar

from veza_e2e.canonical import JSON
from veza_e2e.frozen import dataclass
from veza_e2e.journal import Line
from veza_e2e.journal.events import (
    Answered,
    BrowserOpened,
    CallFailed,
    CallFinished,
    Event,
    PreflightFinished,
    SessionEnded,
    SessionStarted,
    StepFailed,
    StepFinished,
    StepName,
    StepPaused,
    StepSkipped,
)
from veza_e2e.journal.readings import Compared, RowsRead

E = TypeVar("E", bound=Event)

_BEARING = (
    CallFinished, CallFailed, BrowserOpened, Answered, RowsRead, Compared,
    StepFinished, StepFailed, StepPaused, StepSkipped,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Story:
    """One session's lines, with the queries that the rules need."""

    lines: Sequence[Line]
    _found: dict[type[Event], list[tuple[Line, Any]]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    """The events of each type, in order."""
    _counted: list[int] = field(default_factory=lambda: [0], init=False, compare=False, repr=False)
    """Of how many lines."""

    def of(self, kind: type[E]) -> Iterator[tuple[Line, E]]:
        """Iterate over the events of one type, in order."""
        return iter(self._all(kind))

    def _all(self, kind: type[E]) -> list[tuple[Line, E]]:
        if self._counted[0] < len(self.lines):  # the lines of an open session grow
            for line in self.lines[self._counted[0] :]:
                self._found.setdefault(type(line.event), []).append((line, line.event))
            self._counted[0] = len(self.lines)
        return self._found.get(kind, [])

    def last(self, kind: type[E]) -> tuple[Line, E] | None:
        """Return the latest event of one type."""
        found = self._all(kind)
        return found[-1] if found else None

    def last_of_step(self, kind: type[E], step: StepName) -> tuple[Line, E] | None:
        """Return the latest event of one type that belongs to `step`."""
        own = ((line, event) for line, event in self.of(kind) if getattr(event, "step", None) == step)
        return max(own, key=lambda pair: pair[0].seq, default=None)

    @property
    def started(self) -> SessionStarted | None:
        """The first event."""
        found = self.last(SessionStarted)
        return found[1] if found else None

    @property
    def gate(self) -> PreflightFinished | None:
        """The result of the latest pre-flight."""
        found = self.last(PreflightFinished)
        return found[1] if found else None

    @property
    def ended(self) -> bool:
        """Whether the journal has its last event."""
        return bool(self.lines) and isinstance(self.lines[-1].event, SessionEnded)

    def result(self, step: StepName) -> Mapping[str, JSON]:
        """Return the result of `step`; empty if it has not finished."""
        found = self.last_of_step(StepFinished, step)
        return found[1].result if found else {}

    def trace(self, step: StepName) -> tuple[int, ...]:
        """Return the sequence numbers of the events that prove `step`."""
        return tuple(
            line.seq
            for line in self.lines
            if getattr(line.event, "step", None) == step and isinstance(line.event, _BEARING)
        )

    def answers(self, calls: Sequence[int]) -> tuple[int, ...]:
        """Return the sequence numbers of the responses to the calls with these numbers."""
        wanted = set(calls)
        return tuple(line.seq for line, event in self.of(CallFinished) if event.call in wanted)


_WITHHELD = "[withheld]"  # as the redactor writes it


def text_of(value: JSON) -> str | None:
    """Return `value` as text if it is text or an integer id; None where it was withheld, since that names nothing."""
    if isinstance(value, str):
        return None if value == _WITHHELD else value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def cents_of(value: JSON) -> int | None:
    """Return `value` if it is an integer amount."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
