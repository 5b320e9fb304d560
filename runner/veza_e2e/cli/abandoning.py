"""`abandon`: a session that nobody will resume is ended, unless money is out."""

from __future__ import annotations

import click

from veza import OrderStatus, PaymentStatus, VezaError
from veza_e2e import conduct, narrate, work
from veza_e2e.archive import Stored
from veza_e2e.cli.calling import settings_of, translated
from veza_e2e.cli.output import Exit, Invocation, Stop, document, say
from veza_e2e.cli.resuming import first_of, parts_of, stored_session
from veza_e2e.config import Settings
from veza_e2e.events import CallIntended, PreflightFinished, SessionAbandoned, TailCut
from veza_e2e.evidence import Summary
from veza_e2e.interrupts import Interrupts
from veza_e2e.journal import FileSink, parse
from veza_e2e.processor import ProcessorError

_NO_MONEY = frozenset({OrderStatus.FAILED, OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.REFUNDED})
_UNPAID = frozenset(
    {
        PaymentStatus.FAILED,
        PaymentStatus.CANCELLED,
        PaymentStatus.EXPIRED,
        PaymentStatus.REQUIRES_PAYMENT_METHOD,
        PaymentStatus.REQUIRES_CONFIRMATION,
        PaymentStatus.REQUIRES_CUSTOMER_ACTION,
    }
)


@click.command()
@click.argument("session")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stands in the journal.")
@click.pass_obj
def abandon(invocation: Invocation, session: str, reason: str) -> int:
    """End a session that nobody will resume; refused while the API says that money is out."""
    settings = settings_of(invocation)
    with translated():
        stored = stored_session(settings, session)
        if stored.read().ended:
            raise Stop(Exit.REFUSED, f"session {stored.session} has ended already", "there is nothing to abandon")
        sink = FileSink(stored.journal, create=False)
        try:
            summary = _abandoned(settings, stored, sink, reason)
        finally:
            sink.close()
    if invocation.json:
        document(summary.to_json(stored.paths))
    else:
        click.echo(f"{stored.session} is abandoned: {narrate.money(summary)}")
    return int(Exit.PASSED)


def _abandoned(settings: Settings, stored: Stored, sink: FileSink, reason: str) -> Summary:
    reading = parse(sink.load(), stored.journal)
    first = first_of(reading, stored.journal, settings)
    if reading.torn:
        sink.cut(reading.torn)
    gate = next((line.event for line in reading.lines if isinstance(line.event, PreflightFinished)), None)
    interrupts = Interrupts()
    interrupts.install()
    with parts_of(settings, first, interrupts, backend=False) as parts:
        stage = conduct.stage(parts, sink, idempotency=first.idempotency, lines=reading.lines)
        if gate is None or not gate.rehearsal:
            _refuse_if_money_is_out(stage)
        if reading.torn:
            stage.journal.append(TailCut(bytes=reading.torn))
        stage.journal.append(SessionAbandoned(reason=parts.redactor.text(reason)))
        with interrupts.deferred():
            work.finish(stage, stored, over=True)
        return stage.summary()


def _refuse_if_money_is_out(stage: conduct.Stage) -> None:
    """Ask the API how the order stands; what it cannot tell is refused too."""
    summary = stage.summary()
    if summary.order_id is None:
        intents = [event for event in stage.journal.events() if isinstance(event, CallIntended)]
        if any(intent.operation == "createOrder" for intent in intents):
            say("The request for the order may have been carried out; an unpaid order expires by itself.")
        return
    try:
        order = stage.api.orders.get(summary.order_id)
    except VezaError as error:
        raise Stop(
            Exit.REFUSED, f"whether money is out cannot be told: {error}", "abandon the session when the API answers"
        ) from error
    if order.status in _NO_MONEY:
        return
    seen = None
    if order.status is OrderStatus.PENDING_PAYMENT:
        seen = _payment(stage, order.payment_id)
        if seen in _UNPAID:
            return
    shown = f"order {order.id} is {order.status}" + (f", its payment {seen}" if seen else "")
    raise Stop(
        Exit.REFUSED,
        f"money is or may be out: {shown} ({narrate.money(summary)})",
        "resume the session to refund it first",
    )


def _payment(stage: conduct.Stage, payment_id: str | None) -> PaymentStatus | None:
    if stage.processor is None or payment_id is None:
        return None
    try:
        return stage.processor.payment(payment_id).status
    except ProcessorError:
        return None
