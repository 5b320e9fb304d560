"""Step 8: requests the refund."""

from __future__ import annotations

from typing import NoReturn

from veza import (
    APIConnectionError,
    ConflictError,
    InternalServerError,
    InvalidResponseError,
    Order,
    OrderStatus,
    RefundedOrder,
    RefundStatus,
)
from veza.money import Money
from veza_e2e.journal.events import Answered, SessionResumed
from veza_e2e.journal.findings import FindingCode
from veza_e2e.ports.processor import returned
from veza_e2e.steps.context import Context
from veza_e2e.steps.cross_check import cross_check
from veza_e2e.steps.in_doubt import open_doubt, recorded_answer
from veza_e2e.steps.results import PlacedOrder, RequestedRefund
from veza_e2e.steps.step import Failed, Paused, Skipped, step

REASON = "payment walkthrough"
_LOST_ANSWER = (APIConnectionError, InternalServerError, InvalidResponseError)
_ASKED_FOR = frozenset({OrderStatus.REFUND_PENDING, OrderStatus.REFUNDED, OrderStatus.REFUND_FAILED})


@step("refund", RequestedRefund)
def refund_order(context: Context, order: PlacedOrder) -> RequestedRefund:
    """Request one full refund (operation requestRefund)."""
    doubt = open_doubt(context, "requestRefund")
    current = context.wait(lambda: context.api.orders.get(order.order_id), lambda _: True, timeout=60)
    if current.status in _ASKED_FOR or (doubt is not None and current.refund_id is not None):
        return _requested(current)
    if doubt is not None and (recorded := _recorded(context, order)):
        return recorded
    if current.status is not OrderStatus.COMPLETED:
        _not_refundable(context, order, current)
    if doubt is None and not _wanted(context, order):
        raise Skipped("the operator kept the purchase; the refund stays open")
    key = doubt.key if doubt is not None and context.options.idempotency else None
    return _request(context, order, key or context.ids.key())


def _recorded(context: Context, order: PlacedOrder) -> RequestedRefund | None:
    """Return the refund from the recorded response, if the order does not show it yet."""
    answer = recorded_answer(context, "requestRefund")
    try:
        refund = None if answer is None else RefundedOrder.model_validate(answer).refund
    except ValueError:
        return None
    if refund is None:
        return None
    return RequestedRefund(refund.id, str(refund.status), refund.amount_cents, order.currency)


def _wanted(context: Context, order: PlacedOrder) -> bool:
    options = context.options
    if (said := _answered(context)) is not None:
        return said
    if options.refund is not None and not (options.resumed and options.refund is False):
        return options.refund
    if options.unattended:
        return options.resumed
    text = f"Refund {order.total} of order {order.order_id}?"
    if not options.live:
        return context.yes("refund", text)
    known = {"refund": True, "keep": False}
    answer = context.ask(
        "refund",
        f"{text} Type `refund` or `keep`",
        lambda typed: None if typed in known else "There is no default: type refund or keep.",
    )
    return known[answer]


def _answered(context: Context) -> bool | None:
    """Return the operator's answer in this process, so that waiting for a rate limit does not ask again."""
    for event in reversed(list(context.journal.events())):
        if isinstance(event, SessionResumed):
            return None
        if isinstance(event, Answered) and event.question == "refund":
            return event.answer.lower() in {"y", "yes", "refund"}
    return None


def _request(context: Context, order: PlacedOrder, key: str) -> RequestedRefund:
    try:
        accepted = context.api.orders.refund(order.order_id, reason=REASON, idempotency_key=key)
    except (*_LOST_ANSWER, ConflictError) as error:
        return _settle(context, order, error)
    refund = accepted.refund
    return RequestedRefund(refund.id, str(refund.status), refund.amount_cents, order.currency)


def _settle(context: Context, order: PlacedOrder, error: Exception) -> RequestedRefund:
    """Read the order first, since the refund may have been accepted."""
    current, _ = context.glance(lambda: context.api.orders.get(order.order_id))
    if current is not None and current.refund_id is not None and current.status in _ASKED_FOR:
        return _requested(current)
    if isinstance(error, ConflictError):
        raise Paused(
            FindingCode.REFUND_REFUSED,
            f"the backend does not accept the request for the refund: {error}",
            meaning=f"The card was charged {order.total}; no refund was seen (payment {order.payment_id}).",
            todo="Resume to ask again, or refund the payment at the processor's dashboard.",
            waiting_for="refund",
        ) from error
    raise Paused(
        FindingCode.REFUND_IN_DOUBT,
        f"the request for the refund was not answered ({error}), and the order shows no refund",
        meaning=f"The card was charged {order.total}; whether it comes back is not known (payment {order.payment_id}).",
        todo="Resume: the order is read first, and the refund is asked for again only if there is none.",
        waiting_for="refund",
    ) from error


def _requested(current: Order) -> RequestedRefund:
    status = current.refund_status or (
        RefundStatus.SUCCEEDED if current.status is OrderStatus.REFUNDED else RefundStatus.PENDING
    )
    return RequestedRefund(current.refund_id or "", str(status), current.total_amount_cents, current.currency)


def _not_refundable(context: Context, order: PlacedOrder, current: Order) -> NoReturn:
    """Pause or fail because the backend cannot refund; first look for a refund that was made elsewhere."""
    seen = cross_check(context, order)
    charged = None if seen is None else Money(seen.amount_received, seen.currency)
    told = f"order {current.id} is {str(current.status)!r}"
    if seen is not None and charged and returned(seen) >= charged:
        raise Failed(
            FindingCode.REFUNDED_ELSEWHERE,
            f"{told}; the processor has paid {returned(seen)} of payment {seen.payment_id} back",
            meaning=f"The card was charged {charged}, and {returned(seen)} came back, without the backend.",
            todo="Report to the backend's makers that the order does not say so.",
        )
    if current.status is OrderStatus.PENDING_PAYMENT:
        raise Paused(
            FindingCode.NOT_REFUNDABLE_YET,
            f"{told}, so the backend cannot refund it",
            meaning=f"Payment {current.payment_id} may have been charged.",
            todo="Resume later, or refund the payment at the processor's dashboard and resume.",
            waiting_for="completion",
        )
    disputed = current.status is OrderStatus.DISPUTED
    known = disputed or bool(charged)
    raise Failed(
        FindingCode.DISPUTE_OPENED if disputed else FindingCode.NOT_REFUNDABLE,
        f"{told}, so it cannot be refunded through the backend",
        meaning=f"Payment {current.payment_id} was charged and did not come back."
        if known
        else f"Whether payment {current.payment_id} was charged is not known.",
        todo="Settle it at the processor's dashboard, then resume.",
    )
