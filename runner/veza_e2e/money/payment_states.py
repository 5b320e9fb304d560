"""Groups payment states by what they say about the money: nothing taken, never to be taken, maybe reserved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from veza import PaymentStatus

PAYABLE = frozenset(
    {PaymentStatus.REQUIRES_PAYMENT_METHOD, PaymentStatus.REQUIRES_CONFIRMATION, PaymentStatus.REQUIRES_CUSTOMER_ACTION}
)
"""Nothing was taken yet, and the buyer can still pay."""
VOID = frozenset({PaymentStatus.EXPIRED, PaymentStatus.CANCELLED})
"""Nothing was taken, and the buyer can no longer pay."""
UNTAKEN = PAYABLE | VOID | {PaymentStatus.FAILED}
"""Nothing was taken, unless the payment has a received amount."""
AUTHORISED = frozenset(
    {
        PaymentStatus.PROCESSING,
        PaymentStatus.REQUIRES_CAPTURE,
        PaymentStatus.REQUIRES_MERCHANT_ACTION,
        PaymentStatus.PARTIALLY_AUTHORIZED_AND_REQUIRES_CAPTURE,
        PaymentStatus.REVIEW,
    }
)
"""Money may be reserved; none was received unless the payment has a received amount."""
IN_FLIGHT = AUTHORISED | {
    PaymentStatus.SUCCEEDED,
    PaymentStatus.PARTIALLY_CAPTURED,
    PaymentStatus.PARTIALLY_CAPTURED_AND_CAPTURABLE,
    PaymentStatus.PARTIALLY_CAPTURED_AND_PROCESSING,
    PaymentStatus.CONFLICTED,
}
"""Money may be reserved, even if no amount was received yet."""
NOTHING_RECEIVED = frozenset(map(str, UNTAKEN | AUTHORISED))
"""In these states a payment without `amount_received` has received nothing."""
VOIDED = str(PaymentStatus.CANCELLED_POST_CAPTURE)
"""The capture was given back without a refund."""
PAID = PaymentStatus.SUCCEEDED
"""The only state in which an order may be completed."""
SETTLED_DISPUTES = frozenset({"dispute_won", "dispute_cancelled", "dispute_expired"})
"""States of a dispute after which the money is where it was (Hyperswitch's DisputeStatus)."""


def created_of(data: Mapping[str, object]) -> datetime | None:
    """Return when a payment was made; None if that is not told."""
    told = data.get("created")
    try:
        at = datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def unsettled(dispute: object) -> bool:
    """Whether a dispute is open, for all that is told of it."""
    return not isinstance(dispute, Mapping) or dispute.get("dispute_status") not in SETTLED_DISPUTES
