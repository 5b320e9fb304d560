"""Gathers what was read of each order that a session made, adopted or named to the operator."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from veza_e2e.canonical import JSON
from veza_e2e.journal import Line
from veza_e2e.journal.events import CallIntended, StepFailed, StepFinished, StepPaused
from veza_e2e.journal.readings import Compared, OrderNamed
from veza_e2e.journal.story import Story, text_of
from veza_e2e.money.doubt import made_since
from veza_e2e.money.order_account import OrderAccount
from veza_e2e.money.told import Readings


def orders_of(story: Story, readings: Readings) -> tuple[OrderAccount, ...]:
    """Return the money of each of the session's orders."""
    own = _own(story, readings)
    return tuple(_order_account(story, readings, order_id, own) for order_id in own)


def _own(story: Story, readings: Readings) -> dict[str, datetime]:
    """Return the session's orders, each with the time from which it may be paid."""
    asked = [_at(line) for line, event in story.of(CallIntended) if event.operation == "createOrder"]
    own: dict[str, datetime] = {}
    for one in readings.orders:
        if one.operation == "createOrder" and one.order_id:
            own.setdefault(one.order_id, one.at)
    adopted = story.last_of_step(StepFinished, "order")
    if adopted and (placed := text_of(adopted[1].result.get("order_id"))):
        own.setdefault(placed, asked[0] if asked else _at(adopted[0]))
    for line, event in story.of(OrderNamed):
        own.setdefault(event.order_id, _at(line))
    for name, at in _named_in_words(story, readings):
        own.setdefault(name, at)
    return own


def _named_in_words(story: Story, readings: Readings) -> Iterator[tuple[str, datetime]]:
    """The orders that version 1 named to the operator without an event of its own."""
    listed = {one.order_id for one in readings.orders if one.operation == "listOrders" and one.order_id}
    for line in story.lines:
        event = line.event
        if not isinstance(event, StepPaused | StepFailed) or event.step != "order":
            continue
        for name in sorted(listed) if event.finding in {"page_lost", "several_orders"} else ():
            if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", event.observed):
                yield name, _at(line)


def _order_account(story: Story, readings: Readings, order_id: str, own: dict[str, datetime]) -> OrderAccount:
    last = next(reversed(own))
    reads = tuple(one for one in readings.orders if one.order_id == order_id or (not one.order_id and order_id == last))
    ids = {one.payment_id for one in reads if one.payment_id} | _told_payments(story, order_id)
    ids |= {name for name, named in readings.listed if named == order_id}
    ids |= _payments_of(readings, order_id, ids, own[order_id])
    payments = tuple(one for one in readings.payments if one.payment_id in ids)
    unheard = _unheard(readings, ids)
    # One that tells no order, and that no order names, is nobody's: what a person read of it counts.
    known = {one.payment_id for one in readings.payments if one.order_id is not None} | ids
    named = [*(one.payment_id for one in readings.orders), *(event.payment_id for _, event in story.of(OrderNamed))]
    known.update(one for one in named if one is not None)
    return OrderAccount(
        order_id=order_id,
        accepted_at=own[order_id],
        reads=reads,
        payments=payments,
        silent=bool(unheard),
        silent_since=min(unheard.values(), default=0),
        unread=tuple(
            sorted(name for name in unheard if name and name not in {one.payment_id for one in readings.payments})
        ),
        persons=tuple(
            one
            for one in readings.persons
            if one.payment_id in ids or (order_id == last and one.payment_id not in known)
        ),
        bank=readings.bank if order_id == last else None,
        unlisted=order_id == text_of(story.result("completed").get("order_id")) and _unlisted(story, readings),
    )


def _payments_of(readings: Readings, order_id: str, ids: Collection[str], accepted_at: datetime) -> set[str]:
    """Return the payments that name the order, or only the shop's own number of it and are as new as the order.

    The order's payments tell that number beside the order; or alone, if the order names them.
    """
    since = {one.payment_id for one in readings.payments if made_since(one.created, accepted_at)}
    named = {one.payment_id for one in readings.payments if one.order_id == order_id}
    numbers = {
        one.reference
        for one in readings.payments
        if one.payment_id in named or (one.payment_id in since.intersection(ids) and one.order_id == one.reference)
    }
    return named | {one.payment_id for one in readings.payments if one.order_id in numbers - {None}} & since


def _unlisted(story: Story, readings: Readings) -> bool:
    """Whether step 5 did not learn which payments there are, and nobody since: step 9 compares R4 if it did."""
    completed = story.last_of_step(StepFinished, "completed")
    if completed is None or not completed[1].result.get("unlisted") or readings.relisted:
        return False
    return not any(
        event.id == "R4" and event.equal for line, event in story.of(Compared) if line.seq > completed[0].seq
    )


def _unheard(readings: Readings, ids: Collection[str]) -> dict[str | None, int]:
    """Return the payments that the processor was asked for last and did not tell, each with the first such event.

    None is one that has no name. One that no order names is of every order: it may be a further payment of any.
    """
    heard = {one.payment_id: one.seq for one in readings.payments}
    latest = max((seq for name, seq in heard.items() if name in ids), default=0)
    unheard: dict[str | None, int] = {}
    for one in readings.silences:
        later = one.seq > (latest if one.payment_id is None else heard.get(one.payment_id, 0))
        if later and (one.payment_id is None or one.payment_id in ids or one.payment_id not in heard):
            unheard.setdefault(one.payment_id, one.seq)
    return unheard


def _told_payments(story: Story, order_id: str) -> set[str]:
    """The payments of an order that steps or the operator were told of."""
    found = {event.payment_id for _, event in story.of(OrderNamed) if event.order_id == order_id}
    for step in ("order", "completed"):
        result: Mapping[str, JSON] = story.result(step)
        if text_of(result.get("order_id")) == order_id:
            found.add(text_of(result.get("payment_id")))
    return {one for one in found if one}


def _at(line: Line) -> datetime:
    return datetime.fromisoformat(line.at)
