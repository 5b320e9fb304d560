"""Whether the refund arrived, by the processor's word (R4, R6). Late is not missing, for 24 hours."""

from __future__ import annotations

from veza import Order, RefundStatus
from veza.money import Money
from veza_e2e.journal.events import CallIntended
from veza_e2e.journal.findings import FindingCode
from veza_e2e.money.payment_states import VOIDED
from veza_e2e.ports.payments import OrderPayments
from veza_e2e.steps.context import Context, TimedOut
from veza_e2e.steps.cross_check import cross_check
from veza_e2e.steps.results import PlacedOrder, RequestedRefund
from veza_e2e.steps.rows import over, refund_seen_at
from veza_e2e.steps.step import Failed, Paused
from veza_e2e.steps.waiting import waiting_for


def at_processor(context: Context, order: PlacedOrder, refund: RequestedRefund, done: Order) -> OrderPayments | None:
    """Compare R4 and R6 with the processor, if it answers. What it does not tell is not compared."""
    seen = _heard(context, order, refund, done)
    if seen is None:
        return None
    back = [one for one in seen.refunds if one.status is RefundStatus.SUCCEEDED]
    voided = [one.payment_id for one in seen.payments if one.status == VOIDED]
    ours = {one.payment_id for one in seen.payments} | {one.payment_id for one in seen.unread}
    returned = {*voided, *(one.payment_id for one in back)}
    payments = ", ".join(sorted(returned)) or "none"
    named = payments if returned and returned <= ours else ", ".join(sorted(ours))
    sides, equal = (seen.told("received"), seen.told("returned")), True
    if not _lags(context, order, done, seen):
        equal = context.compare("R6", named, payments, *seen.calls)
        known = seen.received is not None and seen.returned is not None
        # What was not read may have come back less, never more; what is not told is not compared.
        if not seen.untold and (seen.whole or sides[0] != sides[1]):
            equal = context.compare("R4", *sides, *seen.calls, context.call("getOrder"), known=known) and equal
    if seen.disputes and not context.options.first:
        states = ", ".join(seen.disputes)
        raise disputed(context, f"the processor has a dispute on a payment of order {done.id} ({states})")
    if not equal:
        raise Failed(
            FindingCode.REFUND_DIFFERS,
            f"the processor refunded {sides[1]} of {sides[0]} received (refund {refund.refund_id}, payment {payments})",
            meaning=context.account().said,
            todo="Compare with the processor's dashboard.",
        )
    return seen


def _heard(context: Context, order: PlacedOrder, refund: RequestedRefund, done: Order) -> OrderPayments | None:
    """Return what the processor tells; None if it is silent. Waits while its refund is pending, or lags."""
    last: OrderPayments | None = None

    def read() -> OrderPayments | None:
        nonlocal last
        last = cross_check(context, order)
        return last

    def settled(seen: OrderPayments | None) -> bool:
        if seen is None or context.options.first:
            return True
        return not seen.pending and (bool(seen.disputes) or not _lags(context, order, done, seen))

    try:
        waiting = waiting_for(context, order, "waiting for the refund at the processor")
        seen = context.wait(read, settled, timeout=context.options.grace, waiting=waiting)
    except TimedOut:
        if last is not None and not last.pending:
            told = said_back(context, order) or order.total
            raise _not_there_yet(context, done, refund, last.told("returned"), told) from None
        raise _still_pending(context, done, refund) from None
    if seen is not None and seen.untold_refunds and not seen.disputes:
        seen = None  # of the refund it says nothing
    if seen is None:
        _refuse_last_pending(context, order, done, refund)
    return seen


def _lags(context: Context, order: PlacedOrder, done: Order, seen: OrderPayments) -> bool:
    """Whether the processor does not list yet what the order says came back. Late is not missing, for 24 hours.

    A refund that it does list is its word, however much that brought back.
    """
    if not context.options.first and seen.untold_refunds:
        return not over(context, refund_seen_at(context))
    told, back = said_back(context, order) or order.total, seen.returned
    if context.options.first or back is None or back.currency != told.currency or back >= told:
        return False
    lines = context.journal.lines
    asked = [one.seq for one in lines if isinstance(e := one.event, CallIntended) and e.operation == "requestRefund"]
    reads = [one for each in context.account().orders for one in each.payments if one.seq < max(asked, default=0)]
    before = {refund.refund_id for one in reads for refund in one.refunds}
    listed = {one.refund_id for one in seen.refunds}
    return done.refund_id not in listed and listed <= before and not over(context, refund_seen_at(context))


def _refuse_last_pending(context: Context, order: PlacedOrder, done: Order, refund: RequestedRefund) -> None:
    """Pause if the processor, which is silent now, last said that the refund had not ended, or had not arrived."""
    if context.options.first:
        return
    account = context.account()
    if any(one.read_by_hand for one in account.orders):
        return
    figures = account.figures("refunded")
    if any(one.by == "processor" and one.pending for one in figures):
        raise _still_pending(context, done, refund, silent=True)
    since = max((one.since or one.seq for one in figures if one.by == "backend"), default=0)
    last = [one.amount for one in figures if one.by == "processor" and one.amount is not None and one.seq > since]
    told = said_back(context, order) or order.total
    if any(one.currency == told.currency and one < told for one in last) and not over(context, refund_seen_at(context)):
        raise _not_there_yet(context, done, refund, str(last[0]), told)


def _still_pending(context: Context, done: Order, refund: RequestedRefund, *, silent: bool = False) -> Paused:
    by_hand = (
        "Resume when the processor answers. Without its key look at its dashboard, and record how the refund ended "
        "with `attest dashboard`; then resume."
    )
    return Paused(
        FindingCode.REFUND_PENDING,
        f"order {done.id} is {done.status}; at the processor refund {refund.refund_id} "
        + ("had not ended when it last answered" if silent else "has not ended"),
        meaning=context.account().said,
        todo=by_hand if silent else "Resume in a day or two: the refund is only looked at, never asked for again.",
        waiting_for="refund",
    )


def _not_there_yet(context: Context, done: Order, refund: RequestedRefund, back: str, told: Money) -> Paused:
    return Paused(
        FindingCode.REFUND_PENDING,
        f"order {done.id} is {done.status}; the processor shows {back} of {told} back so far "
        f"(refund {refund.refund_id}, payment {done.payment_id})",
        meaning=context.account().said,
        todo="Resume later: the processor may lag 24 hours behind the order. The refund is only looked at.",
        waiting_for="refund",
    )


def said_back(context: Context, order: PlacedOrder) -> Money | None:
    """Return what the backend last said came back of the order; None if it does not tell."""
    known = next((one for one in context.account().orders if one.order_id == order.order_id), None)
    figures = known.refunded if known is not None else ()
    return next((one.amount for one in figures if one.by == "backend"), None)


def disputed(context: Context, observed: str) -> Failed:
    """A dispute beside the refund."""
    return Failed(
        FindingCode.DISPUTE_OPENED,
        observed,
        meaning=f"The buyer may get the money twice. {context.account().said}",
        todo="Answer the dispute at the processor's dashboard, and say there what was refunded.",
    )
