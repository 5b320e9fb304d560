"""Finds the dry-run that a live run cites."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ulid import ULID

from veza_e2e.archive.files import ArchiveError
from veza_e2e.archive.index import glances
from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.evidence import Glance, Summary
from veza_e2e.evidence.summary import counts_as_dry_run
from veza_e2e.journal import DamagedError

_LONG_AGO = timedelta(days=60)
"""How far back to search. A dry-run may have ended 14 days ago, and may have begun long before."""


def dry_run_for(archives: Sequence[Archive], release: str | None, at: datetime) -> dict[str, str] | None:
    """Return the newest dry-run that a live run of `release` may cite at `at`; None if there is none.

    The index tells which sessions to look at; what counts is what their journals say.

    Returns:
        `{session, hash, ended_at}`, for SessionStarted.dry_run; with `rehearsal` if it ran on the rehearsal backend,
        which counts for a rehearsed decision only; with `refund` (`no`) if it had none.
    """
    oldest = str(ULID.from_datetime(at - _LONG_AGO))
    rehearsed = None
    for archive in archives if release else ():
        for stored, seen in glances(archive, since=oldest):
            summary = _summary(stored, seen, release, at)
            if summary is not None:
                found = {"session": stored.session, "hash": summary.last_hash, "ended_at": summary.last_at}
                if not summary.refund_requested:
                    found["refund"] = "no"
                if not summary.rehearsal:
                    return found
                rehearsed = rehearsed or {**found, "rehearsal": "yes"}
    return rehearsed


def _summary(stored: Stored, seen: Glance | str, release: str | None, at: datetime) -> Summary | None:
    """Return the summary of a session that counts, from its journal; None if it does not count."""
    if isinstance(seen, str) or not counts_as_dry_run(seen, release, at):
        return None
    try:
        summary = stored.summary()
    except (DamagedError, ArchiveError, OSError):  # changed a moment ago; verify names it
        return None
    return summary if counts_as_dry_run(summary, release, at) else None
