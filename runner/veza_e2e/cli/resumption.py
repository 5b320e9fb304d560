"""Finds a session and rebuilds its parts, for `resume` and `abandon`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from veza_e2e.archive.finding import find
from veza_e2e.archive.sessions import Stored, UnknownSessionError
from veza_e2e.bootstrap import assemble
from veza_e2e.cli.asking import password_for
from veza_e2e.cli.knowing import know_kept
from veza_e2e.cli.lookup import archive_of, command_in
from veza_e2e.cli.narrate import Narrator
from veza_e2e.cli.output import Exit, Stop
from veza_e2e.config import Secrets, Settings, read_secrets
from veza_e2e.engine.session import Parts
from veza_e2e.engine.start import Asked
from veza_e2e.engine.walk import UnresumableError
from veza_e2e.journal import Reading
from veza_e2e.journal.account import account_digest, same_account
from veza_e2e.journal.events import WALKTHROUGH, WALKTHROUGHS, SessionStarted
from veza_e2e.ports.interrupts import Interrupts
from veza_e2e.ports.machine import Machine
from veza_e2e.rehearsal_process import reachable, rehearsal_account


def meant_session(settings: Settings, session: str | None) -> Stored:
    """Return the session with this id, else the only one that can be resumed.

    Raises:
        Stop: there is no such session, or several.
    """
    archive = archive_of(settings)
    if session is not None:
        try:
            return find([archive], session, settings.environment.name)
        except UnknownSessionError as error:
            raise Stop(
                Exit.USAGE,
                str(error),
                f"list them: {command_in(settings.archive, settings.environment.name, 'sessions')}",
            ) from error
    found = [one for one in archive.sessions() if _open_here(one, settings.environment.name)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise Stop(
            Exit.USAGE,
            f"no session of {settings.environment.name} is left to resume in {settings.archive}",
            f"list them: {command_in(settings.archive, settings.environment.name, 'sessions')}",
        )
    raise Stop(
        Exit.USAGE,
        f"{len(found)} sessions can be resumed: {', '.join(one.session for one in found[:5])}",
        f"name one, such as: {command_in(settings.archive, settings.environment.name, 'resume', found[-1].session)}",
    )


def _open_here(stored: Stored, environment: str) -> bool:
    """Whether a session is left to resume in this environment; only one that seems so is read whole."""
    if stored.has_ended:
        return False
    reading = stored.read()
    first = reading.lines[0].event if reading.lines else None
    return not reading.ended and isinstance(first, SessionStarted) and first.environment == environment


def first_of(
    reading: Reading, path: Path, settings: Settings, *, any_version: bool = False, command: str = "resume"
) -> SessionStarted:
    """Return a session's first event; refuse another environment, and another walkthrough unless `any_version`.

    Args:
        reading: the session's journal.
        path: where it is.
        settings: of the environment that was named.
        any_version: whether a session of any version will do.
        command: the command that the operator gave, without its session: a hint repeats it.
    """
    first = reading.lines[0].event if reading.lines else None
    if not isinstance(first, SessionStarted):
        raise UnresumableError(f"{path}: nothing was begun in it; start a new session")
    if first.walkthrough not in WALKTHROUGHS and not any_version:
        raise UnresumableError(
            f"session {first.session} was begun by walkthrough {first.walkthrough}, this is {WALKTHROUGH}: "
            f"install veza {first.tools.get('veza', 'of that time')} to resume it"
        )
    environment = settings.environment
    if first.environment != environment.name:
        raise Stop(
            Exit.USAGE,
            f"session {first.session} belongs to {first.environment}, not {environment.name}",
            command_in(path.parents[3], first.environment, *command.split(), first.session),
        )
    if not environment.embedded and first.base_url != environment.base_url:
        raise Stop(
            Exit.USAGE,
            f"session {first.session} was begun at {first.base_url}, not {environment.base_url}",
            f"set base_url of {environment.name} to {first.base_url} in the configuration",
        )
    return first


def asked_before(first: SessionStarted) -> Asked:
    return Asked(
        live=first.live_requested,
        release=first.release,
        unattended=first.unattended,
        refund=first.refund,
        product=first.product,
        faults=tuple(first.faults),
    )


def secrets_of(settings: Settings, first: SessionStarted) -> Secrets:
    secrets = read_secrets()
    if settings.environment.embedded:
        return rehearsal_account(secrets)
    return replace(secrets, password=password_for(settings, secrets, unattended=first.unattended))


@contextmanager
def parts_of(
    settings: Settings, first: SessionStarted, interrupts: Interrupts, machine: Machine, *, backend: bool = True
) -> Iterator[Parts]:
    """Yield the session's parts; start its own rehearsal backend if it has one."""
    secrets = secrets_of(settings, first)
    if not same_account(account_digest(secrets.email), first.account_digest):
        raise Stop(
            Exit.USAGE,
            f"session {first.session} belongs to {first.account}, OPERATOR_EMAIL is another account",
            "set OPERATOR_EMAIL to the account that began it",
        )
    with ExitStack() as stack:
        own = None
        if backend or not settings.environment.embedded:
            own = stack.enter_context(reachable(settings, secrets, first.session, first.faults, machine))
        parts = stack.enter_context(
            assemble(
                settings,
                secrets,
                interrupts,
                machine,
                unattended=first.unattended,
                listeners=(Narrator(),),
                own=own,
                session=first.session,
            )
        )
        if not first.unattended:
            know_kept(parts.redactor)
        yield parts
