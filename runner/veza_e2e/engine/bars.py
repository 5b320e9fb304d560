"""Finds unresolved sessions, which bar a new one, and counts recent logins."""

from __future__ import annotations

from datetime import datetime, timedelta

from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.evidence import Summary
from veza_e2e.journal.events import CallIntended, SessionStarted, StepStarted

LOGIN_WINDOW = timedelta(minutes=15)


def unresolved(archive: Archive, environment: str, account_digest: str, *, live: bool) -> tuple[Stored, Summary] | None:
    """Return the session that must be resolved before a new one may start.

    An incomplete session of the same environment and account bars a new one. A session with an open refund bars a
    live run.
    """
    for stored in archive.sessions():
        reading = stored.read()
        first = reading.lines[0].event if reading.lines else None
        begun = any(isinstance(line.event, StepStarted) for line in reading.lines)
        if reading.ended or not begun or not isinstance(first, SessionStarted):
            continue
        if first.environment != environment or first.account_digest != account_digest:
            continue
        summary = stored.summary()
        if summary.outcome == "incomplete" or (live and first.live_requested and summary.money_may_be_out):
            return stored, summary
    return None


def recent_logins(archive: Archive, environment: str, account_digest: str, at: datetime) -> int:
    """Return how many logins of this account there were in the last 15 minutes, as far as the archive knows."""
    since = at - LOGIN_WINDOW
    count = 0
    for stored in archive.sessions():
        last = stored.last_written()
        if last is not None and last < since:
            continue
        lines = stored.read().lines
        first = lines[0].event if lines else None
        if isinstance(first, SessionStarted) and (first.environment, first.account_digest) == (
            environment,
            account_digest,
        ):
            count += sum(
                isinstance(line.event, CallIntended)
                and line.event.operation == "login"
                and datetime.fromisoformat(line.at) >= since
                for line in lines
            )
    return count
