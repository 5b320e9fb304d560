"""Commands over the archive: what there is, what was learnt later, and whether it still is what it was."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from pathlib import Path

import click

from veza.money import Money
from veza_e2e.archive import ArchiveError, Stored
from veza_e2e.bankdays import statement_due, still_open
from veza_e2e.cli.integrity import render, sign, verify
from veza_e2e.cli.lookup import archives, home, stored_session, summary_of, written
from veza_e2e.cli.output import Exit, Invocation, Item, Stop, document, items, say
from veza_e2e.config import read_secrets
from veza_e2e.evidence import Attestation, BankStatement, EvidenceFile, Summary
from veza_e2e.evidence.acceptance import before_refund, refund_day
from veza_e2e.evidence.addenda import SeenAtBank
from veza_e2e.evidence.seen import see
from veza_e2e.evidence.story import Story
from veza_e2e.journal import DamagedError, timestamp
from veza_e2e.onscreen import plain
from veza_e2e.redaction import Redactor

__all__ = ["attest", "bank", "render", "sessions", "show", "sign", "verify"]

_ITEM = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_EVIDENCE = click.option(
    "--evidence",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Only its digest and size are kept.",
)
_NOTE = click.option("--note", help="A remark in your own words.")


def due_line(summary: Summary, today: date) -> str | None:
    """Return what is due of a session, None where nothing is."""
    window = statement_due(summary)
    awaited = window and f"bank statement {window.state(today)}: between {window.earliest} and {window.latest}"
    return "; ".join(line for line in (awaited, still_open(summary)) if line) or None


@click.command()
@click.pass_obj
def sessions(invocation: Invocation) -> None:
    """List the sessions: outcome, money, decision, and what is due."""
    today = invocation.today
    rows = []
    for archive in archives(invocation):
        for stored in archive.sessions():
            try:
                summary = stored.summary()
            except (DamagedError, ArchiveError, OSError) as error:
                rows.append(Item(stored.session, "damaged", str(error)))
                continue
            rows.append(Item(stored.session, summary.outcome, _session_line(summary, today)))
    rows.sort(key=lambda row: row.name, reverse=True)
    items(invocation, rows, ok=all(row.status != "damaged" for row in rows))
    if not rows and not invocation.json:
        say("No sessions yet.")
    if any(row.status == "damaged" for row in rows):
        raise click.exceptions.Exit(Exit.DAMAGED)


def _session_line(summary: Summary, today: date) -> str:
    from veza_e2e.report.view import money_line  # noqa: PLC0415 - the templates are slow to import

    parts = [summary.environment, f"funds {summary.funds}", money_line(summary)]
    if summary.release:
        parts.insert(1, f"release {summary.release}")
    if summary.live_requested:
        rehearsed = f" (rehearsed: {summary.rehearsed_decision})" if summary.rehearsal else ""
        parts.append(f"decision {summary.decision}{rehearsed}")
    if summary.waiting_for:
        parts.append(f"waits for {summary.waiting_for}")
    if summary.abandoned:
        parts.append("abandoned")
    parts += [line for line in (due_line(summary, today),) if line]
    return ", ".join(parts)


@click.command()
@click.argument("session")
@click.pass_obj
def show(invocation: Invocation, session: str) -> None:
    """Show one session, step by step."""
    stored = stored_session(invocation, session)
    summary = summary_of(stored)
    if invocation.json:
        document(summary.to_json(stored.paths))
        return
    click.echo(f"{stored.session}  {plain(_session_line(summary, invocation.today))}")
    for step in summary.steps:
        click.echo(f"  {step.number} {step.name:<10} {step.status:<8} {plain(step.observed)}")
        if step.status == "failed":
            click.echo(f"      {plain(step.meaning or '')} {plain(step.todo or '')}")
    click.echo("")
    for item in summary.acceptance:
        click.echo(f"  {item.status.replace('_', ' '):<15} {item.title}: {plain(item.reason)}")
    click.echo(f"\n{summary.decision}: {plain(summary.reason)}\n{stored.paths['report']}")


@click.command()
@click.argument("session")
@click.option("--seen", type=click.Choice(["credit", "charge-dropped", "nothing"]), required=True)
@click.option("--date", "day", required=True, metavar="D", help="The day on the statement: YYYY-MM-DD.")
@click.option("--amount", metavar="A", help='As on the statement: "5.00 EUR".')
@click.option("--reference", metavar="R", help="The statement's reference.")
@_EVIDENCE
@_NOTE
@click.pass_obj
def bank(
    invocation: Invocation,
    *,
    session: str,
    seen: SeenAtBank,
    day: str,
    amount: str | None,
    reference: str | None,
    evidence: Path | None,
    note: str | None,
) -> None:
    """Record what the bank statement shows of a refund; a later one corrects an earlier one."""
    stored = stored_session(invocation, session)
    before = summary_of(stored)
    on = _day(day)
    _refuse_bank(stored, before, on, seen, invocation.today)
    money = _amount(amount, before.money.currency)
    redactor = _redactor()
    statement = BankStatement(
        session=stored.session,
        session_hash=before.last_hash,
        number=1,
        seq=before.events + 1,
        at=timestamp(invocation.machine.clock.now()),
        seen=seen,
        date=on.isoformat(),
        amount_cents=money.minor if money else None,
        currency=money.currency if money else None,
        reference=redactor.text(reference) if reference else None,
        evidence=_evidence(evidence),
        note=redactor.text(note) if note else None,
    )
    path = written(lambda: stored.add(statement))
    after = summary_of(stored)
    item = after.item("bank_statement")
    decision = f"{after.decision}: {after.reason}"
    rows = [
        Item("addendum", "ok", str(path)),
        Item("bank_statement", item.status, item.reason),
        Item("decision", after.decision, decision),
    ]
    if after.rehearsed_decision:
        rows.append(Item("rehearsed_decision", after.rehearsed_decision, "as it would be with real money"))
    waiting = due_line(after, invocation.today)
    if waiting:
        rows.append(Item("due", "pending", waiting))
    items(invocation, rows, ok=item.status != "not_met")
    if item.status == "not_met":
        raise click.exceptions.Exit(Exit.FAILED)


def _redactor() -> Redactor:
    from veza_e2e.compose import known_secrets  # noqa: PLC0415 - slow to import, and only here

    return Redactor(known_secrets(read_secrets()))


def _refuse_bank(stored: Stored, summary: Summary, on: date, seen: SeenAtBank, today: date) -> None:
    if not summary.ended:
        hint = f"veza-e2e resume {stored.session}"
        raise Stop(Exit.REFUSED, f"session {stored.session} has not ended: its last hash cannot be cited yet", hint)
    if not summary.refund_requested:
        raise Stop(Exit.REFUSED, f"session {stored.session} asked for no refund: no statement can show one")
    first = date.fromisoformat(summary.started_at[:10])
    if (first - on).days > 1:
        raise Stop(Exit.USAGE, f"--date {on} lies before the session, which began on {first}")
    if (on - today).days > 1:
        raise Stop(Exit.USAGE, f"--date {on} lies in the future: today is {today}", "record what was seen, once it was")
    story = Story(stored.read().lines)
    refunded = refund_day(story, see(story).refund_requested_by)
    if seen != "nothing" and refunded and before_refund(on, refunded):
        raise Stop(Exit.USAGE, f"--date {on} lies before the refund, which was on {refunded}")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Stop(Exit.USAGE, f"--date {text!r:.30} is not a day", "write it as 2026-12-30") from error


def _amount(text: str | None, currency: str | None) -> Money | None:
    if text is None:
        return None
    try:
        return Money.parse(text) if " " in text.strip() else Money.from_major(text.strip(), currency or "")
    except ValueError as error:
        raise Stop(Exit.USAGE, f"--amount {text!r:.30} is not an amount", 'write it as "5.00 EUR"') from error


def _evidence(path: Path | None) -> EvidenceFile | None:
    if path is None:
        return None
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return EvidenceFile(sha256=digest.hexdigest(), bytes=path.stat().st_size)


@click.command()
@click.argument("item")
@click.option("--by", required=True, metavar="NAME", help="Who says so.")
@click.option("--release", metavar="NAME", help="The release it is said of; all of them where this is left out.")
@_EVIDENCE
@_NOTE
@click.pass_obj
def attest(
    invocation: Invocation, *, item: str, by: str, release: str | None, evidence: Path | None, note: str | None
) -> None:
    """Record a person's word for something that no machine can see, such as ex-9."""
    from ulid import ULID  # noqa: PLC0415 - only here

    name = item.lower()
    if not _ITEM.fullmatch(name):
        raise Stop(Exit.USAGE, f"{item!r:.40} is not the name of an item", "letters, digits and hyphens, such as ex-9")
    if not by.strip():
        raise Stop(Exit.USAGE, "--by names nobody")
    if release is not None and not release.strip():
        raise Stop(Exit.USAGE, "--release names no release", "leave it out where it is said of every release")
    redactor = _redactor()
    attestation = Attestation(
        id=str(ULID.from_datetime(invocation.machine.clock.now())),
        item=name,
        by=redactor.text(by.strip()),
        at=timestamp(invocation.machine.clock.now()),
        release=redactor.text(release) if release else None,
        evidence=_evidence(evidence),
        note=redactor.text(note) if note else None,
    )
    path = written(lambda: home(invocation).attest(attestation))
    scope = f"for release {attestation.release}" if attestation.release else "for every release"
    items(invocation, [Item(name, "ok", f"attested by {attestation.by} {scope}: {path}")], ok=True)
