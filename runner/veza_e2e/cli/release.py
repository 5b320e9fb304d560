"""`release`: what a release's sessions and attestations decide about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from veza_e2e.archive.releases import Held, releases
from veza_e2e.archive.sessions import Archive
from veza_e2e.cli.lookup import archives, home
from veza_e2e.cli.nearest import nearest
from veza_e2e.cli.output import Exit, Invocation, Item, Stop, items, say
from veza_e2e.cli.session_line import due_line
from veza_e2e.cli.writing import write_file
from veza_e2e.evidence.due import NOTHING, nothing_due
from veza_e2e.evidence.release import EX_9, Archived, Release


@click.command()
@click.argument("name")
@click.option("--markdown", is_flag=True, help="Print only the row for your GO/NO-GO document.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the report of this release to FILE, in plain Markdown.",
)
@click.pass_obj
def release(invocation: Invocation, *, name: str, markdown: bool, report: Path | None) -> int:
    """Show the decision about a release, and what is due.

    NAME is the one given to `run --release`. Ends with 6 if a damaged file may belong to the release.
    """
    from veza_e2e.site import release_report  # noqa: PLC0415 - the templates are slow to import

    archive = home(invocation)
    shown = releases(archive)
    found = _named(invocation, shown, name, archive)
    runs = [found.summary, *(one.summary for one in found.unsettled)]
    known = [due_line(invocation, one) for one in runs if one]
    lost = "not known of the damaged live sessions" if found.undecided else None
    due = "; ".join(one for one in (lost, *known) if one) or nothing_due(found.summary)
    if report is not None:
        write_file("--report", report, release_report.report(found), archive)
        say(f"written: {report}")
    damaged = bool(found.doubtful) or shown.damage is not None
    if markdown and not invocation.json:
        click.echo(release_report.row(found))
    else:
        rows = list(_rows(invocation, found, shown, due))
        if markdown:
            rows.append(Item("markdown", "ok", release_report.row(found)))
        items(invocation, rows, ok=not damaged)
    return int(Exit.DAMAGED if damaged else Exit.PASSED)


def _named(invocation: Invocation, shown: Archived[Held], name: str, archive: Archive) -> Release[Held]:
    named = {one.name: one for one in shown.releases}
    if name in named:
        return named[name]
    close = nearest(name, named)
    hint = f"list the sessions: {invocation.command('sessions')}"
    hint = hint if close is None else f"did you mean: {invocation.command('release', close)}"
    hint = next(_elsewhere(invocation, name), hint)
    raise Stop(Exit.USAGE, f"no session of release {name!r:.60} is in {archive.root}", hint)


def _elsewhere(invocation: Invocation, name: str) -> Iterator[str]:
    """Yield where else the release is, with the command that shows it."""
    for other in archives(invocation)[1:]:
        for one in releases(other).releases:
            runs = [run.summary for run in (one.live, one.dry_run) if run and run.summary]
            if one.name == name and runs:
                there = replace(invocation, environment=runs[0].environment)
                yield f"it is in {other.root}: {there.command('release', name)}"


def _rows(invocation: Invocation, found: Release[Held], shown: Archived[Held], due: str) -> Iterator[Item]:
    yield Item("decision", found.decision, found.reason)
    if found.rehearsed_decision is not None:
        yield Item("rehearsed_decision", found.rehearsed_decision, "as it would be with real money")
    for title, run in (("live run", found.live), ("dry-run", found.dry_run)):
        if run is None or run.summary is None:
            lost = found.undecided if title == "live run" else 0
            said = f"{lost} damaged, see below" if lost else f"there is no {title} of {found.name}"
            yield Item(title, "damaged" if lost else "none", said)
        else:
            yield Item(title, run.summary.outcome, f"{run.session}: {run.summary.money.sentence}")
    for item in found.summary.acceptance if found.summary else ():
        yield Item(item.id, item.status, item.reason)
    yield _ex_9(invocation, found)
    if shown.damage is not None:
        yield Item("attestations", "damaged", shown.damage)
    yield from _beside(invocation, found)
    settled = "not_met" if due.startswith(NOTHING) else "pending"
    yield Item("due", "ok" if due == NOTHING else settled, due)


def _ex_9(invocation: Invocation, found: Release[Held]) -> Item:
    attested = found.attested(EX_9)
    if attested is None:
        todo = invocation.command("attest", EX_9, "--by", "NAME", "--release", found.name)
        return Item("ex_9", "not_checked", f"not attested: {todo}")
    return Item("ex_9", "met", f"attested by {attested.by} on {attested.at[:10]}")


def _beside(invocation: Invocation, found: Release[Held]) -> Iterator[Item]:
    for one in found.earlier:
        yield Item(f"earlier {one.session}", "NO-GO", one.summary.reason if one.summary else "")
    for one in found.doubtful:
        todo = invocation.command("attest", "unrelated", "--session", one.session, "--by", "NAME", "--note", "TEXT")
        yield Item(f"damaged {one.session}", "damaged", f"{one.damage}; if it has nothing to do with it: {todo}")
    for said in found.attestations:
        if said.session is not None:
            yield Item(f"unrelated {said.session}", "ok", f"{said.by} on {said.at[:10]}: {said.note}")
