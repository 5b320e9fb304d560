"""Comes back to a session that was left behind, at a chosen time, with an operator who answers all that is asked."""

from __future__ import annotations

import errno
import json
import os
import re
import select
import shutil
import signal
import sqlite3
import sys
import time
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, chdir, closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

from at_terminal import psql
from front_door import ACCOUNT, Result, Shell, Time, pay, serving
from surroundings import variables

from veza_e2e.cli.app import main
from veza_e2e.config import Secrets
from veza_e2e.ports.machine import Machine
from veza_rehearsal import books as kept
from veza_rehearsal import store

HERE = Path(__file__).resolve().parent
PATIENCE = 60.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The command handles them from its start on; here it is not the whole process."""


def found() -> list[Path]:
    """Return the folders of all sessions that a version left behind."""
    return sorted(path.parent for path in HERE.glob("*/*/case.json"))


@dataclass
class Left:
    """A session that was left behind, in a folder of its own, at a later time.

    Attributes:
        folder: All that was saved of it, the databases too.
        case: What `case.json` says.
        clock: That of the commands and of the rehearsal backend.
    """

    folder: Path
    case: dict[str, Any]
    clock: Time

    @classmethod
    def put(cls, saved: Path, folder: Path, after: timedelta) -> Left:
        """Put what was saved into `folder`."""
        shutil.copytree(saved, folder, dirs_exist_ok=True)
        for script in folder.glob(".veza-e2e/rehearsal/*/backend.sql"):
            with closing(sqlite3.connect(script.with_name("backend.db"))) as database:
                database.executescript(script.read_bytes().decode())
        case = json.loads((saved / "case.json").read_text(encoding="utf-8"))
        return cls(folder, case, Time(datetime.fromisoformat(case["left_at"]) + after))

    @property
    def session(self) -> str:
        return str(self.case["resume"][-1])

    @property
    def journal(self) -> Path:
        (folder,) = (self.folder / self.case["archive"]).glob(f"*/*/{self.session}")
        return Path(folder) / "journal.jsonl"

    @property
    def environment(self) -> str:
        """The configured environment; empty where the runner starts the rehearsal backend itself."""
        words = self.case["resume"]
        return str(words[words.index("--env") + 1]) if "--env" in words else ""

    def __call__(self, *words: str) -> Result:
        """Run a command, with the backend of the session's environment."""
        *given, _, _ = self.case["resume"]
        with ExitStack() as stack:
            base_url = ""
            if self.environment:
                folder = self.folder / ".veza-e2e" / "rehearsal" / "serve"
                reports = "live" if self.environment == "prod" else "sandbox"
                base_url = stack.enter_context(
                    served(folder, *self.case["faults"], clock=self.clock, environment=reports)
                )
            return command(self.folder, self.clock, *given, "--json", *words, base_url=base_url)

    def resume(self) -> Result:
        return self("resume", self.session)

    def ended(self, result: Result) -> dict[str, Any]:
        """Return what came of it, as `case.json` names it: the exit code, the session's figures, and the books'."""
        state = self.folder / ".veza-e2e" / "rehearsal" / ("serve" if self.environment else self.session)
        with closing(store.connect(f"sqlite:///{state / 'backend.db'}")) as database:
            happened = kept.books(database, None)
        document = result.json
        return {
            "code": result.code,
            "outcome": document["outcome"],
            "charged": document["money"]["charged_cents"],
            "refunded": document["money"]["refunded_cents"],
            **{name: happened[name] for name in ("orders", "charges", "refunds")},
        }


@contextmanager
def served(folder: Path, *faults: str, clock: Time, environment: str = "sandbox") -> Iterator[str]:
    """Run the rehearsal backend whose state is in `folder` again, at its own port: pages in journals name it.

    Another run of the same test on the same machine has the port for as long as a session takes: wait for it.
    """
    port, until = int((folder / "port").read_text(encoding="utf-8")), time.monotonic() + PATIENCE
    with ExitStack() as stack:
        while True:
            try:
                backend = serving(folder, *faults, time=clock, port=port, environment=environment)
                base_url = stack.enter_context(backend)
                break
            except OSError as error:
                if error.errno != errno.EADDRINUSE or time.monotonic() > until:
                    raise
                select.select([], [], [], 0.05)
        yield base_url


def command(folder: Path, clock: Time, *words: str, base_url: str) -> Result:
    """Call the command in this process, at a pseudo-terminal.

    Args:
        folder: Where it is called.
        clock: Its clock, and that of the rehearsal backend.
        words: The command's.
        base_url: The backend of a configured environment; empty where the runner starts the rehearsal backend.
    """
    person = Person(base_url)

    @contextmanager
    def embedded(state: Path, _: Secrets, faults: Sequence[str]) -> Iterator[str]:
        with served(state.resolve(), *faults, clock=clock) as person.base_url:
            yield person.base_url

    output = StringIO()
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    environment = {name: value for name, value in Shell(folder).environment(ACCOUNT).items() if name != "BROWSER"}
    try:
        with (
            variables(environment),
            chdir(folder),
            person.at_terminal() as screen,
            redirect_stdout(output),
            redirect_stderr(screen),
        ):
            code = main(words, Machine(clock, embedded))
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert "a defect:" not in screen.getvalue(), screen.getvalue()
    return Result(code, output.getvalue(), screen.getvalue())


class Person:
    """Who sits at the terminal: pays, pastes the rows, and wants the money back."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._keyboard = -1
        self._page = ""
        self._unread = ""
        self._answers: dict[str, Callable[[re.Match[str]], None]] = {
            r"checkout page is at [^:\s]+: (\S+)\n": self._look,
            r"Enter = paid": self._pay,
            r"Type the amount and currency": lambda _: self._type("5.00 EUR"),
            r"End with an empty line": self._paste,
            r"Is this what psql printed\?": lambda _: self._type("y"),
            r"Type `refund` or `keep`": lambda _: self._type("refund"),
            r"Refund [0-9.]+ EUR of order \S+ \[y/N\]": lambda _: self._type("y"),
        }

    @contextmanager
    def at_terminal(self) -> Iterator[Screen]:
        """Make standard input a terminal, and yield the screen in front of this person."""
        self._keyboard, terminal = os.openpty()
        tty.setraw(terminal)
        try:
            with os.fdopen(terminal) as opened, patch.object(sys, "stdin", opened):
                yield Screen(self)
        finally:
            os.close(self._keyboard)

    def reads(self, text: str) -> None:
        """Read what is new on the screen, and answer what is asked there."""
        self._unread += text
        while seen := [(m, act) for asked, act in self._answers.items() if (m := re.search(asked, self._unread))]:
            match, act = min(seen, key=lambda pair: pair[0].start())
            self._unread = self._unread[match.end() :]
            act(match)

    def _type(self, *lines: str) -> None:
        os.write(self._keyboard, "".join(f"{line}\n" for line in lines).encode())

    def _look(self, match: re.Match[str]) -> None:
        self._page = match[1]

    def _pay(self, _: re.Match[str]) -> None:
        pay(self._page)
        self._type("")

    def _paste(self, _: re.Match[str]) -> None:
        self._type(*psql(self.base_url).splitlines(), ".")


class Screen(StringIO):
    """Standard error, with a person in front of it."""

    def __init__(self, person: Person) -> None:
        super().__init__()
        self._person = person

    def write(self, text: str, /) -> int:
        written = super().write(text)
        self._person.reads(text)
        return written
