"""`resume`: continues an interrupted session, or re-checks one that has ended."""

from __future__ import annotations

from datetime import datetime

import click
import httpx

from veza import Order, OrderStatus, RefundStatus, Veza, VezaError
from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.cassettes.errors import CassetteError
from veza_e2e.cassettes.session import close_recording, description, record, recording_folder
from veza_e2e.cli.calling import concluded, translated
from veza_e2e.cli.lookup import settings_of
from veza_e2e.cli.output import Invocation, say
from veza_e2e.cli.resumption import asked_before, first_of, meant_session, parts_of, secrets_of
from veza_e2e.config import Settings
from veza_e2e.engine.bars import recent_logins
from veza_e2e.engine.finish import Ended, walk
from veza_e2e.engine.session import Stage, open_stage
from veza_e2e.engine.start import gate_of, tools
from veza_e2e.evidence import Reread, Summary
from veza_e2e.journal import FileSink, Reading, parse, timestamp
from veza_e2e.journal.events import WALKTHROUGH, SessionResumed, SessionStarted, TailCut
from veza_e2e.ports.interrupts import Interrupts
from veza_e2e.ports.machine import Machine
from veza_e2e.ports.screen import plain
from veza_e2e.preflight.gate import LOGINS


def resumed(settings: Settings, session: str | None, machine: Machine) -> tuple[Stored, Ended]:
    """Continue a session as far as it goes, or re-check one that has ended."""
    stored = meant_session(settings, session)
    interrupts = Interrupts()
    interrupts.install()
    if stored.read().ended:
        say(f"Session {stored.session} has ended; nothing is appended to it.")
        return stored, Ended(look_again(settings, stored, interrupts, machine))
    sink = FileSink(stored.journal, create=False)
    try:
        reading = parse(sink.load(), stored.journal)
        if not reading.ended:
            return stored, _resumed(settings, stored, sink, reading, interrupts, machine)
    finally:
        sink.close()
    # Another process ended the session while this one waited for the lock.
    return stored, Ended(look_again(settings, stored, interrupts, machine))


def look_again(settings: Settings, stored: Stored, interrupts: Interrupts, machine: Machine) -> Summary:
    """Read the order of an ended session again; record a change as an addendum."""
    summary = stored.summary()
    if summary.order_id is None or not summary.refund_requested:
        return summary
    first = first_of(stored.read(), stored.journal, settings, any_version=True)
    with (
        parts_of(settings, first, interrupts, machine) as parts,
        httpx.Client(transport=parts.ports.transport) as http,
    ):
        api = Veza(parts.base_url, email=parts.email, password=parts.password, http_client=http)
        try:
            order = api.orders.get(summary.order_id)
        except VezaError as error:
            say(f"The order could not be read again: {parts.redactor.text(str(error))}")
            return summary
    came_back = order.status is OrderStatus.REFUNDED and order.refund_status in {None, RefundStatus.SUCCEEDED}
    failed = order.status is OrderStatus.REFUND_FAILED or order.refund_status is RefundStatus.FAILED
    told = 0 if failed else order.refunded_amount_cents if came_back else None
    if told is None or told == summary.money.refunded_cents:
        untold = "; how much came back is not told" if came_back and told is None else ""
        say(f"The order is {order.status}{untold}; as the session has it: {summary.money.sentence}.")
        return summary
    number = len(stored.addendum_files()) + 1
    stored.add(_reread(summary, order, number, at=timestamp(machine.clock.now()), failed=failed))
    return stored.summary()


def _reread(summary: Summary, order: Order, number: int, *, at: str, failed: bool) -> Reread:
    refund = f", its refund {order.refund_status}" if order.refund_status else ""
    return Reread(
        session=str(summary.session),
        session_hash=summary.last_hash,
        number=number,
        seq=summary.events + number,
        at=at,
        order_status=str(order.status),
        refund_status=None if order.refund_status is None else str(order.refund_status),
        refunded_cents=0 if failed else order.refunded_amount_cents,
        currency=order.currency,
        failed=failed,
        observed=f"order {order.id} is {order.status}{refund}",
    )


def _resumed(
    settings: Settings, stored: Stored, sink: FileSink, reading: Reading, interrupts: Interrupts, machine: Machine
) -> Ended:
    first = first_of(reading, stored.journal, settings)
    if reading.torn:
        sink.cut(reading.torn)
    with parts_of(settings, first, interrupts, machine) as parts:
        recorded, recording = parts, None
        if not first.live_requested and recording_folder(settings, first.session).exists():
            gate = gate_of(settings, asked_before(first), secrets_of(settings, first))
            meta = {**description(first, gate, parts), "torn": reading.torn}
            try:
                recorded, recording = record(settings, parts, meta, first.session, journal=len(reading.lines))
            except CassetteError as damaged:
                say(f"{damaged}; the session goes on, and is not recorded any further")
        stage = open_stage(recorded, sink, idempotency=first.idempotency, lines=reading.lines)
        if reading.torn:
            stage.journal.append(TailCut(bytes=reading.torn))
        stage.journal.append(SessionResumed(tools=tools(), walkthrough=WALKTHROUGH))
        _tell_logins(settings, first, parts.ports.clock.now())
        _tell_done(stage)
        return close_recording(recording, walk(stage, stored, resumed=True))


def _tell_logins(settings: Settings, first: SessionStarted, now: datetime) -> None:
    if settings.environment.embedded:
        return  # each session has a backend of its own
    recent = recent_logins(Archive(settings.archive), first.environment, first.account_digest, now)
    if recent >= LOGINS - 1:
        say(f"There were {recent} logins of this account in 15 minutes; production allows {LOGINS}, this is one more.")


def _tell_done(stage: Stage) -> None:
    for step in stage.summary().steps:
        if step.status in {"passed", "failed"}:
            say(f"{step.number}/9 {step.name}: {step.status} before, {plain(step.observed)}")


@click.command()
@click.argument("session", required=False)
@click.pass_obj
def resume(invocation: Invocation, session: str | None) -> int:
    """Go on with an unresolved session."""
    settings = settings_of(invocation)
    with translated():
        stored, ended = resumed(settings, session, invocation.machine)
    return concluded(invocation, stored, ended)
