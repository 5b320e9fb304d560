"""Writes the reference of the command line from the commands: `python -m veza_e2e.cli.reference`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from veza_e2e.cli.app import veza_e2e
from veza_e2e.cli.output import Exit

PAGE = Path("docs/cli.md")
_EXITS = {
    Exit.PASSED: "passed, nothing wrong",
    Exit.FAILED: "failed",
    Exit.USAGE: "the command line or the configuration is wrong",
    Exit.REFUSED: "refused: the pre-flight is blocked, another session is unresolved, or the limit is exceeded",
    Exit.INCOMPLETE: "incomplete, can be resumed",
    Exit.DIFFERS: "a replay or a contract differs, or a cassette is bad",
    Exit.DAMAGED: "integrity is broken",
    Exit.INTERRUPTED: "interrupted",
}


_COMPLETION = """\
## Completion

Each shell completes commands and options, once its start-up file has a line. In `~/.bashrc`:

    eval "$(_VEZA_E2E_COMPLETE=bash_source veza-e2e)"

In `~/.zshrc` it is `zsh_source`; in `~/.config/fish/completions/veza-e2e.fish`:

    _VEZA_E2E_COMPLETE=fish_source veza-e2e | source
"""


def reference() -> str:
    """Return the page."""
    parts = [
        "---\ntitle: Command line\n---\n# Command line\n",
        "Written from the commands themselves; `veza-e2e COMMAND --help` says the same.\n",
        *_command(veza_e2e, "veza-e2e", 2, None),
        _COMPLETION,
        "## Exit codes\n\n| Code | Meaning |\n|---|---|",
        *(f"| {int(code)} | {meaning} |" for code, meaning in _EXITS.items()),
    ]
    return "\n".join(parts) + "\n"


def _command(command: click.Command, path: str, level: int, parent: click.Context | None) -> Iterator[str]:
    context = click.Context(command, info_name=path.rpartition(" ")[2], parent=parent)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    example = (
        f"\n    {command.epilog.removeprefix('Example: ')}"
        if command.epilog and not isinstance(command, click.Group)
        else ""
    )
    yield f"{'#' * min(level, 3)} {path}\n\n{_text(command.help)}\n\n    {usage}{example}\n"
    options = [record for parameter in command.params if (record := parameter.get_help_record(context)) and record[1]]
    if options:
        yield "| Option | |\n|---|---|"
        yield from (f"| `{_cell(name)}` | {_cell(meaning)} |" for name, meaning in options)
        yield ""
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                yield from _command(child, f"{path} {name}", level + 1, context)


def _text(text: str | None) -> str:
    return "\n\n".join(" ".join(part.split()) for part in (text or "").split("\n\n"))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
    sys.stderr.write(f"{PAGE} is written\n")
