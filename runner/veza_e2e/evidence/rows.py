"""What rows of seller_transfers that were supplied after their step say: R2, R5 and the license."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from veza.money import Money
from veza_e2e.frozen import dataclass
from veza_e2e.journal.addenda import Addendum, RowsSupplied
from veza_e2e.journal.events import (
    CallIntended,
    SessionInterrupted,
    SessionResumed,
    StepFailed,
    StepFinished,
    StepPaused,
    StepSkipped,
    StepStarted,
)
from veza_e2e.journal.readings import RowsRead
from veza_e2e.journal.story import Story, cents_of, text_of
from veza_e2e.money.account import fold
from veza_e2e.money.transfer_rows import OrderFacts, Rows, Verdict, absent, license_status
from veza_e2e.money.transfers import LATE, booking, reversal


@dataclass(frozen=True, slots=True)
class SuppliedRows:
    """The latest rows that `rows` recorded.

    Attributes:
        seq: the event, or the addendum.
        booking: whether the seller's transfers are booked (R2).
        reversal: whether they were reversed (R5); None if no refund was asked for.
        license: the state of the order's licenses in the database; None if the rows do not tell.
    """

    seq: int
    booking: Verdict
    reversal: Verdict | None
    license: str | None


def supplied_rows(story: Story, addenda: Sequence[Addendum]) -> SuppliedRows | None:
    """Return what the latest supplied rows say; None if there are none, or no order that they could be of."""
    found = _latest(story, addenda)
    order = _order(story)
    if found is None or order is None:
        return None
    seq, at, sql, rows = found
    asked_at = next((_at(line.at) for line, e in story.of(CallIntended) if e.operation == "requestRefund"), None)
    refunded = asked_at is not None and asked_at <= at
    booked = booking(rows, order, refund_asked=refunded, absent=absent(sql))
    back = reversal(rows, order, before=_before(story), absent=absent(sql)) if refunded else None
    completed = story.last_of_step(StepFinished, "completed")
    since = _at(completed[0].at) if completed else None
    main = fold(story.lines, addenda).main
    seen_at = None if main is None else main.refund_seen_at
    return SuppliedRows(
        seq, _timely(booked, at, since), None if back is None else _timely(back, at, seen_at), license_status(rows)
    )


def _latest(story: Story, addenda: Sequence[Addendum]) -> tuple[int, datetime, str, Rows] | None:
    later = [one for one in addenda if isinstance(one, RowsSupplied)]
    if later:
        last = max(later, key=lambda one: one.number)
        return last.seq, _at(last.at), last.sql, last.rows
    running, found = False, None
    for line in story.lines:
        event = line.event
        if isinstance(event, StepStarted):
            running = True
        elif isinstance(
            event, StepFinished | StepFailed | StepPaused | StepSkipped | SessionInterrupted | SessionResumed
        ):
            running = False
        elif isinstance(event, RowsRead) and event.final and not running:
            found = line.seq, _at(line.at), event.sql, event.rows
    return found


def _order(story: Story) -> OrderFacts | None:
    placed, product = story.result("order"), story.result("products")
    order_id, currency = text_of(placed.get("order_id")), text_of(placed.get("currency"))
    total, tax = cents_of(placed.get("total_cents")), cents_of(placed.get("tax_cents"))
    if order_id is None or currency is None or total is None or tax is None:
        return None
    return OrderFacts(order_id, Money(total, currency), Money(tax, currency), text_of(product.get("seller_id")))


def _before(story: Story) -> Rows:
    rows = story.result("transfers").get("rows")
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list | tuple) else ()


def _timely(verdict: Verdict, at: datetime, since: datetime | None) -> Verdict:
    """Return the verdict; what is late is missing 24 hours after what it follows."""
    if verdict.status != "late" or since is None or at - since < LATE:
        return verdict
    return replace(verdict, status="wrong", problem=f"{verdict.problem}, after more than 24 hours")


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
