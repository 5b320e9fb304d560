"""Time that passes only when a test says so."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta


class _Time:
    """The time that both clocks show."""

    def __init__(self, start: datetime = datetime(2026, 4, 1, 10, tzinfo=UTC)) -> None:
        self._start = start
        self._passed = 0.0
        self._lock = threading.Lock()
        self.sleeps: list[float] = []
        """Every wait that was asked for, in seconds."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware."""
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        """Return the seconds that have passed."""
        return self._passed

    def advance(self, seconds: float) -> None:
        """Let seconds pass."""
        with self._lock:
            self._passed += seconds

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
    """A clock for `AsyncVeza`: a wait is noted and over at once.

    Args:
        start: the wall-clock time at first, aware.
    """

    async def sleep(self, seconds: float) -> None:
        """Let the seconds pass at once."""
        self._slept(seconds)
