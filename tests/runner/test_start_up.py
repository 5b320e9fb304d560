"""What a command does not use it does not import: most of a short command's time is spent on imports."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import click
import pytest
from surroundings import PATIENCE, environment

from veza_e2e import cli
from veza_e2e.cli.app import COMMANDS, GROUPS, veza_e2e
from veza_e2e.cli.examples import EXAMPLES

ELSEWHERE = frozenset({
    "asyncio", "holidays", "httpx2", "httpx._main", "jsonschema_rs", "jwt", "keyring", "mkdocs", "psycopg", "requests",
    "rich", "schemathesis", "starlette", "unittest.mock", "urllib3", "uvicorn", "vcr", "vcr.cassette", "vcr.patch",
    "yaml", "veza_e2e.cassettes.replay", "veza_e2e.site", "veza_e2e.verify",
})  # fmt: skip
"""What other commands use, and what libraries import for those who want more of them."""
RENDERS = frozenset({"jinja2"})
SENDS = frozenset({
    "httpcore", "httpx", "ssl", "veza._sync.client", "veza_e2e.cassettes.record", "veza_e2e.engine.walk",
})  # fmt: skip
ROOT = Path(__file__).parents[2]
PATHS = frozenset({"--file", "--key", "--spec"})
"""Options whose file must be there."""
IMPORTED = """
import sys
from veza_e2e.cli.app import main
code = main(sys.argv[1:])
print(code, *(name for name, module in sys.modules.items() if module is not None), file=sys.stderr)
"""


def imported_by(folder: Path, *words: str) -> set[str]:
    """Return the modules that a process of its own holds after a command."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *words], cwd=folder, capture_output=True, encoding="utf-8", check=True,
        timeout=PATIENCE,
    )  # fmt: skip
    code, *modules = done.stderr.splitlines()[-1].split()
    assert code == "0"
    return set(modules)


def test_the_table_of_commands_says_what_the_commands_say() -> None:
    folder = Path(str(cli.__file__)).parent
    modules = {path.stem: import_module(f"veza_e2e.cli.{path.stem}") for path in sorted(folder.glob("[a-z]*.py"))}
    found = {name: getattr(module, name, None) for name, module in modules.items()}
    commands = {name: command for name, command in found.items() if isinstance(command, click.Command)}
    assert {name: command.get_short_help_str(limit=1000) for name, command in commands.items()} == COMMANDS


def test_each_command_stands_in_one_group_of_the_help() -> None:
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(COMMANDS)


def leaves(group: click.Group, above: str = "") -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command, f"{above}{name} ")
        else:
            yield f"{above}{name}", command


def test_each_command_has_an_example_that_its_options_allow() -> None:
    commands = dict(leaves(veza_e2e))
    assert commands.keys() == EXAMPLES.keys()
    for name, command in commands.items():
        words = shlex.split(EXAMPLES[name])
        words = words[2:] if words[0] == "--env" else words
        depth = len(name.split())
        assert words[:depth] == name.split()
        there = str(ROOT / "pyproject.toml")
        given = [there if before in PATHS else word for before, word in pairwise(words)][depth - 1 :]
        command.make_context(name, given)


@pytest.mark.process
@pytest.mark.parametrize("switch", ["--help", "--version"])
def test_help_and_version_import_nothing_but_the_table(switch: str, tmp_path: Path) -> None:
    found = imported_by(tmp_path, switch)
    ours = {name for name in found if name.startswith("veza")}
    assert ours == {"veza", "veza._version", "veza_e2e", "veza_e2e.cli", "veza_e2e.cli.app", "veza_e2e.cli.lean"}
    assert found & {*ELSEWHERE, *RENDERS, *SENDS, "importlib.metadata", "json", "dataclasses"} == set()


@pytest.mark.process
@pytest.mark.parametrize(
    ("words", "without"),
    [
        (["sessions"], ELSEWHERE | RENDERS | SENDS),
        (["run", "--unattended", "--refund"], ELSEWHERE),
    ],
    ids=["sessions", "run"],
)
def test_a_command_imports_only_what_it_uses(words: list[str], without: frozenset[str], tmp_path: Path) -> None:
    assert imported_by(tmp_path, *words) & without == set()


@pytest.mark.process
def test_a_shell_completes_commands_and_options(tmp_path: Path) -> None:
    asked = {"_VEZA_E2E_COMPLETE": "bash_complete", "COMP_WORDS": "veza-e2e run --rel", "COMP_CWORD": "2"}
    done = subprocess.run(
        [Path(sys.executable).with_name("veza-e2e")], cwd=tmp_path, env=environment(tmp_path, **asked),
        capture_output=True, encoding="utf-8", check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert done.stdout.split() == ["plain,--release"]
