"""A release in plain Markdown: the row for a GO/NO-GO document, and the report of its dry-run and live run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from veza_e2e.archive.files import ArchiveError
from veza_e2e.archive.releases import Held
from veza_e2e.archive.sessions import LOG
from veza_e2e.evidence import Attestation
from veza_e2e.evidence.acceptance import TITLES
from veza_e2e.evidence.release import EX_9, ROTATED, Release
from veza_e2e.frozen import dataclass
from veza_e2e.journal import DamagedError
from veza_e2e.report import ReportError, templates
from veza_e2e.report.cells import Fact, Section
from veza_e2e.report.escape import typed
from veza_e2e.report.head import funds, money_line
from veza_e2e.report.told import moment
from veza_e2e.report.view import ReportView, view
from veza_e2e.site.live_report import due_words, no_live_run

COLUMNS = ("Release", "Decision", "Reason", "Live run", "Dry-run", "Due")
"""The columns of a release's row."""


@dataclass(frozen=True, slots=True)
class _Run:
    title: str
    name: str
    facts: tuple[Fact, ...]
    absent: str
    """What is said where there are no facts."""
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class _Judged:
    done: bool
    title: str
    dry: str
    live: str
    why: str
    events: str


@dataclass(frozen=True, slots=True)
class _Tick:
    done: bool
    title: str


@dataclass(frozen=True, slots=True)
class _Page:
    name: str
    decision: str
    reason: str
    due: str
    runs: tuple[_Run, ...]
    items: tuple[_Judged, ...]
    ex_9: _Tick
    sections: tuple[Section, ...]
    addenda: tuple[str, ...]
    attested: tuple[str, ...]
    housekeeping: tuple[_Tick, ...]
    beside: tuple[str, ...]


def row(release: Release[Held]) -> str:
    """Return the release's row of a Markdown table, escaped; its columns are `COLUMNS`."""
    live = release.live.session if release.live else "none"
    dry = release.dry_run.session if release.dry_run else "none"
    cells = (
        release.name,
        decided(release),
        release.reason,
        live,
        dry,
        due_words(release)[0],
    )
    return f"| {' | '.join(map(typed, cells))} |"


def report(release: Release[Held]) -> bytes:
    """Return the release's report in plain Markdown; the same sessions give the same bytes on any day."""
    dry, live = _told(release.dry_run), _told(release.live)
    page = _Page(
        name=release.name,
        decision=decided(release),
        reason=release.reason,
        due=due_words(release)[0],
        runs=(
            _run("dry-run", release.dry_run, dry, _absent(release)),
            _run("live run", release.live, live, no_live_run(release.undecided)),
        ),
        items=tuple(_items(release)),
        ex_9=_ex_9(release),
        sections=_of(live or dry, *_ONCE),
        addenda=tuple(_addenda(release.live)),
        attested=tuple(map(_attested, release.attestations)),
        housekeeping=tuple(_housekeeping(release)),
        beside=tuple(beside(release)),
    )
    return templates.markdown().get_template("release_report.md").render(page=page).encode()


_EACH = ("Receipt", "The nine steps", "Reconciliation")
"""The parts of a session's report that stand in both blocks."""
_ONCE = ("The operator's risks", "Linked artefacts")
"""The parts that stand once, as the session that decides shows them."""


def _told(run: Held | None) -> ReportView | None:
    if run is None or run.summary is None:
        return None
    try:
        reading = run.stored.read()
        return view(reading.lines, run.stored.addenda(reading), run.summary)
    except (DamagedError, ArchiveError, ReportError, OSError):
        return None


def _of(page: ReportView | None, *titles: str) -> tuple[Section, ...]:
    return tuple(section for section in page.sections if section.title in titles) if page else ()


def _run(name: str, run: Held | None, page: ReportView | None, absent: str) -> _Run:
    where = f" on {run.summary.environment}" if run and run.summary else ""
    return _Run(f"{name.capitalize()}{where}", name, tuple(_facts(run)), absent, _of(page, *_EACH))


def _ex_9(release: Release[Held]) -> _Tick:
    said = release.attested(EX_9)
    what = "Stripe Connect's KYC is done, live mode is on"
    if said is None:
        return _Tick(done=False, title=f"{what}: nobody has attested it")
    return _Tick(done=True, title=f"{what}: attested by {said.by} on {said.at[:10]}")


def _housekeeping(release: Release[Held]) -> Iterator[_Tick]:
    live, rotated = release.live, release.attested(ROTATED)
    archived = live is not None and live.summary is not None and live.summary.ended and _log_stands(live)
    yield _Tick(done=archived, title="Log archived: the session has ended, and its log has the digest it names")
    yield _Tick(done=False, title=f"Row of the GO/NO-GO checklist says {decided(release)}: compare it by hand")
    by = f"attested by {rotated.by} on {rotated.at[:10]}" if rotated else "nobody has attested it"
    yield _Tick(
        done=rotated is not None, title=f"OPERATOR_PASSWORD rotated, if it passed through the shell's history: {by}"
    )


def _log_stands(run: Held) -> bool:
    try:
        return LOG not in run.stored.altered(run.stored.read())
    except (DamagedError, OSError):
        return False


def decided(release: Release[Held]) -> str:
    """Return the decision; for a rehearsed live run with the rehearsed decision."""
    if release.rehearsed_decision is None or release.summary is None or not release.summary.live_requested:
        return release.decision
    return f"{release.decision} (rehearsed {release.rehearsed_decision})"


def beside(release: Release[Held]) -> Iterator[str]:
    """Yield what a reader must know of other sessions: each earlier NO-GO, and each damaged session."""
    for one in release.earlier:
        yield f"NO-GO: {one.session}, {one.summary.reason if one.summary else ''}"
    doubtful = {one.session for one in release.doubtful}
    for one in release.doubtful:
        yield f"damaged: {one.session}, {one.damage}"
    for one in release.damaged:
        if one.session not in doubtful:
            yield f"damaged, attested as unrelated: {one.session}, {one.damage}"


def _facts(run: Held | None) -> Iterator[Fact]:
    if run is None or run.summary is None:
        return
    summary = run.summary
    yield Fact("Session", run.session)
    yield Fact("Folder", "/".join(run.stored.folder.parts[-3:]))
    yield Fact("Began", moment(summary.started_at))
    yield Fact("Environment", summary.environment)
    yield Fact("Funds", funds(summary))
    yield Fact("Outcome", summary.outcome)
    yield Fact("Money", money_line(summary))
    yield Fact("Order", summary.order_id or "none")
    yield Fact("Payment", summary.payment_id or "none")
    yield Fact("Refund", summary.refund_id or "none")
    yield Fact("Last hash", summary.last_hash)


def _items(release: Release[Held]) -> Iterator[_Judged]:
    dry = release.dry_run.summary.acceptance if release.dry_run and release.dry_run.summary else ()
    live = release.summary.acceptance if release.summary else ()
    of_dry, of_live = ({item.id: item for item in items} for items in (dry, live))
    for name, title in TITLES.items():
        item = of_live.get(name)
        yield _Judged(
            item is not None and item.status == "met",
            title,
            _words(of_dry[name].status if name in of_dry else "not_checked"),
            _words(item.status if item else "not_checked"),
            item.reason if item else "",
            ", ".join(map(str, item.evidence)) if item else "",
        )


def _absent(release: Release[Held]) -> str:
    if release.cited:
        return f"The live run cites {release.cited}, which is not here or cannot be read."
    return "There is no dry-run of this release yet."


def _words(status: str) -> str:
    return status.replace("_", " ")


def _addenda(run: Held | None) -> Sequence[str]:
    if run is None:
        return ()
    try:
        return [f"{item.at[:10]}, {item.told}" for item in run.stored.addenda(run.stored.read())]
    except (DamagedError, ArchiveError, OSError) as error:
        return [f"not readable: {error}"]


def _attested(said: Attestation) -> str:
    of = f" of session {said.session}" if said.session else "" if said.release else " of every release"
    note = f": {said.note}" if said.note else ""
    return f"{said.item}{of}, by {said.by} on {said.at[:10]}{note}"
