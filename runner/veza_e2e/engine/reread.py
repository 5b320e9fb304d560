"""Looks at an ended session again: what its witnesses say now, as an addendum if it is news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from veza import License, NotFoundError, Order, OrderStatus, RefundStatus, Veza, VezaError
from veza_e2e.canonical import JSON
from veza_e2e.evidence import Addendum, Reread, Summary
from veza_e2e.evidence.facts import completed_by
from veza_e2e.frozen import dataclass
from veza_e2e.journal import Line, timestamp
from veza_e2e.journal.story import Story, text_of
from veza_e2e.money.order_account import NOT_FOUND
from veza_e2e.money.readings import read
from veza_e2e.money.told import PaymentRead, Readings
from veza_e2e.ports.payments import OrderPayments, ProcessorPayment
from veza_e2e.ports.processor import Processor, ProcessorError
from veza_e2e.ports.screen import plain

PaymentData = dict[str, JSON]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the witnesses say now of one of the session's orders; None of who did not answer."""

    order_id: str
    order: Order | None
    payments: OrderPayments | None
    gone: bool = False
    """Whether the backend answered that there is no such order."""

    @property
    def heard(self) -> bool:
        """Whether anybody answered."""
        return self.order is not None or self.payments is not None or self.gone

    @property
    def failed(self) -> bool:
        """Whether the backend says that the refund failed."""
        return self.order is not None and (
            self.order.status is OrderStatus.REFUND_FAILED or self.order.refund_status is RefundStatus.FAILED
        )

    @property
    def told(self) -> str:
        """What the backend says, for people."""
        if self.gone:
            return f"the backend does not know order {self.order_id} any more (404)"
        if self.order is None:
            return f"order {self.order_id} could not be read"
        refund = f", its refund {self.order.refund_status}" if self.order.refund_status is not None else ""
        return f"order {self.order_id} is {self.order.status}{refund}"

    @property
    def order_status(self) -> str:
        """See `Reread`."""
        if self.order is None:
            return NOT_FOUND if self.gone else ""
        return str(self.order.status)

    @property
    def refund_status(self) -> str | None:
        """See `Reread`."""
        told = None if self.order is None else self.order.refund_status
        return None if told is None else str(told)

    @property
    def refunded_cents(self) -> int | None:
        """See `Reread`; a refund that failed brought nothing back unless the order says otherwise."""
        told = None if self.order is None else self.order.refunded_amount_cents
        return 0 if told is None and self.failed else told

    @property
    def currency(self) -> str:
        """The order's currency, else that of its payment; empty if nobody answered."""
        if self.order is not None:
            return self.order.currency
        return "" if self.payments is None else self.payments.named.asked.currency


@dataclass(frozen=True, slots=True)
class Looked:
    """What the witnesses say now of each order, and who did not answer; the order of the report stands first."""

    orders: Sequence[Seen]
    licenses: Sequence[License]
    unheard: tuple[str, ...]


def look_at(api: Veza, processor: Processor | None, summary: Summary) -> Looked:
    """Read every order of the session, its payments, and the licenses of the order that the report is about.

    A witness that does not answer hides no other. Who it was is said in one line each.
    """
    main = summary.money.main
    if main is None:
        return Looked((), (), ())
    unheard, seen = list[str](), list[Seen]()
    for known in (main, *(one for one in summary.money.orders if one is not main)):
        order, payments, gone = None, None, False
        try:
            order = api.orders.get(known.order_id)
        except NotFoundError as error:
            gone = error.content_type is None  # else a proxy or another server answered
            unheard += [] if gone else [f"order {known.order_id}, the backend: {error}"]
        except VezaError as error:
            unheard.append(f"order {known.order_id}, the backend: {error}")
        named = [order.payment_id] if order is not None and order.payment_id else []
        refunds = [order.refund_id] if order is not None and order.refund_id else []
        ids = tuple(dict.fromkeys((*named, *known.payment_ids)))
        if processor is not None and ids:
            try:
                payments = processor.payments(known.order_id, ids, known.accepted_at, (*refunds, *known.refund_ids))
            except ProcessorError as error:
                unheard.append(f"order {known.order_id}, the processor: {error}")
            else:
                silent = [*(one.told for one in payments.unread), *map("refund {}".format, payments.untold_refunds)]
                unheard += [f"order {known.order_id}, the processor: {one}" for one in silent]
        seen.append(Seen(known.order_id, order, payments, gone))
    licenses, silence = _licenses(api, summary, main.order_id)
    unheard += silence
    return Looked(seen, licenses, tuple(map(plain, unheard)))


def _licenses(api: Veza, summary: Summary, order_id: str) -> tuple[Sequence[License], Sequence[str]]:
    """Return the order's licenses, and who did not tell any."""
    try:
        licenses = [one for one in api.licenses.mine(order_id=order_id) if one.order_id == order_id]
    except VezaError as error:
        return (), [f"the licenses of order {order_id}: {error}"]
    untold = not licenses and completed_by(summary.money)
    return licenses, [f"the licenses of order {order_id}: the backend lists none"] if untold else []


def news(
    looked: Looked, summary: Summary, lines: Sequence[Line], addenda: Sequence[Addendum], at: datetime
) -> Reread | None:
    """Return the addendum; None if nobody answered, or each witness says what it said before."""
    if not any(one.heard for one in looked.orders):
        return None
    found = _addendum(looked, summary, len(addenda) + 1, at)
    before, after = (read(Story(lines), items) for items in (addenda, (*addenda, found)))
    ids = [one.order_id for one in looked.orders]
    whole = after.relisted and any(one.unlisted for one in summary.money.orders)
    same = not whole and _state(before, ids) == _state(after, ids) and not _other_licenses(found, lines, addenda)
    return None if same else found


def _other_licenses(found: Reread, lines: Sequence[Line], addenda: Sequence[Addendum]) -> bool:
    """Whether the licenses are in other states than when they were last seen."""
    told = text_of(Story(lines).result("revoked").get("license_status"))
    earlier = [one.licenses for one in addenda if isinstance(one, Reread) and one.licenses]
    known = set(earlier[-1]) if earlier else {told} - {None}
    return bool(found.licenses and known) and set(found.licenses) != known


def _addendum(looked: Looked, summary: Summary, number: int, at: datetime) -> Reread:
    main, *others = looked.orders
    payments = tuple(_data(one, seen) for seen, one in _payments(looked))
    unread = tuple(one.payment_id for seen in looked.orders if seen.payments for one in seen.payments.unread)
    said = [one.told for one in looked.orders]
    said += [_told(one) for _, one in _payments(looked)]
    said += [f"the processor did not tell payment {one}" for one in unread]
    reasons = (seen.payments.unlisted for seen in looked.orders if seen.payments is not None)
    unlisted = next((one for one in reasons if one is not None), None)
    said += [f"whether there are other payments was not seen: {unlisted}"] if unlisted is not None else []
    said += [f"license {one.id} is {one.status}" for one in looked.licenses]
    currency = next((one.currency for one in looked.orders if one.currency), summary.money.currency or "")
    return Reread(
        session=str(summary.session),
        session_hash=summary.last_hash,
        number=number,
        seq=summary.events + number,
        at=timestamp(at),
        order_status=main.order_status,
        refund_status=main.refund_status,
        refunded_cents=main.refunded_cents,
        currency=main.currency or currency,
        failed=any(one.failed for one in looked.orders),
        observed="; ".join(said),
        order_id=main.order_id,
        payments=payments,
        licenses=tuple(str(one.status) for one in looked.licenses),
        unread=unread,
        unlisted=unlisted is not None,
        others=tuple(_other(one) for one in others if one.order_status),
    )


def _told(payment: ProcessorPayment) -> str:
    """Return what the processor says of a payment, for people."""
    received = "" if payment.received is None else f", received {payment.received}"
    refunds = "".join(f", refund {one.refund_id} of {one.amount} {one.status}" for one in payment.refunds)
    disputes = "".join(f", a dispute: {state}" for state in payment.disputes)
    return f"payment {payment.payment_id} is {payment.status} at the processor{received}{refunds}{disputes}"


def _other(seen: Seen) -> dict[str, JSON]:
    return {
        "order_id": seen.order_id,
        "order_status": seen.order_status,
        "refund_status": seen.refund_status,
        "refunded_cents": seen.refunded_cents,
        "currency": seen.currency,
    }


def _payments(looked: Looked) -> list[tuple[Seen, ProcessorPayment]]:
    return [(seen, one) for seen in looked.orders if seen.payments is not None for one in seen.payments.payments]


def _data(payment: ProcessorPayment, seen: Seen) -> PaymentData:
    """Return an order's payment in the form of the processor's answers, with what the account reads."""
    silent = seen.payments.untold_refunds if seen.payments is not None and not payment.lists_refunds else ()
    return {
        "payment_id": payment.payment_id,
        "status": str(payment.status),
        "amount": payment.asked.minor,
        "amount_received": None if payment.received is None else payment.received.minor,
        "currency": payment.asked.currency,
        "refunds": [
            {
                "refund_id": one.refund_id, "payment_id": one.payment_id, "status": str(one.status),
                "amount": one.amount.minor, "currency": one.amount.currency,
            }
            for one in payment.refunds
        ]
        if payment.lists_refunds or payment.refunds
        else None,
        "disputes": [{"dispute_status": state} for state in payment.disputes],
        "metadata": {"order_id": payment.order_id or seen.order_id},
        **({"untold_refund": silent[0]} if silent else {}),
    }  # fmt: skip


def _state(readings: Readings, order_ids: Sequence[str]) -> object:
    """Return what the witnesses said last, without when."""
    main = order_ids[0]
    last = {
        name: (one.status, one.refund_status, one.refunded)
        for name in order_ids
        for one in readings.orders
        if one.order_id == name or (name == main and not one.order_id)
    }
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
    return last, shown, {one.payment_id for one in readings.silences} - payments.keys()
