"""Step 9: checks that the money came back, the license is revoked, and the transfer is reversed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from veza import License, LicenseStatus, Order, OrderStatus, RefundStatus
from veza.money import Money
from veza_e2e.journal import timestamp
from veza_e2e.journal.events import CallIntended
from veza_e2e.journal.findings import FindingCode
from veza_e2e.journal.readings import Compared
from veza_e2e.money.payment_states import VOIDED
from veza_e2e.ports.payments import OrderPayments
from veza_e2e.steps.context import Context, TimedOut
from veza_e2e.steps.cross_check import cross_check
from veza_e2e.steps.results import PlacedOrder, RequestedRefund, Revoked
from veza_e2e.steps.reversals import check_reversals
from veza_e2e.steps.rows import over, refund_seen_at
from veza_e2e.steps.step import Failed, Finding, Paused, step
from veza_e2e.steps.waiting import licenses_said, order_said, waiting_for

T = TypeVar("T")
_FAILED = frozenset({RefundStatus.FAILED})
_AGAIN = "Resume to ask for the refund again, or refund the payment at the processor's dashboard and resume."
_LOOK = "Look the payment up at the processor's dashboard, and refund nothing that came back already; then resume."
_ON_ITS_WAY = frozenset({RefundStatus.REQUESTED, RefundStatus.PENDING, RefundStatus.REVIEW})


@step("revoked", Revoked)
def await_revoked(context: Context, order: PlacedOrder, refund: RequestedRefund) -> Revoked:
    """Read the order until it is refunded and the license until it is revoked (getOrder, listMyLicenses).

    Then compare with the processor (R4, R6) and with the rows (R5). Everything is looked at before anything is judged.
    """
    done = _await_refunded(context, order, refund)
    findings: list[Finding] = []

    def looked(look: Callable[[], T]) -> T | None:
        """Look, and keep what is found wrong, so that it hides nothing else. Walkthrough 1 stopped at the first."""
        try:
            return look()
        except Finding as finding:
            if context.options.walkthrough == 1:
                raise
            findings.append(finding)
            return None

    licenses = looked(lambda: _await_licenses(context, order)) or []
    seen = looked(lambda: _at_processor(context, order, refund, done))
    looked(lambda: _charge(context, order, seen))
    looked(lambda: check_reversals(context, order, done))
    looked(lambda: _whole(context, order, done, seen))
    if findings:
        raise next((one for one in findings if isinstance(one, Failed)), findings[0])
    last = licenses[0] if licenses else None
    told = context.account().refunded
    return Revoked(
        order_status=str(done.status),
        refund_status=None if done.refund_status is None else str(done.refund_status),
        refunded_cents=None if told is None else told.minor,
        currency=done.currency,
        license_id=last.id if last else None,
        license_status=str(last.status) if last else None,
        revoked_at=timestamp(last.revoked_at) if last and last.revoked_at else None,
        refunded_at=timestamp(done.refunded_at) if done.refunded_at else None,
    )


def _charge(context: Context, order: PlacedOrder, seen: OrderPayments | None) -> None:
    """Fail if the processor received another amount than the order's. Step 5 compares them, unless it heard nothing."""
    received = None if seen is None else seen.received
    compared = any(isinstance(event, Compared) and event.id == "R1" for event in context.journal.events())
    if seen is None or received is None or received == order.total or compared or context.options.walkthrough == 1:
        return
    if not seen.whole and received.currency == order.total.currency and received < order.total:
        return  # what was not read can only add to it
    raise Failed(
        FindingCode.AMOUNT_DIFFERS,
        f"the order's total is {order.total}, the processor received {received} (payment {order.payment_id})",
        meaning=f"The amounts do not agree. {context.account().said}",
        todo="Compare with the processor's dashboard.",
    )


def _whole(context: Context, order: PlacedOrder, done: Order, seen: OrderPayments | None) -> None:
    """Fail unless what came back is the charge, as far as it is told."""
    told = _said_back(context, order)
    if done.currency != order.currency or (told is not None and told != order.total):
        raise Failed(
            FindingCode.REFUND_DIFFERS,
            f"the order says that {told or 'an amount in ' + done.currency} came back of {order.total}"
            + (f"; the processor says {seen.returned}" if seen is not None else ""),
            meaning=context.account().said,
            todo="Compare with the processor's dashboard. Resume to ask for the rest, if all witnesses agree on it.",
        )


def _said_back(context: Context, order: PlacedOrder) -> Money | None:
    """Return what the backend last said came back of the order; None if it does not tell."""
    known = next((one for one in context.account().orders if one.order_id == order.order_id), None)
    figures = known.refunded if known is not None else ()
    return next((one.amount for one in figures if one.by == "backend"), None)


def _await_refunded(context: Context, order: PlacedOrder, refund: RequestedRefund) -> Order:
    try:
        done = context.wait(
            lambda: context.api.orders.get(order.order_id),
            _refund_settled,
            timeout=context.options.poll_timeout,
            waiting=waiting_for(context, order, "waiting for the refund"),
            told=order_said,
        )
    except TimedOut:
        raise Paused(
            FindingCode.REFUND_PENDING,
            f"refund {refund.refund_id} of {order.total} is still pending (payment {order.payment_id})",
            meaning=f"A refund can take days. {context.account().said}",
            todo="Resume in a day or two: the refund is only looked at, never asked for again.",
            waiting_for="refund",
        ) from None
    if done.status is OrderStatus.REFUNDED and done.refund_status in {None, RefundStatus.SUCCEEDED}:
        return done
    refused = done.refund_status in _FAILED or (
        done.refund_status is not RefundStatus.SUCCEEDED
        and done.status in {OrderStatus.REFUND_FAILED, OrderStatus.COMPLETED}
    )
    observed = (
        f"order {done.id} is {str(done.status)!r}, its refund {str(done.refund_status)!r} "
        f"(refund {refund.refund_id}, payment {order.payment_id})"
    )
    if context.options.walkthrough > 1:
        seen = cross_check(context, order)  # what it said before the refund is outdated
        if not refused and (done.status is OrderStatus.DISPUTED or (seen is not None and seen.disputes)):
            raise _disputed(context, observed)
    raise Failed(
        FindingCode.REFUND_FAILED if refused else FindingCode.UNKNOWN_STATUS,
        observed,
        meaning=context.account().said,
        todo=_AGAIN if refused else _LOOK,
    )


def _disputed(context: Context, observed: str) -> Failed:
    return Failed(
        FindingCode.DISPUTE_OPENED,
        observed,
        meaning=f"The buyer may get the money twice. {context.account().said}",
        todo="Answer the dispute at the processor's dashboard, and say there what was refunded.",
    )


def _refund_settled(seen: Order) -> bool:
    """Whether the order shows how the refund ended. A stale read, from before the request, does not count."""
    if seen.status is OrderStatus.COMPLETED and seen.refund_status is None:
        return False
    under_way = seen.status in {OrderStatus.COMPLETED, OrderStatus.REFUNDED} and seen.refund_status in _ON_ITS_WAY
    return not under_way and seen.status is not OrderStatus.REFUND_PENDING


def _await_licenses(context: Context, order: PlacedOrder) -> Sequence[License]:
    def ours() -> list[License]:
        return [one for one in context.api.licenses.mine(order_id=order.order_id) if one.order_id == order.order_id]

    def gone(licenses: Sequence[License]) -> bool:
        return all(one.status is LicenseStatus.REVOKED for one in licenses)

    try:
        waiting = waiting_for(context, order, "waiting for the license to be revoked")
        return context.wait(ours, gone, timeout=context.options.grace, waiting=waiting, told=licenses_said)
    except TimedOut:
        raise Failed(
            FindingCode.LICENSE_NOT_REVOKED,
            f"the order is refunded, but a license of order {order.order_id} is not revoked "
            f"after {context.options.grace:.0f} s",
            meaning=f"The buyer still holds the license. {context.account().said}",
            todo="Report it to the backend's makers.",
        ) from None


def _refuse_last_pending(context: Context, order: PlacedOrder, done: Order, refund: RequestedRefund) -> None:
    """Pause if the processor, which is silent now, last said that the refund had not ended, or had not arrived."""
    if context.options.walkthrough == 1:
        return
    account = context.account()
    if any(one.read_by_hand for one in account.orders):
        return
    figures = account.figures("refunded")
    if any(one.by == "processor" and one.pending for one in figures):
        raise _still_pending(context, done, refund, silent=True)
    since = max((one.since or one.seq for one in figures if one.by == "backend"), default=0)
    last = [one.amount for one in figures if one.by == "processor" and one.amount is not None and one.seq > since]
    told = _said_back(context, order) or order.total
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


def _lags(context: Context, order: PlacedOrder, done: Order, seen: OrderPayments) -> bool:
    """Whether the processor does not list yet what the order says came back. Late is not missing, for 24 hours.

    A refund that it does list is its word, however much that brought back.
    """
    told, back = _said_back(context, order) or order.total, seen.returned
    if context.options.walkthrough == 1 or back is None or back.currency != told.currency or back >= told:
        return False
    lines = context.journal.lines
    asked = [one.seq for one in lines if isinstance(e := one.event, CallIntended) and e.operation == "requestRefund"]
    reads = [one for each in context.account().orders for one in each.payments if one.seq < max(asked, default=0)]
    before = {refund.refund_id for one in reads for refund in one.refunds}
    listed = {one.refund_id for one in seen.refunds}
    return done.refund_id not in listed and listed <= before and not over(context, refund_seen_at(context))


def _heard(context: Context, order: PlacedOrder, refund: RequestedRefund, done: Order) -> OrderPayments | None:
    """Return what the processor tells; None if it is silent. Waits while its refund is pending, or lags."""
    last: OrderPayments | None = None

    def read() -> OrderPayments | None:
        nonlocal last
        last = cross_check(context, order)
        return last

    def settled(seen: OrderPayments | None) -> bool:
        if seen is None or context.options.walkthrough == 1:
            return True
        return not seen.pending and (bool(seen.disputes) or not _lags(context, order, done, seen))

    try:
        waiting = waiting_for(context, order, "waiting for the refund at the processor")
        seen = context.wait(read, settled, timeout=context.options.grace, waiting=waiting)
    except TimedOut:
        if last is not None and not last.pending:
            told = _said_back(context, order) or order.total
            raise _not_there_yet(context, done, refund, last.told("returned"), told) from None
        raise _still_pending(context, done, refund) from None
    if seen is None:
        _refuse_last_pending(context, order, done, refund)
    return seen


def _at_processor(context: Context, order: PlacedOrder, refund: RequestedRefund, done: Order) -> OrderPayments | None:
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
    if not seen.disputes or not _lags(context, order, done, seen):
        equal = context.compare("R6", named, payments, *seen.calls)
        known = seen.received is not None and seen.returned is not None
        # What was not read may have come back less, never more; what is not told is not compared.
        if not seen.untold and (seen.whole or sides[0] != sides[1]):
            equal = context.compare("R4", *sides, *seen.calls, context.call("getOrder"), known=known) and equal
    if seen.disputes and context.options.walkthrough > 1:
        states = ", ".join(seen.disputes)
        raise _disputed(context, f"the processor has a dispute on a payment of order {done.id} ({states})")
    if not equal:
        raise Failed(
            FindingCode.REFUND_DIFFERS,
            f"the processor refunded {sides[1]} of {sides[0]} received (refund {refund.refund_id}, payment {payments})",
            meaning=context.account().said,
            todo="Compare with the processor's dashboard.",
        )
    return seen
