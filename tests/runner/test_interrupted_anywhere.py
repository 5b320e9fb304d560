"""Ctrl-C at each question and in each wait: the session ends with its state saved, and goes on where it was."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pytest
from at_terminal import as_csv
from runner.conftest import Person

from veza import SystemClock
from veza.testing import Reply
from veza_e2e.journal.events import SessionInterrupted
from veza_e2e.ports.interrupts import Interrupted, Interrupts
from veza_e2e.ports.progress import Progress
from veza_e2e.ports.terminal import Lines, TerminalOperator

if TYPE_CHECKING:
    from runner.conftest import Walk


@dataclass
class Startled(Person):
    """Presses Ctrl-C once, at one question or in one wait."""

    at: str = ""

    def _press(self, where: str) -> None:
        if where == self.at:
            self.at = ""
            raise Interrupted("SIGINT")

    def ask(
        self, question: str, text: str, *, timeout: float | None = None, progress: Progress | None = None
    ) -> str | None:
        self._press(question)
        return super().ask(question, text, timeout=timeout, progress=progress)

    def paste(self, question: str, text: str, peek: Callable[[], str] | None = None) -> str:
        self._press(question)
        return self.printed()

    def pause(self, progress: Progress, sleep: Callable[[float], None]) -> str | None:
        self._press(progress.what)
        return super().pause(progress, sleep)

    printed: Callable[[], str] = str


QUESTIONS = ["product", "amount", "paid", "transfers", "transfers_right", "refund", "reversals", "reversals_right"]
WAITS: dict[str, Callable[[Walk], object]] = {
    "waiting for the license": lambda walk: walk.backend.script("listMyLicenses", Reply(data=[])),
    "waiting for the order to complete": lambda walk: setattr(walk.page, "act", paid_later(walk)),
}


def paid_later(walk: Walk) -> Callable[[str], bool]:
    pay, opened = walk.page.act, list[str]()

    def act(url: str) -> bool:
        opened.append(url)
        return pay(url) if len(opened) > 1 else True

    return act


@pytest.mark.parametrize("where", [*QUESTIONS, *WAITS])
def test_ctrl_c_loses_nothing_and_the_session_goes_on(walk: Walk, where: str) -> None:
    person = Startled(clock=walk.clock, at=where)
    walk.person = person
    walk.goes_through()
    walk.processes()
    walk.started |= {"live_requested": True, "environment": "prod"}
    right = {"transfers_right": "y", "reversals_right": "y"}
    person.always = {"product": "1", "paid": "", "amount": "5.00 EUR", "refund": "refund", **right}
    walk.ledger.held, person.printed = None, lambda: as_csv(walk.transfer())
    walk.begin()
    if where in WAITS:
        WAITS[where](walk)
    with pytest.raises(Interrupted):
        walk.go_on()
    (event,) = walk.events(SessionInterrupted)
    assert event.reason == "SIGINT"
    walk.resume()
    summary = walk.go_on()
    assert summary.outcome == "passed", [(step.name, step.observed) for step in summary.steps]
    assert (walk.writes("createOrder"), walk.writes("requestRefund")) == (1, 1)


@pytest.fixture
def interrupts() -> Iterator[Interrupts]:
    before = signal.getsignal(signal.SIGINT)
    interrupts = Interrupts()
    interrupts.install()
    yield interrupts
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts")
@pytest.mark.parametrize("waits", ["ask", "ask with a progress", "paste", "pause"])
def test_a_signal_reaches_whatever_waits_at_the_terminal(waits: str) -> None:
    progress = Progress("waiting", 0.0, 60.0, 30.0, (), None, "q = leave")
    keys, terminal = os.openpty()
    operator = TerminalOperator(Lines(terminal))
    waiting: dict[str, Callable[[], object]] = {
        "ask": partial(operator.ask, "refund", "?"),
        "ask with a progress": partial(operator.ask, "paid", "?", timeout=30, progress=progress),
        "paste": partial(operator.paste, "transfers", "?"),
        "pause": partial(operator.pause, progress, SystemClock().sleep),
    }
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(Interrupted, match="SIGINT"):
            waiting[waits]()
    finally:
        timer.join()
        os.close(keys)
        os.close(terminal)
