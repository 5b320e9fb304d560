"""Ctrl-C in a shell at a real terminal: the exit code, and a terminal that is as it was."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from at_terminal import psql
from front_door import ACCOUNT, Shell, books, serving
from surroundings import PATIENCE

from veza import SystemClock

pytestmark = pytest.mark.process
PASSPHRASE = "a phrase of the test"
ENDED = r"(?:\n|^|\^C)\[(\d+)\] "
"""The shell's prompt, with the exit code of the command before."""


class AtShell:
    """A person at `sh`, whose prompt tells the exit code of the command before."""

    def __init__(self, folder: Path) -> None:
        (folder / "veza-e2e").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m veza_e2e "$@"\n', encoding="utf-8")
        (folder / "veza-e2e").chmod(0o755)
        env = Shell(folder).environment({**ACCOUNT, "BROWSER": "", "PS1": "[$?] ", "ENV": "", "HISTFILE": ""})
        self.sh = pexpect.spawn("sh", ["-i"], cwd=str(folder), env=env, encoding="utf-8", timeout=PATIENCE)
        self.sh.setwinsize(40, 100)
        assert self.ended() == 0

    def types(self, command: str, *prompts: str) -> None:
        """Start a command, and wait for what it asks."""
        self.sh.sendline(command.replace("veza-e2e ", "./veza-e2e ", 1))
        for prompt in prompts:
            self.sh.expect(prompt.replace(" ", r"\s+"))

    def ended(self) -> int:
        """Wait for the shell's prompt; return the exit code."""
        self.sh.expect(ENDED)
        found = self.sh.match
        assert isinstance(found, re.Match)
        return int(found[1])

    def interrupts(self, code: int = 130) -> str:
        """Press Ctrl-C; return what is said. The terminal is as before: it echoes, and shows its cursor."""
        self.sh.sendcontrol("c")
        # In the instant before a read blocks, Python only notes a signal. A person would press again.
        while self.sh.expect([ENDED, pexpect.TIMEOUT], timeout=PATIENCE / 10):
            self.sh.sendcontrol("c")
        said, found = str(self.sh.before), self.sh.match
        assert isinstance(found, re.Match)
        assert int(found[1]) == code
        assert "Traceback" not in said
        self.sh.sendline("stty -a")
        assert self.ended() == 0
        assert {"echo", "icanon", "isig", "icrnl", "opost"} <= set(str(self.sh.before).replace(";", " ").split())
        assert "\x1b[?25l" not in said, "the cursor was never hidden"
        return said

    def left(self) -> str:
        """Press Ctrl-C in a session; return the command that goes on."""
        found = re.search(r"(veza-e2e (?:--\S+ \S+ )*resume \S+)", self.interrupts())
        assert found is not None
        return found[1]


@pytest.fixture
def person(tmp_path: Path) -> Iterator[AtShell]:
    (tmp_path / "client").mkdir()
    at = AtShell(tmp_path / "client")
    yield at
    at.sh.close(force=True)


def test_ctrl_c_at_the_prompts_of_a_live_run_leaves_the_terminal_as_it_was(tmp_path: Path, person: AtShell) -> None:
    with serving(tmp_path / "server", time=SystemClock(), environment="live") as live:
        Shell(tmp_path / "client").configure("prod", live, reports="live", live=True)
        run = "veza-e2e --env prod run --live --release 1"
        person.types(f"OPERATOR_PASSWORD= {run}", "Password of the operator's account in prod [(]hidden[)]:")
        assert person.interrupts().startswith(" \r\nveza-e2e: interrupted by SIGINT\r\n  nothing was begun")
        person.types(run, "`q` to leave")
        assert "nothing was begun" in person.interrupts()
        assert not list(tmp_path.rglob("journal.jsonl"))
        person.types(run, "`q` to leave")
        person.types("charge anyway", "Which one do you buy")
        person.types("1", "currency to go on")
        person.types(person.left(), "currency to go on")
        person.types("5.00 EUR", "p = test card", "backend: pending_payment")
        person.types(person.left(), "currency to go on")
        person.types("5.00 EUR", "p = test card")
        person.types("p", "End with an empty line")
        person.types(psql(live).splitlines()[0])
        person.types(person.left(), "End with an empty line")
        person.types("skip", "Why?")
        person.types("none", "Type `refund` or `keep`")
        person.left()
        happened = books(live)
        assert (happened["orders"], happened["charges"], happened["refunds"]) == (1, 1, 0)


def test_ctrl_c_elsewhere_leaves_the_terminal_as_it_was(tmp_path: Path, person: AtShell) -> None:
    person.types("veza-e2e init", "staging backend's address")
    assert "interrupted by SIGINT" in person.interrupts()
    person.types("veza-e2e init", "staging backend's address")
    person.types("https://staging.veza.test", "production backend's address")
    person.sh.sendcontrol("d")
    assert person.ended() == 4, "the end of the input is no answer"
    assert not (tmp_path / "client" / "veza-e2e.toml").exists()
    person.types("veza-e2e rehearsal serve --port 0", "Ctrl-C ends it", "books:")
    person.interrupts(0)
    person.types("veza-e2e site serve --port 0", "until Ctrl-C")
    person.interrupts(0)
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", PASSPHRASE, "-C", "", "-f", key], check=True)
    person.types("veza-e2e run --unattended --refund")
    assert person.ended() == 0
    person.types(f"veza-e2e sign latest --key {key}", "passphrase")
    assert "interrupted by SIGINT" in person.interrupts()
    assert not list((tmp_path / "client").rglob("*.sig"))
    person.types("veza-e2e verify --all")
    assert person.ended() == 0
