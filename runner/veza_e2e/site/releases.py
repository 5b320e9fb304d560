"""Groups the sessions of an archive by release, and finds the live run that decides about each release."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from veza_e2e.archive.sessions import Stored
from veza_e2e.evidence import Attestation, Decision, Summary
from veza_e2e.journal.events import SessionStarted

EX_9 = "ex-9"


@dataclass(frozen=True, slots=True)
class Entry:
    """A session of the archive."""

    stored: Stored
    summary: Summary | None
    """None if the files are damaged."""
    damage: str | None = None
    claimed: SessionStarted | None = None
    """The first event, if the files are damaged but the event is not."""
    altered: tuple[str, ...] = ()
    """The views whose digest differs from that in the journal."""

    @property
    def release(self) -> str | None:
        """The release that the session is evidence for."""
        return self.summary.release if self.summary else self.claimed.release if self.claimed else None

    @property
    def page(self) -> str:
        """The path of the session's page, relative to the archive's index."""
        return "/".join((*self.stored.folder.parts[-3:], "index.md"))

    @property
    def html(self) -> str:
        """The path of the built page, relative to the archive's index."""
        return self.page.removesuffix(".md") + ".html"


@dataclass(frozen=True, slots=True)
class Release:
    """A release, with the sessions and attestations about it."""

    name: str
    dry_run: Entry | None
    live: Entry | None
    attestations: tuple[Attestation, ...]
    damaged: tuple[Entry, ...] = ()
    """Sessions of this release whose files are damaged."""

    @property
    def cited(self) -> str | None:
        """The dry-run that the live run cites."""
        return self.summary.dry_run["session"] if self.summary and self.summary.dry_run else None

    @property
    def undecided(self) -> int:
        """The number of live runs that cannot be judged, because their files are damaged."""
        return sum(entry.claimed is not None and entry.claimed.live_requested for entry in self.damaged)

    @property
    def slug(self) -> str:
        """The name of the release's permanent page: readable and unique."""
        return slug(self.name)

    @property
    def summary(self) -> Summary | None:
        """The live run's summary."""
        return self.live.summary if self.live else None

    @property
    def decision(self) -> Decision:
        """GO, NO-GO or PENDING. Never GO while a live run cannot be judged."""
        decided = self.summary.decision if self.summary else "PENDING"
        return "PENDING" if self.undecided and decided == "GO" else decided

    @property
    def reason(self) -> str:
        """Why the decision is what it is."""
        if not self.undecided:
            return self.summary.reason if self.summary else "there was no live run yet"
        damaged = f"{self.undecided} damaged live sessions, which cannot be judged"
        return f"{damaged}; of the others: {self.summary.reason}" if self.summary else damaged

    def attested(self, item: str) -> Attestation | None:
        """Return the latest attestation of an item for this release."""
        found = [a for a in self.attestations if a.item == item]
        return found[-1] if found else None


@dataclass(frozen=True, slots=True)
class Archived:
    """Everything in the archive, the newest first."""

    entries: tuple[Entry, ...]
    releases: tuple[Release, ...]
    damage: str | None = None
    """Why no attestation counts: one of them is damaged."""

    @property
    def unknown(self) -> tuple[Entry, ...]:
        """The damaged sessions whose release is unknown."""
        return tuple(e for e in self.entries if e.summary is None and e.claimed is None)

    @property
    def newest(self) -> str:
        """The time of the newest event, which dates the site."""
        return max((e.summary.last_at for e in self.entries if e.summary), default="1970-01-01T00:00:00.000Z")


def by_release(entries: Sequence[Entry], attestations: Sequence[Attestation], damage: str | None = None) -> Archived:
    """Group the sessions, the newest first, by release."""
    names = dict.fromkeys(e.release for e in entries)
    return Archived(tuple(entries), tuple(_release(name, entries, attestations) for name in names if name), damage)


def _release(name: str, entries: Sequence[Entry], attestations: Sequence[Attestation]) -> Release:
    own = [(e, e.summary) for e in entries if e.summary and e.summary.release == name]
    live = [(e, s) for e, s in own if s.live_requested and s.outcome != "refused"]
    deciding = _deciding(live)
    return Release(
        name,
        _dry_run([pair for pair in own if pair[0] is not deciding], deciding),
        deciding,
        tuple(a for a in attestations if a.release in {None, name}),
        tuple(e for e in entries if e.summary is None and e.release == name),
    )


def _dry_run(own: Sequence[tuple[Entry, Summary]], live: Entry | None) -> Entry | None:
    """Return the dry-run that the live run cites; if it cites none, the newest that passed, else the newest."""
    cited = live.summary.dry_run if live and live.summary else None
    if cited:
        return next((e for e, _ in own if e.stored.session == cited["session"]), None)
    dry = [(e, s) for e, s in own if not s.live_requested and s.funds == "test"]
    return next((e for e, s in dry if s.outcome == "passed"), dry[0][0] if dry else None)


def _deciding(live: Sequence[tuple[Entry, Summary]]) -> Entry | None:
    """Return the live run that decides: real before rehearsed, then the newest that may have charged a card.

    An unknown charge counts like a seen one, so an older GO does not hold beside it.
    """
    for wanted in (
        [e for e, s in live if s.funds == "real" and s.money.charged_cents != 0],
        [e for e, s in live if s.funds == "real"],
        [e for e, s in live if s.money.charged_cents != 0],
    ):
        if wanted:
            return wanted[0]
    return live[0][0] if live else None


def slug(name: str) -> str:
    """Return a file name for any text: its letters and digits, plus a digest if it holds anything else."""
    plain = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")[:40]
    if plain == name and plain != "index":
        return plain
    return f"{plain or 'release'}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
