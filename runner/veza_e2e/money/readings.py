"""What each witness said about the money: orders, payments, dashboards and bank statements, each with its event.

Only what was received counts, never a step's conclusion. Order states are those of the contract, payment and refund
states those of Hyperswitch. Absent is unknown; where the API leaves a member out to say none, the reading says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Final, TypeAlias

from veza.money import Money, to_minor
from veza_e2e.canonical import JSON
from veza_e2e.journal import Line
from veza_e2e.journal.addenda import Addendum, BankStatement, Dashboard, Reread
from veza_e2e.journal.events import CallFailed, CallFinished, Event, PreflightFinished
from veza_e2e.journal.readings import DashboardRead
from veza_e2e.journal.story import Story, cents_of, text_of
from veza_e2e.money.answers import asked_for, body_of, payment_named
from veza_e2e.money.payment_states import NOTHING_RECEIVED, created_of, unsettled
from veza_e2e.money.told import BankRead, NoAnswer, OrderRead, PaymentRead, PersonRead, Readings, RefundRead

Data: TypeAlias = Mapping[str, JSON]
_REREAD: Final = ("order_id", "order_status", "refund_status", "refunded_cents", "currency")
_OF_ORDERS: Final = frozenset({"listOrders", "createOrder", "requestRefund", "getOrder"})
LIST: Final = "/payments/list"
_NO_SUCH: Final = 404


def read(story: Story, addenda: Sequence[Addendum] = ()) -> Readings:
    """Return what the lines and addenda of one session say about its money."""
    orders, payments, silences = list[OrderRead](), list[PaymentRead](), list[NoAnswer]()
    for line, event in story.of(CallFinished):
        if event.target == "api":
            orders += _orders_told(line)
    for line, asked in _asked_processor(story):
        alone = "/refunds/" in asked.url
        found = tuple(_with_refund(line, payments)) if alone else _payments_told(line)
        payments += found
        silences += (
            [] if found or alone else [NoAnswer(line.seq, datetime.fromisoformat(line.at), asked_for(asked.url))]
        )
    bank, relisted = None, False
    for item in sorted(addenda, key=lambda one: one.number):
        at = datetime.fromisoformat(item.at)
        if isinstance(item, Reread):
            orders += _reread(item, at)
            payments += [one for data in item.payments or () if (one := payment_of(item.seq, at, data))]
            silences += [NoAnswer(item.seq, at, one) for one in item.unread]
            relisted = not item.unlisted if item.payments else relisted
        elif isinstance(item, BankStatement):
            bank = _bank(item)
    listed, persons = tuple(_listed(story)), persons_of(story, addenda)
    return Readings(
        tuple(orders), tuple(_with_last_refunds(payments)), tuple(silences), persons, bank, listed, relisted
    )


def _with_last_refunds(payments: Iterable[PaymentRead]) -> Iterator[PaymentRead]:
    last: dict[str, PaymentRead] = {}
    for one in payments:
        before = last.get(one.payment_id)
        silent = not one.lists_refunds and not one.refunds
        if silent and before is not None and before.refunds:
            kept = replace(one, refunds=before.refunds, refunds_seq=before.refunds_seq or before.seq)
        else:
            kept = one
        last[one.payment_id] = kept
        yield kept


def persons_of(story: Story, addenda: Sequence[Addendum] = ()) -> tuple[PersonRead, ...]:
    """Return what persons read at dashboards, in the order of the events and addenda."""
    during = [_person(line.seq, event) for line, event in story.of(DashboardRead)]
    after = sorted((one for one in addenda if isinstance(one, Dashboard)), key=lambda one: one.number)
    return (*during, *(_person(one.seq, one) for one in after))


def _asked_processor(story: Story) -> Iterator[tuple[Line, CallFinished | CallFailed]]:
    """Yield the calls that ask for a payment. A list only names payments; before the steps only the key is tried."""
    gate = story.last(PreflightFinished)
    for line in story.lines:
        event = line.event
        if not isinstance(event, CallFinished | CallFailed) or event.target != "processor":
            continue
        if line.seq > (gate[0].seq if gate else 0) and LIST not in event.url:
            yield line, event


def _listed(story: Story) -> Iterator[tuple[str, str]]:
    for line, event in story.of(CallFinished):
        if event.target == "processor" and LIST in event.url:
            yield from ((one.payment_id, one.order_id) for one in _payments_told(line) if one.order_id is not None)


def money(cents: JSON, currency: JSON) -> Money | None:
    """Return an amount; None if it, or its currency, was not told."""
    amount, code = cents_of(cents), text_of(currency)
    try:
        return None if amount is None or code is None else Money(amount, code.upper())
    except ValueError:
        return None


@lru_cache(maxsize=4096)  # the account is made anew after each event
def _orders_told(line: Line) -> tuple[OrderRead, ...]:
    return tuple(_orders(line.seq, datetime.fromisoformat(line.at), line.event))


@lru_cache(maxsize=4096)
def _payments_told(line: Line) -> tuple[PaymentRead, ...]:
    return tuple(_payments(line.seq, datetime.fromisoformat(line.at), line.event))


def _orders(seq: int, at: datetime, event: Event) -> Iterator[OrderRead]:
    if not isinstance(event, CallFinished) or event.operation not in _OF_ORDERS:
        return
    data = body_of(event)
    if event.operation == "listOrders" and isinstance(data, list | tuple):
        yield from (_order(seq, at, one, event.operation) for one in data if isinstance(one, Mapping))
    elif event.operation != "listOrders" and isinstance(data, Mapping):
        nested = data.get("order")
        if isinstance(nested, Mapping) and event.operation != "getOrder":
            yield _order(seq, at, {**nested, "payment_id": payment_named(nested, data)}, event.operation)
        elif event.operation != "requestRefund" and data.get("id") is not None:
            yield _order(seq, at, data, event.operation)


def _order(seq: int, at: datetime, data: Data, operation: str | None) -> OrderRead:
    names = ("status", "payment_id", "refund_id", "refund_status")
    status, payment_id, refund_id, refund = (text_of(data.get(name)) for name in names)
    refunded = _refunded(status, refund, _amount(data, "refunded_amount"))
    order_id, total, tax = text_of(data.get("id")) or "", _amount(data, "total_amount"), _amount(data, "tax_amount")
    return OrderRead(seq, at, order_id, status, total, payment_id, refund_id, refund, refunded, operation, tax)


def _refunded(status: str | None, refund_status: str | None, told: Money | None) -> Money | None:
    """Return what an order says came back: a zero beside a refund that is done is what Go writes for "not told"."""
    done = refund_status == "succeeded" or (status == "refunded" and refund_status is None)
    return None if done and not told else told


def _amount(data: Data, name: str) -> Money | None:
    """Return an amount from cents, or from the exact digits of a decimal."""
    currency, value = text_of(data.get("currency")), data.get(name)
    told = money(data.get(f"{name}_cents"), currency)
    if told is not None or currency is None or not isinstance(value, str | int) or isinstance(value, bool):
        return told
    try:
        return money(to_minor(value, currency), currency)
    except ValueError:
        return None


def _payments(seq: int, at: datetime, event: Event) -> Iterator[PaymentRead]:
    data = body_of(event) if isinstance(event, CallFinished) else None
    if isinstance(data, Mapping):
        data = [data]
    for one in data if isinstance(data, list | tuple) else ():
        if isinstance(one, Mapping) and (found := payment_of(seq, at, one)):
            yield found


def payment_of(seq: int, at: datetime, data: Data) -> PaymentRead | None:
    """Return the payment in an answer of the processor; None if it holds no payment."""
    identifier, status = text_of(data.get("payment_id")), text_of(data.get("status"))
    if identifier is None or "refund_id" in data:
        return None
    received = data.get("amount_received")
    if received is None and status in NOTHING_RECEIVED:
        received = 0
    named, refunds, disputes = data.get("metadata"), data.get("refunds"), data.get("disputes")
    order_id = text_of(named.get("order_id")) if isinstance(named, Mapping) else None
    reference = text_of(data.get("merchant_order_reference_id"))
    return PaymentRead(
        seq=seq,
        at=at,
        payment_id=identifier,
        order_id=order_id or reference,
        reference=reference,
        created=created_of(data),
        status=status,
        received=money(received, data.get("currency")),
        asked=money(data.get("amount") if data.get("net_amount") is None else data["net_amount"], data.get("currency")),
        refunds=tuple(_refund(one) for one in refunds if isinstance(one, Mapping))
        if isinstance(refunds, list | tuple)
        else (),
        lists_refunds=refunds is not None,
        untold_refund=text_of(data.get("untold_refund")),  # as an addendum writes it
        disputes=sum(map(unsettled, disputes)) if isinstance(disputes, list | tuple) else 0,
    )


def _with_refund(line: Line, payments: Sequence[PaymentRead]) -> Iterator[PaymentRead]:
    """Yield the payment of a refund that was asked for by its own name, with that refund.

    If the refund is not told, yield each payment that may have it. A 404 tells that there is none.
    """
    asked, at = line.event, datetime.fromisoformat(line.at)
    last = {one.payment_id: one for one in payments if not one.lists_refunds}
    if not isinstance(asked, CallFinished | CallFailed) or getattr(asked, "status", None) == _NO_SUCH:
        return
    data = body_of(asked) if isinstance(asked, CallFinished) else None
    refund = _refund(data) if isinstance(data, Mapping) and data.get("refund_id") == asked_for(asked.url) else None
    payment = None if refund is None or refund.payment_id is None else last.get(refund.payment_id)
    if refund is None or payment is None:
        yield from (replace(one, seq=line.seq, at=at, untold_refund=asked_for(asked.url)) for one in last.values())
        return
    others = (one for one in payment.refunds if one.refund_id != refund.refund_id)
    yield replace(payment, seq=line.seq, at=at, refunds=(*others, refund), refunds_seq=line.seq, untold_refund=None)


def _refund(data: Data) -> RefundRead:
    return RefundRead(
        text_of(data.get("refund_id")),
        text_of(data.get("payment_id")),
        text_of(data.get("status")),
        money(data.get("amount"), data.get("currency")),
    )


def _reread(item: Reread, at: datetime) -> Iterator[OrderRead]:
    said: list[Data] = [{name: getattr(item, name) for name in _REREAD}, *item.others]
    for one in said:
        order_id, status, refund = (text_of(one.get(name)) for name in ("order_id", "order_status", "refund_status"))
        if status:
            refunded = _refunded(status, refund, money(one.get("refunded_cents"), one.get("currency")))
            yield OrderRead(item.seq, at, order_id or "", status, None, None, None, refund, refunded, "reread")


def _person(seq: int, said: Dashboard | DashboardRead) -> PersonRead:
    charged, refunded, reversed_ = (
        money(cents, said.currency) for cents in (said.charged_cents, said.refunded_cents, said.reversed_cents)
    )
    return PersonRead(seq, said.payment_id, charged, said.refund_id, refunded, reversed_, said.by)


def _bank(item: BankStatement) -> BankRead | None:
    amount = money(item.amount_cents, item.currency)
    if item.seen == "nothing":
        return None
    return BankRead(item.seq, *((amount, None) if item.seen == "credit" else (None, amount)))
