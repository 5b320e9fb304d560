"""What is due of a session: when the bank statement has to show a refund, and what else is to be done about the money.

Business days are those of the TARGET2 calendar. The owner's checklist says 5 to 7 of them after the refund; after 10 it
is overdue.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Literal

from veza.money import Money
from veza_e2e.evidence import Summary

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


def statement_due(summary: Summary) -> Due | None:
    """Return when the bank statement has to show a session's refund, None where none is awaited."""
    awaited = summary.live and summary.item("bank_statement").status == "pending"
    return due(date.fromisoformat(summary.refunded_at[:10])) if awaited and summary.refunded_at else None


def still_open(summary: Summary) -> str | None:
    """Return what is to be done about money that is out, or may be; None where nothing is."""
    goes_on = f"veza-e2e --env {summary.environment} resume {summary.session}"
    said = []
    if summary.refund_open:
        money = summary.money
        cents = (money.charged_cents or 0) - (money.refunded_cents or 0)
        left = str(Money(cents, money.currency)) if money.currency else "the charge"
        over = summary.ended or summary.abandoned
        todo = "refund the payment at the processor's dashboard" if over else f"get it with: {goes_on}"
        said.append(f"the refund is open, {left} did not come back: {todo}")
    elif summary.live_requested and summary.money.charged_cents is None:
        todo = "look at the processor's dashboard" if summary.ended else f"go on with: {goes_on}"
        said.append(f"whether the card was charged is not known: {todo}")
    statement = summary.item("bank_statement")
    if statement.status == "not_met":
        record = f"veza-e2e --env {summary.environment} bank {summary.session}"
        said.append(f"{statement.reason}: ask the bank, then record what it shows with: {record}")
    return "; ".join(said) or None
