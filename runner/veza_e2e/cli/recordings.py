"""Finds cassettes by name, and publishes a recording as a cassette."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from veza_e2e.archive.finding import LATEST
from veza_e2e.bootstrap import known_secrets
from veza_e2e.cassettes import files
from veza_e2e.cassettes.errors import CassetteError, Mismatch
from veza_e2e.cli import lean
from veza_e2e.cli.asking import stored_passwords
from veza_e2e.cli.lookup import stored_session
from veza_e2e.cli.nearest import meant
from veza_e2e.cli.output import Exit, Invocation, Stop
from veza_e2e.config import Settings, read_secrets
from veza_e2e.redaction import Redactor
from veza_e2e.rehearsal_process import rehearsal_account

FOLDER = Path("cassettes")


def names() -> list[str]:
    """Return the committed cassettes, by name."""
    if not FOLDER.is_dir():
        return []
    return sorted(entry.name for entry in FOLDER.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def chosen(wanted: Sequence[str]) -> list[Path]:
    """Return the folders of the named cassettes; of all of them if no name is given.

    Raises:
        Stop: there is no cassette, or none of this name.
    """
    known = names()
    if not known:
        raise Stop(Exit.USAGE, f"there is no cassette in {FOLDER}", "make one: veza-e2e run --record NAME")
    for name in wanted:
        if name not in known:
            hint = meant(name, known, ["replay", name], "all of them: veza-e2e replay")
            raise Stop(Exit.USAGE, f"there is no cassette {name!r:.80} in {FOLDER}; known: {', '.join(known)}", hint)
    return [FOLDER / name for name in (wanted or known)]


def publish(invocation: Invocation, settings: Settings, session: str, name: str) -> Path:
    """Publish the recording of a session.

    Args:
        invocation: the global options.
        settings: name the folder of the recordings.
        session: the session's id, its beginning, or `latest`.
        name: the name of the new cassette.

    Returns:
        The cassette's folder.

    Raises:
        Stop: there is no such recording, it does not replay, or it cannot be written.
    """
    with lean.only_httpx_stub():
        from veza_e2e.cassettes.keep import publish as put  # noqa: PLC0415 - as above

    recording = recording_of(invocation, settings.state / "recordings", session)
    try:
        target = files.named(FOLDER, name)
    except CassetteError as error:
        raise Stop(Exit.USAGE, str(error), "name it like staging-refund") from error
    try:
        put(recording, target, redactor_of(settings))
    except CassetteError as error:
        raise Stop(Exit.DIFFERS, str(error), "what was published before is untouched") from error
    except Mismatch as mismatch:
        raise Stop(Exit.DIFFERS, f"the recording does not replay: {mismatch}", "record it again") from mismatch
    except OSError as error:
        raise Stop(
            Exit.DIFFERS, f"{error.filename or target}: {error.strerror}", "what was published before is untouched"
        ) from error
    return target


def redactor_of(settings: Settings) -> Redactor:
    secrets = read_secrets()
    redactor = Redactor(known_secrets(rehearsal_account(secrets) if settings.environment.embedded else secrets))
    for password in stored_passwords(secrets.email, [settings.environment.name]):
        redactor.give("password", password)
    return redactor


def recording_of(invocation: Invocation, folder: Path, session: str) -> Path:
    session = stored_session(invocation, session).session if session == LATEST else session
    known = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    found = [name for name in known if session and name.startswith(session.upper())]
    if len(found) != 1:
        which = "no recording" if not found else "more than one recording"
        hint = f"live runs are never recorded; list the sessions: {invocation.command('sessions')}"
        raise Stop(Exit.USAGE, f"there is {which} of a session {session!r:.40} in {folder}", hint)
    return folder / found[0]
