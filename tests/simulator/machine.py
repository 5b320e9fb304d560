"""The simulated machine: runs a command of the real command line in this world, and catches what it prints."""

from __future__ import annotations

import gc
import io
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from simulator.api import EMAIL, PASSWORD, VezaApi
from simulator.clock import SimulatedClock, Stuck
from simulator.disk import DISK_FULL, Disk, Killed
from simulator.ledger import SimulatedLedger
from simulator.network import API_HOST, BASE_URL, PROCESSOR_HOST, PROCESSOR_URL, Network
from simulator.operator import SimulatedOperator
from simulator.plan import Plan
from simulator.processor import LIVE_KEY, TEST_KEY, HyperswitchApi
from simulator.world import World

from veza_e2e.cli.app import main
from veza_e2e.ports.machine import Machine
from veza_e2e.ports.protocols import Ports

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Ran:
    """A command, and how it ended."""

    words: tuple[str, ...]
    exit: int | None
    """None if it was killed."""
    out: str
    err: str
    at: datetime
    document: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


class _Input(io.StringIO):
    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 0


class Ids:
    """Ids by chance of the seed, so that the same seed gives the same bytes."""

    def __init__(self, chance: Random, session: str) -> None:
        self._chance = chance
        self._session = session

    def session(self, _at: datetime) -> str:
        return self._session

    def key(self) -> str:
        return f"{self._chance.getrandbits(128):032x}"


class Simulated:
    """A world with a machine in it: everything that a history needs.

    Args:
        plan: what deviates.
        root: the disk's folder.
        clock: None for a new one.
    """

    def __init__(self, plan: Plan, root: Path, clock: SimulatedClock | None = None) -> None:
        self.plan = plan
        self.clock = clock or SimulatedClock()
        self.world = World(plan, self.clock)
        self.chance = Random(plan.seed * 2 + plan.live)
        self.disk = Disk(root, self.chance, self.tick, plan.disk_full)
        self.root = root
        self.api = VezaApi(self.world, "prod" if plan.live else "staging")
        self.processor = HyperswitchApi(self.world)
        self.network = Network(self.api, self.processor, self.clock, self.tick, self._sent)
        self.network.faults[API_HOST] = dict(plan.network)
        self.network.faults[PROCESSOR_HOST] = dict(plan.processor_network)
        self.ledger = SimulatedLedger(self.world)
        self.operator = SimulatedOperator(self.world, self.tick, self._second_terminal)
        self.ticks = 0
        self.kills = list(plan.kills)
        self.killed_at: list[str] = []
        self.violations: list[tuple[str, str]] = []
        self.ran: list[Ran] = []
        self.session: str | None = None
        self.second: Ran | None = None
        self.key_given = plan.key != "none"
        self._configure()

    def _configure(self) -> None:
        plan = self.plan
        name = self.environment
        (self.root / "veza-e2e.toml").write_text(
            f'[limits]\npoll_timeout = "90s"\n[env.{name}]\n'
            f'base_url = "{BASE_URL}"\nexpected_environment = ["{self.api.environment}"]\n'
            f"idempotency = {str(plan.honoured).lower()}\n"
            f'checkout_hosts = ["checkout.example"]\nhyperswitch_url = "{PROCESSOR_URL}"\n'
            + ("live = true\n" if plan.live else ""),
            encoding="utf-8",
        )

    @property
    def environment(self) -> str:
        return "prod" if self.plan.live else "staging"

    @property
    def archive(self) -> Path:
        return self.root / "archive"

    # Chance.

    def tick(self, what: str) -> None:
        """One more thing happened; the process may be killed at it."""
        if self.disk.frozen:
            raise Killed
        if what == DISK_FULL:
            self.world.forget()
        self.ticks += 1
        if self.kills and self.ticks >= self.kills[0]:
            self.kills.pop(0)
            self.killed_at.append(what)
            self.world.note(f"kill -9 at {what}")
            self.disk.kill()
            self.world.forget()
            raise Killed

    def _sent(self, method: str, path: str) -> None:
        """A write reaches the backend: its intent must be safe on the disk."""
        if method != "POST" or "/auth/" in path:
            return
        safe = [self.disk.safe_bytes(one) for one in self.archive.glob("*/*/*/journal.jsonl")]
        if not any(_intended(data.rstrip().rpartition(b"\n")[2], path) for data in safe):
            self.violations.append(("no_intent", f"{method} {path} was sent without an intent on the disk"))

    def _second_terminal(self) -> None:
        if self.plan.second:
            words = ("run", *(("--live",) if self.plan.live else ())) if self.plan.second == "run" else ("resume",)
            self.world.note(f"in a second terminal: {' '.join(words)}")
            self.second = self.command(*words, nested=True)

    # Commands.

    def _ports(self, session: str | None) -> Ports:
        ids = Ids(self.chance, session or "")
        return Ports(self.network, self.operator, self.operator, self.ledger, self.clock, ids)

    def new_id(self, at: datetime) -> str:
        """A ULID by the seed's chance."""
        value = (int(at.timestamp() * 1000) << 80) | self.chance.getrandbits(80)
        return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))

    def command(self, *words: str, nested: bool = False) -> Ran:
        """Run a command of the command line to its end, or until it is killed."""
        if not nested:
            self.operator.begin()
            self.clock.looks = 0
        arguments = ["--env", self.environment, "--archive", "archive", "--json", *words]
        machine = Machine(clock=self.clock, new_id=self.new_id, ports=self._ports)
        before = self.clock.at
        out, err = io.StringIO(), io.StringIO()
        exit_code: int | None = None
        problem = ""
        with self._place(out, err):
            try:
                exit_code = main(arguments, machine)
            except Killed:
                if nested:
                    raise
            except Stuck as stuck:
                problem = str(stuck)
            if self.disk.frozen:
                gc.collect()  # what a killed process would never have run ends now, while its disk is frozen
        ran = Ran(words, exit_code, out.getvalue(), err.getvalue(), before, problem=problem)
        ran.document = _document(ran.out)
        if not nested:
            self.ran.append(ran)
        self.world.note(f"$ {' '.join(words)} -> {'killed' if exit_code is None else exit_code}")
        return ran

    @contextmanager
    def _place(self, out: io.StringIO, err: io.StringIO) -> Iterator[None]:
        """Stand in the simulated machine: its folder, its variables, its terminal, its disk."""
        plan = self.plan
        kept = sys.stdin, sys.stdout, sys.stderr, Path.cwd(), dict(os.environ)
        opened = _descriptors()
        handlers = [signal.getsignal(number) for number in _SIGNALS]
        variables = {
            "OPERATOR_EMAIL": EMAIL,
            "OPERATOR_PASSWORD": PASSWORD if plan.login != "refused" or self.world.healed else "wrong-horse",
        }
        if self.key_given:
            variables["HYPERSWITCH_API_KEY"] = LIVE_KEY if self.plan.live else TEST_KEY
        if self.ledger.source == "database":
            variables["VEZA_DATABASE_URL"] = "postgresql://reader:pg-9fL2vq@db.example/veza"
        for name in ("HYPERSWITCH_API_KEY", "VEZA_DATABASE_URL", "VEZA_ACCESS_TOKEN"):
            os.environ.pop(name, None)
        os.environ.update(variables)
        os.chdir(self.root)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)  # a caller in the background ignores some
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.stdin, sys.stdout, sys.stderr = _Input(), out, err
        outermost = kept[3] != self.root
        if outermost:
            gc.freeze()  # of what stood before the command, nothing is to be closed at its end
        try:
            with self.disk.mounted() if outermost else _nothing():
                yield
        finally:
            sys.stdin, sys.stdout, sys.stderr = kept[:3]
            os.chdir(kept[3])
            os.environ.clear()
            os.environ.update(kept[4])
            if outermost:
                _close(opened)
                gc.unfreeze()
            for number, handler in zip(_SIGNALS, handlers, strict=True):
                signal.signal(number, handler)


def _descriptors() -> set[int]:
    return {int(one.name) for one in Path("/dev/fd").iterdir()}


def _close(kept: set[int]) -> None:
    """Close what a process leaves open when it ends, its locks with it."""
    if _descriptors() - kept:
        gc.collect()
    for descriptor in _descriptors() - kept:
        with suppress(OSError):
            os.close(descriptor)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _document(out: str) -> dict[str, Any]:
    try:
        found = json.loads(out)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _intended(line: bytes, path: str) -> bool:
    try:
        event = json.loads(line)
    except ValueError:
        return False
    members = event.get("event", event)
    return event.get("type") == "CallIntended" and str(members.get("url", "")).endswith(path)
