"""`abandon`: a session that nobody will resume is ended, unless money is out."""

from __future__ import annotations

import click

from veza import Order, OrderStatus, VezaError
from veza_e2e.archive.sessions import Stored
from veza_e2e.cli import narrate
from veza_e2e.cli.calling import settings_of, translated
from veza_e2e.cli.output import Exit, Invocation, Stop, document, say
from veza_e2e.cli.resumption import first_of, meant_session, parts_of
from veza_e2e.config import Settings
from veza_e2e.engine.finish import finish
from veza_e2e.engine.session import Stage, open_stage
from veza_e2e.evidence import Summary
from veza_e2e.journal import FileSink, parse
from veza_e2e.journal.events import (
    BrowserOpened,
    CallIntended,
    PreflightFinished,
    SessionAbandoned,
    TailCut,
)
from veza_e2e.money.payment_states import UNTAKEN
from veza_e2e.ports.interrupts import Interrupts
from veza_e2e.ports.machine import Machine
from veza_e2e.ports.processor import ProcessorError, ProcessorPayment, returned
from veza_e2e.steps.checkout_page import link_ran_out

_NO_MONEY = frozenset({OrderStatus.FAILED, OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.REFUNDED})


@click.command()
@click.argument("session")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stands in the journal.")
@click.pass_obj
def abandon(invocation: Invocation, session: str, reason: str) -> int:
    """End a session that nobody will resume; refused while the API says that money is out."""
    settings = settings_of(invocation)
    with translated():
        stored = meant_session(settings, session)
        sink = FileSink(stored.journal, create=False)
        try:
            summary = _abandoned(settings, stored, sink, reason, invocation.machine)
        finally:
            sink.close()
    if invocation.json:
        document(summary.to_json(stored.paths))
    else:
        click.echo(f"{stored.session} is abandoned: {narrate.money(summary)}")
    return int(Exit.PASSED)


def _abandoned(settings: Settings, stored: Stored, sink: FileSink, reason: str, machine: Machine) -> Summary:
    reading = parse(sink.load(), stored.journal)
    if reading.ended:
        raise Stop(Exit.REFUSED, f"session {stored.session} has ended already", "there is nothing to abandon")
    first = first_of(reading, stored.journal, settings, any_version=True)
    if reading.torn:
        sink.cut(reading.torn)
    gate = next((line.event for line in reading.lines if isinstance(line.event, PreflightFinished)), None)
    interrupts = Interrupts()
    interrupts.install()
    with parts_of(settings, first, interrupts, machine, backend=False) as parts:
        stage = open_stage(parts, sink, idempotency=first.idempotency, lines=reading.lines)
        if gate is None or not gate.rehearsal:
            refuse_if_money_is_out(stage)
        if reading.torn:
            stage.journal.append(TailCut(bytes=reading.torn))
        stage.journal.append(SessionAbandoned(reason=parts.redactor.text(reason)))
        with interrupts.deferred():
            finish(stage, stored, over=True)
        return stage.summary()


def refuse_if_money_is_out(stage: Stage) -> None:
    """Ask the processor and the API how payment and order stand; what nobody can tell is said."""
    summary = stage.summary()
    events = list(stage.journal.events())
    if summary.order_id is None:
        if any(isinstance(event, CallIntended) and event.operation == "createOrder" for event in events):
            say("The request for the order may have been carried out; an unpaid order expires by itself.")
        return
    try:
        order = stage.api.orders.get(summary.order_id)
    except VezaError as error:
        told = stage.parts.redactor.text(str(error))
        raise Stop(
            Exit.REFUSED, f"whether money is out cannot be told: {told}", "abandon the session when the API answers"
        ) from error
    payment = _payment(stage, order.payment_id)
    shown = f"order {order.id} is {order.status}" + (f", its payment {payment.status}" if payment else "")
    if _settled(order, payment, offered=any(isinstance(event, BrowserOpened) for event in events)):
        return
    if payment is None and order.status is OrderStatus.PENDING_PAYMENT:
        _wait_for_the_link(stage, shown)
        return
    raise Stop(
        Exit.REFUSED,
        f"money is or may be out: {shown} ({narrate.money(summary)})",
        "resume the session to refund it first",
    )


def _settled(order: Order, payment: ProcessorPayment | None, *, offered: bool) -> bool:
    """Whether no money is out, by what was just read."""
    if payment is not None and payment.amount_received:
        return returned(payment).minor >= payment.amount_received
    if order.status is OrderStatus.PENDING_PAYMENT:
        return not offered or (payment is not None and payment.status in UNTAKEN)
    return order.status in _NO_MONEY and (payment is None or payment.status in UNTAKEN)


def _wait_for_the_link(stage: Stage, shown: str) -> None:
    """Nobody can be asked whether it was paid: let the link run out, then say what is not known."""
    if not link_ran_out(stage.journal, stage.parts.ports.clock.now()):
        raise Stop(
            Exit.REFUSED,
            f"money may be out: {shown}, its page was opened, and there is no processor to ask",
            "set HYPERSWITCH_API_KEY, or wait until the page's link ran out (15 minutes after the order)",
        )
    say(f"Whether it was paid is not known ({shown}): look the payment up at the processor's dashboard.")


def _payment(stage: Stage, payment_id: str | None) -> ProcessorPayment | None:
    """Return the payment; None where there is no processor to ask.

    Raises:
        Stop: it was asked in vain.
    """
    if stage.processor is None or payment_id is None:
        return None
    try:
        return stage.processor.payment(payment_id)
    except ProcessorError as error:
        told = stage.parts.redactor.text(str(error))
        raise Stop(
            Exit.REFUSED, f"whether money is out cannot be told: {told}", "abandon the session when it answers"
        ) from error
