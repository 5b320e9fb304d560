"""`abandon`: ends a session that nobody will resume; refused while money is out."""

from __future__ import annotations

import click

from veza.money import Money
from veza_e2e.archive.sessions import Stored
from veza_e2e.cli.calling import translated
from veza_e2e.cli.lookup import command_in, settings_of
from veza_e2e.cli.output import Exit, Invocation, Stop, document, say
from veza_e2e.cli.resumption import first_of, meant_session, parts_of
from veza_e2e.config import Settings
from veza_e2e.engine.abandon import MoneyMayBeOutError, give_up
from veza_e2e.engine.finish import finish
from veza_e2e.engine.session import open_stage
from veza_e2e.evidence import Summary
from veza_e2e.journal import FileSink, parse
from veza_e2e.journal.events import PreflightFinished, SessionAbandoned, TailCut
from veza_e2e.money.account import fold
from veza_e2e.ports.interrupts import Interrupts
from veza_e2e.ports.machine import Machine


@click.command()
@click.argument("session")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is kept in the report.")
@click.option("--accept-loss", "loss", metavar="AMOUNT", help='Give up the money that is out, exactly: "5.00 EUR".')
@click.pass_obj
def abandon(invocation: Invocation, session: str, reason: str, loss: str | None) -> int:
    """End a session that nobody will resume. It is refused while money is or may be out."""
    settings = settings_of(invocation)
    reason, accepted = _reason(reason), _amount(loss)
    with translated(invocation.command("abandon", session, "--reason", reason)):
        stored = meant_session(settings, session)
        sink = FileSink(stored.journal, create=False)
        try:
            summary = _abandoned(settings, stored, sink, reason, accepted, invocation.machine)
        finally:
            sink.close()
    if invocation.json:
        document(summary.to_json(stored.paths))
    else:
        click.echo(f"{stored.session} is abandoned: {summary.money.sentence}")
    return int(Exit.PASSED)


def _reason(text: str) -> str:
    if not text.strip():
        raise Stop(Exit.USAGE, "--reason is empty: it stands in the report", "write why: --reason TEXT")
    return text


def _amount(text: str | None) -> Money | None:
    try:
        return None if text is None else Money.parse(text.strip().upper())
    except ValueError as error:
        raise Stop(Exit.USAGE, f"--accept-loss {text!r:.40} is not an amount", 'write it as "5.00 EUR"') from error


def _abandoned(
    settings: Settings, stored: Stored, sink: FileSink, reason: str, accepted: Money | None, machine: Machine
) -> Summary:
    reading = parse(sink.load(), stored.journal)
    if reading.ended:
        raise Stop(Exit.REFUSED, f"session {stored.session} has ended already", "there is nothing to abandon")
    first = first_of(reading, stored.journal, settings, any_version=True, command="abandon --reason TEXT")
    if reading.torn:
        sink.cut(reading.torn)
    gate = next((line.event for line in reading.lines if isinstance(line.event, PreflightFinished)), None)
    interrupts = Interrupts()
    interrupts.install()
    with parts_of(settings, first, interrupts, machine, backend=False) as parts:
        stage = open_stage(parts, sink, idempotency=first.idempotency, lines=reading.lines)
        lost, stake = None, fold(reading.lines).at_stake
        if gate is not None and gate.rehearsal and accepted is not None and accepted != stake:
            raise Stop(
                Exit.REFUSED,
                f"--accept-loss {accepted} is not what is open ({stake or 'nothing'})",
                f"see: {command_in(stored.folder.parents[2], first.environment, 'show', stored.session)}",
            )
        if gate is not None and not gate.rehearsal:
            try:
                lost = give_up(stage, accepted, say)
            except MoneyMayBeOutError as error:
                raise Stop(Exit.REFUSED, str(error), error.todo) from error
        if reading.torn:
            stage.journal.append(TailCut(bytes=reading.torn))
        stage.journal.append(
            SessionAbandoned(
                reason=reason,
                accepted_cents=lost.minor if lost else None,
                accepted_currency=lost.currency if lost else None,
            )
        )
        with interrupts.deferred():
            finish(stage, stored, over=True)
        return stage.summary()
