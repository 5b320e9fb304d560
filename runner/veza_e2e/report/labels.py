"""Makes the links from trace and evidence to events of the record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from veza_e2e.journal import Line
from veza_e2e.journal.events import (
    Answered,
    BrowserOpened,
    CallFailed,
    CallFinished,
    Event,
    PreflightChecked,
    PreflightFinished,
    StepFailed,
    StepFinished,
    StepPaused,
    StepSkipped,
)
from veza_e2e.journal.readings import Compared, RowsRead
from veza_e2e.report.escape import inline

_MANY = 10


class Labels:
    """Names and links events."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._events: dict[int, Event] = {line.seq: line.event for line in lines}
        self._made: dict[int, Markup] = {}

    def some(self, seqs: Sequence[int]) -> Markup:
        """Return links to events; of a long list the first and last ones, and the number between."""
        if len(seqs) <= _MANY + 2:
            return _joined(map(self._one, seqs))
        half = _MANY // 2
        first, last = (_joined(map(self._one, part)) for part in (seqs[:half], seqs[-half:]))
        return Markup("{} … {} more … {}").format(first, len(seqs) - _MANY, last)

    def _one(self, seq: int) -> Markup:
        made = self._made.get(seq)
        if made is None:
            event = self._events.get(seq)
            anchor = f"#event-{seq}" if event else "#addenda"
            text = inline(f"{seq} {_label(event)}".strip())
            made = self._made[seq] = Markup(f'<a href="{anchor}">{text}</a>')  # noqa: S704 - a number, and escaped text
        return made


def _joined(links: Iterable[Markup]) -> Markup:
    return Markup(" ".join(links))  # noqa: S704 - each is markup


def _label(event: Event | None) -> str:  # noqa: C901, PLR0911 - a table
    match event:
        case None:
            return "addendum"
        case CallFinished():
            return f"{event.operation or event.target} {event.status}"
        case CallFailed():
            return f"{event.operation or event.target} {event.error}"
        case Answered():
            return f"answer: {event.question}"
        case PreflightChecked():
            return event.name
        case PreflightFinished():
            return "gate"
        case RowsRead():
            return "rows"
        case Compared():
            return event.id
        case BrowserOpened():
            return "checkout page"
        case StepFinished() | StepFailed() | StepPaused() | StepSkipped():
            return "result"
        case _:
            return ""
