"""Step 8: requests the refund."""

from __future__ import annotations

from collections.abc import Mapping
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
from veza_e2e.journal import timestamp
from veza_e2e.journal.events import Answered, SessionResumed
from veza_e2e.journal.findings import FindingCode
from veza_e2e.money.doubt import CARRIED_OUT
from veza_e2e.money.figures import UNDER_WAY
from veza_e2e.money.order_account import AccountState
from veza_e2e.ports.payments import OrderPayments
from veza_e2e.ports.screen import plain
from veza_e2e.steps.context import Context
from veza_e2e.steps.cross_check import cross_check
from veza_e2e.steps.in_doubt import REFUSALS, Doubt, may_send_again, nothing_seen_since, open_doubt, recorded_answer
from veza_e2e.steps.rest import in_doubt, rest_of
from veza_e2e.steps.results import PlacedOrder, RequestedRefund
from veza_e2e.steps.step import Failed, Paused, Skipped, step
from veza_e2e.steps.waiting import waiting_for

REASON = "payment walkthrough"
_LOST_ANSWER = (APIConnectionError, InternalServerError, InvalidResponseError)
_KNOWN = frozenset({None, RefundStatus.SUCCEEDED, RefundStatus.FAILED, *UNDER_WAY})
_ASKED_FOR = frozenset({OrderStatus.REFUND_PENDING, OrderStatus.REFUNDED, OrderStatus.REFUND_FAILED})


@step("refund", RequestedRefund)
def refund_order(context: Context, order: PlacedOrder) -> RequestedRefund:
    """Request the refund of what is still open (operation requestRefund), unless one is under way."""
    doubt = open_doubt(context, "requestRefund")
    waiting = waiting_for(context, order, "reading the order before the refund")
    current = context.wait(lambda: context.api.orders.get(order.order_id), lambda _: True, timeout=60, waiting=waiting)
    if doubt is not None and current.refund_id is None and (recorded := _recorded(context, order)):
        return recorded
    seen = None
    if not context.options.first:
        seen = cross_check(context, order)
        _refuse_dispute(context, current, seen)
    if _under_way(context, current, seen) or (doubt is not None and _has_refund(current)):
        return _requested(context, current, seen)
    if current.status is not OrderStatus.COMPLETED and not _failed_before(current):
        _not_refundable(context, current, seen or cross_check(context, order))
    if seen is not None and seen.came_back:
        _refunded_elsewhere(context, current, seen)
    if not context.options.first and current.refund_status not in _KNOWN:
        _refuse_unknown(context, current)
    _refuse_in_doubt(context, order, doubt, seen)
    key = doubt.key if doubt is not None and may_send_again(context, doubt) else None
    asked = doubt is None or (key is None and not context.options.first)
    rest = rest_of(context, current)
    if asked and not _wanted(context, order, rest):  # with another key the processor takes it for another refund
        raise Skipped(f"{_kept_by(context)}; the refund stays open")
    return _request(context, order, key or context.ids.key(), rest)


def _refuse_in_doubt(context: Context, order: PlacedOrder, doubt: Doubt | None, seen: OrderPayments | None) -> None:
    """Pause while a request may have been carried out: with its key it may be repeated, else a witness has to tell.

    The order alone is no witness: a backend may lose a refund that the processor carried out.
    """
    if context.options.first:
        return
    if seen is not None and seen.unread and seen.returned:
        raise in_doubt(
            context, order.order_id, f"{seen.returned} came back, and the processor did not tell {seen.unread[0].told}"
        )
    if doubt is None or may_send_again(context, doubt):
        return
    if seen is not None and not seen.unread:
        if not doubt.settled(context.clock.now()):
            after = timestamp(doubt.last + CARRIED_OUT)
            raise in_doubt(
                context, order.order_id, f"the processor has none yet, and may still be asked for it until {after}"
            )
    elif not nothing_seen_since(context, doubt):
        raise in_doubt(context, order.order_id, "the processor did not say whether it has the refund")


def _under_way(context: Context, current: Order, seen: OrderPayments | None) -> bool:
    """Whether a refund is pending, or came back whole: then none is asked for again."""
    if current.status is OrderStatus.REFUND_PENDING or current.refund_status in UNDER_WAY:
        return True
    if seen is not None and seen.pending:
        return True
    succeeded = current.status is OrderStatus.COMPLETED and current.refund_status is RefundStatus.SUCCEEDED
    whole = current.status is OrderStatus.REFUNDED and current.refund_status in {None, RefundStatus.SUCCEEDED}
    if whole or (succeeded and not context.options.first):
        # A part of it may be missing. Unless every witness agrees on how much, the refund is only looked at.
        account = context.account()
        # What other payments hold is not the backend's to refund.
        return account.state is not AccountState.CHARGED or not account.refundable or context.options.first
    if context.options.first:
        return current.status in _ASKED_FOR
    return False


def _refuse_unknown(context: Context, current: Order) -> NoReturn:
    raise Failed(
        FindingCode.UNKNOWN_STATUS,
        f"order {current.id} is {str(current.status)!r}, its refund {str(current.refund_status)!r}",
        meaning=f"Whether that refund may still succeed is not known. {context.account().said}",
        todo="Look the payment up at the processor's dashboard; if nothing comes back, refund it there, then resume.",
    )


def _has_refund(current: Order) -> bool:
    return current.refund_id is not None and current.refund_status is not RefundStatus.FAILED


def _failed_before(current: Order) -> bool:
    partly = current.status is OrderStatus.REFUNDED
    return partly or current.status is OrderStatus.REFUND_FAILED or current.refund_status is RefundStatus.FAILED


def _refuse_dispute(context: Context, current: Order, seen: OrderPayments | None) -> None:
    if seen is not None and seen.disputes:
        raise Failed(
            FindingCode.DISPUTE_OPENED,
            f"the processor has a dispute on a payment of order {current.id} ({', '.join(seen.disputes)})",
            meaning=f"The card's bank holds the money until the dispute is settled. {context.account().said}",
            todo="Answer the dispute at the processor's dashboard. Do not refund on top of it.",
        )


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


def _wanted(context: Context, order: PlacedOrder, rest: int | None) -> bool:
    options = context.options
    if (said := _answered(context)) is not None:
        return said
    if options.refund is not None and not (options.resumed and options.refund is False):
        return options.refund
    if options.unattended:
        return options.resumed
    account = context.account()
    held = "".join(
        f" Payment {plain(name)} holds {money} more: not this refund." for name, money in account.elsewhere.items()
    )
    asked = account.refundable or order.total if rest is None else Money(rest, order.currency)
    text = f"Refund {asked} of order {plain(order.order_id)}?{held}"
    if not options.live:
        return context.yes("refund", text)
    known = {"refund": True, "keep": False}
    answer = context.ask(
        "refund",
        f"{text} Type `refund` or `keep`",
        lambda typed: None if typed in known else "There is no default: type refund or keep.",
    )
    return known[answer]


def _kept_by(context: Context) -> str:
    """Return who kept the purchase. A recording of walkthrough 1 says that of the operator whoever it was."""
    if context.options.first or _answered(context) is not None:
        return "the operator kept the purchase"
    return "the run was started without a refund, so the purchase is kept"


def _answered(context: Context) -> bool | None:
    """Return the operator's answer in this process, so that waiting for a rate limit does not ask again."""
    for event in reversed(list(context.journal.events())):
        if isinstance(event, SessionResumed):
            return None
        if isinstance(event, Answered) and event.question == "refund":
            return event.answer.lower() in {"y", "yes", "refund"}
    return None


def _request(context: Context, order: PlacedOrder, key: str, amount_cents: int | None) -> RequestedRefund:
    try:
        if amount_cents is None:
            accepted = context.api.orders.refund(order.order_id, reason=REASON, idempotency_key=key)
        else:
            accepted = context.api.orders.refund(
                order.order_id, reason=REASON, amount_cents=amount_cents, idempotency_key=key
            )
    except (*_LOST_ANSWER, ConflictError) as error:
        return _settle(context, order, error)
    except REFUSALS as error:
        if open_doubt(context, "requestRefund") is None:
            raise
        return _settle(context, order, error)  # an earlier try of the same request may have been carried out
    refund = accepted.refund
    return RequestedRefund(refund.id, str(refund.status), refund.amount_cents, order.currency)


def _settle(context: Context, order: PlacedOrder, error: Exception) -> RequestedRefund:
    """Read the order first, since the refund may have been accepted."""
    current, _ = context.glance(lambda: context.api.orders.get(order.order_id))
    if current is not None and current.refund_id is not None and current.status in _ASKED_FOR:
        return _requested(context, current, None)
    if isinstance(error, ConflictError):
        raise Paused(
            FindingCode.REFUND_REFUSED,
            f"the backend does not accept the request for the refund: {error}",
            meaning=context.account().said,
            todo="Resume: order and processor are read first. Or refund the payment at the processor's dashboard, "
            "then resume.",
            waiting_for="refund",
        ) from error
    raise in_doubt(context, order.order_id, str(error)) from error


def _requested(context: Context, current: Order, seen: OrderPayments | None) -> RequestedRefund:
    known = [*seen.pending, *seen.refunds] if seen is not None else []
    status = current.refund_status or (
        RefundStatus.SUCCEEDED if current.status is OrderStatus.REFUNDED else RefundStatus.PENDING
    )
    refund_id = current.refund_id or next((one.refund_id for one in known), "")
    listed = [one.amount.minor for one in known if one.refund_id == refund_id]
    answer = None if context.options.first else recorded_answer(context, "requestRefund")
    told = answer.get("refund") if isinstance(answer, Mapping) else None
    own = told.get("amount_cents") if isinstance(told, Mapping) and told.get("id") == refund_id else None
    amount = next(iter(listed), own if isinstance(own, int) else current.total_amount_cents)
    return RequestedRefund(refund_id, str(status), amount, current.currency)


def _refunded_elsewhere(context: Context, current: Order, seen: OrderPayments) -> NoReturn:
    raise Failed(
        FindingCode.REFUNDED_ELSEWHERE,
        f"order {current.id} is {str(current.status)!r}; the processor has paid {seen.returned} of payment "
        f"{seen.named.payment_id} back",
        meaning=f"The money came back without the backend. {context.account().said}",
        todo="Report to the backend's makers that the order does not say so.",
    )


def _not_refundable(context: Context, current: Order, seen: OrderPayments | None) -> NoReturn:
    """Pause or fail because the backend cannot refund; first look for a refund that was made elsewhere."""
    if seen is not None and seen.came_back:
        _refunded_elsewhere(context, current, seen)
    told = f"order {current.id} is {str(current.status)!r}"
    meaning = context.account().said
    if current.status is OrderStatus.PENDING_PAYMENT:
        raise Paused(
            FindingCode.NOT_REFUNDABLE_YET,
            f"{told}, so the backend cannot refund it",
            meaning=meaning,
            todo="Resume later, or refund the payment at the processor's dashboard and resume.",
            waiting_for="completion",
        )
    disputed = current.status is OrderStatus.DISPUTED
    raise Failed(
        FindingCode.DISPUTE_OPENED if disputed else FindingCode.NOT_REFUNDABLE,
        f"{told}, so it cannot be refunded through the backend",
        meaning=meaning,
        todo="Settle it at the processor's dashboard, then resume.",
    )
