"""Looks at an ended session again: what its witnesses say now, as an addendum if it is news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from veza import License, Order, OrderStatus, RefundStatus, Veza, VezaError
from veza_e2e.canonical import JSON
from veza_e2e.evidence import Addendum, Reread, Summary
from veza_e2e.journal import Line, timestamp
from veza_e2e.journal.story import Story
from veza_e2e.money.readings import PaymentRead, Readings, read
from veza_e2e.ports.payments import OrderPayments, ProcessorPayment
from veza_e2e.ports.processor import Processor, ProcessorError

PaymentData = dict[str, JSON]


@dataclass(frozen=True, slots=True)
class Looked:
    """What the witnesses say now, and who did not answer."""

    order: Order | None
    payments: OrderPayments | None
    licenses: Sequence[License]
    unheard: tuple[str, ...]


def look_at(api: Veza, processor: Processor | None, summary: Summary) -> Looked:
    """Read the session's order, its payments and its licenses."""
    main, unheard = summary.money.main, []
    if main is None:
        return Looked(None, None, (), ())
    order, payments, licenses = None, None, list[License]()
    try:
        order = api.orders.get(main.order_id)
        licenses = [one for one in api.licenses.mine(order_id=main.order_id) if one.order_id == main.order_id]
    except VezaError as error:
        unheard.append(f"the backend: {error}")
    if processor is not None and main.payment_ids:
        try:
            payments = processor.payments(main.order_id, main.payment_ids)
        except ProcessorError as error:
            unheard.append(f"the processor: {error}")
    return Looked(order, payments, licenses, tuple(unheard))


def news(
    looked: Looked, summary: Summary, lines: Sequence[Line], addenda: Sequence[Addendum], at: datetime
) -> Reread | None:
    """Return the addendum; None if nobody answered, or each witness says what it said before."""
    main = summary.money.main
    if main is None or (looked.order is None and looked.payments is None):
        return None
    found = _addendum(main.order_id, looked, summary, len(addenda) + 1, at)
    before, after = (_state(read(Story(lines), items), main.order_id) for items in (addenda, (*addenda, found)))
    return None if before == after else found


def _addendum(order_id: str, looked: Looked, summary: Summary, number: int, at: datetime) -> Reread:
    order = looked.order
    status, refund_status, refunded = "", None, None
    failed, told = False, f"order {order_id} could not be read"
    if order is not None:
        failed = order.status is OrderStatus.REFUND_FAILED or order.refund_status is RefundStatus.FAILED
        status, refunded = str(order.status), order.refunded_amount_cents
        refunded = 0 if failed and refunded is None else refunded
        refund_status = None if order.refund_status is None else str(order.refund_status)
        told = f"order {order_id} is {status}" + (f", its refund {refund_status}" if refund_status else "")
    payments = tuple(_data(one) for one in looked.payments.payments) if looked.payments is not None else ()
    said = "".join(f"; payment {one['payment_id']} is {one['status']} at the processor" for one in payments)
    said += "".join(f"; a dispute: {state}" for state in (looked.payments.disputes if looked.payments else ()))
    return Reread(
        session=str(summary.session),
        session_hash=summary.last_hash,
        number=number,
        seq=summary.events + number,
        at=timestamp(at),
        order_status=status,
        refund_status=refund_status,
        refunded_cents=refunded,
        currency=_currency(looked),
        failed=failed,
        observed=told + said,
        order_id=order_id,
        payments=payments,
        licenses=tuple(str(one.status) for one in looked.licenses),
    )


def _currency(looked: Looked) -> str:
    if looked.order is not None:
        return looked.order.currency
    assert looked.payments is not None
    return looked.payments.named.asked.currency


def _data(payment: ProcessorPayment) -> PaymentData:
    """Return the payment in the form of the processor's answers, with what the account reads."""
    return {
        "payment_id": payment.payment_id,
        "status": str(payment.status),
        "amount_received": None if payment.received is None else payment.received.minor,
        "currency": payment.asked.currency,
        "refunds": [
            {
                "refund_id": one.refund_id, "payment_id": one.payment_id, "status": str(one.status),
                "amount": one.amount.minor, "currency": one.amount.currency,
            }
            for one in payment.refunds
        ],
        "disputes": [{"dispute_status": state} for state in payment.disputes],
        "metadata": {"order_id": payment.order_id},
    }  # fmt: skip


def _state(readings: Readings, order_id: str) -> object:
    """Return what the witnesses said last, without when."""
    orders = [one for one in readings.orders if one.order_id in {order_id, ""}]
    last = orders[-1] if orders else None
    payments: Mapping[str, PaymentRead] = {one.payment_id: one for one in readings.payments}
    shown = sorted(
        (
            key,
            one.status,
            str(one.received),
            str([(r.refund_id, r.status, str(r.amount)) for r in one.refunds]),
            one.disputes,
        )
        for key, one in payments.items()
    )
    return (last and (last.status, last.refund_status, last.refunded)), shown
