"""Wraps the ports: each hands on what the real one returns, and a recording keeps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Literal, Protocol

from veza_e2e.canonical import JSON
from veza_e2e.cassettes import tape
from veza_e2e.ports.interrupts import Interrupted
from veza_e2e.ports.progress import Progress
from veza_e2e.ports.protocols import Browser, Clock, EndOfInput, Ids, Ledger, LedgerReading, Left, Operator

RAISED: tuple[type[BaseException], ...] = (EndOfInput, Left, Interrupted)


class Keeps(Protocol):
    """The part of a recording that the wrapped ports need."""

    @property
    def session(self) -> str:
        """The session's id."""
        ...

    def entry(self, kind: str, **data: JSON) -> None:
        """Append an entry."""
        ...

    def reading(self, name: str, value: JSON) -> None:
        """Append a reading of the clock."""
        ...

    def clean(self, text: str) -> str:
        """Return a redacted text."""
        ...

    def clean_rows(self, rows: Sequence[Mapping[str, JSON]] | None) -> JSON:
        """Return redacted ledger rows."""
        ...


class RecordedClock:
    def __init__(self, recording: Keeps, clock: Clock) -> None:
        self._recording = recording
        self._clock = clock
        self._first: float | None = None

    def now(self) -> datetime:
        at = self._clock.now()
        self._recording.reading("now", at.isoformat())
        return at

    def monotonic(self) -> float:
        reading = self._clock.monotonic()
        if self._first is None:
            self._first = reading
        # The walkthrough gets what the tape can store, so that a replay decides alike.
        micro = round((reading - self._first) * 1_000_000)
        self._recording.reading("monotonic", micro)
        return micro / 1_000_000

    def sleep(self, seconds: float) -> None:
        try:
            self._clock.sleep(seconds)
        except Interrupted as signal:
            self._recording.entry("interrupted", signal=signal.name)
            raise
        self._recording.reading("sleep", round(seconds * 1_000_000))


class RecordedIds:
    def __init__(self, recording: Keeps, ids: Ids) -> None:
        self._recording = recording
        self._ids = ids

    def session(self, at: datetime) -> str:
        return self._recording.session

    def key(self) -> str:
        value = self._ids.key()
        self._recording.entry("key", value=value)
        return value


class RecordedOperator:
    def __init__(self, recording: Keeps, operator: Operator, clock: Clock) -> None:
        self._recording = recording
        self._operator = operator
        self._clock = clock
        self.by: Literal["operator", "script"] = operator.by

    def ask(
        self, question: str, text: str, *, timeout: float | None = None, progress: Progress | None = None
    ) -> str | None:
        ask = partial(self._operator.ask, question, text, timeout=timeout, progress=progress)
        return self._asked("ask", question, ask)

    def pause(self, progress: Progress, sleep: Callable[[float], None]) -> str | None:
        """Record what is typed as an answer, else one sleep, however often the machine slept."""
        try:
            typed = self._operator.pause(progress, self._clock.sleep)
        except Interrupted as signal:
            self._recording.entry("interrupted", signal=signal.name)
            raise
        except EndOfInput:
            self._recording.entry("ask", question=tape.WAITING, raised=EndOfInput.__name__, signal="")
            raise
        if typed is None:
            self._recording.reading("sleep", round(progress.pause * 1_000_000))
        else:
            self._recording.entry("ask", question=tape.WAITING, answer=typed)
        return typed

    def paste(self, question: str, text: str, peek: Callable[[], str] | None = None) -> str:
        return self._asked("paste", question, lambda: self._operator.paste(question, text, peek)) or ""

    def tell(self, text: str) -> None:
        self._operator.tell(text)

    def _asked(self, kind: str, question: str, ask: Callable[[], str | None]) -> str | None:
        try:
            answer = ask()
        except RAISED as end:
            self._recording.entry(kind, question=question, raised=type(end).__name__, signal=str(end))
            raise
        self._recording.entry(kind, question=question, answer=None if answer is None else self._recording.clean(answer))
        return answer


class RecordedBrowser:
    def __init__(self, recording: Keeps, browser: Browser) -> None:
        self._recording = recording
        self._browser = browser
        self.by: Literal["operator", "script"] = browser.by

    def open(self, url: str) -> bool:
        opened = self._browser.open(url)
        self._recording.entry("open", url=self._recording.clean(url), opened=opened)
        return opened


class RecordedLedger:
    def __init__(self, recording: Keeps, ledger: Ledger) -> None:
        self._recording = recording
        self._ledger = ledger
        self.source: Literal["pasted", "database", "rehearsal"] = ledger.source

    def rows(self, sql: str, order_id: str) -> LedgerReading:
        reading = self._ledger.rows(sql, order_id)
        reason = None if reading.reason is None else self._recording.clean(reading.reason)
        self._recording.entry("rows", order_id=order_id, rows=self._recording.clean_rows(reading.rows), reason=reason)
        return reading

    def peek(self, order_id: str) -> str | None:
        return self._ledger.peek(order_id)  # what the operator looks at changes nothing, so no replay needs it

    def script(self, sql: str, order_id: str) -> str | None:
        return self._ledger.script(sql, order_id)
