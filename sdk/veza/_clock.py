"""Time as the client sees it: passed in, so that tests and replays decide what time it is."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What `Veza` needs of time. Thread-safe."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware; only `Retry-After` dates are compared with it."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        ...


class AsyncClock(Protocol):
    """What `AsyncVeza` needs of time."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware; only `Retry-After` dates are compared with it."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds without blocking the event loop."""
        ...


class SystemClock:
    """The machine's clock, for `Veza`."""

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return `time.monotonic()`."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block this thread."""
        time.sleep(seconds)


class AsyncSystemClock:
    """The machine's clock, for `AsyncVeza`."""

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return `time.monotonic()`."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Suspend this task."""
        import asyncio  # noqa: PLC0415  (a synchronous program never loads it)

        await asyncio.sleep(seconds)
