"""Shared by the commands that work on sessions: the exact next command, and errors turned into exit codes."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import click

from veza_e2e.archive.locks import BusyError
from veza_e2e.archive.sessions import Stored
from veza_e2e.cassettes.errors import CassetteError
from veza_e2e.cli import narrate
from veza_e2e.cli.output import Exit, Invocation, Stop, command_line, document, say
from veza_e2e.engine.finish import Ended
from veza_e2e.engine.walk import UnresumableError
from veza_e2e.evidence.due import still_open
from veza_e2e.journal import DamagedError, LockedError, UnwritableError
from veza_e2e.ports.interrupts import Interrupted
from veza_e2e.ports.screen import plain
from veza_e2e.ports.wire import LeakError
from veza_e2e.rehearsal_process import RehearsalError

OUTCOMES = {"passed": Exit.PASSED, "failed": Exit.FAILED, "incomplete": Exit.INCOMPLETE, "refused": Exit.REFUSED}


_LEAK = "nothing was sent; take the secret out of what is sent or configured"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM})
_MISSING = frozenset({errno.ENOENT, errno.EISDIR})
_ROOM = "nothing acts on what is not on the disk; make room there, then resume"
_RIGHT = "give this account the right to it, then resume"
_BACK = "put the file back in its place, then resume"
_CAUSE = "nothing acts on what is not on the disk; mend the cause, then resume"
_KEPT = "what was begun is kept: `veza-e2e sessions` lists it"


@contextmanager
def translated() -> Iterator[None]:
    """Turn errors of a session's files and backend into an exit code and a hint."""
    try:
        yield
    except Interrupted as signal:
        raise Stop(Exit.INTERRUPTED, f"interrupted by {signal.name}", _KEPT) from signal
    except RehearsalError as error:
        raise Stop(Exit.REFUSED, str(error), "its state is in .veza-e2e/rehearsal") from error
    except (BusyError, LockedError) as error:
        raise Stop(Exit.REFUSED, str(error), "wait until it has ended") from error
    except DamagedError as error:
        raise Stop(Exit.DAMAGED, str(error), "nothing was changed; compare with a copy of the file") from error
    except UnresumableError as error:
        raise Stop(Exit.REFUSED, str(error)) from error
    except CassetteError as error:
        raise Stop(Exit.DIFFERS, str(error)) from error
    except LeakError as error:
        raise Stop(Exit.FAILED, str(error), _LEAK) from error
    except (UnwritableError, OSError) as error:
        raise Stop(Exit.INCOMPLETE, *_unusable(error)) from error


def _problem(error: UnwritableError | OSError | LeakError) -> tuple[str, str]:
    """Return why the journal could not be written, and what to do."""
    return (str(error), _LEAK) if isinstance(error, LeakError) else _unusable(error)


def _unusable(error: UnwritableError | OSError) -> tuple[str, str]:
    """Return why a file cannot be used, and what to do, by the error's number."""
    cause = error if isinstance(error, OSError) else error.__cause__
    number = cause.errno if isinstance(cause, OSError) else None
    where = getattr(error, "filename", None)
    text = f"{where}: {error.strerror}" if isinstance(error, OSError) and where else str(error)
    if number in _FULL:
        return f"cannot be written: {text}", _ROOM
    if number in _FORBIDDEN:
        return f"cannot be read or written: {text}", _RIGHT
    if number in _MISSING:
        return f"cannot be read: {text}", _BACK
    return f"cannot be written: {text}", _CAUSE


def concluded(invocation: Invocation, stored: Stored, ended: Ended) -> int:
    """Print how the session stands and return the exit code."""
    summary, problem = ended.summary, None if ended.problem is None else _problem(ended.problem)
    if invocation.json:
        error = {} if problem is None else {"error": {"message": problem[0], "hint": problem[1]}}
        document({**summary.to_json(stored.paths), **error})
    resume_line = command_line(invocation, "resume", stored.session)
    abandon_line = command_line(invocation, "abandon", stored.session, "--reason", "TEXT")
    if ended.interrupted is not None:
        say(f"\nInterrupted ({ended.interrupted}); nothing is lost.")
    if problem is not None:
        say(f"veza-e2e: {plain(problem[0])}\n  {problem[1]}")
    show = say if invocation.json or ended.interrupted or problem else click.echo
    there = replace(invocation, environment=summary.environment or invocation.environment)
    due = still_open(summary, partial(command_line, there))
    report = stored.paths["report"] if problem is None else None
    for line in narrate.verdict(summary, resume_line, abandon_line, report, due):
        show(line)
    if ended.problem is not None:
        return int(Exit.FAILED if isinstance(ended.problem, LeakError) else Exit.INCOMPLETE)
    if ended.interrupted in {"end of input", "left"}:
        return int(Exit.INCOMPLETE)
    return int(Exit.INTERRUPTED if ended.interrupted else OUTCOMES[summary.outcome])
