"""In the owner's own repository, from the wheel: a site of its own, and pages for a site that is there."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from front_door import Shell
from keys import new_key
from surroundings import PATIENCE, environment

from veza_e2e.cli.app import COMMANDS, veza_e2e

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files, in a folder of their own."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, timeout=PATIENCE)
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder / "files")
    return folder / "files"


DRIVER = """
import contextlib, io, json, os, sys
from pathlib import Path
import veza_e2e
from veza_e2e.cli.app import main
assert Path(veza_e2e.__file__).is_relative_to(sys.argv[1])
for words in map(json.loads, sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with open(os.devnull) as nothing, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        sys.stdin = nothing
        code = main(words)
        sys.stdin = sys.__stdin__
    print(json.dumps([code, out.getvalue(), err.getvalue()]), file=sys.__stdout__, flush=True)
"""
"""Runs one command line after the other, from the wheel: a process for each would cost a minute."""


class Wheel:
    """The wheel's command, in a folder."""

    def __init__(self, files: Path, folder: Path) -> None:
        environ = environment(folder, PYTHONPATH=str(files), BROWSER="", PYTHONWARNINGS="error")
        self._process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(files)], cwd=folder, env=environ, encoding="utf-8",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.typed: list[tuple[str, ...]] = []

    def __call__(self, *words: str, code: int = 0) -> dict[str, Any]:
        """Run a command; return its document."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.typed.append(words)
        print(json.dumps(["--json", *words]), file=self._process.stdin, flush=True)
        ended, out, err = json.loads(self._process.stdout.readline())
        assert ended == code, err
        assert "Traceback" not in err
        document: dict[str, Any] = json.loads(out)
        return document

    def ends(self) -> None:
        self._process.communicate(timeout=PATIENCE)

    def not_typed(self) -> set[tuple[str, ...]]:
        """The commands that were not run, each with the commands below it."""
        words = [tuple(word for word in line if not word.startswith("-")) for line in self.typed]
        return {one for one in commands() if not any(one == line[: len(one)] for line in words)}


def commands() -> Iterator[tuple[str, ...]]:
    with click.Context(veza_e2e) as context:
        for name in veza_e2e.list_commands(context):
            command = veza_e2e.get_command(context, name)
            if isinstance(command, click.Group):
                yield from ((name, below) for below in command.list_commands(context))
            else:
                yield (name,)


@pytest.fixture
def typed(wheel: Path, tmp_path: Path) -> Iterator[Wheel]:
    typed = Wheel(wheel, tmp_path)
    yield typed
    typed.ends()


SERVERS = {("rehearsal", "serve"), ("site", "serve")}
"""They end by Ctrl-C: see `tests/journeys/test_interrupted_at_a_terminal.py`."""


def test_each_command_works_from_the_wheel_in_an_empty_folder_and_beside_a_site_of_its_own(
    typed: Wheel, wheel: Path, tmp_path: Path
) -> None:
    session = a_session_and_what_follows(typed, tmp_path)
    for_developers(typed, wheel, tmp_path)
    assert typed.not_typed() == SERVERS, "a command that was never run from the wheel"
    left = {".gitattributes", ".veza-e2e", "build", "cassettes", "docs", "veza-e2e.toml", *FILES}
    assert {one.name for one in tmp_path.iterdir()} == left
    assert (tmp_path / ".veza-e2e" / ".gitignore").read_text(encoding="utf-8") == "*\n"
    home = (tmp_path / "build" / "site" / "index.html").read_text(encoding="utf-8")
    assert "2026.12" in home
    assert session in home
    (tmp_path / "docs" / "index.md").write_text("# Ours\n\n[Payments](payments/index.md)\n", encoding="utf-8")
    (tmp_path / "mkdocs.yml").write_text("site_name: Ours\n", encoding="utf-8")
    typed("site", "build", "--into", "docs/payments")
    mkdocs = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path / "theirs")]
    quiet = environment(tmp_path, NO_MKDOCS_2_WARNING="1")
    built = subprocess.run(
        mkdocs, cwd=tmp_path, env=quiet, capture_output=True, encoding="utf-8", timeout=PATIENCE, check=False
    )
    assert (built.returncode, built.stderr) == (0, "")
    page = next((tmp_path / "theirs" / "payments").glob(f"*/*/{session}/index.html")).read_text(encoding="utf-8")
    assert "charged 5.00 EUR, back 5.00 EUR" in page


FILES = {"one.html", "live.md", "replayed.xml", "getOrder.json", "key", "key.pub"}
"""What the commands write where they are told to."""


def a_session_and_what_follows(typed: Wheel, folder: Path) -> str:
    kept = ("--archive", "docs/archive/payment-e2e")
    typed("init", "--staging", "https://staging.veza.test")
    typed("config", "show")
    typed("preflight")
    typed("run", *kept, code=4)  # there is nobody to answer
    typed("abandon", "latest", "--reason", "nobody was there", *kept)
    walked = typed("run", "--unattended", "--refund", "--release", "2026.12", "--record", "one", *kept)
    session = str(walked["session"])
    assert typed("resume", session, *kept)["outcome"] == "passed", "it looks again"
    assert typed("sessions", *kept)["items"]
    assert typed("show", "latest", *kept)["session"] == session
    (opened,) = typed("open", "latest", *kept)["items"]
    assert opened["status"] == "written", "there is no display"
    typed("rows", session, *kept)
    typed("bank", session, "--seen", "nothing", "--date", f"{datetime.now(UTC):%Y-%m-%d}", *kept)
    typed("attest", "ex-9", "--by", "O", "--release", "2026.12", *kept)
    assert typed("release", "2026.12", "--report", "live.md", *kept)["items"][0]["status"] == "PENDING"
    typed("render", session, "--single-file", "one.html", *kept)
    typed("sign", session, "--key", str(new_key(folder / "key")), *kept)
    typed("verify", "--all", *kept)
    typed("site", "build")
    return session


def for_developers(typed: Wheel, wheel: Path, folder: Path) -> None:
    (folder / "getOrder.json").write_text('{"success": true, "data": {}}', encoding="utf-8")
    typed("replay", "one", "--junit", "replayed.xml")
    typed("cassettes", "keep", "latest", "two", "--archive", "docs/archive/payment-e2e")
    typed("cassettes", "check")
    typed("contract", "diff", "--spec", str(wheel / "veza" / "openapi.yaml"))
    typed("contract", "samples", "getOrder.json", code=5)
    typed("contract", "coverage", "--write", "nowhere/page.md", code=2)
    typed("contract", "test", "--base-url", "http://127.0.0.1:1", code=3)


def test_the_completion_comes_from_the_wheel_too(wheel: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "veza_e2e"]
    asked = environment(tmp_path, PYTHONPATH=str(wheel), _VEZA_E2E_COMPLETE="bash_complete", COMP_CWORD="1")
    done = subprocess.run(
        command, cwd=tmp_path, env={**asked, "COMP_WORDS": "veza-e2e re"}, capture_output=True, encoding="utf-8",
        timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert [line.partition(",")[2] for line in done.stdout.splitlines()] == [
        name for name in COMMANDS if name.startswith("re")
    ]


def test_pages_are_never_written_over_what_is_no_page_of_ours(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    theirs = tmp_path / "docs" / "guide" / "index.md"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("# Ours\n", encoding="utf-8")
    refused = shell("site", "build", "--into", "docs/guide")
    assert refused.code == 2
    assert "docs/guide holds pages that were not written here" in refused.stderr
    assert theirs.read_text(encoding="utf-8") == "# Ours\n"
    assert shell("--archive", "kept", "site", "build", "--into", "kept").code == 2
    assert shell("site", "build", "--into", "docs/payments").code == 0
    assert "none yet" in (tmp_path / "docs" / "payments" / "index.md").read_text(encoding="utf-8")
    assert shell("site", "build", "--into", "docs/payments").code == 0, "it replaces its own"
