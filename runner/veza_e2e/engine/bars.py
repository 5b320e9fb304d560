"""Finds unresolved sessions, which bar a new one, and counts recent logins."""

from __future__ import annotations

from datetime import datetime, timedelta

from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.evidence import Summary
from veza_e2e.journal.account import same_account
from veza_e2e.journal.events import CallIntended, SessionStarted
from veza_e2e.money.order_account import AccountState

LOGIN_WINDOW = timedelta(minutes=15)


def unresolved(archive: Archive, environment: str, account_digest: str, *, live: bool) -> tuple[Stored, Summary] | None:
    """Return the session whose money bars a new one (the account's table, column "new run").

    While the card may be charged, no session may start; while a charge is out, or not known, no live one. Of the ended
    sessions only those are read that were looked at again: nothing else is learnt after the end.
    """
    for stored in archive.sessions():
        if not stored.may_bar:
            continue
        first = stored.beginning()
        if first is None or first.environment != environment or not same_account(first.account_digest, account_digest):
            continue
        summary = stored.summary()
        money = summary.money
        if summary.abandoned is None and not money.settled and (live or money.state is AccountState.AT_RISK):
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
        if (
            isinstance(first, SessionStarted)
            and first.environment == environment
            and same_account(first.account_digest, account_digest)
        ):
            count += sum(
                isinstance(line.event, CallIntended)
                and line.event.operation == "login"
                and datetime.fromisoformat(line.at) >= since
                for line in lines
            )
    return count
