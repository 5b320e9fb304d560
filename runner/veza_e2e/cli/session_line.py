"""Shows a session in one line, and what is due for it."""

from __future__ import annotations

from datetime import date

from veza_e2e.evidence import Summary
from veza_e2e.evidence.due import statement_due, still_open


def due_line(summary: Summary, today: date) -> str | None:
    """Return what is due for a session; None if nothing is."""
    window = statement_due(summary)
    awaited = window and f"bank statement {window.state(today)}: between {window.earliest} and {window.latest}"
    return "; ".join(line for line in (awaited, still_open(summary)) if line) or None


def session_line(summary: Summary, today: date) -> str:
    from veza_e2e.report.view import money_line  # noqa: PLC0415 - the templates are slow to import

    parts = [summary.environment, f"funds {summary.funds}", money_line(summary)]
    if summary.release:
        parts.insert(1, f"release {summary.release}")
    if summary.live_requested:
        rehearsed = f" (rehearsed: {summary.rehearsed_decision})" if summary.rehearsal else ""
        parts.append(f"decision {summary.decision}{rehearsed}")
    if summary.waiting_for:
        parts.append(f"waits for {summary.waiting_for}")
    if summary.abandoned:
        parts.append("abandoned")
    parts += [line for line in (due_line(summary, today),) if line]
    return ", ".join(parts)
