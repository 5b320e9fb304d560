"""The command line: global options, then a command. What a command needs is imported when it is called.

`--help` and `--version` import nothing of ours but this file.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from veza import __version__

if TYPE_CHECKING:
    from veza_e2e.ports.machine import Machine

COMMANDS: Mapping[str, str] = {
    "init": "Write a commented veza-e2e.toml; ask for what is not given.",
    "config": "Show the settings, and where each comes from.",
    "preflight": "Run only the pre-flight checks.",
    "run": "Run the pre-flight, then the nine steps.",
    "resume": "Continue an open session, or re-check an ended one.",
    "abandon": "End a session that nobody will resume.",
    "rows": "Supply the rows of seller_transfers later, or read them again.",
    "sessions": "List the sessions: outcome, money, decision, what is due.",
    "show": "Show one session, step by step.",
    "open": "Open a session's page in the browser.",
    "bank": "Record what the bank statement shows of a refund.",
    "attest": "Record a person's word for what no machine can see.",
    "release": "Show the decision about a release, and what is due.",
    "render": "Write report.md and session.log again from the journal.",
    "verify": "Check the archive's files for changes.",
    "sign": "Sign a session's newest manifest with an OpenSSH key.",
    "replay": "Replay recordings: no network, no person, no waiting.",
    "cassettes": "Keep recordings, and check those that are kept.",
    "contract": "Compare the contract with a backend, or with another spec.",
    "rehearsal": "Run the rehearsal backend: API, processor stub, checkout page.",
    "site": "Build and serve the site of reports.",
}
"""The commands with the first sentence of their help, in the order in which an operator needs them.

Each is a function in the module of the same name.
"""


GROUPS: Mapping[str, Sequence[str]] = {
    "Set up": ("init", "config"),
    "Walk through": ("preflight", "run", "resume", "abandon", "rows"),
    "Look": ("sessions", "show", "open", "release"),
    "Record what comes later": ("bank", "attest"),
    "Evidence": ("verify", "sign", "render", "site"),
    "For developers": ("replay", "cassettes", "contract", "rehearsal"),
}
"""The commands as the help lists them."""

_OPTIONS = ("--env", "--archive", "--config")
_FLAGS = ("--json", "--no-color")


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
        from veza_e2e.cli.examples import exemplify  # noqa: PLC0415 - only for a command

        exemplify(command, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table; click would import them all for it."""
        widest = max(map(len, COMMANDS))
        room = formatter.width - 6 - widest
        for title, names in GROUPS.items():
            with formatter.section(title):
                told = {name: click.Command(name, help=COMMANDS[name]).get_short_help_str(room) for name in names}
                formatter.write_dl([(f"{name:<{widest}}", shown) for name, shown in told.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": None})
@click.option(
    "--env", "environment", default="rehearsal", show_default=True, metavar="NAME", help="The environment to use."
)
@click.option(
    "--archive", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Where the sessions are kept."
)
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The settings, if not in veza-e2e.toml.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@click.option("--no-color", is_flag=True, help="No colours.")
@click.version_option(__version__)
@click.pass_context
def veza_e2e(
    context: click.Context, environment: str, archive: Path | None, config: Path | None, as_json: bool, no_color: bool
) -> None:
    """Prove that one real purchase works from end to end, and keep the evidence.

    Wherever a command takes a SESSION, type its id, the beginning of its id, or `latest`.
    """
    from veza_e2e.cli.output import Invocation  # noqa: PLC0415 - only for a command
    from veza_e2e.config import moves_cursor, wants_color  # noqa: PLC0415 - as above
    from veza_e2e.ports import screen  # noqa: PLC0415 - as above
    from veza_e2e.ports.machine import Machine  # noqa: PLC0415 - as above

    context.color = False if no_color or as_json or not wants_color() else None
    screen.begin(moves=moves_cursor())
    machine = context.ensure_object(Machine)
    context.obj = Invocation(environment, archive, config, as_json, context.color is None, machine)


def _hoisted(words: Sequence[str]) -> list[str]:
    """Return the command line with the global options in front, wherever they stand."""
    first = next((number for number, word in enumerate(words) if word in COMMANDS), len(words))
    front, back = list(words[:first]), list[str]()
    rest = iter(words[first:])
    for word in rest:
        if word == "--":
            back += [word, *rest]
        elif word in _FLAGS or (word.partition("=")[0] in _OPTIONS and "=" in word):
            front.append(word)
        elif word in _OPTIONS:
            front += [word, *([value] if (value := next(rest, None)) is not None else [])]
        else:
            back.append(word)
    return front + back


def main(arguments: Sequence[str] | None = None, machine: Machine | None = None) -> int:
    """Run a command and return its exit code.

    Args:
        arguments: the words after the command's name; None takes those of the process.
        machine: clock and rehearsal backend; None takes those of the process.
    """
    words = _hoisted(sys.argv[1:] if arguments is None else arguments)
    try:
        given = veza_e2e.main(args=words, prog_name="veza-e2e", standalone_mode=False, obj=machine)
    except Exception as error:  # noqa: BLE001 - a defect is among them; nothing of it is shown that may hold a secret
        from veza_e2e.cli.ending import code_of  # noqa: PLC0415 - only if something is said

        return code_of(error, words, as_json="--json" in words)
    return given if isinstance(given, int) else 0
