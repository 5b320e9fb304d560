"""`resume` and `abandon`: what is done with a session that another process left."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import click

from veza import OrderStatus, PaymentStatus, VezaError
from veza_e2e import compose, conduct, narrate, work
from veza_e2e.archive import Archive, Stored, UnknownSessionError, find
from veza_e2e.cli.asking import password_for
from veza_e2e.cli.calling import concluded, settings_of, translated
from veza_e2e.cli.output import Exit, Invocation, Stop, document, say
from veza_e2e.config import Secrets, Settings, read_secrets
from veza_e2e.events import (
    WALKTHROUGH,
    CallIntended,
    PreflightFinished,
    SessionAbandoned,
    SessionResumed,
    SessionStarted,
    TailCut,
)
from veza_e2e.evidence import Summary
from veza_e2e.interrupts import Interrupts
from veza_e2e.journal import FileSink, Reading, parse
from veza_e2e.opening import Asked, gate_of, tools
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


def stored_session(settings: Settings, session: str | None) -> Stored:
    """Return the session that is meant: by id, else the only one that can be resumed.

    Raises:
        Stop: there is none, or several.
    """
    archive = Archive(settings.archive)
    if session is not None:
        try:
            return find([archive], session)
        except UnknownSessionError as error:
            raise Stop(Exit.USAGE, str(error), "see `veza-e2e sessions`") from error
    found = [one for one in archive.sessions() if _open_here(one, settings.environment.name)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise Stop(Exit.USAGE, f"no session of {settings.environment.name} is left to resume in {settings.archive}")
    raise Stop(
        Exit.USAGE,
        f"{len(found)} sessions can be resumed: {', '.join(one.session for one in found[:5])}",
        "name one of them",
    )


def _open_here(stored: Stored, environment: str) -> bool:
    reading = stored.read()
    first = reading.lines[0].event if reading.lines else None
    return not reading.ended and isinstance(first, SessionStarted) and first.environment == environment


def resumed(settings: Settings, session: str | None) -> tuple[Stored, work.Ended]:
    """Go on with a session to where it ends now."""
    stored = stored_session(settings, session)
    if stored.read().ended:
        summary = stored.summary()
        say(f"Session {stored.session} has ended; nothing is left to do.")
        return stored, work.Ended(summary)
    sink = FileSink(stored.journal, create=False)
    try:
        reading = parse(sink.load(), stored.journal)
        first = _first(reading, stored.journal, settings)
        if reading.torn:
            sink.cut(reading.torn)
        return stored, _resumed(settings, stored, sink, reading, first)
    finally:
        sink.close()


def _first(reading: Reading, path: Path, settings: Settings) -> SessionStarted:
    first = reading.lines[0].event if reading.lines else None
    if not isinstance(first, SessionStarted):
        raise conduct.UnresumableError(f"{path}: nothing was begun in it; start a new session")
    if first.walkthrough != WALKTHROUGH:
        raise conduct.UnresumableError(
            f"session {first.session} was begun by walkthrough {first.walkthrough}, this is {WALKTHROUGH}: "
            f"install veza {first.tools.get('veza', 'of that time')} to go on with it"
        )
    environment = settings.environment
    if first.environment != environment.name:
        raise Stop(
            Exit.USAGE,
            f"session {first.session} belongs to {first.environment}, not {environment.name}",
            f"veza-e2e --env {first.environment} resume {first.session}",
        )
    if not environment.embedded and first.base_url != environment.base_url:
        raise Stop(Exit.USAGE, f"session {first.session} was begun at {first.base_url}, not {environment.base_url}")
    return first


def _asked(first: SessionStarted) -> Asked:
    return Asked(
        live=first.live_requested,
        release=first.release,
        unattended=first.unattended,
        refund=first.refund,
        product=first.product,
        faults=tuple(first.faults),
    )


def _secrets(settings: Settings, first: SessionStarted) -> Secrets:
    secrets = read_secrets()
    if settings.environment.embedded:
        return compose.rehearsal_account(secrets)
    return replace(secrets, password=password_for(settings, secrets, unattended=first.unattended))


@contextmanager
def _parts(
    settings: Settings, first: SessionStarted, interrupts: Interrupts, *, backend: bool = True
) -> Iterator[conduct.Parts]:
    """Yield the session's parts again; its own rehearsal backend is started where it is needed."""
    secrets = _secrets(settings, first)
    if hashlib.sha256((secrets.email or "").lower().encode()).hexdigest() != first.account_digest:
        raise Stop(
            Exit.USAGE,
            f"session {first.session} belongs to {first.account}, OPERATOR_EMAIL is another account",
            "set OPERATOR_EMAIL to the account that began it",
        )
    with ExitStack() as stack:
        own = None
        if backend or not settings.environment.embedded:
            own = stack.enter_context(compose.reachable(settings, secrets, first.session, first.faults))
        yield stack.enter_context(
            compose.parts(settings, secrets, interrupts, unattended=first.unattended, own=own, session=first.session)
        )


def _resumed(settings: Settings, stored: Stored, sink: FileSink, reading: Reading, first: SessionStarted) -> work.Ended:
    interrupts = Interrupts()
    interrupts.install()
    with _parts(settings, first, interrupts) as parts:
        recorded, recording = parts, None
        if not first.live_requested and work.recording_folder(settings, first.session).exists():
            gate = gate_of(settings, _asked(first), _secrets(settings, first))
            meta = {**work.description(first, gate, parts), "torn": reading.torn}
            recorded, recording = work.record(settings, parts, meta, first.session, journal=len(reading.lines))
        stage = conduct.stage(recorded, sink, idempotency=first.idempotency, lines=reading.lines)
        if reading.torn:
            stage.journal.append(TailCut(bytes=reading.torn))
        stage.journal.append(SessionResumed(tools=tools()))
        _tell_done(stage)
        ended = work.walk(stage, stored, resumed=True)
        if recording is not None:
            recording.finish()
    return ended


def _tell_done(stage: conduct.Stage) -> None:
    for step in stage.summary().steps:
        if step.status in {"passed", "failed"}:
            say(f"{step.number}/9 {step.name}: {step.status} before, {step.observed}")


@click.command()
@click.argument("session", required=False)
@click.pass_obj
def resume(invocation: Invocation, session: str | None) -> int:
    """Go on with an unresolved session."""
    settings = settings_of(invocation)
    with translated():
        stored, ended = resumed(settings, session)
    return concluded(invocation, stored, ended)


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
    first = _first(reading, stored.journal, settings)
    if reading.torn:
        sink.cut(reading.torn)
    gate = next((line.event for line in reading.lines if isinstance(line.event, PreflightFinished)), None)
    interrupts = Interrupts()
    interrupts.install()
    with _parts(settings, first, interrupts, backend=False) as parts:
        stage = conduct.stage(parts, sink, idempotency=first.idempotency, lines=reading.lines)
        if gate is None or not gate.rehearsal:
            _refuse_if_money_is_out(stage)
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
