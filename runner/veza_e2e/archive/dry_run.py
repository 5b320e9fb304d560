"""Finds the dry-run that a live run cites."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ulid import ULID

from veza_e2e.archive.sessions import Archive
from veza_e2e.evidence.summary import counts_as_dry_run

_LONG_AGO = timedelta(days=60)
"""How far back to search. A dry-run may have ended 14 days ago, and may have begun long before."""


def dry_run_for(archives: Sequence[Archive], release: str | None, at: datetime) -> dict[str, str] | None:
    """Return the newest dry-run that a live run of `release` may cite at `at`; None if there is none.

    Returns:
        `{session, hash, ended_at}`, for SessionStarted.dry_run; with `rehearsal` if it ran on the rehearsal backend,
        which counts for a rehearsed decision only; with `refund` (`no`) if it had none.
    """
    oldest = str(ULID.from_datetime(at - _LONG_AGO))
    rehearsed = None
    for archive in archives if release else ():
        for stored, summary in archive.summaries(since=oldest):
            if counts_as_dry_run(summary, release, at):
                found = {"session": stored.session, "hash": summary.last_hash, "ended_at": summary.last_at}
                if not summary.refund_requested:
                    found["refund"] = "no"
                if not summary.rehearsal:
                    return found
                rehearsed = rehearsed or {**found, "rehearsal": "yes"}
    return rehearsed
