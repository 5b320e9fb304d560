"""Finds unresolved sessions, which bar a new one, and counts recent logins."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from veza_e2e.archive.files import ArchiveError
from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.evidence import Attestation, Summary
from veza_e2e.evidence.release import UNRELATED
from veza_e2e.journal import DamagedError
from veza_e2e.journal.account import same_account, same_backend
from veza_e2e.journal.events import CallIntended, SessionStarted
from veza_e2e.money.account import fold
from veza_e2e.money.order_account import AccountState

LOGIN_WINDOW = timedelta(minutes=15)


def unresolved(
    archive: Archive, new: SessionStarted, tell: Callable[[str], object] = lambda _: None
) -> tuple[Stored, Summary] | None:
    """Return the session whose money bars a new one (the account's table, column "new run").

    While the card may be charged, no session may start; while a charge is out, or not known, no live one. Of the ended
    sessions only those are read that were looked at again: nothing else is learnt after the end.

    Args:
        archive: where the others are.
        new: the first event of the new session.
        tell: shows a line to the operator.

    Raises:
        DamagedError: a session that may bar the new one cannot be read.
    """
    for stored in archive.sessions():
        if not stored.may_bar:
            continue
        first = stored.beginning()
        if first is None and new.live_requested:
            _whose(archive, stored, new, tell)
        if first is None or not _same_card(first, new):
            continue
        summary = stored.summary()
        money = summary.money
        bars = not money.settled and (new.live_requested or money.state is AccountState.AT_RISK)
        if bars and not _given_up(stored, summary):
            return stored, summary
    return None


def _whose(archive: Archive, stored: Stored, new: SessionStarted, tell: Callable[[str], object]) -> None:
    """Read a session that does not tell whose it is.

    Raises:
        DamagedError: it is damaged, and nobody attested that it has nothing to do with the new one.
    """
    try:
        stored.read()
    except DamagedError:
        said = _unrelated(archive, stored.session, new.release)
        if said is None:
            raise
        tell(f"{said.by} says that the damaged session {stored.session} is unrelated: {said.note}")


def _unrelated(archive: Archive, session: str, release: str | None) -> Attestation | None:
    try:
        said = [one for one in archive.attestations() if (one.item, one.session) == (UNRELATED, session)]
    except ArchiveError:  # one of them is damaged, so none counts
        return None
    return next((one for one in reversed(said) if one.release in {None, release}), None)


def _same_card(one: SessionStarted, other: SessionStarted) -> bool:
    """Whether two sessions are of the same account at the same backend, whatever its environment is called."""
    same = one.environment == other.environment or same_backend(one.base_url, other.base_url)
    return same and same_account(one.account_digest, other.account_digest)


def _given_up(stored: Stored, summary: Summary) -> bool:
    """Whether the operator abandoned the session, and nothing else is known of its money since."""
    if summary.abandoned is None:
        return False
    then, now = fold(stored.read().lines), summary.money
    if then.accepted is not None and now.at_stake is not None and now.at_stake.currency == then.accepted.currency:
        return now.at_stake <= then.accepted
    return (then.state, then.at_stake) == (now.state, now.at_stake)


def recent_logins(archive: Archive, new: SessionStarted, at: datetime) -> int:
    """Return how many logins of this account there were in the last 15 minutes, as far as the archive knows."""
    since = at - LOGIN_WINDOW
    count = 0
    for stored in archive.sessions():
        last = stored.last_written()
        if last is not None and last < since:
            continue
        try:
            lines = stored.read().lines
        except (DamagedError, OSError):  # it is counted as far as the archive knows; verify names it
            continue
        first = lines[0].event if lines else None
        if isinstance(first, SessionStarted) and _same_card(first, new):
            count += sum(
                isinstance(line.event, CallIntended)
                and line.event.operation == "login"
                and datetime.fromisoformat(line.at) >= since
                for line in lines
            )
    return count
