"""Shows a session in one line, and what is due for it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from veza_e2e.cli.calling import command_line
from veza_e2e.cli.output import Invocation
from veza_e2e.evidence import Summary
from veza_e2e.evidence.due import statement_due, still_open


def due_line(invocation: Invocation, summary: Summary) -> str | None:
    """Return what is due for a session, with commands as this invocation would write them; None if nothing is."""
    today, window = invocation.today, statement_due(summary)
    there = replace(invocation, environment=summary.environment)
    awaited = window and f"bank statement {window.state(today)}: between {window.earliest} and {window.latest}"
    return "; ".join(line for line in (awaited, still_open(summary, partial(command_line, there))) if line) or None


def session_line(invocation: Invocation, summary: Summary) -> str:
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
    parts += [line for line in (due_line(invocation, summary),) if line]
    return ", ".join(parts)
