"""How a command ends that did not return: what is said of its error, and the exit code."""

from __future__ import annotations

import traceback
from pathlib import Path

import click

from veza_e2e.cli.output import Exit, Stop, say, stopped


def code_of(error: Exception, *, as_json: bool) -> int:
    """Say why a command ended, and return its exit code."""
    match error:
        case Stop():
            return stopped(error, as_json=as_json)
        case click.exceptions.Abort():
            return int(Exit.INTERRUPTED)
        case click.exceptions.NoArgsIsHelpError():
            click.echo(error.format_message(), err=True)
            return int(Exit.USAGE)
        case click.ClickException():
            context = error.ctx if isinstance(error, click.UsageError) else None
            hint = f"see {context.command_path} --help" if context else ""
            return stopped(Stop(Exit.USAGE, error.format_message(), hint), as_json=as_json)
        case BrokenPipeError():
            return int(Exit.FAILED)
        case _:
            return stopped(_defect(error), as_json=as_json)


def _defect(error: Exception) -> Stop:
    """Report a defect's place and type, not its message, which may hold a token or a whole response."""
    frames = traceback.extract_tb(error.__traceback__)
    for frame in frames:
        say(f"  {frame.filename}:{frame.lineno} in {frame.name}")
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}"
    return Stop(
        Exit.FAILED,
        f"a defect: {type(error).__name__} at {place}; its words are withheld, as they may hold a secret",
        "what was recorded is kept, and an unresolved session can be resumed; please report the lines above",
    )
