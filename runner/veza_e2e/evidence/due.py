"""What is due for a session: when the bank statement must show a refund, and what to do about open money.

Business days follow the TARGET2 calendar. The owner's checklist expects the refund after 5 to 7 of them; after 10 it is
overdue.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Literal, TypeAlias

from veza_e2e.evidence import Summary
from veza_e2e.money.order_account import AccountState

DueState = Literal["not due yet", "due", "late", "OVERDUE"]

EARLIEST, LATEST, OVERDUE_AFTER = 5, 7, 10
_SATURDAY = 5


@cache
def _closed(year: int) -> frozenset[date]:
    # Importing the calendar takes 0.1 s, and most commands never need it.
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
    """When a refund must be on the statement."""

    earliest: date
    latest: date
    overdue_after: date

    def state(self, today: date) -> DueState:
        """Return whether the refund is not due yet, due, late or overdue on `today`."""
        if today < self.earliest:
            return "not due yet"
        if today <= self.latest:
            return "due"
        return "late" if today <= self.overdue_after else "OVERDUE"


def due(refunded: date) -> Due:
    """Return when a refund of the day `refunded` must be on the statement."""
    return Due(*(add_business_days(refunded, count) for count in (EARLIEST, LATEST, OVERDUE_AFTER)))


def statement_due(summary: Summary) -> Due | None:
    """Return when the bank statement must show a session's refund; None if no statement is awaited."""
    awaited = summary.live and summary.item("bank_statement").status == "pending"
    return due(date.fromisoformat(summary.refunded_at[:10])) if awaited and summary.refunded_at else None


Command: TypeAlias = Callable[..., str]
"""Returns the command line for some words, in the session's environment."""


def still_open(summary: Summary, command: Command | None = None) -> str | None:
    """Return what to do about money and evidence that are open, with the commands; None if there is nothing to do.

    Args:
        summary: the session.
        command: writes a command; None for one without the options of a terminal.
    """
    write = command or (lambda *words: shlex.join(["veza-e2e", "--env", summary.environment, *words]))
    said = [line for line in (_money(summary, write), _unseen(summary, write)) if line]
    statement = summary.item("bank_statement")
    if statement.status == "not_met":
        said.append(f"{statement.reason}: ask the bank, then record what it shows with: {_bank(summary, write)}")
    return "; ".join(said) or None


def _money(summary: Summary, write: Command) -> str | None:
    """Return what the account says and the next command. It advises a second refund only if all saw the first fail."""
    account = summary.money
    if account.settled or (not summary.live_requested and account.state is not AccountState.CHARGED):
        return None
    again, attest = write("resume", str(summary.session)), _dashboard(summary, write)
    if summary.abandoned:
        known = account.state is AccountState.CHARGED
        todo = "refund the payment at the processor's dashboard, then record it" if known else "record what comes back"
        return f"abandoned, {account.sentence}: {todo} with: {attest}"
    match account.state:
        case AccountState.CHARGED if summary.ended or summary.step("order").status == "failed":
            todo = f"refund it at the processor's dashboard, then look again with: {again}"
        case AccountState.CHARGED:
            todo = f"get it with: {again}"
        case AccountState.AT_RISK:
            todo = f"go on with: {again}"
        case _:
            todo = f"look again with: {again}; or record what the processor's dashboard shows with: {attest}"
    return f"{account.sentence}: {todo}"


def _unseen(summary: Summary, write: Command) -> str | None:
    """Return which comparisons of a live run that passed nobody has made, and the command that supplies each."""
    if not summary.live_requested or summary.outcome != "passed" or not summary.refund_requested:
        return None
    unseen = [one.id for one in summary.reconciliation if one.status == "not_checked"]
    by_rows = [one for one in unseen if one in {"R2", "R5"}]
    by_hand = [one for one in unseen if one in {"R1", "R4", "R6"}]
    said = []
    if by_rows:
        said.append(
            f"{' and '.join(by_rows)} not compared: supply the rows with: {write('rows', str(summary.session))}"
        )
    if by_hand:
        said.append(f"{', '.join(by_hand)} not compared: record the dashboard with: {_dashboard(summary, write)}")
    return "; ".join(said) or None


def _dashboard(summary: Summary, write: Command) -> str:
    known = ("--payment", summary.payment_id or "ID", "--charged", "A", "--refund", summary.refund_id or "ID")
    return write("attest", "dashboard", "--session", str(summary.session), "--by", "NAME", *known, "--refunded", "A")


def _bank(summary: Summary, write: Command) -> str:
    return write("bank", str(summary.session), "--seen", "credit", "--date", "D", "--amount", "A")
