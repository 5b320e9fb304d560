"""The docs name everything, and nothing that is not there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import veza_rehearsal
from veza_rehearsal import DEFAULT_EMAIL, DEFAULT_PASSWORD, FAULTS, LISTENER_EMAIL, PROCESSOR_API_KEY, Argument

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "rehearsal.md").read_text(encoding="utf-8")
WRITTEN = {
    Argument.NONE: "",
    Argument.COUNT: "=N",
    Argument.SECONDS: "=SECONDS",
    Argument.OPTIONAL_SECONDS: "[=SECONDS]",
    Argument.PERCENT: "=PERCENT",
    Argument.CENTS: "=CENTS",
    Argument.STATUS: "=STATUS",
}


def test_the_table_of_faults_is_that_of_the_code() -> None:
    rows = [f"| `{name}{WRITTEN[switch.argument]}` | {switch.description} |" for name, switch in FAULTS.items()]
    assert rows == [line for line in PAGE.splitlines() if re.match(r"\| `[a-z_0-9]+(\[?=[A-Z]+\]?)?` \| [A-Z`]", line)]


@pytest.mark.process
def test_accounts_options_and_routes_are_documented() -> None:
    command = [sys.executable, "-m", "veza_rehearsal", "--help"]
    usage = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    options = set(re.findall(r"--[a-z-]+", usage)) - {"--help"}
    routes = {"books", "faults", "clock", "reset"}
    for text in {DEFAULT_EMAIL, DEFAULT_PASSWORD, LISTENER_EMAIL, PROCESSOR_API_KEY, *options, *routes}:
        assert text in PAGE, text


def test_the_package_exports_only_what_it_promises() -> None:
    public = {name for name in vars(veza_rehearsal) if not name.startswith("_")}
    modules = {path.stem for path in (ROOT / "rehearsal" / "veza_rehearsal").glob("*.py")}
    assert public - modules == set(veza_rehearsal.__all__)


@pytest.mark.process
def test_importing_the_package_is_light() -> None:
    code = "import sys, veza_rehearsal; print(sorted({'starlette', 'uvicorn', 'jwt', 'veza'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True).stdout
    assert loaded == "[]\n"
