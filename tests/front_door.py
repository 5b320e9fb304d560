"""The front door: the command line in an empty folder, against a real server on loopback.

A `Shell` calls the command in this process, on a clock of its own: a wait takes no time, and no test knows the day.
Where a process of its own is the point (a terminal, a signal, a closed standard input), a test asks for one.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pexpect
from click.testing import CliRunner
from later import Ahead
from surroundings import PATIENCE, environment, variables

from veza import SystemClock
from veza_e2e.cli.app import main
from veza_e2e.config import Secrets
from veza_e2e.ports.machine import Machine
from veza_e2e.ports.scripted import ScriptedBrowser
from veza_rehearsal import DEFAULT_EMAIL, DEFAULT_PASSWORD, PROCESSOR_API_KEY, contract, parse_fault, thread
from veza_rehearsal.accounts import Operator
from veza_rehearsal.api import OPERATIONS
from veza_rehearsal.contract import Contract
from veza_rehearsal.server import Server

COMMAND = [sys.executable, "-m", "veza_e2e"]
ACCOUNT = {
    "OPERATOR_EMAIL": DEFAULT_EMAIL,
    "OPERATOR_PASSWORD": DEFAULT_PASSWORD,
    "HYPERSWITCH_API_KEY": PROCESSOR_API_KEY,
}
LOG = "requests.jsonl"
START = datetime(2026, 6, 15, 9, 30, tzinfo=UTC)
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Time:
    """A clock for the command and its backends: whoever sleeps moves it, and what is due by then is done."""

    def __init__(self, at: datetime = START) -> None:
        self._at = at
        self._seconds = 0.0
        self.servers: list[Server] = []

    def now(self) -> datetime:
        return self._at + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    def sleep(self, seconds: float) -> None:
        self._seconds += seconds
        for server in self.servers:
            server.catch_up()


@cache
def our_contract() -> Contract:
    with as_file(files("veza").joinpath("openapi.json")) as path:
        return contract.load(path, OPERATIONS)


@contextmanager
def serving(
    folder: Path,
    *faults: str,
    time: Time | SystemClock,
    environment: str = "sandbox",
    port: int = 0,
    email: str = DEFAULT_EMAIL,
    password: str = DEFAULT_PASSWORD,
    database: str | None = None,
) -> Iterator[str]:
    """Run a rehearsal backend in a thread; give its base URL.

    Its database (unless another one is named) and its log of requests are in `folder`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOG).open("a", buffering=1, encoding="utf-8") as log, thread.serving(
        our_contract(), database or f"sqlite:///{folder / 'backend.db'}", Operator(email, password), port=port,
        environment=environment, faults=[parse_fault(fault) for fault in faults], wall=time.now, log=log,
    ) as (base_url, server):  # fmt: skip
        if not isinstance(time, Time):
            yield base_url
            return
        time.servers.append(server)
        try:
            yield base_url
        finally:
            time.servers.remove(server)


def defect(told: str) -> bool:
    """Whether a command met a defect, by itself or in a step; no test may take one for the failure that it expects."""
    return "a defect:" in told or "this program cannot deal with what it was given" in told


@dataclass(frozen=True)
class Result:
    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.stdout)
        return document

    @property
    def steps(self) -> dict[str, str]:
        return {step["name"]: step["status"] for step in self.json["steps"]}


@dataclass
class Shell:
    """A terminal in a folder of its own.

    `time` is the command's clock; tests that mix it with processes pass the machine's.
    """

    folder: Path
    time: Time | SystemClock = field(default_factory=Time)

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """What the command finds in its environment, whatever is in the test's."""
        return environment(self.folder, PYTHONWARNINGS="error", **(extra or {}))

    def __call__(self, *words: str, env: Mapping[str, str] | None = None, stdin: str = "") -> Result:
        """Call the command in this process."""
        self.time.sleep(0 if isinstance(self.time, SystemClock) else 1)
        machine = Machine(self.time, self._rehearsal)
        handlers = {number: signal.getsignal(number) for number in _SIGNALS}
        with ExitStack() as stack:
            stack.enter_context(variables({**self.environment(env), "BROWSER": ""}))
            stack.enter_context(chdir(self.folder))
            out, err, _ = stack.enter_context(CliRunner().isolation())
            typed = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))
            typed.write(stdin)
            typed.seek(0)
            stack.enter_context(patch.object(sys, "stdin", typed))
            try:
                code = main(words, machine)
            finally:
                for number, handler in handlers.items():
                    signal.signal(number, handler)
            result = Result(code, out.getvalue().decode(), err.getvalue().decode())
        assert not defect(result.stderr), result.stderr
        return result

    @contextmanager
    def _rehearsal(self, folder: Path, account: Secrets, faults: Sequence[str]) -> Iterator[str]:
        kept = folder / "port"
        port = int(kept.read_text(encoding="utf-8")) if kept.exists() else 0
        account_of = {"email": account.email or "", "password": account.password or ""}
        with serving(folder.resolve(), *faults, time=self.time, port=port, **account_of) as base_url:
            kept.write_text(base_url.rpartition(":")[2], encoding="utf-8")
            yield base_url

    def process(self, *words: str, env: Mapping[str, str] | None = None, stdin: str = "") -> Result:
        """Run the command as a process of its own, on the machine's clock."""
        done = subprocess.run(
            [*COMMAND, *words],
            cwd=self.folder,
            env=self.environment(env),
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )
        assert not defect(done.stderr), done.stderr
        return Result(done.returncode, done.stdout, done.stderr)

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> Result:
        return self("--json", "run", "--unattended", *words, env=env)

    def spawn(
        self, *words: str, env: Mapping[str, str] | None = None, dimensions: tuple[int, int] = (50, 160)
    ) -> pexpect.spawn[str]:
        """Run the command at a pseudo-terminal."""
        command = COMMAND
        if isinstance(self.time, Ahead):
            command = [sys.executable, str(Path(__file__).with_name("later.py")), str(self.time.seconds)]
        return pexpect.spawn(
            command[0],
            [*command[1:], *words],
            cwd=str(self.folder),
            env=self.environment(env),
            encoding="utf-8",
            timeout=PATIENCE,
            dimensions=dimensions,
        )

    def serving(self, *faults: str, environment: str = "sandbox", name: str = "server") -> Any:
        """Run a rehearsal backend on this shell's clock; give its base URL."""
        return serving(self.folder / name, *faults, time=self.time, environment=environment)

    def configure(
        self, name: str, base_url: str, *, reports: str, live: bool = False, idempotency: bool = True
    ) -> None:
        (self.folder / "veza-e2e.toml").write_text(
            f"""
[env.{name}]
base_url = "{base_url}"
expected_environment = ["{reports}"]
live = {str(live).lower()}
idempotency = {str(idempotency).lower()}
checkout_hosts = ["127.0.0.1"]
hyperswitch_url = "{base_url}/hyperswitch"
""",
            encoding="utf-8",
        )

    def journal(self, result: Result) -> list[dict[str, Any]]:
        lines = (self.folder / result.json["paths"]["journal"]).read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]


def pay(url: str, card: str = "4242424242424242") -> None:
    """What the person does in the browser, without a browser."""
    where = httpx.URL(url)
    with httpx.Client(
        base_url=f"{where.scheme}://{where.netloc.decode()}", trust_env=False, timeout=PATIENCE
    ) as client:
        ScriptedBrowser(client, {"card_number": card, "expiry": "12/99", "cvc": "123"}).open(url)


def books(base_url: str) -> dict[str, Any]:
    document: dict[str, Any] = httpx.get(f"{base_url}/rehearsal/books", trust_env=False, timeout=PATIENCE).json()
    return document


def figures(money: Any) -> tuple[int | None, int | None, str | None]:
    """Return what the card was charged and what came back, of the JSON document's `money`."""
    return money["charged_cents"], money["refunded_cents"], money["currency"]
