"""Shows a session in one line, and what is due for it."""

from __future__ import annotations

from dataclasses import replace

from veza_e2e.cli.output import Invocation
from veza_e2e.evidence import Glance, Summary, glance
from veza_e2e.evidence.due import bank_command, statement_due, still_open


def due_line(invocation: Invocation, summary: Summary | Glance) -> str | None:
    """Return what is due for a session, with commands as this invocation would write them; None if nothing is."""
    today, window = invocation.today, statement_due(summary)
    there = replace(invocation, environment=summary.environment)
    awaited = None
    if window is not None:
        when = f"between {window.earliest} and {window.latest}"
        command = bank_command(str(glance(summary).session), there.command)
        awaited = f"bank statement {window.state(today)}: {when}; once it shows the refund: {command}"
    return "; ".join(line for line in (awaited, still_open(summary, there.command)) if line) or None


def session_line(invocation: Invocation, summary: Summary | Glance, *, due: bool = True) -> str:
    """Return a session in one line; with what is due for it, unless `due` is False."""
    seen = glance(summary)
    parts = [seen.environment, f"funds {seen.funds}", seen.money]
    if seen.release:
        parts.insert(1, f"release {seen.release}")
    if seen.live_requested:
        rehearsed = f" (rehearsed: {seen.rehearsed_decision})" if seen.rehearsal else ""
        parts.append(f"decision {seen.decision}{rehearsed}")
    if seen.waiting_for:
        parts.append(f"waits for {seen.waiting_for}")
    if seen.abandoned:
        parts.append("abandoned")
    parts += [line for line in (due_line(invocation, seen) if due else None,) if line]
    return ", ".join(parts)
