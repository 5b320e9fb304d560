"""Runs the pre-flight for `preflight` and `run`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from veza_e2e.archive.dry_run import dry_run_for
from veza_e2e.archive.locks import account_lock
from veza_e2e.archive.manifests import unnamed
from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.bootstrap import assemble
from veza_e2e.canonical import JSON
from veza_e2e.cassettes.session import description, record
from veza_e2e.cli import lean, narrate
from veza_e2e.cli.asking import password_for
from veza_e2e.cli.knowing import know_kept
from veza_e2e.cli.lookup import archive_of, attested, in_its_environment
from veza_e2e.cli.output import Exit, Invocation, Stop, say
from veza_e2e.config import Secrets, Settings, read_secrets
from veza_e2e.engine.bars import recent_logins, unresolved
from veza_e2e.engine.session import Parts, Stage
from veza_e2e.engine.start import Asked, First, begin, first_event, gate_of
from veza_e2e.evidence import Summary, summarise
from veza_e2e.evidence.release import EX_9, UNRELATED
from veza_e2e.journal import DamagedError
from veza_e2e.journal.events import PreflightChecked, PreflightFinished, SessionStarted
from veza_e2e.ports.interrupts import Interrupted, Interrupts
from veza_e2e.ports.ledger import DatabaseLedger
from veza_e2e.ports.protocols import Ledger
from veza_e2e.ports.screen import plain
from veza_e2e.preflight.deciding import Means, Rows
from veza_e2e.preflight.gate import Gate
from veza_e2e.rehearsal_process import forget, reachable, rehearsal_account

if TYPE_CHECKING:
    from veza_e2e.cassettes.record import Recording


@contextmanager
def begun(invocation: Invocation, settings: Settings, asked: Asked) -> Iterator[tuple[Stage, Recording | None]]:
    """Run the pre-flight and yield the session, still in memory. Its backend runs until the block ends."""
    interrupts = Interrupts()
    interrupts.install()
    machine = invocation.machine
    session = machine.new_id(machine.clock.now())
    kept = False
    try:
        secrets = _account(settings, asked, read_secrets())
        make = first_event(settings, asked, secrets)
        with account_lock(settings, make(session).account_digest):
            refuse_unresolved(invocation, settings, make(session))
            with (
                reachable(settings, secrets, session, asked.faults, machine, meanwhile=lean.import_recorder) as own,
                assemble(
                    settings,
                    secrets,
                    interrupts,
                    machine,
                    unattended=asked.unattended,
                    listeners=(narrate.Narrator(),),
                    own=own,
                    session=session,
                ) as parts,
                _gated(invocation, settings, asked, secrets, parts, make) as (stage, recording),
            ):
                try:
                    yield stage, recording
                finally:
                    kept = stage.kept
    except Interrupted as signal:
        if kept:
            raise
        raise Stop(
            Exit.INTERRUPTED, f"interrupted by {signal.name}", "nothing was begun, and nothing was bought"
        ) from signal
    finally:
        if not kept:
            forget(settings, session)


@contextmanager
def _gated(
    invocation: Invocation, settings: Settings, asked: Asked, secrets: Secrets, parts: Parts, make: First
) -> Iterator[tuple[Stage, Recording | None]]:
    """Run the pre-flight. Delete its recording if no session follows."""
    if asked.release or asked.product or settings.report.operator or not asked.unattended:
        know_kept(parts.redactor, invocation.config)  # slow to ask, and a script says nothing of its own
    now = parts.ports.clock.now()
    session = parts.ports.ids.session(now)
    others = unnamed(Archive(settings.archive).others())
    first = make(session, base_url=parts.base_url, dry_run=_dry_run(settings, asked, now), others=others)
    gate = gate_of(
        settings,
        asked,
        secrets,
        recent_logins=_recent_logins(settings, make(""), now),
        means=_means(invocation, settings, first, parts.ports.ledger),
    )
    recorded, recording = _recorded(settings, parts, first, gate)
    stage = None
    try:
        stage = begin(recorded, lambda _: first, gate)
        finished = gate_of_stage(stage)
        if finished.passed and finished.live and asked.live:
            say(narrate.reminder(finished, settings.limits.max_amount))
        yield stage, recording
    finally:
        if recording is not None and (stage is None or not stage.kept):
            recording.discard()


def _account(settings: Settings, asked: Asked, secrets: Secrets) -> Secrets:
    if settings.environment.embedded:
        return rehearsal_account(secrets)
    return replace(secrets, password=password_for(settings, secrets, unattended=asked.unattended))


def refuse_unresolved(invocation: Invocation, settings: Settings, first: SessionStarted) -> None:
    """Refuse to place an order while the money of another session of this account bars it.

    Raises:
        Stop: it does, or a damaged one may; names the session and the way on.
        DamagedError: a session of this account cannot be read.
    """
    try:
        found = unresolved(Archive(settings.archive), first, lambda text: say(plain(text)))
    except DamagedError as error:
        damaged = Stored(error.path.parent.name, error.path.parent)
        if damaged.beginning() is not None:
            raise
        attest = ("attest", UNRELATED, "--session", damaged.session, "--by", "NAME", "--note", "TEXT")
        way = f"it does not tell whose it is; if it has nothing to do with this account: {invocation.command(*attest)}"
        raise Stop(Exit.DAMAGED, str(error), way) from error
    if found is None:
        return
    stored, summary = found
    raise Stop(
        Exit.REFUSED,
        f"session {stored.session} of this account is not settled yet ({summary.money.sentence})",
        f"continue it: {in_its_environment(invocation, stored).command('resume', stored.session)}",
        {
            **document_of(summarise([]), None),
            "environment": first.environment,
            "outcome": "refused",
            "waiting_for": None,
        },
    )


def _recent_logins(settings: Settings, first: SessionStarted, now: datetime) -> int:
    if settings.environment.embedded:
        return 0  # each session has a backend of its own
    archive = Archive(settings.archive)
    return recent_logins(archive, first, now)


def _dry_run(settings: Settings, asked: Asked, now: datetime) -> dict[str, str] | None:
    if not asked.live:
        return None
    return dry_run_for([archive_of(settings)], asked.release, now)


def _means(invocation: Invocation, settings: Settings, first: SessionStarted, ledger: Ledger) -> Means:
    return Means(
        release=first.release,
        dry_run=first.dry_run,
        ex_9=attested(Archive(settings.archive), EX_9, first.release) if first.live_requested else False,
        rows=lambda: _rows(ledger),
        command=invocation.command,
        session=first.session,
    )


def _rows(ledger: Ledger) -> Rows:
    if not isinstance(ledger, DatabaseLedger):
        return Rows(ready=False, said="the operator runs the SQL and pastes them")
    problem = ledger.trial()
    if problem is None:
        return Rows(ready=True, said="VEZA_DATABASE_URL can be reached")
    return Rows(ready=False, said=f"VEZA_DATABASE_URL cannot be used ({problem}); the operator pastes them")


def _recorded(settings: Settings, parts: Parts, first: SessionStarted, gate: Gate) -> tuple[Parts, Recording | None]:
    if first.live_requested:
        return parts, None
    lean.import_recorder()
    return record(settings, parts, description(first, gate, parts), first.session)


def gate_of_stage(stage: Stage) -> PreflightFinished:
    last = stage.journal.lines[-1].event
    if not isinstance(last, PreflightFinished):
        raise TypeError("the pre-flight did not end")
    return last


def blocked(stage: Stage, document: dict[str, JSON]) -> Stop:
    checks = [line.event for line in stage.journal.lines if isinstance(line.event, PreflightChecked)]
    blocked = [check for check in checks if check.status == "blocked"]
    message = "; ".join(f"{check.name}: {check.message}" for check in blocked)
    return Stop(
        Exit.REFUSED, f"the pre-flight is blocked: {message}", blocked[0].hint or "see the rows above", document
    )


def document_of(summary: Summary, stored: Stored | None) -> dict[str, JSON]:
    return summary.to_json(None if stored is None else stored.paths)
