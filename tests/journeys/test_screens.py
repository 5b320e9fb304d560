"""A live run is rehearsed to its end on narrow and wide terminals of 24 lines, and each screen is as it should be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from at_terminal import Person, psql
from emulated import Terminal
from front_door import Shell, books, serving

from veza import SystemClock

pytestmark = pytest.mark.process

SCREENS = Path(__file__).with_name("screens")
ROWS = 24
_VARIABLE = (
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", r"\b0[0-9A-Z]{25}\b", r"\b(?:pay|tr|trr|ref)_\w{16,}",
    r"127\.0\.0\.1:\d{5}", r"\b\d{1,2}:\d\d\b", r"20\d\d-\d\d-\d\d(?:T[\d:.]+Z)?", r"/20\d\d/\d\d/",
)  # fmt: skip
"""What differs from run to run: ids, ports, times."""


def settled(text: str) -> str:
    """Return what was sent with a letter for each digit or letter that differs from run to run."""
    for pattern in _VARIABLE:
        text = re.sub(pattern, lambda found: re.sub(r"[0-9A-Za-z]", "x", found[0]), text)
    return text


class Sees(Person):
    """A person whose screen is kept, and compared at five moments."""

    def __init__(self, shell: Shell, base_url: str, *words: str, columns: int, env: dict[str, str]) -> None:
        super().__init__(shell, base_url, *words, env=env, dimensions=(ROWS, columns))
        self.columns = columns
        self.screen = Terminal(ROWS, columns)
        self.terminal.logfile_read = self.screen
        self.kept: dict[str, list[str]] = {}

    def until(self, pattern: str) -> None:
        self.terminal.expect(pattern)
        with_prompt = self.terminal.expect([r"[^\r\n]+", pexpect.TIMEOUT], timeout=1)
        assert with_prompt in {0, 1}

    def awaits_the_prompt(self) -> None:
        """Read on until the checkout's prompt is whole: it is drawn behind what is waited for."""
        while not re.search(r"\? Enter = paid.*test card", " ".join(self.screen.visible[-3:])):
            self.terminal.expect(r"[^\x00]")

    def looks_at_the_rows(self) -> None:
        self.terminal.expect("End with an empty line")
        self.terminal.sendline(psql(self.base_url))
        self.until("Is this what psql printed")
        self.keeps("rows")
        self.terminal.sendline("y")

    def keeps(self, name: str) -> None:
        again = Terminal(ROWS, self.columns)
        again.write(settled(self.screen.raw))
        self.kept[name] = again.visible


@pytest.fixture
def live(tmp_path: Path) -> Iterator[str]:
    with serving(tmp_path / "server", time=SystemClock(), environment="live") as base_url:
        yield base_url


@pytest.fixture
def shell(tmp_path: Path, live: str) -> Shell:
    (tmp_path / "client").mkdir()
    shell = Shell(tmp_path / "client", SystemClock())
    shell.configure("prod", live, reports="live", live=True)
    return shell


@pytest.mark.parametrize(
    ("columns", "env"),
    [(60, {"NO_COLOR": "1"}), (80, {}), (120, {"TERM": "dumb"})],
    ids=["60 columns without colour", "80 columns", "120 columns of a dumb terminal"],
)
def test_the_screens_of_a_live_run(shell: Shell, live: str, columns: int, env: dict[str, str]) -> None:
    someone = Sees(shell, live, "run", "--live", "--release", "2026.12", columns=columns, env={"BROWSER": "", **env})
    terminal, screen = someone.terminal, someone.screen
    someone.until(r"`q`\s+to\s+leave")
    someone.keeps("gate")
    terminal.sendline("charge anyway")
    terminal.expect("Which one do you buy")
    terminal.sendline("1")
    terminal.expect(r"currency\s+to\s+go\s+on")
    someone.keeps("box")
    box = "\n".join(screen.visible)
    assert box.count("+--") == 2
    for word in ("environment", "product", "amount", "host", "session", "Type the amount"):
        assert word in box, "the box and its prompt are visible at once"
    terminal.sendline("4.00 EUR")
    terminal.expect("4.00 EUR is not the order's total of 5.00 EUR")
    terminal.sendline("yes")
    terminal.expect("'yes' is not an amount")
    assert books(live)["charges"] == 0
    terminal.sendline("5.00 EUR")
    terminal.expect(r"p\s+=\s+test\s+card")
    terminal.expect("backend: pending_payment")
    someone.until(r"link\s+expires")
    someone.awaits_the_prompt()
    someone.keeps("checkout")
    if columns == 80:
        resized(someone)
    terminal.sendline("p")
    terminal.expect(r"Paid\s+with\s+a\s+test\s+card")
    someone.looks_at_the_rows()
    someone.says("")
    terminal.expect(r"There\s+is\s+no\s+default")
    someone.says("refund")
    someone.pastes_the_reversal()
    assert someone.ends() == 0
    someone.keeps("end")
    happened = books(live)
    assert (happened["orders"], happened["charges"], happened["refunds"]) == (1, 1, 1)
    assert bool(re.search(r"\x1b\[[\d;]*m", screen.raw)) is (columns == 80), "colours"
    assert ("\x1b" in screen.raw) is (columns != 120), "a dumb terminal is sent nothing but text"
    assert screen.raw.count("\x07") == 1, "the bell rings when the order completes"
    compare(columns, someone.kept)
    with_test_funds(shell)


def with_test_funds(shell: Shell) -> None:
    (journal,) = shell.folder.rglob("journal.jsonl")
    session = shell("--env", "prod", "--archive", "archive", "--json", "show", journal.parent.name).json
    assert (session["live"], session["rehearsal"], session["funds"]) == (True, True, "test")
    assert (session["outcome"], session["decision"]) == ("passed", "PENDING")
    assert session["rehearsed_decision"] == "PENDING", "the bank statement is not there yet, nor a dry-run"
    assert {item["id"]: item["status"] for item in session["acceptance"]}["bank_statement"] == "pending"
    assert not list((shell.folder / ".veza-e2e").glob("recordings/*")), "a live run is never recorded"


def resized(someone: Sees) -> None:
    """The window gets narrower and wide again while the checkout waits."""
    for columns in (60, 80):
        someone.terminal.setwinsize(ROWS, columns)
        someone.screen.columns = columns
        someone.terminal.expect("waiting for the payment")
        someone.terminal.expect("link expires")
        someone.awaits_the_prompt()


def compare(columns: int, kept: dict[str, list[str]]) -> None:
    path = SCREENS / f"{columns}.txt"
    text = "".join("\n".join([f"======== {name}", *lines, ""]) for name, lines in kept.items())
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        pytest.fail(f"{path} was not there and is written now: look at it")
    assert text == path.read_text(encoding="utf-8"), f"another screen; to accept it, remove {path} and run this again"
