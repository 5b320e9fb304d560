"""Time that passes only when a test says so."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Self


@dataclass(eq=False)
class _Hand:
    """What the clocks of one test share."""

    start: datetime
    passed: float = 0.0
    sleeps: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class _Time:
    """The time that both clocks show."""

    def __init__(self, start: datetime = datetime(2026, 4, 1, 10, tzinfo=UTC)) -> None:
        self._hand = _Hand(start)

    @classmethod
    def beside(cls, other: _Time) -> Self:
        """Return a clock of this kind that shows the other's time and notes its waits with the other's.

        Args:
            other: a `FakeClock` or an `AsyncFakeClock`; if it is of this kind, it is returned itself.
        """
        if isinstance(other, cls):
            return other
        clock = cls()
        clock._hand = other._hand
        return clock

    @property
    def sleeps(self) -> list[float]:
        """Every wait that was asked for, in seconds."""
        return self._hand.sleeps

    def now(self) -> datetime:
        """Return the wall-clock time, aware."""
        return self._hand.start + timedelta(seconds=self._hand.passed)

    def monotonic(self) -> float:
        """Return the seconds that have passed."""
        return self._hand.passed

    def advance(self, seconds: float) -> None:
        """Let seconds pass."""
        with self._hand.lock:
            self._hand.passed += seconds

    def _slept(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.advance(seconds)


class FakeClock(_Time):
    """A clock for `Veza`: a wait is noted and over at once.

    Args:
        start: the wall-clock time at first, aware.
    """

    def sleep(self, seconds: float) -> None:
        """Let the seconds pass at once."""
        self._slept(seconds)


class AsyncFakeClock(_Time):
    """A clock for `AsyncVeza`: a wait is noted and over as soon as the loop's other tasks have had a turn.

    Args:
        start: the wall-clock time at first, aware.
    """

    async def sleep(self, seconds: float) -> None:
        """Let the seconds pass at once, and other tasks have a turn."""
        import asyncio  # noqa: PLC0415  (a synchronous test never loads it)

        self._slept(seconds)
        await asyncio.sleep(0)
