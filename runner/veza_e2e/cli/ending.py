"""How a command ends that did not return: what is said of its error, and the exit code."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import click

from veza_e2e.cli.nearest import meant
from veza_e2e.cli.output import Exit, Stop, say, stopped

_WHOLE = "nothing is half written; type the command again"


def code_of(error: Exception, words: Sequence[str], *, as_json: bool) -> int:
    """Say why a command ended, and return its exit code.

    Args:
        error: what ended it.
        words: the command line, without the command's own name.
        as_json: whether a JSON document is due.
    """
    match error:
        case Stop():
            return stopped(error, as_json=as_json)
        case click.exceptions.Abort():
            return stopped(Stop(Exit.INTERRUPTED, "interrupted by SIGINT", _WHOLE), as_json=as_json)
        case click.exceptions.NoArgsIsHelpError():
            click.echo(error.format_message(), err=True)
            return int(Exit.USAGE)
        case click.ClickException():
            return stopped(_misused(error, words), as_json=as_json)
        case BrokenPipeError():
            return int(Exit.FAILED)
        case _:
            return stopped(_defect(error), as_json=as_json)


def _misused(error: click.ClickException, words: Sequence[str]) -> Stop:
    """Say what is wrong with a command line, and give the one that was meant, or the help that lists what there is."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    message = " ".join(error.format_message().split())
    named = next((word for word in words if not word.startswith("-")), "")
    path = context.command_path if context else f"veza-e2e {named}".strip()
    hint = f"see: {path} --help"
    if isinstance(error, click.exceptions.NoSuchOption):
        commands = [one.command for one in (context, context and context.find_root()) if one]
        known = ["--help", *(name for command in commands for one in command.params for name in one.opts)]
        message, hint = f"there is no option {error.option_name}", meant(error.option_name, known, words, hint)
    elif isinstance(error, click.exceptions.NoSuchCommand) and context and isinstance(context.command, click.Group):
        known = context.command.list_commands(context)
        message = f"there is no command {error.command_name!r:.40}; known: {', '.join(known)}"
        hint = meant(error.command_name, known, words, hint)
    elif isinstance(error, click.BadParameter) and error.param and isinstance(error.param.type, click.Choice):
        given = next((word for word in _values(error.param, words) if word not in error.param.type.choices), "")
        hint = meant(given, error.param.type.choices, words, hint)
    return Stop(Exit.USAGE, message, hint)


def _values(option: click.Parameter, words: Sequence[str]) -> Iterator[str]:
    """Iterate over what a command line gives an option."""
    for word, after in pairwise([*words, ""]):
        name, equals, value = word.partition("=")
        if name in option.opts:
            yield value if equals else after


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
