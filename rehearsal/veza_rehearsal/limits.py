"""Enforces the rate limit of the switch `rate_limit=N`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from veza_rehearsal import of_2025
from veza_rehearsal.accounts import too_many

if TYPE_CHECKING:
    from veza_rehearsal.answers import Answer
    from veza_rehearsal.clock import Clock
    from veza_rehearsal.faults import FaultBoard

_MINUTE: Final = 60.0


class RateLimit:
    """Allows N requests a minute for each address: N at once, then one every 60/N seconds.

    Args:
        faults: Tells whether the switch is on, and its N.
        clock: The backend's clock.
    """

    def __init__(self, faults: FaultBoard, clock: Clock) -> None:
        self._faults = faults
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def refusal(self, address: str) -> Answer | None:
        """Count a request; return a 429 if the address has none left."""
        value = self._faults.value("rate_limit")
        if value is None:
            self._buckets.clear()
            return None
        limit = int(value)
        now = self._clock.now().timestamp()
        left, since = self._buckets.get(address, (float(limit), now))
        left = min(float(limit), left + (now - since) * limit / _MINUTE)
        if left < 1:
            self._buckets[address] = (left, now)
            wait = (1 - left) * _MINUTE / limit
            return too_many(limit, wait, now + wait, cut=self._faults.on(of_2025.SWITCH))
        self._buckets[address] = (left - 1, now)
        return None
