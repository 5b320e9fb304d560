"""A limit of the client's own on how often it asks."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

from veza._process import follow_forks
from veza.errors import DeadlineExceededError, InvalidRequestError

if TYPE_CHECKING:
    from veza._call import Budget


class Pace:
    """Gives out the moments to send at, evenly, to whoever asks: threads, tasks and event loops of one process.

    Args:
        per_second: how many requests a second.
    """

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second
        self.forked()
        follow_forks(self)

    def forked(self) -> None:
        """Begin anew: the turns taken are the parent process's."""
        self._lock = threading.Lock()
        self._free = float("-inf")

    def turn(self, now: float, budget: Budget) -> float:
        """Take the next turn; return how many seconds off it is.

        Raises:
            DeadlineExceededError: it comes after the deadline, and is not taken.
        """
        with self._lock:
            wait = max(0.0, self._free - now)
            if not budget.allows(wait):
                raise DeadlineExceededError("requests_per_second leaves no turn before the deadline")
            self._free = now + wait + self._gap
        return wait


def pace(per_second: float | None) -> Pace | None:
    """Return the pace of so many requests a second; None for no limit.

    Raises:
        InvalidRequestError: it is not a positive, finite number.
    """
    given: object = per_second
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given) or given <= 0:
        raise InvalidRequestError("requests_per_second must be a positive, finite number")
    return Pace(given)
