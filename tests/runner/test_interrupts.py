"""Signals: put off where they must not cut, told afterwards, and never lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import httpx
import psycopg
import pytest
from surroundings import PATIENCE

from veza import SystemClock
from veza.testing import FakeClock
from veza_e2e.journal import Journal, MemorySink
from veza_e2e.journal.events import CallFailed, StepStarted
from veza_e2e.ports.interrupts import Interrupted, Interrupts
from veza_e2e.ports.ledger import DatabaseLedger
from veza_e2e.ports.network import LimitedTransport
from veza_e2e.ports.progress import Progress
from veza_e2e.ports.terminal import Lines, TerminalOperator
from veza_e2e.ports.wire import Recorder, RecordingTransport
from veza_e2e.redaction import Redactor

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def interrupts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Interrupts]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
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


def forgets() -> str:
    with suppress(KeyboardInterrupt):
        send(signal.SIGTERM)
    return "done"


def replaces() -> None:
    """As a lock does that is interrupted while it is taken back."""
    try:
        send(signal.SIGTERM)
    finally:
        threading.Lock().release()


class Losing(httpx.BaseTransport, httpx.SyncByteStream):
    """A network below which a signal is lost: before the answer, or in the midst of it."""

    def __init__(self, lose: Callable[[], object], *, answers: bool) -> None:
        self._lose = lose
        self._answers = answers

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not self._answers:
            self._lose()
        return httpx.Response(200, stream=self)

    def __iter__(self) -> Iterator[bytes]:
        yield b"{"
        if self._answers:
            self._lose()
        yield b"}"


@pytest.mark.parametrize("lose", [forgets, replaces])
def test_what_is_lost_in_other_peoples_code_is_heard_at_its_end(
    interrupts: Interrupts, lose: Callable[[], object]
) -> None:
    with pytest.raises(Interrupted, match="SIGTERM"), interrupts.heard():
        lose()
    with interrupts.heard():
        heard_once = True
    assert heard_once


def test_what_is_deferred_is_not_heard_before(interrupts: Interrupts) -> None:
    done = []

    def write() -> None:
        with interrupts.deferred():
            with interrupts.heard():
                send(signal.SIGINT)
            done.append("the write")

    with pytest.raises(Interrupted):
        write()
    assert done == ["the write"]


def test_another_error_passes(interrupts: Interrupts) -> None:
    with pytest.raises(ValueError, match="own"), interrupts.heard():
        raise ValueError("own")


@pytest.mark.parametrize("lose", [forgets, replaces])
@pytest.mark.parametrize("answers", [False, True], ids=["no answer", "half an answer"])
def test_a_call_that_loses_a_signal_is_on_record_as_interrupted(
    interrupts: Interrupts, monkeypatch: pytest.MonkeyPatch, lose: Callable[[], object], answers: bool
) -> None:
    sink, clock, redactor = MemorySink(), FakeClock(), Redactor()
    journal = Journal(sink, clock, guard=interrupts.deferred, redactor=redactor)
    network = LimitedTransport(heard=interrupts.heard)
    monkeypatch.setattr(network, "_inner", {"http": Losing(lose, answers=answers)})
    transport = RecordingTransport(network, "api", Recorder(journal, redactor, clock, guard=interrupts.deferred))
    with httpx.Client(transport=transport) as client, pytest.raises(Interrupted):
        client.get("http://veza.test/api/v1/orders/o1")
    (failed,) = journal.events()
    assert isinstance(failed, CallFailed)
    assert (failed.error, failed.message) == ("Interrupted", "SIGTERM")


@pytest.mark.parametrize("lose", [forgets, replaces])
def test_a_reading_of_the_database_that_loses_a_signal_is_interrupted(
    interrupts: Interrupts, monkeypatch: pytest.MonkeyPatch, lose: Callable[[], object]
) -> None:
    def connect(*_: object, **__: object) -> None:
        lose()
        raise psycopg.OperationalError("the connection was lost")

    monkeypatch.setattr(psycopg, "connect", connect)
    with pytest.raises(Interrupted):
        DatabaseLedger("postgresql://127.0.0.1:1/veza", heard=interrupts.heard).rows("SELECT 1", "o1")


@pytest.mark.usefixtures("interrupts")
def test_a_signal_that_another_thread_gets_ends_an_endless_wait() -> None:
    """So it is with one that comes between Python's last look and the wait: nothing wakes the wait."""
    keys, terminal = os.openpty()
    operator = TerminalOperator(Lines(terminal))
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    thread = threading.Thread(target=sends_where_it_is_not_blocked)
    late = threading.Timer(PATIENCE / 10, os.write, (keys, b"the wait was not ended\n"))
    late.start()
    try:
        thread.start()
        with pytest.raises(Interrupted):
            operator.ask("refund", "?")
        assert not late.finished.is_set(), "a key had to be pressed"
    finally:
        late.cancel()
        thread.join()
        late.join()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        os.close(keys)
        os.close(terminal)


def sends_where_it_is_not_blocked() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    threading.Event().wait(0.05)
    send(signal.SIGINT)


@pytest.mark.process
def test_what_python_drops_in_a_finalizer_is_raised_again() -> None:
    code = """if True:
        import os, signal
        from veza_e2e.ports.interrupts import Interrupted, Interrupts
        from veza_e2e.ports.terminal import Lines
        Interrupts().install()
        class Ended:
            def __del__(self):
                signal.raise_signal(signal.SIGHUP)
        Ended()
        wait, _ = os.pipe()
        try:
            Lines(wait).next()
        except Interrupted as error:
            print(error.name)
    """
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=PATIENCE, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "SIGHUP\n", "")


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
