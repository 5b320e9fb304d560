"""Step 9: checks that the money came back, the license is revoked, and the transfer is reversed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from veza import License, LicenseStatus, Order, OrderStatus, RefundStatus
from veza.money import Money
from veza_e2e.canonical import JSON
from veza_e2e.journal import timestamp
from veza_e2e.journal.findings import FindingCode
from veza_e2e.steps.context import Context, TimedOut
from veza_e2e.steps.cross_check import cross_check
from veza_e2e.steps.results import PlacedOrder, RequestedRefund, Revoked
from veza_e2e.steps.rows import read_rows
from veza_e2e.steps.step import Failed, Paused, step

_FAILED = frozenset({RefundStatus.FAILED})
_ON_ITS_WAY = frozenset({RefundStatus.REQUESTED, RefundStatus.PENDING, RefundStatus.REVIEW})


@step("revoked", Revoked)
def await_revoked(context: Context, order: PlacedOrder, refund: RequestedRefund) -> Revoked:
    """Read the order until it is refunded and the license until it is revoked (getOrder, listMyLicenses)."""
    done = _await_refunded(context, order, refund)
    licenses = _await_licenses(context, order)
    returned = _cross_check(context, order, refund)
    _check_reversals(context, order, done)
    last = licenses[0] if licenses else None
    if done.currency != order.currency:
        raise Failed(
            FindingCode.REFUND_DIFFERS,
            f"the order was in {order.currency}, and is refunded in {done.currency} (payment {order.payment_id})",
            meaning=f"The card was charged {order.total}; how much of it came back is not known.",
            todo="Compare with the processor's dashboard.",
        )
    back = done.refunded_amount_cents
    if back is None and returned is not None:
        back = returned.minor
    if back is not None and back != order.total_cents:
        raise Failed(
            FindingCode.REFUND_DIFFERS,
            f"{Money(back, order.currency)} came back of {order.total} (payment {order.payment_id})",
            meaning=f"{order.total - Money(back, order.currency)} did not come back.",
            todo="Compare with the processor's dashboard.",
        )
    return Revoked(
        order_status=str(done.status),
        refund_status=None if done.refund_status is None else str(done.refund_status),
        refunded_cents=back,
        currency=done.currency,
        license_id=last.id if last else None,
        license_status=str(last.status) if last else None,
        revoked_at=timestamp(last.revoked_at) if last and last.revoked_at else None,
        refunded_at=timestamp(done.refunded_at) if done.refunded_at else None,
    )


def _await_refunded(context: Context, order: PlacedOrder, refund: RequestedRefund) -> Order:
    try:
        done = context.wait(
            lambda: context.api.orders.get(order.order_id),
            _refund_settled,
            timeout=context.options.poll_timeout,
        )
    except TimedOut:
        raise Paused(
            FindingCode.REFUND_PENDING,
            f"refund {refund.refund_id} of {order.total} is still pending (payment {order.payment_id})",
            meaning=f"{order.total} were charged and are on their way back; this can take days.",
            todo="Resume in a day or two: the refund is only looked at, never asked for again.",
            waiting_for="refund",
        ) from None
    if done.status is OrderStatus.REFUNDED and done.refund_status in {None, RefundStatus.SUCCEEDED}:
        return done
    refused = done.refund_status in _FAILED or done.status in {OrderStatus.REFUND_FAILED, OrderStatus.COMPLETED}
    status = f"order {done.id} is {str(done.status)!r}, its refund {str(done.refund_status)!r}"
    raise Failed(
        FindingCode.REFUND_FAILED if refused else FindingCode.UNKNOWN_STATUS,
        f"{status} (refund {refund.refund_id}, payment {order.payment_id})",
        meaning=f"{order.total} were charged and did not come back.",
        todo="Refund the payment at the processor's dashboard, then record the bank statement with `bank`.",
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
        return context.wait(ours, gone, timeout=context.options.grace)
    except TimedOut:
        raise Failed(
            FindingCode.LICENSE_NOT_REVOKED,
            f"the order is refunded, but a license of order {order.order_id} is not revoked "
            f"after {context.options.grace:.0f} s",
            meaning=f"{order.total} came back; the buyer still holds the license.",
            todo="Report it to the backend's makers.",
        ) from None


def _cross_check(context: Context, order: PlacedOrder, refund: RequestedRefund) -> Money | None:
    """Compare R4 and R6 with the processor, if it answers: the refund's amount and its payment.

    Returns:
        What the processor refunded; None if it did not answer.
    """
    seen = cross_check(context, order)
    if seen is None:
        return None
    back = [one for one in seen.refunds if one.status is RefundStatus.SUCCEEDED]
    other = next((one for one in back if one.currency != seen.currency), None)
    if other is not None:
        context.compare("R4", order.total, Money(other.amount, other.currency), seen.call, context.call("getOrder"))
        raise Failed(
            FindingCode.REFUND_DIFFERS,
            f"refund {other.refund_id} is {Money(other.amount, other.currency)}, payment {seen.payment_id} is in "
            f"{seen.currency}",
            meaning=f"The order says that {order.total} came back; the processor says another currency.",
            todo="Compare with the processor's dashboard.",
        )
    total = Money(sum(one.amount for one in back), seen.currency)
    received = Money(seen.amount_received, seen.currency)
    payments = ", ".join(sorted({one.payment_id for one in back})) or "none"
    equal = context.compare("R6", order.payment_id, payments, seen.call)
    equal = context.compare("R4", order.total, total, seen.call, context.call("getOrder")) and equal
    if total > received or not equal:
        raise Failed(
            FindingCode.REFUND_DIFFERS,
            f"the processor refunded {total} of {received} received (refund {refund.refund_id}, payment {payments})",
            meaning=f"The order says that {order.total} came back; the processor does not bear it out.",
            todo="Compare with the processor's dashboard.",
        )
    return total


def _check_reversals(context: Context, order: PlacedOrder, _done: Order) -> None:
    """Compare R5: the transfers were reversed. Only if the rows can be read without the operator."""
    rows = read_rows(context, order)
    if rows is None or not context.names.transfers.has("reversed_amount_cents"):
        return
    booked = [row for row in rows if row.get("amount_cents") is not None]
    transferred, reversed_ = (_sum(booked, name) for name in ("amount_cents", "reversed_amount_cents"))
    left, right = Money(transferred, order.currency), Money(reversed_, order.currency)
    if context.compare("R5", left, right, context.call("getOrder")):
        return
    reasons = ", ".join(sorted({str(row["error_message"]) for row in booked if row.get("error_message")}))
    raise Failed(
        FindingCode.TRANSFER_NOT_REVERSED,
        f"{left} were transferred to the seller, {right} reversed" + (f" ({reasons})" if reasons else ""),
        meaning=f"The buyer got {order.total} back; the platform pays for what the seller keeps.",
        todo="Reverse the transfer at the Stripe dashboard, and report it to the backend's makers.",
    )


def _sum(rows: Sequence[Mapping[str, JSON]], name: str) -> int:
    return sum(value for row in rows if isinstance(value := row.get(name), int))
