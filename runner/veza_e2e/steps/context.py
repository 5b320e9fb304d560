"""The context that a step is given: the API, the ports, the session's options, and how to wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field
from itertools import takewhile
from typing import TypeVar, cast

from veza import APIConnectionError, InternalServerError, InvalidResponseError, RateLimitError, Veza, VezaError
from veza.money import Money
from veza_e2e.frozen import dataclass
from veza_e2e.journal import Journal
from veza_e2e.journal.events import Answered, Asked, Event, SessionResumed, SessionStarted
from veza_e2e.journal.readings import Compared
from veza_e2e.ledger_names import LedgerNames
from veza_e2e.money.account import Account, fold
from veza_e2e.ports.processor import Processor
from veza_e2e.ports.progress import Progress
from veza_e2e.ports.protocols import Browser, Clock, Ids, Ledger, Left, Operator
from veza_e2e.ports.wire import Recorder

T = TypeVar("T")
_REMOTE_PACE = (3.0, 3.0, 4.0, 6.0, 9.0, 12.0)
_LOOPBACK_PACE = (0.02, 0.03, 0.05, 0.1, 0.2, 0.4, 0.8)
_TRANSIENT = (APIConnectionError, InternalServerError, InvalidResponseError)


@dataclass(frozen=True, slots=True)
class Options:
    """A session's options, taken from SessionStarted and the pre-flight."""

    live: bool
    """Whether `--live` was given, so that the operator uses a real card."""
    unattended: bool
    refund: bool | None
    product: str | None
    limit: Money
    poll_timeout: float
    """Seconds."""
    grace: float
    """Seconds that a license may lag behind its order."""
    backend_host: str
    checkout_hosts: tuple[str, ...]
    """The allowed hosts of the checkout page; empty if none are configured."""
    idempotency: bool
    loopback: bool
    rehearsal: bool
    resumed: bool = False
    walkthrough: int = 2
    """The version of the walkthrough."""

    @property
    def first(self) -> bool:
        """Whether it is version 1, whose recordings know none of the later readings."""
        return self.walkthrough == 1

    @property
    def or_raise(self) -> str:
        """How to go over the limit; a live run is never told of it."""
        return "" if self.live else ", or raise --max-amount"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a wait tells the person who waits, and what they can do meanwhile."""

    what: str
    """What is waited for."""
    keys: str
    """What may be typed."""
    status: Callable[[], str]
    """Asks the witnesses, and tells what they say."""
    reopen: Callable[[], None] | None = None
    """Opens the checkout page again; None if there is nothing to pay."""
    said: Callable[[], str | None] = lambda: None
    """What the processor last said."""
    link: Callable[[], float | None] = lambda: None
    """How many seconds the payment link is still valid."""

    def progress(self, pause: float, elapsed: float = 0, limit: float | None = None, said: str = "") -> Progress:
        """Return how the wait stands: after `elapsed` seconds, `pause` seconds before the next read."""
        told = tuple(one for one in (said, self.said()) if one)
        return Progress(self.what, elapsed, limit, pause, told, self.link(), self.keys)


class TimedOut(Exception):  # noqa: N818 - the waiting's outcome; the step decides what it means
    """The time limit passed before the state settled."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that a step may use."""

    journal: Journal
    recorder: Recorder
    api: Veza
    operator: Operator
    browser: Browser
    ledger: Ledger
    clock: Clock
    ids: Ids
    processor: Processor | None
    options: Options
    names: LedgerNames = field(default_factory=LedgerNames)
    """What seller_transfers and its columns are called in this environment."""
    till: Callable[[str], bool] | None = None
    """See `Ports.till`."""
    told: set[str] = field(default_factory=set)
    """What this process has told the operator once."""

    def tell_once(self, text: str) -> None:
        """Tell the operator something that stays as it is however often it is looked at."""
        if text not in self.told:
            self.told.add(text)
            self.operator.tell(text)

    def pace(self) -> Iterator[float]:
        """Yield the seconds between reads: at most 20 reads a minute from a remote backend."""
        steps = _LOOPBACK_PACE if self.options.loopback else _REMOTE_PACE
        yield from steps
        while True:
            yield 1.0 if self.options.loopback else 15.0

    def wait(
        self, read: Callable[[], T], settled: Callable[[T], bool], *, timeout: float,
        waiting: Waiting | None = None, told: Callable[[T], str] = lambda _: "",
    ) -> T:  # fmt: skip
        """Read at once, then ever more slowly, until the state is settled.

        Retries a read that fails temporarily, and honours Retry-After. If the machine slept past the time limit, reads
        once more before giving up.

        Args:
            read: asks the API.
            settled: whether the value read ends the wait.
            timeout: seconds.
            waiting: what the operator is told, and can do; None if it is over at once.
            told: tells a value that was read.

        Raises:
            Left: the operator left.
            TimedOut: the state did not settle in time, and the last read confirmed that.
            VezaError: an error that a retry cannot solve, or the last read failed too, so the state is unknown.
        """
        start = self.clock.monotonic()
        last = False
        for delay in self.pace():
            value, failure = self._read(read)
            if failure is None and settled(cast("T", value)):
                return cast("T", value)
            left = round(timeout - (self.clock.monotonic() - start), 3)  # what no clock can sleep is no time
            pause = _pause(failure)
            if failure is not None and (pause > max(left, 0) or (left <= 0 and last)):
                raise failure
            if left <= 0 and last:
                raise TimedOut
            step = max(delay, pause)
            last = left <= step
            if left > 0 and waiting is None:
                self.clock.sleep(min(step, left))
            elif left > 0 and waiting is not None:
                said = "backend: no answer" if failure is not None else told(cast("T", value))
                self.pause(waiting, waiting.progress(min(step, left), timeout - left, timeout, said))
        raise TimedOut  # not reached: the pace never ends

    def pause(self, waiting: Waiting, progress: Progress) -> bool:
        """Wait for the next read; return whether the operator typed something before, and do what it asks for.

        Raises:
            Left: they left.
        """
        match self.operator.pause(progress, self.clock.sleep):
            case None:
                return False
            case "q":
                raise Left
            case "r" if waiting.reopen is not None:
                waiting.reopen()
            case "r":
                self.operator.tell("There is no page to open: nothing is left to pay.")
            case _:
                self.operator.tell(waiting.status())
        return True

    def glance(self, read: Callable[[], T]) -> tuple[T | None, float]:
        """Read once; if that fails temporarily, return None and the minimum seconds to wait."""
        value, failure = self._read(read)
        return value, _pause(failure)

    def _read(self, read: Callable[[], T]) -> tuple[T | None, VezaError | None]:
        try:
            return read(), None
        except (RateLimitError, *_TRANSIENT) as error:
            return None, error

    def ask(self, question: str, text: str, accept: Callable[[str], str | None]) -> str:
        """Ask until the answer is acceptable; record question and answer.

        Args:
            question: the question's name in the events.
            text: what is shown.
            accept: returns None for an acceptable answer, else what is wrong with it.

        Raises:
            EndOfInput: standard input ended without an answer.
        """
        self.asked(question, text)
        start = self.clock.monotonic()
        shown = text
        while True:
            answer = self.operator.ask(question, shown) or ""
            problem = accept(answer.strip())
            if problem is None:
                self.answered(question, answer.strip(), start)
                return answer.strip()
            shown = f"{problem}\n{text.rpartition(chr(10))[2]}"

    def asked(self, question: str, text: str) -> None:
        """Record a question."""
        text = self.recorder.redactor.text(text)
        self.journal.append(Asked(step=self.recorder.step, question=question, text=text))

    def answered(self, question: str, answer: str, since: float) -> None:
        """Record an answer."""
        waited = round((self.clock.monotonic() - since) * 1000)
        self.journal.append(
            Answered(
                step=self.recorder.step,
                question=question,
                answer=self.recorder.redactor.text(answer),
                waited_ms=waited,
                by=self.operator.by,
            )
        )

    def yes(self, question: str, text: str) -> bool:
        """Ask for y or n; accept nothing else."""
        answers = {"y": True, "yes": True, "n": False, "no": False}
        known = {**answers, "": False}
        answer = self.ask(question, f"{text} [y/N]", lambda a: None if a.lower() in known else "Please type y or n.")
        return known[answer.lower()]

    def compare(
        self, identifier: str, left: object, right: object, *calls: int, note: str = "", known: bool = True
    ) -> bool:
        """Record a comparison of two amounts or ids; return whether they are equal.

        Args:
            identifier: R1 to R6.
            left: an amount or an id, or text that names several.
            right: what it must be equal to. An amount that is not known, None, is never equal.
            calls: the calls whose responses prove it.
            note: what to say beside the right side.
            known: whether both sides are known; else they are never equal.
        """
        step = self.recorder.step
        equal = known and left is not None and left == right
        first, second = ("not told" if one is None else str(one) for one in (left, right))
        shown = f"{second} ({note})" if note else second
        if step is not None:
            self.journal.append(Compared(step=step, id=identifier, equal=equal, left=first, right=shown, calls=calls))
        return equal

    def account(self) -> Account:
        """Return what is known of the money by now."""
        return fold(self.journal.lines)

    def own_events(self) -> Iterator[Event]:
        """The events since this process began or resumed the session, the latest first."""
        latest = (line.event for line in reversed(self.journal.lines))
        return takewhile(lambda event: not isinstance(event, SessionStarted | SessionResumed), latest)

    def call(self, operation: str) -> int:
        """Return the number of the operation's last answered call, as evidence."""
        return self.recorder.last.get(operation, 0)


def _pause(failure: VezaError | None) -> float:
    return (failure.retry_after or 0.0) if failure is not None else 0.0
