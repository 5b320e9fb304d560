"""When the bank statement has to show a refund: business days of the TARGET2 calendar.

The owner's checklist says 5 to 7 business days after the refund; after 10 it is overdue.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Literal

DueState = Literal["not due yet", "due", "late", "OVERDUE"]

EARLIEST, LATEST, OVERDUE_AFTER = 5, 7, 10
_SATURDAY = 5


@cache
def _closed(year: int) -> frozenset[date]:
    # The calendar takes a tenth of a second to import; most commands never need it.
    from holidays.financial.european_central_bank import EuropeanCentralBank  # noqa: PLC0415

    return frozenset(EuropeanCentralBank(years=year))  # type: ignore[no-untyped-call]


def is_business_day(day: date) -> bool:
    """Whether TARGET2 is open on `day`."""
    return day.weekday() < _SATURDAY and day not in _closed(day.year)


def add_business_days(day: date, count: int) -> date:
    """Return the business day that is `count` business days after `day`."""
    while count:
        day += timedelta(days=1)
        count -= is_business_day(day)
    return day


@dataclass(frozen=True, slots=True)
class Due:
    """When a refund has to be on the statement."""

    earliest: date
    latest: date
    overdue_after: date

    def state(self, today: date) -> DueState:
        """Return where `today` stands."""
        if today < self.earliest:
            return "not due yet"
        if today <= self.latest:
            return "due"
        return "late" if today <= self.overdue_after else "OVERDUE"


def due(refunded: date) -> Due:
    """Return the window for a refund of the day `refunded`."""
    return Due(*(add_business_days(refunded, count) for count in (EARLIEST, LATEST, OVERDUE_AFTER)))
