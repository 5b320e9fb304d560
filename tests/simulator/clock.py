"""The simulated machine's time: it moves when somebody waits, and a little whenever somebody looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


MOST_LOOKS = 5_000


class Stuck(BaseException):
    """The walkthrough waits for ever, or asks the same question again and again, although it was answered."""


class SimulatedClock:
    def __init__(self, at: datetime = START) -> None:
        self.at = at
        self.looks = 0
        """How often one command has looked at it."""

    def now(self) -> datetime:
        self._looked()
        self.at += timedelta(milliseconds=1)
        return self.at

    def monotonic(self) -> float:
        self._looked()
        return (self.at - START).total_seconds()

    def _looked(self) -> None:
        self.looks += 1
        if self.looks > MOST_LOOKS:
            raise Stuck(f"one command looked at the clock {MOST_LOOKS} times")

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=max(seconds, 0.0))

    def stamp(self, *, nanoseconds: bool = False) -> str:
        return stamp(self.at, nanoseconds=nanoseconds)


def stamp(at: datetime, *, nanoseconds: bool = False) -> str:
    if nanoseconds:
        return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond * 1000 + 7:09d}+00:00"
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
