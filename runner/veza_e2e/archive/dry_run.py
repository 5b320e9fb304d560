"""The dry-run that a live run cites."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ulid import ULID

from veza_e2e.archive.sessions import Archive
from veza_e2e.evidence.summary import counts_as_dry_run

_LONG_AGO = timedelta(days=60)
"""A dry-run may be 14 days old when it ends, and may have taken long."""


def dry_run_for(archives: Sequence[Archive], release: str | None, at: datetime) -> dict[str, str] | None:
    """Return what a live run of `release` that starts at `at` cites as its dry-run, None where there is none.

    Returns:
        `{session, hash, ended_at}` of the newest one: SessionStarted.dry_run.
    """
    oldest = str(ULID.from_datetime(at - _LONG_AGO))
    for archive in archives if release else ():
        for stored, summary in archive.summaries(since=oldest):
            if counts_as_dry_run(summary, release, at):
                return {"session": stored.session, "hash": summary.last_hash, "ended_at": summary.last_at}
    return None
