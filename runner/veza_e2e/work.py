"""One process's work on one session: locks, backend, recording, walkthrough, views; and how it ended."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from veza_e2e import conduct
from veza_e2e.archive import Archive, Stored
from veza_e2e.canonical import JSON
from veza_e2e.cassette.files import sync_folder, write
from veza_e2e.config import Settings
from veza_e2e.eventdata import to_data
from veza_e2e.events import CallIntended, SessionStarted, StepStarted
from veza_e2e.evidence import Summary
from veza_e2e.interrupts import Interrupted
from veza_e2e.journal import FileSink, UnwritableError
from veza_e2e.preflight import Gate
from veza_e2e.transport import LeakError
from veza_e2e.world import EndOfInput, Left

if TYPE_CHECKING:
    from veza_e2e.cassette.record import Recording


LOGIN_WINDOW = timedelta(minutes=15)


class BusyError(Exception):
    """Another process, or another session, is in the way; says which."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process's work on a session ended."""

    summary: Summary
    interrupted: str | None = None
    """The signal's name, `end of input` or `left`; None where the walkthrough came to its own end."""
    problem: OSError | UnwritableError | LeakError | None = None
    """What kept the record from being written."""


@contextmanager
def account_lock(settings: Settings, account_digest: str) -> Iterator[None]:
    """Hold the one place there is for a new session of this account in this environment.

    Raises:
        BusyError: another process holds it.
    """
    scope = str(settings.archive.resolve()) if settings.environment.embedded else settings.environment.base_url
    name = hashlib.sha256(f"{settings.environment.name}\n{account_digest}\n{scope}".encode()).hexdigest()[:24]
    folder = settings.state / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    file = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BusyError("another veza-e2e of this account is at work in this environment") from error
        yield
    finally:
        os.close(file)


def unresolved(archive: Archive, environment: str, account_digest: str, *, live: bool) -> tuple[Stored, Summary] | None:
    """Return the session that must come to an end first.

    An incomplete session of the same environment and account bars a new one; before a live run also one whose refund
    is open.
    """
    for stored in archive.sessions():
        reading = stored.read()
        first = reading.lines[0].event if reading.lines else None
        begun = any(isinstance(line.event, StepStarted) for line in reading.lines)
        if reading.ended or not begun or not isinstance(first, SessionStarted):
            continue
        if first.environment != environment or first.account_digest != account_digest:
            continue
        summary = stored.summary()
        if summary.outcome == "incomplete" or (live and first.live_requested and conduct.money_may_be_out(summary)):
            return stored, summary
    return None


def recent_logins(archive: Archive, environment: str, account_digest: str, at: datetime) -> int:
    """Return how many logins of this account there were in the last 15 minutes, as far as the archive knows."""
    since = at - LOGIN_WINDOW
    count = 0
    for stored in archive.sessions():
        last = stored.last_written()
        if last is not None and last < since:
            continue
        lines = stored.read().lines
        first = lines[0].event if lines else None
        if isinstance(first, SessionStarted) and (first.environment, first.account_digest) == (
            environment,
            account_digest,
        ):
            count += sum(
                isinstance(line.event, CallIntended)
                and line.event.operation == "login"
                and datetime.fromisoformat(line.at) >= since
                for line in lines
            )
    return count


def recording_folder(settings: Settings, session: str) -> Path:
    """Return where a session is recorded until it is published."""
    return settings.state / "recordings" / session


def description(first: SessionStarted, gate: Gate, parts: conduct.Parts) -> dict[str, JSON]:
    """Return all that a replay needs to put this process together again; no secret is in it."""
    environment = gate.environment
    return {
        "session": first.session,
        "unattended": first.unattended,
        "browser": parts.ports.browser.by,
        "ledger": parts.ports.ledger.source,
        "base_url": parts.base_url,
        "hyperswitch_url": parts.hyperswitch_url,
        # In pieces, odd ones the placeholders: whole, its query would be taken for a secret.
        "checkout_page": None if parts.checkout_page is None else re.split(r"\{(\w+)\}", parts.checkout_page),
        "cross_check": parts.hyperswitch_api_key is not None,
        "started": to_data(first),
        "gate": {
            "environment": environment.name,
            "expected_environment": environment.expected_environment,
            "live_configured": environment.live,
            "live": gate.live,
            "unattended": gate.unattended,
            "product": gate.product,
            "has_password": gate.has_password,
            "recent_logins": gate.recent_logins,
        },
    }


def record(
    settings: Settings, parts: conduct.Parts, meta: Mapping[str, JSON], session: str, *, journal: int = 0
) -> tuple[conduct.Parts, Recording]:
    """Wrap the parts so that a recording is made of what they say."""
    from veza_e2e.cassette.record import Recording  # noqa: PLC0415 - slow to import; see `compose.backend`

    folder, at = recording_folder(settings, session), parts.ports.clock.now()
    if journal:
        recording = Recording.resume(
            folder, parts.redactor, meta, at=at, base_url=parts.base_url, hyperswitch_url=parts.hyperswitch_url,
            journal=journal,
        )  # fmt: skip
    else:
        recording = Recording.start(
            folder, parts.redactor, meta, at=at, base_url=parts.base_url, hyperswitch_url=parts.hyperswitch_url
        )
    return replace(parts, ports=recording.wrap(parts.ports), listeners=(*parts.listeners, recording.heard)), recording


@contextmanager
def keep(stage: conduct.Stage, archive: Archive, started_at: str) -> Iterator[Stored]:
    """Give a session that passed the gate its folder, and write what was kept in memory; lock it until the block ends.

    Raises:
        OSError: the archive cannot be written.
        UnwritableError: the same, for the journal.
    """
    folder = archive.folder(stage.started.session, datetime.fromisoformat(started_at))
    folder.mkdir(parents=True)
    for above in (folder, *list(folder.parents)[:3]):
        sync_folder(above)
    stored = Stored(folder.name, folder)
    sink = FileSink(stored.journal, create=True)
    try:
        stage.journal.move(sink)
        stage.kept = True
        yield stored
    finally:
        sink.close()


def walk(stage: conduct.Stage, stored: Stored, *, resumed: bool = False) -> Ended:
    """Walk to where the session ends now, write its views, and end its journal where it is over."""
    interrupted = None
    try:
        conduct.go_on(stage, resumed=resumed)
    except Interrupted as signal:
        interrupted = signal.name
    except EndOfInput:
        interrupted = "end of input"
    except Left:
        interrupted = "left"
    except (OSError, UnwritableError, LeakError) as error:
        return Ended(stage.summary(), problem=error)
    try:
        with (stage.parts.guard or nullcontext)():
            finish(stage, stored)
    except Interrupted as signal:
        # It came while the views were written, which was done first: the session is saved, and how to go on is said.
        interrupted = interrupted or signal.name
    except (OSError, UnwritableError) as error:
        return Ended(stage.summary(), interrupted, error)
    return Ended(stage.summary(), interrupted)


def close_recording(recording: Recording | None, ended: Ended) -> Ended:
    """Finish the recording of this process; where the disk does not take it, say so beside how the session ended."""
    if recording is None or ended.problem is not None:
        return ended
    try:
        recording.finish()
    except OSError as error:
        return replace(ended, problem=error)
    return ended


def finish(stage: conduct.Stage, stored: Stored, *, over: bool = False) -> None:
    """Write the views beside the journal; then end the journal where the session is over.

    Args:
        stage: the session.
        stored: its folder.
        over: whether it is over whatever it shows: it was abandoned.
    """
    views, ended = conduct.conclude(stage, over=over)
    for name, data in views.items():
        write(stored.folder / name, data)
    if ended is not None:
        stage.journal.append(ended)
