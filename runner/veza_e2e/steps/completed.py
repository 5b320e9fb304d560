"""Step 5: waits until the processor's webhook completes the order, and checks the amount."""

from __future__ import annotations

from datetime import datetime
from typing import NoReturn

from veza import Order, OrderStatus, PaymentStatus
from veza.money import Money
from veza_e2e.journal import timestamp
from veza_e2e.journal.findings import FindingCode
from veza_e2e.money.order_account import RETRIES
from veza_e2e.money.payment_states import AUTHORISED, IN_FLIGHT, PAID, PAYABLE, UNTAKEN, VOID
from veza_e2e.ports.payments import OrderPayments
from veza_e2e.steps.checkout_page import link_gone, offer, offer_again, operator_pays, refuse_other_order
from veza_e2e.steps.context import Context, TimedOut
from veza_e2e.steps.cross_check import cross_check
from veza_e2e.steps.results import PaidOrder, Payment, PlacedOrder
from veza_e2e.steps.step import Failed, Paused, resume_and, step
from veza_e2e.steps.waiting import order_said, paid_already, waiting_for

_NOT_PAID = frozenset({OrderStatus.CANCELLED, OrderStatus.EXPIRED})
_DASHBOARD = (
    "Look the order up at the processor's dashboard, and record each payment with `attest dashboard`; then resume."
)


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
            waiting=waiting_for(
                context, order, "waiting for the order to complete", reopen=lambda: _reopen(context, order)
            ),
            told=order_said,
        )
    except TimedOut:
        _not_completed(context, order)
    seen = cross_check(context, order)
    _refuse_other_than_completed(context, done, order, seen)
    _refuse_dispute(context, done, seen)
    refuse_other_order(context, done.id, seen)
    _compare(context, order, done, seen)
    return PaidOrder(
        order_id=done.id,
        payment_id=done.payment_id,
        status=str(done.status),
        total_cents=done.total_amount_cents,
        tax_cents=done.tax_amount_cents or 0,
        currency=done.currency,
        completed_at=timestamp(done.completed_at) if done.completed_at else None,
        unlisted=None if seen is None else seen.unlisted,
    )


def _reopen(context: Context, order: PlacedOrder) -> None:
    """Offer the page again at the operator's wish, unless the processor says that it was paid, or may have been."""
    cross_check(context, order)
    if paid_already(context, order) is not None:
        return
    offer_again(context, order)
    operator_pays(context, order)


def _offer_again(context: Context, order: PlacedOrder) -> None:
    """Offer the page once more, but only if the processor says that it was not paid."""
    seen = cross_check(context, order)
    if seen is None or seen.unread or seen.received or any(one.status not in _unpaid(context) for one in seen.payments):
        return
    current = context.api.orders.get(order.order_id)
    if current.status is not OrderStatus.PENDING_PAYMENT:
        return
    if seen.named.status in VOID:
        link_gone(context, order, seen.named)
    refuse_other_order(context, current.id, seen)
    if order.checkout_url:
        context.operator.tell(f"The processor says that the order is not paid yet ({seen.named.status}).")
        offer(context, order)
        operator_pays(context, order)


def _unpaid(context: Context) -> frozenset[PaymentStatus]:
    return PAYABLE | VOID if context.options.first else UNTAKEN


def _refuse_other_than_completed(context: Context, done: Order, order: PlacedOrder, seen: OrderPayments | None) -> None:
    payment, status = f"payment {done.payment_id}", done.status
    if status is OrderStatus.COMPLETED:
        return
    if status is OrderStatus.DISPUTED:
        _disputed(context, f"a dispute was opened on order {done.id} ({payment})")
    if status is OrderStatus.FAILED or status in _NOT_PAID:
        _refuse_if_money_may_be_out(context, order, str(status), seen)
    if status is OrderStatus.FAILED:
        why = f" ({seen.named.error_message})" if seen is not None and seen.named.error_message else ""
        raise Failed(
            FindingCode.DECLINED,
            f"the payment was declined{why}: order {done.id} failed, {payment}",
            meaning=context.account().said,
            todo="Start a new session, with another card if this one is refused again.",
        )
    if status in _NOT_PAID:
        raise Failed(
            FindingCode.NOT_PAID,
            f"order {done.id} is {status}: the checkout page expired or was left, {payment}",
            meaning=context.account().said,
            todo="Start a new session and pay within the page's time (15 minutes by default).",
        )
    name, why = (FindingCode.UNKNOWN_STATUS, "this version does not know")
    if status.known:
        name, why = (FindingCode.UNEXPECTED_STATUS, "nobody asked for")
    raise Failed(
        name,
        f"order {done.id} is {str(status)!r}, which {why}",
        meaning=context.account().said,
        todo="Look the payment up at the processor's dashboard and report the status to the backend's makers.",
    )


def _refuse_if_money_may_be_out(context: Context, order: PlacedOrder, said: str, seen: OrderPayments | None) -> None:
    """Pause unless the processor has taken nothing, or there is no processor to ask."""
    if seen is None:
        if context.processor is None or order.payment_id is None:
            return
        raise _payment_unknown(context, order, said, order.payment_id)
    if any(one.taken for one in seen.payments):
        _paid_not_completed(context, order, said, seen)
    flying = next((one for one in seen.payments if one.status in IN_FLIGHT), None)
    if flying is not None:
        raise Paused(
            FindingCode.PAYMENT_PROCESSING,
            f"payment {flying.payment_id} is {flying.status}, nothing of it was received yet, "
            f"and order {order.order_id} is {said}",
            meaning=f"{flying.asked} may be reserved on the card; no charge was seen.",
            todo="Resume later, or look the payment up at the processor's dashboard.",
            waiting_for="completion",
        )
    if seen.unread:
        raise _payment_unknown(context, order, said, seen.unread[0].payment_id)
    odd = next((one for one in seen.payments if one.status not in UNTAKEN), None)
    if odd is not None:
        raise Failed(
            FindingCode.UNKNOWN_STATUS,
            f"payment {odd.payment_id} of order {order.order_id} is {str(odd.status)!r}, "
            "which this version does not know",
            meaning=context.account().said,
            todo=_DASHBOARD,
        )


def _payment_unknown(context: Context, order: PlacedOrder, said: str, payment_id: str) -> Paused:
    return Paused(
        FindingCode.PAYMENT_UNKNOWN,
        f"order {order.order_id} is {said}, and the processor did not say how payment {payment_id} stands",
        meaning=context.account().said,
        todo=f"Resume when the processor answers. Or: {_DASHBOARD}",
        waiting_for="completion",
    )


def _refuse_dispute(context: Context, done: Order, seen: OrderPayments | None) -> None:
    if seen is not None and seen.disputes:
        _disputed(context, f"the processor has a dispute on a payment of order {done.id} ({', '.join(seen.disputes)})")


def _disputed(context: Context, observed: str) -> NoReturn:
    raise Failed(
        FindingCode.DISPUTE_OPENED,
        observed,
        meaning=f"The card's bank holds the money until the dispute is settled. {context.account().said}",
        todo="Answer the dispute at the processor's dashboard. Do not refund on top of it.",
    )


def _compare(context: Context, order: PlacedOrder, done: Order, seen: OrderPayments | None) -> None:
    total = Money(done.total_amount_cents, done.currency)
    wrong = [] if total == order.total else [f"the order was {order.total} and is now {total}"]
    equal = True
    if seen is not None and _told_enough(seen, total):
        asked, received = seen.told("asked"), seen.told("received")
        right = f"{asked}, received {received}"
        equal = context.compare("R1", f"{total}, received {total}", right, context.call("getOrder"), *seen.calls)
        if not equal:
            wrong.append(f"the order's total is {total}, the processor's amount {asked}, received {received}")
        if len(seen.counted) > 1:
            wrong.append(f"{len(seen.counted)} payments were captured")
    if seen is not None:
        _refuse_odd(context, done, seen, wrong, equal=equal)
    if wrong:
        raise Failed(
            FindingCode.AMOUNT_DIFFERS,
            f"{'; '.join(wrong)} (payment {done.payment_id})",
            meaning=f"The amounts do not agree. {context.account().said}",
            todo=resume_and(context, "compare with the processor's dashboard"),
        )


def _told_enough(seen: OrderPayments, total: Money) -> bool:
    """Whether R1 can be judged. What was not read, or is not told, can only add to what was received."""
    if not any(one.taken for one in seen.payments) and seen.named.status in AUTHORISED:
        return False  # nothing was charged yet
    if seen.whole and not seen.untold:
        return True
    told = [one.received for one in seen.counted if one.received is not None]
    other = any(one.currency != total.currency for one in told) or sum(one.minor for one in told) > total.minor
    return other or (seen.untold and seen.whole and seen.asked != total)


def _refuse_odd(context: Context, done: Order, seen: OrderPayments, wrong: list[str], *, equal: bool) -> None:
    """Fail if a payment of the completed order is in a state in which no order may be completed."""
    counted = [one for one in seen.counted if one.taken or not seen.unread]
    odd = next((one for one in counted if one.status is not PAID), None)
    if odd is None or (not equal and odd.status is PaymentStatus.PARTIALLY_CAPTURED):
        return
    known = "" if odd.status.known else ", which this version does not know"
    said = f"payment {odd.payment_id} is {str(odd.status)!r} at the processor{known}"
    none = "" if odd.taken or odd.status not in AUTHORISED else ", and nothing of it was received"
    more = f"; {'; '.join(wrong)}" if wrong else ""
    raise Failed(
        FindingCode.PAYMENT_STATUS if odd.status.known else FindingCode.UNKNOWN_STATUS,
        f"order {done.id} is completed, and {said}{none}{more}",
        meaning=context.account().said,
        todo="Look the payment up at the processor's dashboard, and report it to the backend's makers.",
    )


def _not_completed(context: Context, order: PlacedOrder) -> NoReturn:
    """Raise the finding that fits: paid but not completed, declined, challenge open, not paid, or unknown."""
    seen = cross_check(context, order)
    if seen is None:
        _unseen(context, order)
    _refuse_if_money_may_be_out(context, order, "still pending", seen)
    named, payment = seen.named, f"payment {seen.named.payment_id}"
    if named.status in VOID:
        link_gone(context, order, named)
    if named.status is PaymentStatus.REQUIRES_CUSTOMER_ACTION:
        raise Paused(
            FindingCode.CHALLENGE_OPEN,
            f"the 3-D Secure challenge was left open ({payment})",
            meaning=f"No charge was seen yet. {context.account().said}",
            todo="Resume, and complete or reject the challenge on the page.",
            waiting_for="operator",
        )
    if named.status in {PaymentStatus.FAILED, PaymentStatus.REQUIRES_PAYMENT_METHOD} and named.error_message:
        raise Paused(
            FindingCode.DECLINED,
            f"the card was declined: {named.error_message} ({payment})",
            meaning=f"No charge was seen. {context.account().said}",
            todo="Resume within the page's time to try another card, or end the session with `abandon` when the page "
            "has expired.",
            waiting_for="operator",
        )
    raise Paused(
        FindingCode.NOT_PAID,
        f"order {order.order_id} was not paid: the processor says {named.status} ({payment})",
        meaning=f"No charge was seen. {context.account().said}",
        todo="Resume and pay within the page's time, or end the session with `abandon` when the page has expired.",
        waiting_for="operator",
    )


def _unseen(context: Context, order: PlacedOrder) -> NoReturn:
    observed = f"order {order.order_id} is still pending; whether it was paid was not seen (payment {order.payment_id})"
    meaning = context.account().said
    if context.clock.now() >= context.account().late_after:
        raise Failed(
            FindingCode.NOT_COMPLETED, f"{observed}, 24 hours after the page expired", meaning=meaning, todo=_DASHBOARD
        )
    raise Paused(FindingCode.NOT_COMPLETED, observed, meaning=meaning, todo=_DASHBOARD, waiting_for="completion")


def _paid_not_completed(context: Context, order: PlacedOrder, said: str, seen: OrderPayments) -> NoReturn:
    paid = next(one for one in seen.payments if one.taken)
    observed = (
        f"paid, not completed: the processor has {seen.told('received')} of payment {paid.payment_id} "
        f"({paid.status}), and order {order.order_id} is {said}"
    )
    if seen.came_back:
        raise Failed(
            FindingCode.PAID_NOT_COMPLETED,
            f"{observed}; the processor has paid {seen.returned} back",
            meaning=f"The money came back without the backend. {context.account().said}",
            todo="Report to the backend's makers that the order did not complete.",
        )
    if context.clock.now() - _paid_since(context, order) >= RETRIES:
        raise Failed(
            FindingCode.PAID_NOT_COMPLETED,
            observed + ", 24 hours after the payment was seen",
            meaning=f"The order does not complete any more. {context.account().said}",
            todo="Refund the payment at the processor's dashboard, then resume: the refund is looked for there.",
        )
    raise Paused(
        FindingCode.PAID_NOT_COMPLETED,
        observed,
        meaning=f"Webhooks are retried for 24 hours, so the order may still complete. {context.account().said}",
        todo="Resume later. If it never completes, refund the payment at the processor's dashboard, and resume.",
        waiting_for="completion",
    )


def _paid_since(context: Context, order: PlacedOrder) -> datetime:
    """Return when the processor was first seen to have received the money."""
    own = (one for one in context.account().orders if one.order_id == order.order_id)
    return min((one.at for known in own for one in known.payments if one.received), default=context.clock.now())
