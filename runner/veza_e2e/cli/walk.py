"""The commands that talk to a backend: preflight, run, resume, abandon."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import click

from veza.money import Money
from veza_e2e import compose, conduct, narrate, work
from veza_e2e.adapters import new_session
from veza_e2e.archive import Archive, Stored, dry_run_for
from veza_e2e.canonical import JSON
from veza_e2e.cli import output
from veza_e2e.cli.asking import password_for
from veza_e2e.cli.calling import command_line, concluded, settings_of, translated
from veza_e2e.cli.output import Exit, Invocation, Item, Stop, say
from veza_e2e.config import Secrets, Settings, read_secrets
from veza_e2e.events import PreflightChecked, PreflightFinished, SessionStarted
from veza_e2e.evidence import Summary, summarise
from veza_e2e.interrupts import Interrupts
from veza_e2e.opening import Asked, First, first_event, gate_of
from veza_e2e.preflight import Gate

if TYPE_CHECKING:
    from veza_e2e.cassette.record import Recording


class _Amount(click.ParamType[Money]):
    name = "amount"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Money:
        if isinstance(value, Money):
            return value
        try:
            return Money.parse(str(value).upper())
        except ValueError as error:
            self.fail(f"{value!r} is not an amount: {error}", param, ctx)


@click.command()
@click.option("--live", is_flag=True, help="Real money: your own card is charged.")
@click.pass_obj
def preflight(invocation: Invocation, *, live: bool) -> int:
    """Make the pre-flight alone; nothing is changed on the backend."""
    settings = settings_of(invocation)
    asked = Asked(live=live)
    with translated(), _begun(invocation, settings, asked) as (stage, _):
        checks = [line.event for line in stage.journal.lines if isinstance(line.event, PreflightChecked)]
        gate = _gate(stage)
        if not invocation.json:
            return int(Exit.PASSED if gate.passed else Exit.REFUSED)
        items: list[JSON] = [{"name": c.name, "status": c.status, "message": c.message} for c in checks]
        if not gate.passed:
            raise _blocked(stage, {"ok": False, "items": items})
        output.document({"ok": True, "items": items})
    return int(Exit.PASSED)


@click.command()
@click.option("--live", is_flag=True, help="Real money: your own card is charged.")
@click.option("--release", metavar="NAME", help="The release that this session is evidence for.")
@click.option("--plan", is_flag=True, help="Show steps, limits and the writes to come; send only reads.")
@click.option("--unattended", is_flag=True, help="Answer and pay by itself; on the rehearsal backend only.")
@click.option("--refund/--no-refund", default=None, help="Whether to refund; asked for where neither is given.")
@click.option("--product", metavar="ID", help="The product to buy; asked for where it is not given.")
@click.option("--max-amount", type=_Amount(), metavar='"10.00 EUR"', help="The most that the order may cost.")
@click.option("--record", "cassette", metavar="NAME", help="Publish the recording as cassettes/NAME.")
@click.option("--fault", "faults", multiple=True, metavar="SWITCH", help="A fault of the embedded rehearsal backend.")
@click.pass_obj
def run(
    invocation: Invocation,
    *,
    live: bool,
    release: str | None,
    plan: bool,
    unattended: bool,
    refund: bool | None,
    product: str | None,
    max_amount: Money | None,
    cassette: str | None,
    faults: tuple[str, ...],
) -> int:
    """Make the pre-flight, then the nine steps."""
    settings = settings_of(invocation)
    if max_amount is not None:
        settings = replace(settings, limits=replace(settings.limits, max_amount=max_amount))
    asked = Asked(
        live=live, release=release, unattended=unattended, refund=refund, product=product, faults=_switches(faults)
    )
    _refuse_contradictions(settings, asked, cassette)
    with translated(), _begun(invocation, settings, asked) as (stage, recording):
        gate = _gate(stage)
        if not gate.passed:
            raise _blocked(stage, _document(stage.summary(), None))
        if unattended and not gate.rehearsal:
            raise Stop(Exit.USAGE, "--unattended is for the rehearsal backend only", "run it attended")
        if plan:
            return _plan(invocation, stage)
        with work.keep(stage, Archive(settings.archive), stage.journal.lines[0].at) as stored:
            ended = work.close_recording(recording, work.walk(stage, stored))
    if cassette is not None and ended.problem is None:
        from veza_e2e.cli.cassettes import publish  # noqa: PLC0415 - only where it is asked for

        publish(invocation, settings, stored.session, cassette)
    return concluded(invocation, stored, ended)


def _switches(faults: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return compose.check_faults(faults)
    except ValueError as error:
        raise Stop(Exit.USAGE, str(error)) from error


def _refuse_contradictions(settings: Settings, asked: Asked, cassette: str | None) -> None:
    environment = settings.environment
    refusals = (
        (asked.live and asked.unattended, "--unattended and --live contradict each other: a person pays"),
        (asked.live and cassette is not None, "--record and --live contradict each other: no live run is recorded"),
        (bool(asked.faults) and not environment.embedded, "--fault is for the embedded rehearsal backend only"),
        (asked.unattended and not environment.loopback, "--unattended is for the rehearsal backend only"),
        (asked.live and not sys.stdin.isatty(), "--live needs a terminal: a person must be there to answer"),
    )
    for refused, message in refusals:
        if refused:
            raise Stop(Exit.USAGE, message)


@contextmanager
def _begun(
    invocation: Invocation, settings: Settings, asked: Asked
) -> Iterator[tuple[conduct.Stage, Recording | None]]:
    """Yield a session whose pre-flight was made, in memory; its backend runs as long as the block does."""
    interrupts = Interrupts()
    interrupts.install()
    secrets = _account(settings, asked, read_secrets())
    machine = invocation.machine
    session = new_session(machine.clock.now())
    make = first_event(settings, asked, secrets)
    kept = False
    try:
        with work.account_lock(settings, make(session).account_digest):
            _refuse_unresolved(invocation, settings, make(session))
            with (
                compose.reachable(settings, secrets, session, asked.faults, machine) as own,
                compose.parts(
                    settings, secrets, interrupts, machine, unattended=asked.unattended, own=own, session=session
                ) as parts,
                _gated(settings, asked, secrets, parts, make) as (stage, recording),
            ):
                try:
                    yield stage, recording
                finally:
                    kept = stage.kept
    finally:
        if not kept:
            compose.forget(settings, session)


@contextmanager
def _gated(
    settings: Settings, asked: Asked, secrets: Secrets, parts: conduct.Parts, make: First
) -> Iterator[tuple[conduct.Stage, Recording | None]]:
    """Make the pre-flight; what was recorded of it goes where no session comes of it."""
    now = parts.ports.clock.now()
    gate = gate_of(settings, asked, secrets, recent_logins=_recent_logins(settings, make(""), now))
    session = parts.ports.ids.session(now)
    first = make(session, base_url=parts.base_url, dry_run=_dry_run(settings, asked, now))
    recorded, recording = _recorded(settings, parts, first, gate)
    stage = None
    try:
        stage = conduct.begin(recorded, lambda _: first, gate)
        finished = _gate(stage)
        if finished.passed and finished.live and asked.live:
            say(narrate.reminder(finished, settings.limits.max_amount))
        yield stage, recording
    finally:
        if recording is not None and (stage is None or not stage.kept):
            recording.discard()


def _account(settings: Settings, asked: Asked, secrets: Secrets) -> Secrets:
    if settings.environment.embedded:
        return compose.rehearsal_account(secrets)
    return replace(secrets, password=password_for(settings, secrets, unattended=asked.unattended))


def _refuse_unresolved(invocation: Invocation, settings: Settings, first: SessionStarted) -> None:
    found = work.unresolved(
        Archive(settings.archive), first.environment, first.account_digest, live=first.live_requested
    )
    if found is None:
        return
    stored, summary = found
    raise Stop(
        Exit.REFUSED,
        f"session {stored.session} of this account is not settled yet ({narrate.money(summary)})",
        f"go on with it: {command_line(invocation, 'resume', stored.session)}",
        {**_document(summarise([]), None), "environment": first.environment, "outcome": "refused", "waiting_for": None},
    )


def _recent_logins(settings: Settings, first: SessionStarted, now: datetime) -> int:
    if settings.environment.embedded:
        return 0  # each session has a backend of its own
    archive = Archive(settings.archive)
    return work.recent_logins(archive, first.environment, first.account_digest, now)


def _dry_run(settings: Settings, asked: Asked, now: datetime) -> dict[str, str] | None:
    if not asked.live:
        return None
    return dry_run_for([Archive(settings.archive)], asked.release, now)


def _recorded(
    settings: Settings, parts: conduct.Parts, first: SessionStarted, gate: Gate
) -> tuple[conduct.Parts, Recording | None]:
    if first.live_requested:
        return parts, None
    return work.record(settings, parts, work.description(first, gate, parts), first.session)


def _gate(stage: conduct.Stage) -> PreflightFinished:
    last = stage.journal.lines[-1].event
    if not isinstance(last, PreflightFinished):
        raise TypeError("the pre-flight did not end")
    return last


def _blocked(stage: conduct.Stage, document: dict[str, JSON]) -> Stop:
    checks = [line.event for line in stage.journal.lines if isinstance(line.event, PreflightChecked)]
    blocked = [check for check in checks if check.status == "blocked"]
    message = "; ".join(f"{check.name}: {check.message}" for check in blocked)
    return Stop(Exit.REFUSED, f"the pre-flight is blocked: {message}", blocked[0].hint or "", document)


def _document(summary: Summary, stored: Stored | None) -> dict[str, JSON]:
    return summary.to_json(None if stored is None else stored.paths)


_PLAN = (
    ("login", "POST /auth/login", "log in (one of three logins that production allows in 15 minutes)"),
    ("products", "GET products", "list the products and choose one"),
    ("order", "POST /orders", "WRITE: one order"),
    ("pay", "the checkout page", "CHARGE: the operator pays on the processor's page"),
    ("completed", "GET the order", "wait for the processor's webhook"),
    ("license", "GET /licenses/mine", "find the license"),
    ("transfers", "SQL, read-only", "read the seller's transfers"),
    ("refund", "POST refund", "WRITE: one refund, if you say so"),
    ("revoked", "GET the order", "wait for the refund and the revoked license"),
)


def _plan(invocation: Invocation, stage: conduct.Stage) -> int:
    first = stage.started
    limit = Money(first.max_amount_cents, first.max_amount_currency)
    rows = [Item(name, "pending", f"{what}: {why}") for name, what, why in _PLAN]
    if invocation.json:
        items: list[JSON] = [{"name": row.name, "status": row.status, "message": row.message} for row in rows]
        output.document({**_document(stage.summary(), None), "session": None, "ok": True, "items": items})
        return int(Exit.PASSED)
    say(f"At most {limit}; each wait ends after {first.poll_timeout_ms // 1000} s. Nothing was sent but reads.")
    output.items(invocation, rows, ok=True)
    return int(Exit.PASSED)
