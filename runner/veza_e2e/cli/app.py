"""The command line: global options, then a command. Imports a command's module only when it is called."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click

from veza_e2e.cli.output import Exit, Invocation, Stop, say, stopped
from veza_e2e.config import REHEARSAL
from veza_e2e.ports.machine import Machine

COMMANDS = (
    "preflight", "run", "resume", "abandon", "rows", "sessions", "show", "bank", "attest", "release", "render",
    "verify", "sign", "replay", "cassettes", "contract", "rehearsal", "site",
)  # fmt: skip
"""The commands, in the order in which an operator needs them. Each is a function in the module of the same name."""


class Commands(click.Group):
    """Imports a command's module only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names, in the order in which an operator needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(f"veza_e2e.cli.{cmd_name}"), cmd_name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{cmd_name} is not a command")
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": None})
@click.option("--env", "environment", default=REHEARSAL, show_default=True, metavar="NAME", help="The backend.")
@click.option("--archive", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Where sessions are.")
@click.option(
    "--config", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="In place of veza-e2e.toml."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.option("--no-color", is_flag=True, help="No colours.")
@click.version_option(package_name="veza")
@click.pass_context
def veza_e2e(
    context: click.Context, environment: str, archive: Path | None, config: Path | None, as_json: bool, no_color: bool
) -> None:
    """Prove that one real purchase works from end to end, and keep the evidence."""
    context.color = False if no_color or as_json else None
    machine = context.ensure_object(Machine)
    context.obj = Invocation(environment, archive, config, as_json, not no_color, machine)


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


def main(arguments: Sequence[str] | None = None, machine: Machine | None = None) -> int:
    """Run a command and return its exit code.

    Args:
        arguments: the words after the command's name; None takes those of the process.
        machine: clock and rehearsal backend; None takes those of the process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in words
    try:
        given = veza_e2e.main(args=words, prog_name="veza-e2e", standalone_mode=False, obj=machine)
        code = given if isinstance(given, int) else int(Exit.PASSED)
    except Stop as stop:
        code = stopped(stop, as_json=as_json)
    except click.exceptions.Abort:
        code = int(Exit.INTERRUPTED)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        code = int(Exit.USAGE)
    except click.ClickException as error:
        context = error.ctx if isinstance(error, click.UsageError) else None
        hint = f"see {context.command_path} --help" if context else ""
        code = stopped(Stop(Exit.USAGE, error.format_message(), hint), as_json=as_json)
    except BrokenPipeError:
        code = int(Exit.FAILED)
    except Exception as error:  # noqa: BLE001 - a defect; nothing of it is shown that may hold a secret
        code = stopped(_defect(error), as_json=as_json)
    return code
