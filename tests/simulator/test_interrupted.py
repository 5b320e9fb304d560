"""Ctrl-C at each question and in each wait: the promised exit, a sound journal, and a resume that goes on.

What asks and what waits is read from the code. A place that no world here leads to fails `test_no_place_is_left_out`.
"""

from __future__ import annotations

import ast
import re
import shlex
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from simulator.disk import new_root
from simulator.machine import Ran, Simulated
from simulator.plan import HOUR, Plan

import veza
import veza_e2e
from veza_e2e.ports.progress import Progress

INTERRUPTED, INCOMPLETE = 130, 4
_RESUME = re.compile(r"^continue with: veza-e2e (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Led:
    """A world, and the places that it leads to, where Ctrl-C is pressed once each."""

    places: tuple[str, ...]
    plan: Mapping[str, Any] = field(default_factory=dict)


def failing(*numbers: int, by: str = "error_before") -> tuple[tuple[int, str], ...]:
    return tuple((number, by) for number in numbers)


ROWS = ("transfers", "reversals")
WORLDS = {
    "a live run that decides nothing": Led(
        ("charge_anyway", "product", "vat", "amount", "paid", *ROWS, "transfers_right", "refund", "reversals_right"),
        {"live": True, "dry_run": False, "tax": "added"},
    ),
    "rows that are late": Led(
        ("transfers_late", "reversals_late"), {"transfer": "very_late", "reversal": "late", "refund_lag": 14 * HOUR}
    ),
    "no rows": Led(("transfers_skipped", "reversals_skipped"), {"ledger": "skip"}),
    "an order that is paid elsewhere": Led(
        ("paid_elsewhere",),
        {"honoured": False, "key": "none", "network": failing(6, by="late_after"), "checkout": "elsewhere"},
    ),
    "a slow backend": Led(
        (
            "waiting for the order to complete", "waiting for the license", "waiting for the refund",
            "waiting for the license to be revoked",
        ),
        {"webhook": 60, "license": "late", "revocation": "late"},
    ),
    "a slow database": Led(
        ("waiting for the rows of seller_transfers",), {"ledger": "connection", "transfer": "late"}
    ),
    "a slow processor": Led(("waiting for the refund at the processor",), {"refund": "processor_lags"}),
    "a backend that limits": Led(
        ("waiting for the backend's rate limit",), {"network": failing(5, by="limited_long")}
    ),
    "a backend that fails before the payment": Led(
        ("_sync/engine.py", "reading the order before it is paid"), {"network": failing(7, 8, 9)}
    ),
    "a backend that fails before the refund": Led(
        ("reading the order before the refund",), {"network": failing(11, 12, 13)}
    ),
    "a processor that fails": Led(("steps/cross_check.py",), {"processor_network": failing(2)}),
}  # fmt: skip
"""By the questions' names, what the waits say, and the files that wait by the clock alone."""


class Startled:
    """Presses Ctrl-C once at each place that it is told of."""

    def __init__(self, sim: Simulated, places: tuple[str, ...]) -> None:
        self.left = list(places)
        asks, pastes, pauses, sleeps = sim.operator.ask, sim.operator.paste, sim.operator.pause, sim.clock.sleep

        def ask(question: str, text: str, **more: Any) -> str | None:
            self._reached(question)
            return asks(question, text, **more)

        def paste(question: str, text: str, *more: Any) -> str:
            self._reached(question)
            return pastes(question, text, *more)

        def pause(progress: Progress, sleep: Any) -> str | None:
            self._reached(progress.what)
            return pauses(progress, sleep)

        def sleep(seconds: float) -> None:
            for place in tuple(self.left):
                if place.endswith(".py") and _called_by(sys._getframe(1), place):
                    self._reached(place)
            sleeps(seconds)

        vars(sim.operator).update(ask=ask, paste=paste, pause=pause)
        vars(sim.clock).update(sleep=sleep)

    def _reached(self, place: str) -> None:
        if place in self.left:
            self.left.remove(place)
            signal.raise_signal(signal.SIGINT)


def _called_by(frame: FrameType | None, file: str) -> bool:
    """Whether a file sleeps, itself or through a recording."""
    while frame is not None and frame.f_code.co_filename.endswith("recorded_ports.py"):
        frame = frame.f_back
    return frame is not None and frame.f_code.co_filename.endswith(file)


@pytest.mark.parametrize("world", WORLDS)
def test_ctrl_c_loses_nothing_and_the_session_goes_on(root: Path, world: str) -> None:
    led = WORLDS[world]
    sim = Simulated(Plan(seed=1, **led.plan), new_root(root))
    startled = Startled(sim, led.places)
    begin = ("run", "--release", "2026.12", *(("--live",) if sim.plan.live else ()))
    ran = sim.command(*begin)
    for _ in range(3 * len(led.places)):
        if ran.exit == INTERRUPTED:
            ran = goes_on(sim, ran, begin)
        elif ran.exit == INCOMPLETE:
            sim.clock.sleep(8 * HOUR)
            ran = resumed(sim, ran)
    assert (startled.left, ran.exit) == ([], 0), ran.err
    (order,) = sim.world.own_orders()
    (payment,) = sim.world.payments_of(order.id)
    assert (payment.received, len(payment.refunds)) == (order.total, 1)


def goes_on(sim: Simulated, ran: Ran, begin: tuple[str, ...]) -> Ran:
    """Do as the last screen says; what was written is sound."""
    assert "Traceback" not in ran.err
    assert "a defect:" not in ran.err
    assert ran.document, "one JSON document, whatever happens"
    if not list(sim.archive.rglob("journal.jsonl")):
        assert "interrupted by SIGINT" in ran.err
        assert "nothing was begun" in ran.err
        return sim.command(*begin)
    assert "Interrupted (SIGINT); nothing is lost." in ran.err
    assert sim.command("verify", "--all").exit == 0
    return resumed(sim, ran)


def resumed(sim: Simulated, ran: Ran) -> Ran:
    words = shlex.split(_RESUME.findall(ran.err + ran.out)[-1])
    return sim.command(*words[words.index("resume") :])


LATER: Mapping[str, tuple[str, ...]] = {
    "resume": ("resume",),
    "rows": ("rows",),
    "bank": ("bank", "--seen", "credit", "--date", "2026-11-03", "--amount", "5.00 EUR"),
    "dashboard": ("attest", "dashboard", "--by", "O", "--payment", "pay_1", "--charged", "5.00 EUR", "--session"),
    "ex-9": ("attest", "ex-9", "--by", "O"),
    "abandon": ("abandon", "--reason", "done", "--accept-loss", "5.00 EUR"),
    "render": ("render", "--single-file", "one.html"),
    "release": ("release", "2026.12", "--report", "live.md"),
}


@pytest.mark.parametrize("name", LATER)
def test_ctrl_c_in_the_middle_of_a_later_command_leaves_all_whole(root: Path, name: str) -> None:
    mistake = {"resume": "keep", "abandon": "end_of_input"}.get(name, "")
    sim = Simulated(Plan(seed=1, live=True, mistake=mistake), new_root(root))
    ran = sim.command("run", "--live", "--release", "2026.12")
    words = LATER[name] if name in {"ex-9", "release"} else (*LATER[name], str(ran.document["session"]))
    pressed = Pressed(sim)
    interrupted = sim.command(*words)
    assert pressed.done, "it writes"
    assert (interrupted.exit, interrupted.document["error"]["message"]) == (INTERRUPTED, "interrupted by SIGINT")
    assert "Traceback" not in interrupted.err
    assert "a defect:" not in interrupted.err
    assert sim.command("verify", "--all").exit == 0
    assert sim.command(*words).exit == 0
    assert sim.command("verify", "--all").exit == 0


class Pressed:
    """Presses Ctrl-C when the next command first writes to the disk."""

    def __init__(self, sim: Simulated) -> None:
        self.done = False
        syncs = sim.disk.sync

        def sync(descriptor: int) -> None:
            if not self.done:
                self.done = True
                signal.raise_signal(signal.SIGINT)
            syncs(descriptor)

        vars(sim.disk).update(sync=sync)


# What asks and what waits, as the code has it.

ASKED = {
    "engine/consent.py: ask(_QUESTION)": ("charge_anyway",),
    "steps/products.py: ask('product')": ("product",),
    "steps/order.py: yes('paid_elsewhere')": ("paid_elsewhere",),
    "steps/agreement.py: yes('vat')": ("vat",),
    "steps/live_rules.py: ask('amount')": ("amount",),
    "steps/checkout_page.py: ask('paid')": ("paid",),
    "steps/checkout_page.py: waiting for the payment": ("paid",),
    "steps/pasting.py: paste(question)": ROWS,
    "steps/pasting.py: yes(f'{question}_right')": tuple(f"{one}_right" for one in ROWS),
    "steps/pasting.py: ask(f'{question}_late')": tuple(f"{one}_late" for one in ROWS),
    "steps/pasting.py: ask(f'{question}_skipped')": tuple(f"{one}_skipped" for one in ROWS),
    "steps/refund.py: yes('refund')": ("refund",),
    "steps/refund.py: ask('refund')": ("refund",),
    "steps/cross_check.py: sleep": ("steps/cross_check.py",),
    "_sync/engine.py: sleep": ("_sync/engine.py",),
}
"""What a step or the gate asks, and what waits by the clock alone, with the places above. Waits have their words."""
PASSED_ON = frozenset({
    "steps/context.py: ask(question)", "ports/redacted.py: ask(question)", "ports/redacted.py: paste(question)",
    "cassettes/recorded_ports.py: paste(question)", "cassettes/recorded_ports.py: sleep",
    "cassettes/stand_ins.py: sleep", "steps/context.py: sleep", "ports/terminal.py: sleep",
    "ports/scripted.py: sleep", "ports/progress.py: sleep",
})  # fmt: skip
"""What only hands a question or a wait on to the next."""
AT_A_TERMINAL = frozenset({
    "cli/asking.py: getpass", "cli/init.py: readline", "cli/site.py: serve_forever", "cli/rehearsal.py: wait",
    "archive/signatures.py: Popen",
})  # fmt: skip
"""What the simulated machine has not; see `tests/journeys/test_interrupted_at_a_terminal.py`."""
SHORT = frozenset({
    "archive/signatures.py: run", "rehearsal_process.py: wait", "rehearsal_process.py: Popen", "site/build.py: run",
    "ports/browser.py: open",
})  # fmt: skip
"""Children that end by themselves: Ctrl-C reaches them, and whoever waits for them."""
_CALLS = frozenset({"getchar", "getpass", "input", "serve_forever", "Popen", "sleep"})
_OWNERS = {
    "run": {"subprocess"}, "open": {"webbrowser"}, "wait": {"over", "backend", "process"}, "readline": {"stdin"},
    "prompt": {"click"}, "confirm": {"click"}, "pause": {"click"}, "edit": {"click"}, "echo_via_pager": {"click"},
}  # fmt: skip


def calls(package: Path) -> Iterator[tuple[str, ast.Call, str, str]]:
    """Iterate over a package's calls: the file, the call, what is called, and on what."""
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
                on = node.func.value if isinstance(node.func, ast.Attribute) else None
                name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
                yield str(path.relative_to(package)), node, name, "" if on is None else ast.unparse(on)


def found() -> Iterator[str]:
    for file, call, name, on in calls(Path(veza_e2e.__file__).parent):
        if name in {"ask", "yes", "paste"} and on and call.args:
            yield f"{file}: {name}({ast.unparse(call.args[0])})"
        elif name in {"waiting_for", "Waiting"}:
            yield from (f"{file}: {one.value!s}" for one in call.args if isinstance(one, ast.Constant))
        elif name in _CALLS or on.rpartition(".")[2] in _OWNERS.get(name, ()):
            yield f"{file}: {name}"
    engine = calls(Path(veza.__file__).parent / "_sync")
    yield from (f"_sync/{file}: {name}" for file, _, name, _ in engine if (file, name) == ("engine.py", "sleep"))


def test_no_place_is_left_out() -> None:
    reached = {place for led in WORLDS.values() for place in led.places}
    there = set(found()) - PASSED_ON - AT_A_TERMINAL - SHORT
    waits = {one for one in there if one not in ASKED}
    assert {one.partition(": ")[2] for one in waits} <= reached, "a question or a wait that no world leads to"
    asked = {place for one in there & ASKED.keys() for place in ASKED[one]}
    assert reached == asked | {one.partition(": ")[2] for one in waits}, "a world leads to what is no longer there"
    assert set(found()) >= PASSED_ON | AT_A_TERMINAL | SHORT | ASKED.keys()
