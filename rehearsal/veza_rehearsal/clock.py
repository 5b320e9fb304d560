"""The backend's clock and its ids. Both can be seeded, so that two runs are byte-identical."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SEEDED_START: Final = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class Clock(Protocol):
    """The interface of the backend's clock."""

    def now(self) -> datetime:
        """Return the backend's time, in UTC."""
        ...

    def tick(self) -> None:
        """Note that a request was received."""
        ...

    def advance(self, seconds: float) -> None:
        """Move the clock."""
        ...

    def reset(self) -> None:
        """Undo all moves of the clock."""
        ...


def wall_time() -> datetime:
    """Return the machine's time, in UTC."""
    return datetime.now(UTC)


class SystemClock:
    """The machine's time, moved by what `POST /rehearsal/clock` asked for.

    Args:
        offset: Seconds by which the clock was moved before.
        wall: Returns the time.
    """

    def __init__(self, offset: float = 0.0, wall: Callable[[], datetime] = wall_time) -> None:
        self._offset = timedelta(seconds=offset)
        self._wall = wall

    def now(self) -> datetime:
        """Return the machine's time plus the offset."""
        return self._wall() + self._offset

    def tick(self) -> None:
        """Do nothing, since time passes by itself."""

    def advance(self, seconds: float) -> None:
        """Move the clock."""
        self._offset += timedelta(seconds=seconds)

    def reset(self) -> None:
        """Go back to the machine's time."""
        self._offset = timedelta()


class SeededClock:
    """A clock that only moves by one millisecond at each request.

    Args:
        offset: Seconds by which the clock was moved before.
        start: The number of the backend's starts on its database. Each start begins a day later.
    """

    def __init__(self, offset: float = 0.0, start: int = 0) -> None:
        self._now = _SEEDED_START + timedelta(days=start, seconds=offset)

    def now(self) -> datetime:
        """Return the time after the last tick or advance."""
        return self._now

    def tick(self) -> None:
        """Move the clock by a millisecond."""
        self._now += timedelta(milliseconds=1)

    def advance(self, seconds: float) -> None:
        """Move the clock."""
        self._now += timedelta(seconds=seconds)

    def reset(self) -> None:
        """Go back to the beginning of the first start."""
        self._now = _SEEDED_START


class Ids:
    """Draws ids and secrets.

    Args:
        source: A seeded `random.Random`, or `random.SystemRandom`.
    """

    def __init__(self, source: random.Random) -> None:
        self._source = source
        self.small: Callable[[], bool] = lambda: False

    def uuid(self) -> str:
        """Draw a UUID (version 4); while `small` says so, one that stands for an integer of up to nine digits."""
        if self.small():
            return str(UUID(int=self._source.randrange(10**8, 10**9)))
        return str(UUID(int=self._source.getrandbits(128), version=4))

    def reference(self, prefix: str) -> str:
        """Draw an id in Hyperswitch's form: a prefix and 20 letters or digits."""
        return f"{prefix}_" + "".join(self._source.choices(_ALPHABET, k=20))

    def secret(self) -> str:
        """Draw 256 bits, in hexadecimal."""
        return f"{self._source.getrandbits(256):064x}"


def stamp(moment: datetime) -> str:
    """Write a time as the API does: RFC 3339, UTC, milliseconds. The texts sort like the times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def moment(text: str) -> datetime:
    """Read a time that `stamp` wrote."""
    return datetime.fromisoformat(text)
