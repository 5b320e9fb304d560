"""Renders a session's views from its lines. The same lines and template version give the same bytes."""

from __future__ import annotations

from collections.abc import Sequence

from veza_e2e.frozen import dataclass
from veza_e2e.journal import Line
from veza_e2e.journal.events import Asked, CallFailed, CallFinished, Event, SessionEnded
from veza_e2e.report import templates
from veza_e2e.report.calls import timing, title
from veza_e2e.report.telling import kind_of, say
from veza_e2e.report.view import question, view

_KINDS = {"note": "info", "operator": "ask", "failed": "FAIL", "paused": "WARN", "passed": "ok"}


@dataclass(frozen=True, slots=True)
class _LogLine:
    at: str
    seq: str
    kind: str
    step: str
    text: str


def _logged(line: Line) -> _LogLine:
    event = line.event
    kind = "call" if isinstance(event, CallFinished | CallFailed) else _KINDS[kind_of(event)]
    step = getattr(event, "step", None) or "-"
    return _LogLine(line.at, f"#{line.seq:<4}", f"{kind:<4}", f"{step:<9}", _short(event))


def _short(event: Event) -> str:
    """Return one line. Of a text of several lines, such as SQL to run, the line that asks; the journal has the rest."""
    if isinstance(event, Asked) and "\n" in event.text.strip():
        return f"Asked ({event.question}): {question(event)} (of {len(event.text.strip().splitlines())} lines)"
    if isinstance(event, CallFinished | CallFailed):
        return f"{title(event)}, {timing(event)}"
    return say(event)


def render(lines: Sequence[Line]) -> dict[str, bytes]:
    """Return `session.log` and `report.md` for the lines before SessionEnded.

    Args:
        lines: a session's lines. A final SessionEnded is left out, since it holds the views' digests.

    Raises:
        ReportError: the journal does not begin with a SessionStarted that this version can read.
    """
    told = [line for line in lines if not isinstance(line.event, SessionEnded)]
    page = view(told)
    log = [_logged(line) for line in told]
    return {
        "session.log": templates.text().get_template("session.log").render(page=page, log=log).encode(),
        "report.md": templates.markdown().get_template("report.md").render(page=page).encode(),
    }
