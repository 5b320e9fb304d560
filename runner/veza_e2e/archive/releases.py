"""Reads the archive's releases: its sessions, the damaged ones included, and its attestations."""

from __future__ import annotations

from veza_e2e.archive.files import ArchiveError
from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.evidence import Summary
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


def releases(archive: Archive) -> Archived[Held]:
    """Return everything in the archive, by release."""
    entries = [_held(stored) for stored in archive.sessions()]
    try:
        return by_release(entries, archive.attestations())
    except ArchiveError as error:
        return by_release(entries, (), f"none is counted: {error}")


def _held(stored: Stored) -> Held:
    try:
        return Held(stored, stored.summary())
    except (DamagedError, ArchiveError, OSError) as error:
        return Held(stored, None, str(error), stored.beginning())
