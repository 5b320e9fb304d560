"""The checks of a live run that say whether it can end in a GO, and which evidence must be supplied by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from veza_e2e.frozen import dataclass
from veza_e2e.journal.events import PreflightChecked
from veza_e2e.ports.processor import KeyWord
from veza_e2e.preflight.services import check

NO_GO = "GO IS IMPOSSIBLE for this run"
"""How a check begins that rules a GO out."""
_DRY_RUN = "First make a dry-run of the same release on staging, refund included; it counts for 14 days."


@dataclass(frozen=True, slots=True)
class Means:
    """What a run brings along to be decided by.

    Attributes:
        release: the release that the run is evidence for.
        dry_run: the dry-run that it cites; see `archive.dry_run`.
        ex_9: whether a person attested EX-9 for the release; None if an attestation is damaged.
        rows: tries the way in which seller_transfers will be read.
        command: returns the exact command line of some words.
        session: the session's id, as commands name it.
    """

    release: str | None = None
    dry_run: Mapping[str, str] | None = None
    ex_9: bool | None = False
    rows: Callable[[], Rows] | None = None
    command: Callable[..., str] = lambda *words: " ".join(("veza-e2e", *words))
    session: str = "SESSION"


@dataclass(frozen=True, slots=True)
class Rows:
    """How the rows of seller_transfers will be read."""

    ready: bool
    said: str


def obstacles(release: str | None, dry_run: Mapping[str, str] | None, *, rehearsal: bool) -> dict[str, str]:
    """Return what makes a GO impossible for a live run, by the check's name; empty if nothing does.

    Args:
        release: the release that the run is evidence for.
        dry_run: the dry-run that it cites; see `archive.dry_run`.
        rehearsal: whether the live run is itself a rehearsal, for which a rehearsed dry-run counts.
    """
    found = {}
    if release is None or not release.strip():
        found["release"] = "no release is named"
        found["dry_run"] = "without a release, no dry-run counts"
    elif dry_run is None:
        found["dry_run"] = f"no dry-run of release {release} counts"
    elif dry_run.get("rehearsal") and not rehearsal:
        found["dry_run"] = f"dry-run {dry_run['session']} ran on the rehearsal backend, not on staging"
    return found


def live_checks(means: Means, *, rehearsal: bool) -> Iterator[PreflightChecked]:
    """Check what a live run needs to be decided by: release, dry-run, rows and EX-9."""
    missing = obstacles(means.release, means.dry_run, rehearsal=rehearsal)
    if "release" in missing:
        yield check("release", "warn", f"{NO_GO}: {missing['release']}", "Leave with `q`, and name it with --release.")
    else:
        yield check("release", "ok", f"the run is evidence for release {means.release}")
    if "dry_run" in missing:
        yield check("dry_run", "warn", f"{NO_GO}: {missing['dry_run']}", _DRY_RUN)
    elif means.dry_run is not None:
        yield _cited(means.dry_run)
    yield _ledger(means)
    yield _ex_9(means)


def _cited(dry_run: Mapping[str, str]) -> PreflightChecked:
    counts = f"dry-run {dry_run['session']} of {dry_run['ended_at'][:10]} counts"
    if dry_run.get("refund") == "no":
        return check("dry_run", "warn", f"{counts}, but had no refund", "Steps 8 and 9 were not tried before.")
    return check("dry_run", "ok", counts)


def _ledger(means: Means) -> PreflightChecked:
    rows = means.rows() if means.rows is not None else Rows(ready=False, said="the operator pastes them")
    if rows.ready:
        return check("ledger", "ok", f"the rows of seller_transfers: {rows.said}")
    late = means.command("rows", means.session)
    return check(
        "ledger",
        "warn",
        f"the rows of seller_transfers: {rows.said}",
        f"Have psql at hand at steps 7 and 9; or skip them there, and supply them later: {late}",
    )


def _ex_9(means: Means) -> PreflightChecked:
    what = "EX-9 (Stripe Connect KYC, live mode)"
    if means.ex_9:
        return check("ex_9", "ok", f"{what} is attested")
    said = "is not attested" if means.ex_9 is False else "cannot be told: an attestation is damaged"
    words = ["attest", "ex-9", "--by", "NAME", *(["--release", means.release] if means.release else [])]
    hint = f"No GO without it. Once somebody has seen it: {means.command(*words)}"
    return check("ex_9", "warn", f"{what} {said}", hint)


def key_check(means: Means, word: tuple[KeyWord, str] | None, *, wanted: bool) -> Iterator[PreflightChecked]:
    """Check the processor's key: given, and accepted by a read that changes nothing.

    Args:
        means: gives the commands.
        word: what the processor made of the key, and why; None if it could not be asked.
        wanted: whether the run is a live one, which needs a second witness.
    """
    by_hand = means.command(
        *("attest", "dashboard", "--session", means.session, "--by", "NAME"),
        *("--payment", "ID", "--charged", "AMOUNT", "--refund", "ID", "--refunded", "AMOUNT"),
    )
    later = f"R1, R4 and R6 then come from its dashboard, later, by: {by_hand}"
    if word is None:
        if wanted:
            missing = "HYPERSWITCH_API_KEY or hyperswitch_url is not set, so the processor is not asked"
            yield check("processor_key", "warn", missing, later)
        return
    status, why = word
    if status == "accepted":
        yield check("processor_key", "ok", "the processor accepts the key")
    elif status == "refused":
        yield check("processor_key", "warn", f"THE PROCESSOR REFUSES THE KEY ({why})", f"Correct it. {later}")
    else:
        yield check("processor_key", "warn", f"whether the processor accepts the key is not known: {why}", later)
