"""The archive's table of sessions: its columns, and the script with the same rows for the filters."""

from __future__ import annotations

import json
from collections.abc import Sequence

from markupsafe import Markup

from veza_e2e.evidence import Summary
from veza_e2e.frozen import dataclass
from veza_e2e.report.head import funds, money_line
from veza_e2e.report.told import moment
from veza_e2e.site.releases import Entry

COLUMNS = (
    "session", "when", "outcome", "funds", "decision", "money", "release", "environment", "ids",
)  # fmt: skip
"""The columns that the filters of the archive know, in the order of `veza.js`, which puts `page` before them."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session in the archive's table; a field is a column."""

    session: str
    link: Markup
    outcome: str
    money: str
    when: str = ""
    funds: str = ""
    decision: str = "PENDING"
    release: str = ""
    environment: str = ""
    order: str = ""
    payment: str = ""
    refund: str = ""
    ids: str = ""
    """All of its ids, for the archive's filter."""


def session_row(entry: Entry, up: str) -> SessionRow:
    """Return a session's row. `up` is the path from the page to the archive's folder."""
    session = entry.stored.session
    link = Markup('<a href="{}">{}</a>').format(up + entry.html, session)
    summary = entry.summary
    if summary is None:
        told = entry.claimed.environment if entry.claimed else ""
        return SessionRow(session, link, "damaged", entry.damage or "", release=entry.release or "", environment=told)
    return SessionRow(
        session,
        link,
        summary.outcome,
        money_line(summary),
        moment(summary.started_at)[:16],
        funds(summary),
        decided(summary),
        summary.release or "",
        summary.environment,
        summary.order_id or "",
        summary.payment_id or "",
        summary.refund_id or "",
        " ".join(entry.ids),
    )


def decided(summary: Summary) -> str:
    """Return the decision; for a rehearsed live run with the rehearsed decision."""
    if summary.rehearsal and summary.live_requested:
        return f"{summary.decision} (rehearsed {summary.rehearsed_decision})"
    return summary.decision


def data_script(entries: Sequence[Entry]) -> str:
    """Return the script that the archive's filters work on, without a server."""
    found = [(entry.html, session_row(entry, "")) for entry in entries]
    rows = [[page, *(getattr(r, name) for name in COLUMNS)] for page, r in found]
    text = json.dumps(rows, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    return f"window.vezaSessions = {text};\n"
