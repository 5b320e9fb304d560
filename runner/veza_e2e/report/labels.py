"""Names the events that trace and evidence lead to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from veza_e2e.journal import Line
from veza_e2e.journal.events import (
    STEPS,
    Answered,
    Asked,
    BrowserOpened,
    CallFailed,
    CallFinished,
    CallIntended,
    Event,
    PreflightChecked,
    PreflightFinished,
    SessionAbandoned,
    SessionStarted,
    StepFailed,
    StepFinished,
    StepPaused,
    StepSkipped,
    StepStarted,
)
from veza_e2e.journal.readings import Compared, DashboardRead, RowsRead
from veza_e2e.report.cells import Events, Ref


class Labels:
    """Names events, and says where the record has them."""

    def __init__(self, lines: Sequence[Line], places: Mapping[int, str]) -> None:
        self._events: dict[int, Event] = {line.seq: line.event for line in lines}
        self._places = places
        self._refs: dict[int, Ref] = {}

    def some(self, seqs: Sequence[int]) -> Events:
        """Return the events of these numbers, in order, each once."""
        return Events(tuple(map(self._ref, sorted(set(seqs)))))

    def _ref(self, seq: int) -> Ref:
        if seq not in self._refs:
            label, rank = _label(self._events.get(seq))
            self._refs[seq] = Ref(seq, label, self._places.get(seq), rank)
        return self._refs[seq]


_WRITES, _JUDGED, _READ, _ELSE = 3, 2, 1, 0


def _label(event: Event | None) -> tuple[str, int]:  # noqa: C901, PLR0911, PLR0912 - a table
    """Return an event's name, and how telling it is."""
    match event:
        case None:
            return "addendum", _WRITES
        case CallFinished():
            return f"{event.operation or event.target} {event.status}", _READ if event.method == "GET" else _WRITES
        case CallFailed():
            return f"{event.operation or event.target} {event.error}", _WRITES
        case Answered():
            return f"answer: {event.question}", _ELSE
        case PreflightChecked():
            return event.name, _ELSE
        case PreflightFinished():
            return f"pre-flight {'passed' if event.passed else 'blocked'}", _JUDGED
        case RowsRead():
            return "rows", _READ
        case Compared():
            return event.id, _JUDGED
        case BrowserOpened():
            return "checkout page", _READ
        case StepFinished() | StepFailed() | StepPaused() | StepSkipped():
            return f"step {STEPS.index(event.step) + 1} {_ENDS[type(event)]}", _JUDGED
        case SessionStarted():
            return "start", _ELSE
        case StepStarted():
            return f"step {STEPS.index(event.step) + 1} began", _ELSE
        case CallIntended():
            return f"{event.operation or event.method} intended", _JUDGED
        case SessionAbandoned():
            return "abandoned", _JUDGED
        case Asked():
            return f"question: {event.question}", _ELSE
        case DashboardRead():
            return "dashboard", _JUDGED
        case _:
            return "", _ELSE


_ENDS: Mapping[type[Event], str] = {
    StepFinished: "passed", StepFailed: "failed", StepPaused: "waits", StepSkipped: "skipped"
}  # fmt: skip
