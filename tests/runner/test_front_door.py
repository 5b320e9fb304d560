"""The commands where something is missing or in the way: one clear line, the right exit code, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from front_door import COMMAND, Shell
from surroundings import PATIENCE


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def closed(shell: Shell, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command whose standard input is closed."""
    return subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *COMMAND, *words],
        cwd=shell.folder, env=shell.environment(), capture_output=True, encoding="utf-8", timeout=PATIENCE, check=False,
    )  # fmt: skip


@pytest.mark.process
def test_a_closed_standard_input_is_the_end_of_input(shell: Shell) -> None:
    done = closed(shell, "--json", "run")
    assert "a defect:" not in done.stderr, done.stderr
    assert done.returncode == 4, done.stderr
    document = json.loads(done.stdout)
    assert document["outcome"] == "incomplete"
    assert f"resume {document['session']}" in done.stderr
    resumed = closed(shell, "--json", "resume")
    assert (resumed.returncode, "a defect:" in resumed.stderr) == (4, False), resumed.stderr
    done = closed(shell, "run", "--live")
    assert (done.returncode, "a defect:" in done.stderr) == (2, False), done.stderr


def test_a_torn_tail_is_said_when_the_session_is_abandoned_too(shell: Shell) -> None:
    left = shell("--json", "run")
    assert left.code == 4
    journal = shell.folder / left.json["paths"]["journal"]
    journal.write_bytes(journal.read_bytes() + b'{"half')
    assert shell("abandon", left.json["session"], "--reason", "test").code == 0
    kinds = [json.loads(line)["type"] for line in journal.read_text(encoding="utf-8").splitlines()]
    assert kinds[-3:] == ["TailCut", "SessionAbandoned", "SessionEnded"]


@pytest.mark.process
def test_a_screen_that_is_gone_stops_no_walkthrough(shell: Shell) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*COMMAND, "--json", "run", "--unattended", "--refund"],
        cwd=shell.folder, env=shell.environment(), stderr=writing, stdout=subprocess.PIPE, encoding="utf-8",
        timeout=PATIENCE, check=False,
    )  # fmt: skip
    os.close(writing)
    assert (done.returncode, json.loads(done.stdout)["outcome"]) == (0, "passed")
