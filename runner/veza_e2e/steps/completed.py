"""Step 5: waits until the processor's webhook completes the order, and checks the amount."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NoReturn

from veza import Order, OrderStatus, PaymentStatus
from veza.money import Money
from veza_e2e.journal import timestamp
from veza_e2e.journal.events import StepFinished
from veza_e2e.journal.findings import FindingCode
from veza_e2e.money.payment_states import IN_FLIGHT, PAYABLE, UNTAKEN, VOID
from veza_e2e.money.words import UNASKED, UNKNOWN, UNPAID
from veza_e2e.ports.processor import ProcessorPayment, returned
from veza_e2e.steps.checkout_page import link_gone, open_page, operator_pays
from veza_e2e.steps.context import Context, TimedOut
from veza_e2e.steps.cross_check import cross_check
from veza_e2e.steps.results import PaidOrder, Payment, PlacedOrder
from veza_e2e.steps.step import Failed, Paused, step

RETRIES = timedelta(hours=24)
"""How long the processor repeats its webhooks."""
_NOT_PAID = frozenset({OrderStatus.CANCELLED, OrderStatus.EXPIRED})


@step("completed", PaidOrder)
def await_completed(context: Context, order: PlacedOrder, _payment: Payment) -> PaidOrder:
    """Read the order until it is completed (operation getOrder), and compare the amounts (R1)."""
    if context.options.resumed:
        _offer_again(context, order)
    try:
        done = context.wait(
            lambda: context.api.orders.get(order.order_id),
            lambda seen: seen.status is not OrderStatus.PENDING_PAYMENT,
            timeout=context.options.poll_timeout,
        )
    except TimedOut:
        _not_completed(context, order)
    seen = cross_check(context, order)
    _refuse_other_than_completed(context, done, order, seen)
    _compare(context, order, done, seen)
    return PaidOrder(
        order_id=done.id,
        payment_id=done.payment_id,
        status=str(done.status),
        total_cents=done.total_amount_cents,
        tax_cents=done.tax_amount_cents or 0,
        currency=done.currency,
        completed_at=timestamp(done.completed_at) if done.completed_at else None,
    )


def _offer_again(context: Context, order: PlacedOrder) -> None:
    """Offer the page once more, but only if the processor says that it was not paid."""
    seen = cross_check(context, order)
    if seen is None or seen.amount_received or seen.status not in PAYABLE | VOID:
        return
    current = context.api.orders.get(order.order_id)
    if current.status is not OrderStatus.PENDING_PAYMENT:
        return
    if seen.status in VOID:
        link_gone(order, seen)
    if order.checkout_url:
        context.operator.tell(f"The processor says that the order is not paid yet ({seen.status}).")
        open_page(context, order)
        operator_pays(context, order)


def _refuse_other_than_completed(
    context: Context, done: Order, order: PlacedOrder, seen: ProcessorPayment | None
) -> None:
    payment = f"payment {order.payment_id}"
    status = done.status
    if status is OrderStatus.COMPLETED:
        return
    if status is OrderStatus.DISPUTED:
        raise Failed(
            FindingCode.DISPUTE_OPENED,
            f"a dispute was opened on order {done.id} ({payment})",
            meaning="The money is held by the card's bank until the dispute is settled.",
            todo="Answer the dispute at the processor's dashboard; do not refund it twice.",
        )
    if status is OrderStatus.FAILED or status in _NOT_PAID:
        _refuse_if_money_may_be_out(context, order, str(status), seen)
    money = UNPAID if seen is not None else UNASKED
    if status is OrderStatus.FAILED:
        why = f" ({seen.error_message})" if seen is not None and seen.error_message else ""
        raise Failed(
            FindingCode.DECLINED,
            f"the payment was declined{why}: order {done.id} failed, {payment}",
            meaning=money,
            todo="Start a new session, with another card if this one is refused again.",
        )
    if status in _NOT_PAID:
        raise Failed(
            FindingCode.NOT_PAID,
            f"order {done.id} is {status}: the checkout page ran out or was left, {payment}",
            meaning=money,
            todo="Start a new session and pay within the page's time (15 minutes by default).",
        )
    name, why = (FindingCode.UNKNOWN_STATUS, "is not known here")
    if status.known:
        name, why = (FindingCode.UNEXPECTED_STATUS, "nobody asked for")
    charged = seen is not None and seen.amount_received > 0
    raise Failed(
        name,
        f"order {done.id} is {str(status)!r}, which {why}",
        meaning=f"The card was charged ({payment})." if charged else UNKNOWN,
        todo="Look the payment up at the processor's dashboard and report the status to the backend's makers.",
    )


def _refuse_if_money_may_be_out(context: Context, order: PlacedOrder, said: str, seen: ProcessorPayment | None) -> None:
    """Pause unless the processor has taken nothing, or there is no processor to ask."""
    if seen is None:
        if context.processor is None or order.payment_id is None:
            return
        raise Paused(
            FindingCode.PAYMENT_UNKNOWN,
            f"order {order.order_id} is {said}, and the processor did not say how payment {order.payment_id} stands",
            meaning=UNKNOWN,
            todo="Resume when the processor answers.",
            waiting_for="completion",
        )
    if seen.amount_received > 0:
        _paid_not_completed(context, order, said, seen)
    if seen.status in IN_FLIGHT:
        raise Paused(
            FindingCode.PAYMENT_PROCESSING,
            f"payment {seen.payment_id} is {seen.status}, nothing of it was received yet, "
            f"and order {order.order_id} is {said}",
            meaning=f"{Money(seen.amount, seen.currency)} may be reserved on the card; no charge was seen.",
            todo="Resume later, or look the payment up at the processor's dashboard.",
            waiting_for="completion",
        )
    if seen.status not in UNTAKEN:
        raise Failed(
            FindingCode.UNKNOWN_STATUS,
            f"payment {seen.payment_id} of order {order.order_id} is {str(seen.status)!r}, which is not known here",
            meaning=UNKNOWN,
            todo="Look the payment up at the processor's dashboard; refund it there if it was charged, then resume.",
        )


def _compare(context: Context, order: PlacedOrder, done: Order, seen: ProcessorPayment | None) -> None:
    total = Money(done.total_amount_cents, done.currency)
    wrong = [] if total == order.total else [f"the order was {order.total} and is now {total}"]
    if seen is not None:
        amount, received = Money(seen.amount, seen.currency), Money(seen.amount_received, seen.currency)
        right = f"{amount}, received {received}"
        equal = context.compare("R1", f"{total}, received {total}", right, context.call("getOrder"), seen.call)
        if not equal:
            wrong.append(f"the order's total is {total}, the processor's amount {amount}, received {received}")
    if wrong:
        raise Failed(
            FindingCode.AMOUNT_DIFFERS,
            f"{'; '.join(wrong)} (payment {order.payment_id})",
            meaning="The card was charged; the amounts do not agree.",
            todo="Resume to refund, and compare with the processor's dashboard.",
        )


def _not_completed(context: Context, order: PlacedOrder) -> NoReturn:
    """Raise the finding that fits: paid but not completed, declined, challenge open, not paid, or unknown."""
    seen = cross_check(context, order)
    payment = f"payment {order.payment_id}"
    if seen is None:
        raise Paused(
            FindingCode.NOT_COMPLETED,
            f"order {order.order_id} is still pending; whether it was paid was not seen ({payment})",
            meaning="The card may have been charged.",
            todo="Look the payment up at the processor's dashboard; then resume.",
            waiting_for="completion",
        )
    _refuse_if_money_may_be_out(context, order, "still pending", seen)
    if seen.status in VOID and not seen.amount_received:
        link_gone(order, seen)
    if seen.status is PaymentStatus.REQUIRES_CUSTOMER_ACTION:
        raise Paused(
            FindingCode.CHALLENGE_OPEN,
            f"the 3-D Secure challenge was left open ({payment})",
            meaning="Nothing was charged yet.",
            todo="Resume, and complete or reject the challenge on the page.",
            waiting_for="operator",
        )
    if seen.status in {PaymentStatus.FAILED, PaymentStatus.REQUIRES_PAYMENT_METHOD} and seen.error_message:
        raise Paused(
            FindingCode.DECLINED,
            f"the card was declined: {seen.error_message} ({payment})",
            meaning=UNPAID,
            todo="End the session with `abandon`, and start a new one with another card."
            if seen.status is PaymentStatus.FAILED
            else "Resume within the page's time to try another card, or end the session with `abandon`.",
            waiting_for="operator",
        )
    raise Paused(
        FindingCode.NOT_PAID,
        f"order {order.order_id} was not paid: the processor says {seen.status} ({payment})",
        meaning=UNPAID,
        todo="Resume and pay within the page's time, or end the session with `abandon`.",
        waiting_for="operator",
    )


def _paid_not_completed(context: Context, order: PlacedOrder, said: str, seen: ProcessorPayment) -> NoReturn:
    amount = Money(seen.amount_received, seen.currency)
    observed = (
        f"paid, not completed: the processor has {amount} of payment {seen.payment_id} ({seen.status}), "
        f"and order {order.order_id} is {said}"
    )
    back = returned(seen)
    if back >= amount:
        raise Failed(
            FindingCode.PAID_NOT_COMPLETED,
            f"{observed}; the processor has paid {back} back",
            meaning=f"The card was charged {amount}, and {back} came back, without the backend.",
            todo="Report to the backend's makers that the order did not complete.",
        )
    since = _paid_at(context)
    if since is not None and context.clock.now() - since >= RETRIES:
        raise Failed(
            FindingCode.PAID_NOT_COMPLETED,
            observed + ", 24 hours after the payment",
            meaning=f"The card was charged {amount}. The order does not complete any more.",
            todo="Refund the payment at the processor's dashboard, then resume: the refund is looked for there.",
        )
    raise Paused(
        FindingCode.PAID_NOT_COMPLETED,
        observed,
        meaning=f"The card was charged {amount}. Webhooks are retried for 24 hours, so the order may still complete.",
        todo="Resume later. If it never completes, refund the payment at the processor's dashboard, and resume.",
        waiting_for="completion",
    )


def _paid_at(context: Context) -> datetime | None:
    """Return when the operator's part at the checkout ended."""
    for line in context.journal.lines:
        if isinstance(line.event, StepFinished) and line.event.step == "pay":
            return datetime.fromisoformat(line.at)
    return None
