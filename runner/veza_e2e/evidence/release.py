"""Decides about a release by the sessions and attestations about it: pure rules, which the site and `release` share."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from veza_e2e.evidence.model import Decision, Summary
from veza_e2e.frozen import dataclass
from veza_e2e.journal.addenda import Attestation
from veza_e2e.journal.events import SessionStarted

EX_9 = "ex-9"
ROTATED = "password-rotated"
UNRELATED = "unrelated"


class Kept(Protocol):
    """A session of the archive, as far as a decision needs it."""

    @property
    def session(self) -> str:
        """Its id."""
        ...

    @property
    def summary(self) -> Summary | None:
        """Beside what the dry-run that it cites says now; None if the files are damaged."""
        ...

    @property
    def claimed(self) -> SessionStarted | None:
        """The first event, if the files are damaged but the event is not."""
        ...


E_co = TypeVar("E_co", bound=Kept, covariant=True)


@dataclass(frozen=True, slots=True)
class Release(Generic[E_co]):
    """A release, with the sessions and attestations about it."""

    name: str
    dry_run: E_co | None
    live: E_co | None
    """The live run that decides."""
    attestations: tuple[Attestation, ...]
    damaged: tuple[E_co, ...] = ()
    """Sessions of this release whose files are damaged."""
    doubtful: tuple[E_co, ...] = ()
    """Damaged sessions that may belong to this release, those above included, unless attested as unrelated."""
    earlier: tuple[E_co, ...] = ()
    """Other live runs with real funds that were a NO-GO."""
    unsettled: tuple[E_co, ...] = ()
    """Other live runs with real funds whose money is or may be out."""

    @property
    def cited(self) -> str | None:
        """The dry-run that the live run cites."""
        cited = self.live.summary.dry_run if self.live and self.live.summary else None
        return cited["session"] if cited else None

    @property
    def undecided(self) -> int:
        """The number of live runs that cannot be judged, because their files are damaged."""
        return sum(one.claimed is not None and one.claimed.live_requested for one in self.doubtful)

    @property
    def summary(self) -> Summary | None:
        """The live run's summary."""
        return self.live.summary if self.live else None

    @property
    def decision(self) -> Decision:
        """GO, NO-GO or PENDING."""
        return self._held_back(self.summary.decision) if self.summary else "PENDING"

    @property
    def rehearsed_decision(self) -> Decision | None:
        """What the decision would be, had the money been real; None if the live run was no rehearsal."""
        rehearsed = self.summary.rehearsed_decision if self.summary else None
        return None if rehearsed is None else self._held_back(rehearsed)

    @property
    def reason(self) -> str:
        """Why the decision is what it is."""
        alone = self.summary.reason if self.summary else "there was no live run yet"
        if self.undecided:
            damaged = f"{self.undecided} damaged live session{'s' * (self.undecided > 1)}, which cannot be judged"
            return f"{damaged}; of the others: {alone}" if self.summary else damaged
        if self.summary is None or "GO" not in {self.summary.decision, self.summary.rehearsed_decision}:
            return alone
        holds = " and ".join(self._holds())
        return f"{alone}, but {holds}" if holds else alone

    def attested(self, item: str) -> Attestation | None:
        """Return the latest attestation of an item for this release."""
        found = [a for a in self.attestations if a.item == item]
        return found[-1] if found else None

    def _held_back(self, decision: Decision) -> Decision:
        return "PENDING" if decision == "GO" and any(self._holds()) else decision

    def _holds(self) -> Iterator[str]:
        """Yield what holds a GO back, beside the nine items of the live run."""
        if self.attested(EX_9) is None:
            yield "EX-9 is not attested"
        if self.doubtful:
            yield f"{len(self.doubtful)} damaged sessions may belong to this release"


@dataclass(frozen=True, slots=True)
class Archived(Generic[E_co]):
    """Everything in the archive, the newest first."""

    entries: tuple[E_co, ...]
    releases: tuple[Release[E_co], ...]
    damage: str | None = None
    """Why no attestation counts: one of them is damaged."""

    @property
    def unknown(self) -> tuple[E_co, ...]:
        """The damaged sessions whose release is unknown."""
        return tuple(e for e in self.entries if e.summary is None and e.claimed is None)

    @property
    def newest(self) -> str:
        """The time of the newest event, which dates the site."""
        return max((e.summary.last_at for e in self.entries if e.summary), default="1970-01-01T00:00:00.000Z")


def release_of(entry: Kept) -> str | None:
    """Return the release that a session is evidence for."""
    return entry.summary.release if entry.summary else entry.claimed.release if entry.claimed else None


def by_release(
    entries: Sequence[E_co], attestations: Sequence[Attestation], damage: str | None = None
) -> Archived[E_co]:
    """Group the sessions, the newest first, by release.

    Args:
        entries: the archive's sessions, the newest first.
        attestations: the oldest first.
        damage: why no attestation counts.
    """
    names = dict.fromkeys(release_of(e) for e in entries)
    return Archived(tuple(entries), tuple(_release(name, entries, attestations) for name in names if name), damage)


def _release(name: str, entries: Sequence[E_co], attestations: Sequence[Attestation]) -> Release[E_co]:
    own = [(e, e.summary) for e in entries if e.summary and e.summary.release == name]
    live = [(e, s) for e, s in own if s.live_requested and s.outcome != "refused"]
    deciding = _deciding(live, entries)
    said = tuple(a for a in attestations if a.release in {None, name})
    unrelated = {a.session for a in said if a.item == UNRELATED}
    damaged = [e for e in entries if e.summary is None]
    return Release(
        name,
        _dry_run([pair for pair in own if pair[0] is not deciding], deciding),
        deciding,
        said,
        damaged=tuple(e for e in damaged if release_of(e) == name),
        doubtful=tuple(
            e for e in damaged if (e.claimed is None or release_of(e) == name) and e.session not in unrelated
        ),
        earlier=tuple(e for e, s in live if e is not deciding and s.decision == "NO-GO"),
        unsettled=tuple(e for e, s in live if e is not deciding and s.funds == "real" and not s.money.settled),
    )


def _dry_run(own: Sequence[tuple[E_co, Summary]], live: E_co | None) -> E_co | None:
    """Return the dry-run that the live run cites; if it cites none, the newest that passed, else the newest."""
    cited = live.summary.dry_run if live and live.summary else None
    if cited:
        return next((e for e, _ in own if e.session == cited["session"]), None)
    dry = [(e, s) for e, s in own if not s.live_requested and s.funds == "test"]
    return next((e for e, s in dry if s.outcome == "passed"), dry[0][0] if dry else None)


def _deciding(live: Sequence[tuple[E_co, Summary]], entries: Sequence[Kept]) -> E_co | None:
    """Return the live run that decides: the latest with real funds; without one, the latest rehearsal.

    A session that was there when another began is the earlier one, whatever the clocks said.
    """
    runs = [e for e, s in live if s.funds == "real"] or [e for e, _ in live]
    named = {e.session: _named(e) for e in entries}
    earlier = {run.session: _reached(run.session, named) for run in runs}
    latest = (one for one in runs if not any(one.session in earlier[other.session] for other in runs))
    return next(latest, next(iter(runs), None))


def _named(entry: Kept) -> Collection[str]:
    """Return the sessions that a session names as there when it began."""
    return (entry.summary.others if entry.summary else entry.claimed.others if entry.claimed else None) or ()


def _reached(session: str, named: Mapping[str, Collection[str]]) -> set[str]:
    """Return the sessions that were there when this one began: those that it names, and those that these name."""
    found, ahead = set[str](), [*named.get(session, ())]
    while ahead:
        one = ahead.pop()
        if one not in found:
            found.add(one)
            ahead += named.get(one, ())
    return found
