"""Signals: put off where they must not cut, told afterwards, and never lost."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import httpx
import pytest
from surroundings import PATIENCE

from veza import SystemClock
from veza.testing import FakeClock
from veza_e2e.journal import Journal, MemorySink
from veza_e2e.journal.events import CallFailed, CallFinished, StepStarted
from veza_e2e.ports.interrupts import Interrupted, Interrupts
from veza_e2e.ports.network import CONNECTING, LimitedTransport
from veza_e2e.ports.progress import Progress
from veza_e2e.ports.terminal import Lines, TerminalOperator
from veza_e2e.ports.wire import Recorder, RecordingTransport
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


def test_a_deferred_block_can_be_cut_short_but_not_within_one_that_cannot(interrupts: Interrupts) -> None:
    done = []

    def work(cut: str) -> None:
        with interrupts.deferred(lambda: done.append(cut)):
            send(signal.SIGINT)
            done.append("the end of the block")

    with pytest.raises(Interrupted):
        work("the read")
    with pytest.raises(Interrupted), interrupts.deferred():
        work("the write")
    assert done == ["the read", "the end of the block", "the end of the block"]


class Caller:
    """A client whose calls are recorded, as a session's are."""

    def __init__(self, interrupts: Interrupts) -> None:
        clock, redactor = FakeClock(), Redactor()
        self.network = LimitedTransport(interrupts.deferred)
        self.journal = Journal(MemorySink(), clock, guard=interrupts.deferred, redactor=redactor)
        recorder = Recorder(self.journal, redactor, clock, guard=interrupts.deferred)
        self.client = httpx.Client(transport=RecordingTransport(self.network, "api", recorder), timeout=PATIENCE)

    def get(self, url: str) -> None:
        self.client.get(f"{url}/api/v1/orders/o1")

    @property
    def outcome(self) -> str:
        events = list(self.journal.events())
        if not events:
            return "not begun"
        (event,) = events
        assert isinstance(event, CallFinished | CallFailed)
        return event.error if isinstance(event, CallFailed) else "answered"

    def close(self) -> None:
        self.client.close()
        self.network.close()


@pytest.fixture
def caller(interrupts: Interrupts) -> Iterator[Caller]:
    caller = Caller(interrupts)
    yield caller
    caller.close()


@contextmanager
def server(answer: Callable[[socket.socket], object]) -> Iterator[str]:
    """A server that reads each request once, and then does as it is told."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    if connection.recv(65536):
                        answer(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


@pytest.mark.parametrize("begun", [b"", ANSWER[:20], ANSWER[:-1]], ids=["no answer", "half a head", "half a body"])
def test_a_signal_ends_a_read_that_waits(caller: Caller, begun: bytes) -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(begun)
        for _ in range(10):
            send(signal.SIGTERM)
            # One that comes just before the wait for this answer is seen after it: a person presses again.
            if select.select([connection], [], [], 2)[0]:
                break

    with server(answer) as url, pytest.raises(Interrupted, match="SIGTERM"):
        caller.get(url)
    assert caller.outcome == "Interrupted"


def test_a_signal_while_it_connects_ends_a_read_before_it_is_sent(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, answered = socket.create_connection, []

    def signalled(*positional: Any, **named: Any) -> socket.socket:
        send(signal.SIGHUP)
        return connect(*positional, **named)

    monkeypatch.setattr(socket, "create_connection", signalled)
    with server(lambda _: answered.append("a request")) as url, pytest.raises(Interrupted):
        caller.get(url)
    assert (caller.outcome, answered) == ("Interrupted", [])


def test_the_limit_of_a_call_whose_end_a_signal_took_does_not_end_a_later_one() -> None:
    signals = ["SIGINT"]

    @contextmanager
    def deferred(_cut: object) -> Iterator[None]:
        yield
        if signals:
            raise Interrupted(signals.pop())

    with server(lambda connection: connection.sendall(ANSWER)) as url, LimitedTransport(deferred, 3600) as network:
        client = httpx.Client(transport=network)
        with pytest.raises(Interrupted):
            client.get(url)
        assert client.get(url).json() == {}
    timers = (thread for thread in threading.enumerate() if isinstance(thread, threading.Timer))
    for limit in (timer for timer in timers if timer.interval == 3600):
        limit.join(PATIENCE / 10)
        assert not limit.is_alive()


def test_connecting_takes_seconds_at_most_since_no_signal_can_end_it(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, limits = socket.create_connection, []

    def limited(address: tuple[str, int], timeout: float, **named: Any) -> socket.socket:
        limits.append(timeout)
        return connect(address, timeout, **named)

    monkeypatch.setattr(socket, "create_connection", limited)
    with server(lambda connection: connection.sendall(ANSWER)) as url:
        caller.get(url)
    assert limits == [CONNECTING]


def test_at_whichever_point_of_a_read_a_signal_comes_it_ends_it_and_the_read_is_on_record(
    interrupts: Interrupts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock of httpx that is interrupted while it is taken stays taken, and one of Python's becomes another error."""
    received: list[socket.socket] = []

    def answer(connection: socket.socket) -> None:
        received.append(connection)
        connection.sendall(ANSWER)

    with server(answer) as url:
        calls = function_calls(Caller(interrupts), url)
        assert calls > 400
        for point in range(1, calls):
            received.clear()
            outcome = interrupted_at(point, Caller(interrupts), url, monkeypatch)
            assert outcome in {"Interrupted", "answered"} or (outcome == "not begun" and not received), point


def function_calls(caller: Caller, url: str) -> int:
    """Return how many function calls a read has."""
    seen = 0

    def call(_frame: object, event: str, _arg: object) -> None:
        nonlocal seen
        seen += event == "call"

    sys.setprofile(call)
    caller.get(url)
    sys.setprofile(None)
    caller.close()
    return seen


def interrupted_at(point: int, caller: Caller, url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return how a read is on record that a signal meets at one of its function calls."""
    seen, dropped = 0, list[object]()
    monkeypatch.setattr(sys, "unraisablehook", dropped.append)

    def call(_frame: object, event: str, _arg: object) -> None:
        nonlocal seen
        seen += event == "call"
        if seen == point:
            sys.setprofile(None)
            send(signal.SIGINT)

    try:
        sys.setprofile(call)
        caller.get(url)
        assert seen < point or dropped, "lost, and not in a finalizer: from there `none_dropped` raises it again"
    except Interrupted:
        pass
    finally:
        sys.setprofile(None)
        caller.close()
    return caller.outcome


@pytest.mark.usefixtures("interrupts")
def test_a_signal_that_another_thread_gets_ends_an_endless_wait() -> None:
    """So it is with one that comes between Python's last look and the wait: nothing wakes the wait."""
    keys, terminal = os.openpty()
    operator = TerminalOperator(Lines(terminal))
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    ready = threading.Event()
    thread = threading.Thread(target=sends_where_it_is_not_blocked, args=(ready,))
    late = threading.Timer(PATIENCE / 10, os.write, (keys, b"the wait was not ended\n"))
    late.start()
    thread.start()

    def wait() -> None:
        ready.set()
        operator.ask("refund", "?")

    try:
        with pytest.raises(Interrupted):
            wait()
        assert not late.finished.is_set(), "a key had to be pressed"
    finally:
        late.cancel()
        thread.join()
        late.join()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        os.close(keys)
        os.close(terminal)


def sends_where_it_is_not_blocked(ready: threading.Event) -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    ready.wait()
    threading.Event().wait(0.05)
    send(signal.SIGINT)


@pytest.mark.process
def test_what_python_drops_in_a_finalizer_is_raised_again() -> None:
    code = """if True:
        import os, signal
        from veza_e2e.ports.interrupts import Interrupted, Interrupts, none_dropped
        from veza_e2e.ports.terminal import Lines
        Interrupts().install()
        class Ended:
            def __del__(self):
                signal.raise_signal(signal.SIGHUP)
        wait, _ = os.pipe()
        with none_dropped():
            try:
                Ended()
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
    ready = threading.Event()
    thread = threading.Thread(target=sends_where_it_is_not_blocked, args=(ready,))
    thread.start()

    def wait() -> None:
        ready.set()
        waiting[waits]()

    try:
        with pytest.raises(Interrupted, match="SIGINT"):
            wait()
    finally:
        thread.join()
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
