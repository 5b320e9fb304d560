"""Signals: put off where they must not cut, told afterwards, and never lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from surroundings import PATIENCE

from veza import SystemClock
from veza.testing import FakeClock
from veza_e2e.journal import Journal, MemorySink
from veza_e2e.journal.events import StepStarted
from veza_e2e.ports.interrupts import Interrupted, Interrupts
from veza_e2e.ports.progress import Progress
from veza_e2e.ports.terminal import Lines, TerminalOperator
from veza_e2e.redaction import Redactor

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def interrupts() -> Iterator[Interrupts]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    interrupts = Interrupts()
    interrupts.install()
    yield interrupts
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.usefixtures("interrupts")
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_what_is_under_way_and_is_named(number: signal.Signals) -> None:
    with pytest.raises(Interrupted) as caught:
        send(number)
    assert caught.value.name == number.name
    assert isinstance(caught.value, KeyboardInterrupt)


def test_in_a_deferred_block_it_waits_for_the_end_of_the_outermost(interrupts: Interrupts) -> None:
    done = []

    def work() -> None:
        with interrupts.deferred():
            with interrupts.deferred():
                send(signal.SIGTERM)
                done.append("inner")
            send(signal.SIGINT)
            done.append("outer")

    with pytest.raises(Interrupted, match="SIGTERM"):
        work()
    assert done == ["inner", "outer"]
    with interrupts.deferred():
        done.append("it is told once")
    assert len(done) == 3


def test_it_is_told_even_where_the_block_failed(interrupts: Interrupts) -> None:
    def work() -> None:
        with interrupts.deferred():
            send(signal.SIGHUP)
            raise ValueError("of the block")

    with pytest.raises(Interrupted) as caught:
        work()
    assert isinstance(caught.value.__context__, ValueError)


def test_an_events_line_is_never_cut_in_two(interrupts: Interrupts) -> None:
    class Signalled(MemorySink):
        def write(self, data: bytes) -> None:
            super().write(data[:20])
            send(signal.SIGINT)
            super().write(data[20:])

    journal = Journal(Signalled(), FakeClock(), guard=interrupts.deferred, redactor=Redactor())
    with pytest.raises(Interrupted):
        journal.append(StepStarted(step="login"))
    assert len(journal.lines) == 1, "what is on the disk is in hand as well"


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


@pytest.mark.process
def test_what_the_caller_ignores_stays_ignored() -> None:
    code = (
        "import os, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN);"
        "from veza_e2e.ports.interrupts import Interrupts; Interrupts().install();"
        "os.kill(os.getpid(), signal.SIGHUP); print('still here')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=PATIENCE, check=False
    )
    assert done.stdout == "still here\n"


@pytest.mark.process
def test_ctrl_c_while_modules_are_imported_is_no_traceback() -> None:
    code = """if True:
        import signal, sys
        class Press:
            def find_spec(self, name, *_):
                if name == "click":
                    signal.raise_signal(signal.SIGINT)
        sys.meta_path.insert(0, Press())
        from veza_e2e.__main__ import main
        sys.exit(main())
    """
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=PATIENCE, check=False
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "\nveza-e2e: interrupted by SIGINT\n  nothing was begun\n"
