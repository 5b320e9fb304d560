"""The links by which trace and evidence name events of the record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from veza_e2e.events import (
    Answered,
    BrowserOpened,
    CallFailed,
    CallFinished,
    Compared,
    Event,
    PreflightChecked,
    PreflightFinished,
    RowsRead,
    StepFailed,
    StepFinished,
    StepPaused,
    StepSkipped,
)
from veza_e2e.journal import Line

_MANY = 10


@dataclass(frozen=True, slots=True)
class Link:
    """A link to an event of the record."""

    text: str
    href: Markup


class Labels:
    """Names the events that trace and evidence link to."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._events: dict[int, Event] = {line.seq: line.event for line in lines}

    def one(self, seq: int) -> Link:
        """Return the link to one event."""
        event = self._events.get(seq)
        anchor = f"#event-{seq}" if event else "#addenda"
        return Link(f"{seq} {_label(event)}".strip(), Markup(anchor))  # noqa: S704 - a number

    def some(self, seqs: Sequence[int]) -> tuple[Link, ...]:
        """Return the links to events, the first and last of a long row."""
        if len(seqs) > _MANY:
            seqs = [*seqs[: _MANY // 2], *seqs[-_MANY // 2 :]]
        return tuple(self.one(seq) for seq in seqs)


def _label(event: Event | None) -> str:  # noqa: PLR0911 - a table
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
