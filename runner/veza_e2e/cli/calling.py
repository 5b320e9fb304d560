"""Shared by the commands that work on sessions: the exact next command, and errors turned into exit codes."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import click

from veza_e2e.archive.locks import BusyError
from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.archive.signatures import signature_of
from veza_e2e.cassettes.errors import CassetteError
from veza_e2e.cli.last_screen import Surroundings, last_screen
from veza_e2e.cli.lookup import attested
from veza_e2e.cli.output import Exit, Invocation, Stop, document, say
from veza_e2e.config import REHEARSAL
from veza_e2e.engine.finish import Ended
from veza_e2e.engine.walk import UnresumableError
from veza_e2e.evidence import Summary
from veza_e2e.evidence.release import EX_9
from veza_e2e.journal import DamagedError, LockedError, UnwritableError
from veza_e2e.ports.interrupts import Interrupted
from veza_e2e.ports.screen import plain, width
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


@contextmanager
def translated(again: str) -> Iterator[None]:
    """Turn errors of a session's files and backend into an exit code and a hint.

    Args:
        again: the command that continues after an interruption.
    """
    try:
        yield
    except Interrupted as signal:
        raise Stop(
            Exit.INTERRUPTED, f"interrupted by {signal.name}", f"nothing is lost; try again: {again}"
        ) from signal
    except RehearsalError as error:
        raise Stop(Exit.REFUSED, str(error), "its state is in .veza-e2e/rehearsal") from error
    except (BusyError, LockedError) as error:
        raise Stop(Exit.REFUSED, str(error), "wait until it has ended") from error
    except DamagedError as error:
        raise Stop(Exit.DAMAGED, str(error), "nothing was changed; compare with a copy of the file") from error
    except UnresumableError as error:
        raise Stop(Exit.REFUSED, str(error), "nothing was sent and nothing was changed") from error
    except CassetteError as error:
        raise Stop(Exit.DIFFERS, str(error), "which cassettes are sound: veza-e2e cassettes check") from error
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
    if ended.interrupted is not None:
        left = ended.interrupted == "left"
        say(f"\n{'You left' if left else f'Interrupted ({ended.interrupted})'}; nothing is lost.")
    if problem is not None:
        say(f"veza-e2e: {plain(problem[0])}\n  {problem[1]}")
    to_stderr = bool(invocation.json or ended.interrupted or problem)
    room = width() if (sys.stderr if to_stderr else sys.stdout).isatty() else None
    for line in last_screen(summary, _surroundings(invocation, stored, summary, report=problem is None), room):
        say(line) if to_stderr else click.echo(line)
    if ended.problem is not None:
        return int(Exit.FAILED if isinstance(ended.problem, LeakError) else Exit.INCOMPLETE)
    if ended.interrupted in {"end of input", "left"}:
        return int(Exit.INCOMPLETE)
    return int(Exit.INTERRUPTED if ended.interrupted else OUTCOMES[summary.outcome])


def _attested(stored: Stored, release: str | None) -> bool:
    return attested(Archive(stored.folder.parents[2]), EX_9, release) is True


def _surroundings(invocation: Invocation, stored: Stored, summary: Summary, *, report: bool) -> Surroundings:
    there = replace(invocation, environment=summary.environment or invocation.environment)
    kept = stored.manifests()
    return Surroundings(
        command=there.command,
        today=invocation.today,
        report=stored.paths["report"] if report else None,
        folder=None if summary.environment == REHEARSAL else str(stored.folder),
        ex_9=summary.live_requested and _attested(stored, summary.release),
        signed=bool(kept) and signature_of(kept[-1]).exists(),
    )
