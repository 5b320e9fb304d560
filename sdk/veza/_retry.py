"""When a request is sent again, and after how long. Small decisions without input or output."""

from __future__ import annotations

import math
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from veza.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

TOO_MANY: Final = 429
_TRANSIENT: Final = frozenset({408, 500, 502, 503, 504})
_FIRST_DELAY: Final = 0.5
_LONGEST_DELAY: Final = 8.0
_LONGEST_TEXT: Final = 64


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long a call tries.

    Attributes:
        max_retries: attempts beyond the first.
        max_retry_after: the longest `Retry-After`, in seconds, that is waited out; above it the call raises at once.
        jitter: returns a number from 0 to 1, by which a delay of our own is shortened by up to a quarter.

    Raises:
        InvalidRequestError: `max_retry_after` is not a number of seconds.
    """

    max_retries: int
    max_retry_after: float
    jitter: Callable[[], float]

    def __post_init__(self) -> None:
        given: object = self.max_retry_after
        if isinstance(given, bool) or not isinstance(given, int | float) or not given >= 0:  # NaN is not, either
            raise InvalidRequestError("max_retry_after must be a number of seconds that is not negative")

    def delay(self, attempt: int, retry_after: float | None) -> float | None:
        """Return the seconds to wait after that many attempts; None where the call must give up.

        A `Retry-After` lengthens the delay of our own, and never shortens it.
        """
        if attempt > self.max_retries:
            return None
        if retry_after is not None and retry_after > self.max_retry_after:
            return None
        delay: float = min(_FIRST_DELAY * 2 ** min(attempt - 1, 10), _LONGEST_DELAY)
        # The backend cuts fractions off: a `0` may hold for most of a second.
        return max(retry_after or 0.0, delay * (1 - 0.25 * self.jitter()))


def parse_retry_after(value: str | None, now: Callable[[], datetime]) -> float | None:
    """Read `Retry-After` as seconds or an HTTP date; None for what is neither, or lies in the past."""
    if value is None or len(value) > _LONGEST_TEXT:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_until(value, now)
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _seconds_until(value: str, now: Callable[[], datetime]) -> float:
    try:
        moment = parsedate_to_datetime(value)
        return (moment - now()).total_seconds() if moment.tzinfo is not None else math.nan
    except (ValueError, TypeError, OverflowError, IndexError):
        return math.nan


def may_repeat_status(status: int, *, repeatable: bool) -> bool:
    """Whether an error status is worth another attempt.

    A 429 was refused before it was carried out, so that even an unkeyed write may be sent again. A 503 may come
    from half-way through, so it is repeated only for reads and keyed writes, as are the other transient ones.
    """
    return status == TOO_MANY or (repeatable and status in _TRANSIENT)
