"""Facts of one session that several rules ask for: completion, the request for the refund, licenses."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import date
from http import HTTPStatus

from veza import OrderStatus
from veza_e2e.frozen import dataclass
from veza_e2e.journal.events import CallFailed, CallFinished, PreflightFinished, StepFinished
from veza_e2e.journal.story import Story, text_of
from veza_e2e.money.account import Account
from veza_e2e.money.answers import body_of
from veza_e2e.money.order_account import CHARGED, NOT_FOUND, UNPAID
from veza_e2e.money.readings import read
from veza_e2e.money.told import OrderRead


def before_refund(on: date, refunded: date) -> bool:
    """Whether a statement of the day `on` is too early to show a refund; allows a day for time zones."""
    return (refunded - on).days > 1


def refund_day(story: Story) -> date | None:
    """Return the day of the refund as the backend states it, else of its request: it may be seen much later."""
    told = text_of(story.result("revoked").get("refunded_at"))
    requested = refund_requested_by(story)
    asked = next((line.at for line in story.lines if line.seq in requested), None)
    for text in (told, asked):
        with contextlib.suppress(ValueError):
            if text:
                return date.fromisoformat(text[:10])
    return None


@dataclass(frozen=True, slots=True)
class LicensesRead:
    """The states of the session's licenses in one response; empty if none was listed."""

    seq: int
    license_id: str | None
    statuses: tuple[str | None, ...]


def licenses(story: Story) -> tuple[LicensesRead, ...]:
    """Return what each response said of the licenses of the session's order (operation listMyLicenses)."""
    order_id = text_of(story.result("order").get("order_id"))
    found = []
    for line, event in story.of(CallFinished):
        data = body_of(event) if event.operation == "listMyLicenses" else None
        if isinstance(data, list | tuple):
            own = [row for row in data if isinstance(row, Mapping) and text_of(row.get("order_id")) == order_id]
            ids, statuses = ([text_of(row.get(name)) for row in own] for name in ("id", "status"))
            found.append(LicensesRead(line.seq, ids[-1] if ids else None, tuple(statuses)))
    return tuple(found)


def completed_by(account: Account) -> tuple[int, ...]:
    """Return the events that show the order completed."""
    return tuple(one.seq for one in account.main.reads if one.status in CHARGED) if account.main else ()


def unpaid_again(account: Account) -> tuple[OrderRead, ...]:
    """Return the last reading of each order that was seen paid and no longer says that it ever was."""
    last = [order.reads[-1] for order in account.orders if any(one.status in CHARGED for one in order.reads)]
    return tuple(one for one in last if one.status in UNPAID | {OrderStatus.PENDING_PAYMENT, NOT_FOUND})


def refund_requested_by(story: Story) -> tuple[int, ...]:
    """Return the events that show that the refund was asked for."""
    asked = [
        line.seq for line, event in story.of(CallFinished) if event.operation == "requestRefund" and body_of(event)
    ]
    finished = story.last_of_step(StepFinished, "refund")
    return tuple(asked + ([finished[0].seq] if finished else []))


def untold(story: Story) -> str | None:
    """Return what the processor answered last instead of a payment; None if there was no key to ask it with."""
    asked = [
        (line.seq, line.event)
        for line in story.lines
        if isinstance(line.event, CallFinished | CallFailed) and line.event.target == "processor"
    ]
    if not asked:
        return None
    silent = {one.seq for one in read(story).silences}
    match next((event for seq, event in reversed(asked) if seq in silent), None):
        case CallFailed():
            return "the processor did not answer"
        case CallFinished(status=HTTPStatus.OK):
            return "the processor's answer is not a payment as its API describes it"
        case CallFinished() as event:
            return f"the processor answered {event.status}"
        case None:
            pass
    if unlisted := text_of(story.result("completed").get("unlisted")):
        return f"whether there are other payments was not seen ({unlisted})"
    gate = story.last(PreflightFinished)
    payments = [seq for seq, _ in asked if seq > (gate[0].seq if gate else 0)]
    told, named = "the processor did not tell every amount", "the order names no payment to ask the processor for"
    return told if payments else named
