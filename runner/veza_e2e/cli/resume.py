"""`resume`: continues an interrupted session, or re-checks one that has ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

import click

from veza_e2e.archive.locks import account_lock
from veza_e2e.archive.releases import standing
from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.cassettes.errors import CassetteError
from veza_e2e.cassettes.session import close_recording, description, record, recording_folder
from veza_e2e.cli import lean
from veza_e2e.cli.begun import refuse_unresolved
from veza_e2e.cli.calling import concluded, translated
from veza_e2e.cli.lookup import settings_of, written
from veza_e2e.cli.output import Invocation, say
from veza_e2e.cli.resumption import asked_before, first_of, meant_session, parts_of, secrets_of
from veza_e2e.config import Settings
from veza_e2e.engine.bars import recent_logins
from veza_e2e.engine.finish import Ended, walk
from veza_e2e.engine.reread import look_at, news
from veza_e2e.engine.session import Stage, open_stage
from veza_e2e.engine.start import gate_of, tools
from veza_e2e.evidence import Summary, summarise
from veza_e2e.journal import FileSink, MemorySink, Reading, parse
from veza_e2e.journal.events import WALKTHROUGH, SessionResumed, SessionStarted, TailCut
from veza_e2e.money.order_account import AccountState
from veza_e2e.ports.interrupts import Interrupts
from veza_e2e.ports.machine import Machine
from veza_e2e.ports.screen import plain
from veza_e2e.preflight.gate import LOGINS


def resumed(invocation: Invocation, settings: Settings, session: str | None) -> tuple[Stored, Ended]:
    """Continue a session as far as it goes, or re-check one that has ended."""
    machine = invocation.machine
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
            with _free_to_order(invocation, settings, stored, reading):
                return stored, _resumed(settings, stored, sink, reading, interrupts, machine)
    finally:
        sink.close()
    # Another process ended the session while this one waited for the lock.
    return stored, Ended(look_again(settings, stored, interrupts, machine))


@contextmanager
def _free_to_order(invocation: Invocation, settings: Settings, stored: Stored, reading: Reading) -> Iterator[None]:
    """Bar a session that has not placed its order yet as a new one is barred."""
    money = summarise(reading.lines).money
    if money.main is not None or money.state is not AccountState.UNTOUCHED:
        yield
        return
    first = first_of(reading, stored.journal, settings)
    with account_lock(settings, first.account_digest):
        refuse_unresolved(invocation, settings, first)
        yield


def look_again(settings: Settings, stored: Stored, interrupts: Interrupts, machine: Machine) -> Summary:
    """Ask the witnesses of an ended session again; record what is news as an addendum."""
    summary = stored.summary()
    if stored.unlisted():  # the process was stopped before it could write a manifest, or an old version ended it
        written(stored.vouch)
    if summary.money.main is None:
        return summary
    reading = stored.read()
    first = first_of(reading, stored.journal, settings, any_version=True)
    addenda = stored.addenda(reading)
    with parts_of(settings, first, interrupts, machine) as parts:
        stage = open_stage(replace(parts, listeners=()), MemorySink(), idempotency=False)
        looked = look_at(stage.api, stage.processor, summary)
        found = news(looked, summary, reading.lines, addenda, machine.clock.now())
        for unheard in looked.unheard:
            say(f"Not heard: {parts.redactor.text(unheard)}")
        if found is not None:
            addendum = replace(found, observed=parts.redactor.text(found.observed))
            written(lambda: stored.add(addendum, parts.redactor))
    after = standing(stored)
    if found is not None:
        say(f"What is news is recorded as an addendum: {plain(addendum.observed)}.")
    step = after.step("revoked")
    if step.status == "failed" and summary.step("revoked").status != "failed":
        say(f"{step.number}/9 revoked: failed after the end. {step.todo}")
    say(f"{'Now' if found is not None else 'Nothing new was told'}: {after.money.sentence}.")
    return after


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
            lean.import_recorder()
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
        return close_recording(recording, walk(stage, stored))


def _tell_logins(settings: Settings, first: SessionStarted, now: datetime) -> None:
    if settings.environment.embedded:
        return  # each session has a backend of its own
    recent = recent_logins(Archive(settings.archive), first, now)
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
    """Continue an open session, or re-check an ended one."""
    settings = settings_of(invocation)
    with translated(invocation.command("resume", *([session] if session else []))):
        stored, ended = resumed(invocation, settings, session)
    return concluded(invocation, stored, ended)
