"""Step 9: checks that the money came back, the license is revoked, and the transfer is reversed."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from datetime import datetime
from typing import TypeVar

from veza import License, LicenseStatus, Order, OrderStatus, RefundStatus, VezaError
from veza.money import Money
from veza_e2e.journal import timestamp
from veza_e2e.journal.events import CallIntended
from veza_e2e.journal.findings import FindingCode
from veza_e2e.journal.readings import Compared
from veza_e2e.money.order_account import AccountState
from veza_e2e.ports.payments import OrderPayments
from veza_e2e.steps.arrival import at_processor, disputed, said_back
from veza_e2e.steps.context import Context, TimedOut
from veza_e2e.steps.cross_check import cross_check
from veza_e2e.steps.results import PlacedOrder, RequestedRefund, Revoked
from veza_e2e.steps.reversals import check_reversals
from veza_e2e.steps.rows import over
from veza_e2e.steps.step import Failed, Finding, Paused, step
from veza_e2e.steps.waiting import licenses_said, order_said, waiting_for

T = TypeVar("T")
_AGAIN = "Resume to ask for the refund again, or refund the payment at the processor's dashboard and resume."
_LOOK = "Look the payment up at the processor's dashboard, and refund nothing that came back already; then resume."
_ON_ITS_WAY = frozenset({RefundStatus.REQUESTED, RefundStatus.PENDING, RefundStatus.REVIEW})


@step("revoked", Revoked)
def await_revoked(context: Context, order: PlacedOrder, refund: RequestedRefund) -> Revoked:
    """Read the order until it is refunded and the license until it is revoked (getOrder, listMyLicenses).

    Then compare with the processor (R4, R6) and with the rows (R5). Everything is looked at before anything is judged.
    """
    done = _await_refunded(context, order, refund)
    found: list[Finding | VezaError] = []

    def looked(look: Callable[[], T]) -> T | None:
        """Look, and keep what is found wrong, so that it hides nothing else. Walkthrough 1 stopped at the first."""
        try:
            return look()
        except (Finding, VezaError) as error:
            if context.options.first:
                raise
            found.append(error)
            return None

    licenses = looked(lambda: _await_licenses(context, order)) if context.options.first else None
    seen = looked(lambda: at_processor(context, order, refund, done))
    if not context.options.first:
        licenses = looked(lambda: _await_licenses(context, order))
    looked(lambda: _charge(context, order, seen))
    looked(lambda: check_reversals(context, order, done))
    looked(lambda: _whole(context, order, done, seen))
    if found:
        raise min(found, key=_gravity)
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


def _gravity(found: Finding | VezaError) -> int:
    """What is said first: what leads on to a refund, what failed for good, what is late, what could not be read."""
    if isinstance(found, Failed):
        return 0 if found.finding in {FindingCode.REFUND_FAILED, FindingCode.REFUND_DIFFERS} else 1
    return 2 if isinstance(found, Paused) else 3


def _charge(context: Context, order: PlacedOrder, seen: OrderPayments | None) -> None:
    """Fail if the processor received another amount than the order's. Step 5 compares them, unless it heard nothing."""
    received = None if seen is None else seen.received
    compared = any(isinstance(event, Compared) and event.id == "R1" for event in context.journal.events())
    if seen is None or received is None or received == order.total or compared or context.options.first:
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
    told = said_back(context, order)
    if done.currency != order.currency or (told is not None and told != order.total):
        raise Failed(
            FindingCode.REFUND_DIFFERS,
            f"the order says that {told or 'an amount in ' + done.currency} came back of {order.total}"
            + (f"; the processor says {seen.returned}" if seen is not None else ""),
            meaning=context.account().said,
            todo=_of_the_rest(context),
        )


def _of_the_rest(context: Context) -> str:
    state = AccountState.CHARGED if context.options.first else context.account().state
    if state is AccountState.RETURNED:
        return "Refund nothing more. Report to the backend's makers that the order does not count every refund."
    if state is AccountState.UNKNOWN:
        return "Record each refund that the processor's dashboard lists with `attest dashboard`; then resume."
    return "Compare with the processor's dashboard. Resume to ask for the rest, if all witnesses agree on it."


def _await_refunded(context: Context, order: PlacedOrder, refund: RequestedRefund) -> Order:
    before = _told_before(context)
    try:
        done = context.wait(
            lambda: context.api.orders.get(order.order_id),
            lambda seen: _refund_settled(seen, refund, before),
            timeout=context.options.poll_timeout,
            waiting=waiting_for(context, order, "waiting for the refund"),
            told=order_said,
        )
    except TimedOut:
        seen = None if context.options.first else cross_check(context, order)
        raise _pending(order, refund, seen, context.account().said) from None
    if done.status is OrderStatus.REFUNDED and done.refund_status in {None, RefundStatus.SUCCEEDED}:
        return done
    succeeded = done.refund_status is RefundStatus.SUCCEEDED
    if succeeded and done.status is OrderStatus.COMPLETED and _partly(done) and not context.options.first:
        return done
    failed = done.refund_status is RefundStatus.FAILED
    refused = failed or (done.refund_status is None and done.status is OrderStatus.REFUND_FAILED)
    observed = (
        f"order {done.id} is {str(done.status)!r}, its refund {str(done.refund_status)!r} "
        f"(refund {refund.refund_id}, payment {order.payment_id})"
    )
    if not context.options.first:
        seen = cross_check(context, order)  # what it said before the refund is outdated
        if not refused and (done.status is OrderStatus.DISPUTED or (seen is not None and seen.disputes)):
            raise disputed(context, observed)
        if refused and seen is not None and seen.pending:
            raise _pending(order, refund, seen, context.account().said)
        if refused and seen is not None and seen.came_back:
            refused = False  # the processor has one that did not fail: no other is asked for
            observed += "; " + _at_the_processor(seen)
    raise Failed(
        FindingCode.REFUND_FAILED if refused else FindingCode.UNKNOWN_STATUS,
        observed,
        meaning=context.account().said,
        todo=_AGAIN if refused else _LOOK,
    )


def _partly(done: Order) -> bool:
    """Whether the order tells that a part of it came back."""
    return 0 < (done.refunded_amount_cents or 0) < done.total_amount_cents


def _told_before(context: Context) -> frozenset[str]:
    """The refunds that the order named before the last one was asked for."""
    asked = [
        line
        for line in context.journal.lines
        if isinstance(line.event, CallIntended) and line.event.operation == "requestRefund"
    ]
    if not asked or over(context, datetime.fromisoformat(asked[-1].at)):
        return frozenset()  # no read lags for a day: this order calls all its refunds by one id
    reads = (one for order in context.account().orders for one in order.reads if one.seq < asked[-1].seq)
    return frozenset(one.refund_id for one in reads if one.refund_id is not None)


def _pending(order: PlacedOrder, refund: RequestedRefund, seen: OrderPayments | None, money: str) -> Paused:
    """The refund is under way by a witness's word; say what the processor has of it."""
    over_there = seen is not None and bool(seen.refunds) and not seen.pending and not seen.came_back
    todo = "Resume in a day or two: the refund is only looked at, never asked for again."
    if over_there:
        todo = "The processor has none under way: refund the payment at its dashboard, then resume."
    asked = Money(refund.amount_cents, order.currency)
    return Paused(
        FindingCode.REFUND_PENDING,
        f"refund {refund.refund_id} of {asked} is still pending (payment {order.payment_id})"
        + ("" if seen is None else f"; {_at_the_processor(seen)}"),
        meaning=f"A refund can take days. {money}",
        todo=todo,
        waiting_for="refund",
    )


def _at_the_processor(seen: OrderPayments) -> str:
    """What the processor has of the refunds, for people."""
    listed = ", ".join(f"refund {one.refund_id} of {one.amount} {one.status}" for one in seen.refunds)
    return f"the processor lists {listed or 'no refund'}"


def _refund_settled(seen: Order, refund: RequestedRefund, before: Container[str | None]) -> bool:
    """Whether the order shows how the refund ended. A stale read, from before the request, does not count."""
    if seen.status is OrderStatus.COMPLETED and seen.refund_status is None:
        return False
    earlier = seen.refund_id in before and seen.refund_id != refund.refund_id
    if earlier and (seen.refund_status is RefundStatus.FAILED or _partly(seen)):
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
