"""`resume`: a session that another process left is gone on with, or looked at again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click
import httpx

from veza import Order, OrderStatus, RefundStatus, Veza, VezaError
from veza_e2e import compose, conduct, work
from veza_e2e.archive import Archive, Stored, UnknownSessionError, find
from veza_e2e.cassette.errors import CassetteError
from veza_e2e.cli.asking import password_for
from veza_e2e.cli.calling import concluded, settings_of, translated
from veza_e2e.cli.output import Exit, Invocation, Stop, say
from veza_e2e.config import Secrets, Settings, read_secrets
from veza_e2e.events import (
    WALKTHROUGH,
    SessionResumed,
    SessionStarted,
    TailCut,
)
from veza_e2e.evidence import Reread, Summary
from veza_e2e.interrupts import Interrupts
from veza_e2e.journal import FileSink, Reading, parse, timestamp
from veza_e2e.machine import Machine
from veza_e2e.onscreen import plain
from veza_e2e.opening import Asked, gate_of, tools
from veza_e2e.preflight import LOGINS


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


def resumed(settings: Settings, session: str | None, machine: Machine) -> tuple[Stored, work.Ended]:
    """Go on with a session to where it ends now."""
    stored = stored_session(settings, session)
    if stored.read().ended:
        say(f"Session {stored.session} has ended; nothing is appended to it.")
        return stored, work.Ended(look_again(settings, stored, machine))
    sink = FileSink(stored.journal, create=False)
    try:
        reading = parse(sink.load(), stored.journal)
        if not reading.ended:
            first = first_of(reading, stored.journal, settings)
            if reading.torn:
                sink.cut(reading.torn)
            return stored, _resumed(settings, stored, sink, reading, first, machine)
    finally:
        sink.close()
    # Another process ended it while this one waited for the file.
    return stored, work.Ended(look_again(settings, stored, machine))


def look_again(settings: Settings, stored: Stored, machine: Machine) -> Summary:
    """Read the order of an ended session once more; what differs from the session becomes an addendum."""
    summary = stored.summary()
    if summary.order_id is None or not summary.refund_requested:
        return summary
    first = first_of(stored.read(), stored.journal, settings, any_version=True)
    with parts_of(settings, first, Interrupts(), machine) as parts:
        http = httpx.Client(transport=parts.ports.transport)
        api = Veza(parts.base_url, email=parts.email, password=parts.password, http_client=http)
        try:
            order = api.orders.get(summary.order_id)
        except VezaError as error:
            say(f"The order could not be read again: {parts.redactor.text(str(error))}")
            return summary
    came_back = order.status is OrderStatus.REFUNDED and order.refund_status in {None, RefundStatus.SUCCEEDED}
    if came_back != summary.refund_open:
        say(f"The order is still {order.status}.")
        return summary
    number = len(stored.addendum_files()) + 1
    stored.add(_reread(summary, order, number, at=timestamp(machine.clock.now()), failed=not came_back))
    return stored.summary()


def _reread(summary: Summary, order: Order, number: int, *, at: str, failed: bool) -> Reread:
    refund = f", its refund {order.refund_status}" if order.refund_status else ""
    back = 0 if failed else order.total_amount_cents
    return Reread(
        session=str(summary.session),
        session_hash=summary.last_hash,
        number=number,
        seq=summary.events + number,
        at=at,
        order_status=str(order.status),
        refund_status=None if order.refund_status is None else str(order.refund_status),
        refunded_cents=back if order.refunded_amount_cents is None or failed else order.refunded_amount_cents,
        currency=order.currency,
        failed=failed,
        observed=f"order {order.id} is {order.status}{refund}",
    )


def first_of(reading: Reading, path: Path, settings: Settings, *, any_version: bool = False) -> SessionStarted:
    """Return the first event of a session of this environment, and of this version where it is to be gone on with."""
    first = reading.lines[0].event if reading.lines else None
    if not isinstance(first, SessionStarted):
        raise conduct.UnresumableError(f"{path}: nothing was begun in it; start a new session")
    if first.walkthrough != WALKTHROUGH and not any_version:
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
def parts_of(
    settings: Settings, first: SessionStarted, interrupts: Interrupts, machine: Machine, *, backend: bool = True
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
            own = stack.enter_context(compose.reachable(settings, secrets, first.session, first.faults, machine))
        yield stack.enter_context(
            compose.parts(
                settings, secrets, interrupts, machine, unattended=first.unattended, own=own, session=first.session
            )
        )


def _resumed(
    settings: Settings, stored: Stored, sink: FileSink, reading: Reading, first: SessionStarted, machine: Machine
) -> work.Ended:
    interrupts = Interrupts()
    interrupts.install()
    with parts_of(settings, first, interrupts, machine) as parts:
        recorded, recording = parts, None
        if not first.live_requested and work.recording_folder(settings, first.session).exists():
            gate = gate_of(settings, _asked(first), _secrets(settings, first))
            meta = {**work.description(first, gate, parts), "torn": reading.torn}
            try:
                recorded, recording = work.record(settings, parts, meta, first.session, journal=len(reading.lines))
            except CassetteError as damaged:
                say(f"{damaged}; the session goes on, and is not recorded any further")
        stage = conduct.stage(recorded, sink, idempotency=first.idempotency, lines=reading.lines)
        if reading.torn:
            stage.journal.append(TailCut(bytes=reading.torn))
        stage.journal.append(SessionResumed(tools=tools()))
        _tell_logins(settings, first, parts.ports.clock.now())
        _tell_done(stage)
        return work.close_recording(recording, work.walk(stage, stored, resumed=True))


def _tell_logins(settings: Settings, first: SessionStarted, now: datetime) -> None:
    if settings.environment.embedded:
        return  # each session has a backend of its own
    recent = work.recent_logins(Archive(settings.archive), first.environment, first.account_digest, now)
    if recent >= LOGINS - 1:
        say(f"There were {recent} logins of this account in 15 minutes; production allows {LOGINS}, this is one more.")


def _tell_done(stage: conduct.Stage) -> None:
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
