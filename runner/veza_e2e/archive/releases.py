"""Reads the archive's releases: its sessions, the damaged ones included, and its attestations."""

from __future__ import annotations

from typing import TypeVar

from veza_e2e.archive.files import ArchiveError
from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.evidence import Summary, beside_dry_run
from veza_e2e.evidence.release import Archived, by_release
from veza_e2e.frozen import dataclass
from veza_e2e.journal import DamagedError
from veza_e2e.journal.events import SessionStarted


@dataclass(frozen=True, slots=True)
class Held:
    """A session of the archive."""

    stored: Stored
    summary: Summary | None
    """None if the files are damaged."""
    damage: str | None = None
    claimed: SessionStarted | None = None
    """The first event, if the files are damaged but the event is not."""

    @property
    def session(self) -> str:
        """Its id."""
        return self.stored.session


H = TypeVar("H", bound=Held)


def releases(archive: Archive) -> Archived[Held]:
    """Return everything in the archive, by release."""
    return releases_of(archive, Held)


def releases_of(archive: Archive, kind: type[H]) -> Archived[H]:
    """Return everything in the archive, by release, each session as `kind`."""
    entries = [_held(stored, kind) for stored in archive.sessions()]
    try:
        return by_release(entries, archive.attestations())
    except ArchiveError as error:
        return by_release(entries, (), f"none is counted: {error}")


def standing(stored: Stored) -> Summary:
    """Return a session's summary, beside what the dry-run that it cites says now.

    Raises:
        DamagedError: as `Stored.summary`, and ArchiveError too.
    """
    return beside_cited(stored, stored.summary())


def beside_cited(stored: Stored, summary: Summary) -> Summary:
    """Return the summary of a stored session, beside what the dry-run that it cites says now."""
    cited = Archive(stored.folder.parents[2]).session(summary.dry_run["session"]) if summary.dry_run else None
    if cited is None:
        return summary
    try:
        return beside_dry_run(summary, cited.summary())
    except (DamagedError, ArchiveError, OSError):  # verify names it, and it holds the release's GO back
        return summary


def _held(stored: Stored, kind: type[H]) -> H:
    try:
        return kind(stored, standing(stored))
    except (DamagedError, ArchiveError, OSError) as error:
        return kind(stored, None, str(error), stored.beginning())
