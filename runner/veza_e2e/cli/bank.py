"""`bank`: records what the bank statement shows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import click

from veza_e2e.archive.sessions import Stored
from veza_e2e.cli.addendum import EVIDENCE, NOTE, amount_of, evidence_file
from veza_e2e.cli.knowing import redactor_of_notes
from veza_e2e.cli.lookup import in_its_environment, stored_session, summary_of, written
from veza_e2e.cli.output import Exit, Invocation, Item, Stop, items
from veza_e2e.cli.session_line import due_line
from veza_e2e.evidence import BankStatement, Summary
from veza_e2e.evidence.facts import before_refund, refund_day
from veza_e2e.journal import timestamp
from veza_e2e.journal.addenda import SeenAtBank
from veza_e2e.journal.story import Story

_SEEN = "A credit line; the charge gone without a credit line; or neither yet."


@click.command()
@click.argument("session")
@click.option("--seen", type=click.Choice(["credit", "charge-dropped", "nothing"]), required=True, help=_SEEN)
@click.option("--date", "day", required=True, metavar="D", help="The day on the statement: YYYY-MM-DD.")
@click.option(
    "--amount",
    metavar="A",
    help='As on the statement: "5.00 EUR"; the sum of several lines. Required unless nothing was seen.',
)
@click.option("--reference", metavar="R", help="The statement's reference.")
@EVIDENCE
@NOTE
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
    """Record what the bank statement shows of a refund. A later record corrects an earlier one."""
    stored = stored_session(invocation, session)
    before = summary_of(stored)
    on = _day(day)
    money = amount_of("--amount", amount, before.money.currency)
    if seen != "nothing" and money is None:
        raise Stop(
            Exit.USAGE, f"--amount is missing: what does the statement show as {seen}?", 'write it as "5.00 EUR"'
        )
    _refuse_bank(invocation, stored, before, on, seen)
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
        reference=reference or None,
        evidence=evidence_file(evidence),
        note=note or None,
    )
    path = written(lambda: stored.add(statement, redactor_of_notes(invocation)))
    after = summary_of(stored)
    item = after.item("bank_statement")
    rows = [
        Item("addendum", "ok", str(path)),
        Item("bank_statement", item.status, item.reason),
        Item("decision", after.decision, after.reason),
    ]
    if after.rehearsed_decision:
        rows.append(Item("rehearsed_decision", after.rehearsed_decision, "as it would be with real money"))
    waiting = due_line(invocation, after)
    if waiting:
        rows.append(Item("due", "pending", waiting))
    items(invocation, rows, ok=item.status != "not_met")
    if item.status == "not_met":
        raise click.exceptions.Exit(Exit.FAILED)


def _refuse_bank(invocation: Invocation, stored: Stored, summary: Summary, on: date, seen: SeenAtBank) -> None:
    if not summary.ended:
        hint = f"end it first: {in_its_environment(invocation, stored).command('resume', stored.session)}"
        raise Stop(Exit.REFUSED, f"session {stored.session} has not ended: its last hash cannot be cited yet", hint)
    if not summary.refund_requested and not summary.money.came_back:
        raise Stop(
            Exit.REFUSED,
            f"session {stored.session} asked for no refund: no statement can show one",
            f"see what there is to record: {invocation.command('show', stored.session)}",
        )
    first = date.fromisoformat(summary.started_at[:10])
    if (first - on).days > 1:
        raise Stop(
            Exit.USAGE,
            f"--date {on} lies before the session, which began on {first}",
            "read the day off the statement: --date YYYY-MM-DD",
        )
    if (on - invocation.today).days > 1:
        raise Stop(
            Exit.USAGE,
            f"--date {on} lies in the future: today is {invocation.today}",
            "record what the statement shows, on that day or later",
        )
    refunded = refund_day(Story(stored.read().lines))
    if seen != "nothing" and refunded and before_refund(on, refunded):
        raise Stop(
            Exit.USAGE,
            f"--date {on} lies before the refund, which was on {refunded}",
            "read the day off the statement: --date YYYY-MM-DD",
        )


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError as error:
        raise Stop(Exit.USAGE, f"--date {text!r:.30} is not a day", "write it as 2026-12-30") from error
