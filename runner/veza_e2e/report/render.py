"""Renders a session's views from its lines. The same lines and template version give the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from veza_e2e.journal import Line
from veza_e2e.journal.events import SessionEnded
from veza_e2e.report import templates
from veza_e2e.report.record import say
from veza_e2e.report.view import view


@dataclass(frozen=True, slots=True)
class _LogLine:
    at: str
    seq: int
    text: str


def render(lines: Sequence[Line]) -> dict[str, bytes]:
    """Return `session.log` and `report.md` for the lines before SessionEnded.

    Args:
        lines: a session's lines. A final SessionEnded is left out, since it holds the views' digests.

    Raises:
        ReportError: the journal does not begin with a SessionStarted that this version can read.
    """
    told = [line for line in lines if not isinstance(line.event, SessionEnded)]
    page = view(told)
    log = [_LogLine(line.at, line.seq, say(line.event)) for line in told]
    return {
        "session.log": templates.text().get_template("session.log").render(page=page, log=log).encode(),
        "report.md": templates.markup().get_template("report.md").render(page=page).encode(),
    }
