"""The values that the live report and GO/NO-GO show. Their templates only loop."""

from __future__ import annotations

import shlex
from pathlib import Path

from markupsafe import Markup

from veza_e2e.archive.releases import Held
from veza_e2e.archive.sessions import LOG
from veza_e2e.evidence import Item
from veza_e2e.evidence import release as deciding
from veza_e2e.evidence.acceptance import TITLES
from veza_e2e.evidence.due import Due, nothing_due, statement_due, still_open
from veza_e2e.evidence.release import EX_9, ROTATED, UNRELATED
from veza_e2e.frozen import dataclass
from veza_e2e.report.cells import Fact, Section
from veza_e2e.report.escape import inline
from veza_e2e.report.html import at
from veza_e2e.report.told import moment
from veza_e2e.site.releases import Archived, Entry, Release, slug
from veza_e2e.site.sessions_table import session_row
from veza_e2e.site.vouched import signed, vouched


@dataclass(frozen=True, slots=True)
class Block:
    """A dry-run or live run on a release's page."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """An acceptance item, judged for the dry-run and the live run."""

    title: str
    dry: str
    dry_css: str
    live: str
    live_css: str
    evidence: Markup


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of a checklist."""

    done: str
    """`x` or a space."""
    text: str | Markup
    command: str = ""
    """What to type, if it is not done."""


@dataclass(frozen=True, slots=True)
class ReleaseView:
    """A release's live report."""

    name: str
    slug: str
    decision: str
    css: str
    reason: str
    evidence: str
    """Whether the evidence behind the decision is signed, and by whom."""
    due: str
    overdue: Markup
    blocks: tuple[Block, ...]
    items: tuple[Judged, ...]
    prerequisites: tuple[Tick, ...]
    housekeeping: tuple[Tick, ...]
    page: Markup
    receipts: tuple[ReceiptOf, ...]
    """Of the live run; empty if there is none."""


@dataclass(frozen=True, slots=True)
class ReceiptOf:
    """A session's receipt on another page, and where the session's page is."""

    receipt: Section
    base: str


def release_view(release: Release, up: str, policy: Path | None = None) -> ReleaseView:
    """Return the values for a release's page.

    Args:
        release: the release.
        up: the path from the page to the archive's folder.
        policy: OpenSSH's allowed signers file, if there is one.
    """
    window, overdue = due_words(release)
    damaged = tuple(Fact("Session", session_row(entry, up).link) for entry in release.damaged)
    earlier = tuple(Fact("Session", session_row(entry, up).link) for entry in release.earlier)
    unrelated = tuple(
        Fact(a.session or "", f"{a.by} on {a.at[:10]}: {a.note}") for a in release.attestations if a.item == UNRELATED
    )
    unread = f"The live run cites {release.cited}, which is not here or cannot be read."
    none = unread if release.cited else "There is no dry-run of this release yet."
    return ReleaseView(
        name=release.name,
        slug=slug(release.name),
        decision=decision_words(release),
        css=release.decision.lower(),
        reason=release.reason,
        evidence=evidence_signed(release, policy),
        due=window,
        overdue=overdue,
        blocks=(
            _block("Dry-run", release.dry_run, up, none, policy),
            _block("Live run", release.live, up, no_live_run(release.undecided), policy),
            *([Block("Damaged", damaged)] if damaged else []),
            *([Block("Earlier NO-GO", earlier)] if earlier else []),
            *([Block("Attested as unrelated", unrelated)] if unrelated else []),
        ),
        items=tuple(_items(release, up)),
        prerequisites=(_ex_9(release),),
        housekeeping=tuple(_housekeeping(release)),
        page=Markup(f"releases/{slug(release.name)}.md"),  # noqa: S704 - a slug
        receipts=tuple(ReceiptOf(e.receipt, up + e.html) for e in (release.live,) if e is not None and e.receipt),
    )


def decision_words(release: Release) -> str:
    """Return the decision; for a rehearsed live run with the rehearsed decision."""
    summary = release.summary
    if release.rehearsed_decision is None or summary is None or not summary.live_requested or release.undecided:
        return release.decision
    return f"{release.decision} (rehearsed {release.rehearsed_decision})"


def evidence_signed(release: Release, policy: Path | None) -> str:
    """Return whether the evidence behind the decision is signed, and by whom."""
    runs = (("live run", release.live), ("dry-run", release.dry_run))
    return "; ".join(f"{name}: {signed(entry.stored, policy)}" for name, entry in runs if entry) or "none yet"


def _block(title: str, entry: Entry | None, up: str, none: str, policy: Path | None) -> Block:
    if entry is None or entry.summary is None:
        return Block(title, (Fact("Session", none),))
    shown = session_row(entry, up)
    facts = [
        Fact("Session", shown.link),
        Fact("Began", moment(entry.summary.started_at)),
        Fact("Environment", shown.environment),
        Fact("Funds", shown.funds),
        Fact("Outcome", shown.outcome),
        Fact("Money", shown.money),
        Fact("Order", entry.summary.order_id or "none"),
        Fact("Payment", entry.summary.payment_id or "none"),
        Fact("Last hash", entry.summary.last_hash),
        Fact("Evidence", vouched(entry.stored, policy)),
    ]
    return Block(title, tuple(facts))


def _items(release: Release, up: str) -> list[Judged]:
    dry = release.dry_run.summary.acceptance if release.dry_run and release.dry_run.summary else ()
    live = release.summary.acceptance if release.summary else ()
    of_dry, of_live = ({item.id: item for item in items} for items in (dry, live))
    return [
        Judged(
            title,
            *_status(of_dry.get(name)),
            *_status(of_live.get(name)),
            _evidence(name, release.live, up),
        )
        for name, title in TITLES.items()
    ]


def _status(item: Item | None) -> tuple[str, str]:
    status = item.status if item else "not_checked"
    return status.replace("_", " "), status.replace("_", "-")


def _evidence(name: str, entry: Entry | None, up: str) -> Markup:
    """Return what bears an item out, as the session's page shows it, with links to that page."""
    rows = entry.acceptance.rows if entry and entry.acceptance else ()
    cells = (row.cells[-1] for row in rows if row.id == f"item-{name}")
    return at(next(cells, ""), up + entry.html if entry else "")


def no_live_run(undecided: int) -> str:
    """Return what a release says in the place of its live run; `undecided` are the damaged ones."""
    return (
        "A live run that may belong to this release is damaged."
        if undecided
        else "There is no live run of this release yet."
    )


def due_words(release: deciding.Release[Held]) -> tuple[str, Markup]:
    """Return what is due, whatever the day, and the mark by which a browser tells how long it still has."""
    summary, mark = release.summary, Markup()
    open_ones = [summary, *(one.summary for one in release.unsettled)]
    said = [text for one in open_ones if one and (text := still_open(one))]
    window = statement_due(summary) if summary else None
    if window is not None:
        said.append(
            f"bank statement between {window.earliest} and {window.latest}, overdue after {window.overdue_after}"
        )
        mark = due_mark(window)
    known = "; ".join(said) or nothing_due(summary)
    if not release.undecided:
        return known, mark
    return "not known of the damaged live sessions" + (f"; of the others: {known}" if summary else ""), mark


def due_mark(window: Due) -> Markup:
    """Return an empty mark; a browser fills in "due in 3 days" or "late", since a page does not know the day."""
    return Markup(' <span class="veza-due" data-due="{}" data-overdue-after="{}"></span>').format(
        window.latest.isoformat(), window.overdue_after.isoformat()
    )


def attest_command(release: Release, item: str) -> str:
    """Return the command that attests an item of a release in the archive of this site."""
    runs = [entry.summary for entry in (release.live, release.dry_run) if entry and entry.summary]
    environments = [run.environment for run in runs]
    environments += [entry.claimed.environment for entry in release.damaged if entry.claimed]
    environment = next(iter(environments), "NAME")
    words = ["veza-e2e", "--env", environment, "attest", item, "--by", "NAME", "--release", release.name]
    return shlex.join(words)


def _ex_9(release: Release) -> Tick:
    attested = release.attested(EX_9)
    what = "EX-9 (Stripe Connect KYC, live mode)"
    if attested is None:
        return Tick(" ", f"{what}: nobody attested it yet", attest_command(release, EX_9))
    return Tick("x", f"{what}: attested by {attested.by} on {attested.at[:10]}")


def _housekeeping(release: Release) -> list[Tick]:
    entry, summary = release.live, release.summary
    archived = (
        entry is not None
        and summary is not None
        and summary.ended
        and LOG not in entry.altered
        and (entry.stored.folder / LOG).is_file()
    )
    flipped = release.decision != "PENDING"
    rotated = release.attested(ROTATED)
    return [
        Tick("x" if archived else " ", "Log archived: the session has ended and its log stands beside its journal"),
        Tick("x" if flipped else " ", f"GO/NO-GO row flipped: it says {release.decision}"),
        Tick(
            "x" if rotated else " ",
            "OPERATOR_PASSWORD rotated, if it passed through shell history"
            + (f": attested by {rotated.by}" if rotated else ""),
            "" if rotated else attest_command(release, ROTATED),
        ),
    ]


def unknown(shown: Archived, up: str) -> tuple[Markup, ...]:
    """Return the damage that may concern any release, one line each."""
    said = []
    if shown.unknown:
        links = Markup(" ").join(session_row(entry, up).link for entry in shown.unknown)
        said.append(Markup("{} damaged sessions, release unknown: {}").format(len(shown.unknown), links))
    if shown.damage:
        said.append(Markup("Damaged attestations: {}").format(inline(shown.damage)))
    return tuple(said)


def checklist(tick: Tick) -> Markup:
    """Return a line of a checklist as HTML."""
    sign, word = ("☑", "done") if tick.done == "x" else ("☐", "open")
    said = Markup('<span class="veza-tick" role="img" aria-label="{}">{}</span> {}').format(
        word, sign, inline(tick.text)
    )
    if not tick.command:
        return said
    return said + Markup(': <code class="veza-copied">{}</code>').format(inline(tick.command))
