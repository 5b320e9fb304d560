"""`resume` and `abandon`: what is done with a session that another process left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from veza_e2e import compose, conduct, narrate, work
from veza_e2e.archive import Archive, Stored, UnknownSessionError, find
from veza_e2e.cli.asking import password_for
from veza_e2e.cli.output import Exit, Invocation, Stop, say
from veza_e2e.config import Settings, read_secrets
from veza_e2e.events import WALKTHROUGH, SessionResumed, SessionStarted, TailCut
from veza_e2e.interrupts import Interrupts
from veza_e2e.journal import FileSink, Reading, parse
from veza_e2e.opening import Asked, gate_of, tools


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


def resumed(invocation: Invocation, settings: Settings, session: str | None) -> tuple[Stored, work.Ended]:
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


def _resumed(
    settings: Settings, stored: Stored, sink: FileSink, reading: Reading, first: SessionStarted
) -> work.Ended:
    interrupts = Interrupts()
    interrupts.install()
    secrets = read_secrets()
    asked = Asked(
        live=first.live_requested,
        release=first.release,
        unattended=first.unattended,
        refund=first.refund,
        product=first.product,
        faults=tuple(first.faults),
    )
    if settings.environment.embedded:
        secrets = compose.rehearsal_account(secrets)
    else:
        secrets = replace(secrets, password=password_for(settings, secrets, unattended=asked.unattended))
    gate = gate_of(settings, asked, secrets)
    with compose.reachable(settings, secrets, first.session, asked.faults) as own:
        parts = compose.parts(
            settings, secrets, interrupts, unattended=asked.unattended, own=own, session=first.session
        )
        parts = replace(parts, listeners=(narrate.Narrator(),))
        recording = None
        if not first.live_requested and (work.recording_folder(settings, first.session)).exists():
            meta = work.description(first, gate, parts)
            parts, recording = work.record(settings, parts, meta, first.session, journal=len(reading.lines))
        stage = conduct.stage(parts, sink, idempotency=first.idempotency, lines=reading.lines)
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
@click.argument("session")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stands in the journal.")
@click.pass_obj
def abandon(invocation: Invocation, session: str, reason: str) -> int:
    """End a session that nobody will resume; refused while the API says that money is out."""
    raise NotImplementedError
