"""Groups payment states by what they say about the money: not taken, never to be taken, maybe reserved."""

from __future__ import annotations

from veza import PaymentStatus

PAYABLE = frozenset(
    {PaymentStatus.REQUIRES_PAYMENT_METHOD, PaymentStatus.REQUIRES_CONFIRMATION, PaymentStatus.REQUIRES_CUSTOMER_ACTION}
)
"""Nothing was taken yet, and the buyer can still pay."""
VOID = frozenset({PaymentStatus.EXPIRED, PaymentStatus.CANCELLED})
"""Nothing was taken, and the buyer can no longer pay."""
UNTAKEN = PAYABLE | VOID | {PaymentStatus.FAILED}
"""Nothing was taken, unless the payment has a received amount."""
IN_FLIGHT = frozenset(
    {
        PaymentStatus.SUCCEEDED,
        PaymentStatus.PROCESSING,
        PaymentStatus.REQUIRES_CAPTURE,
        PaymentStatus.REQUIRES_MERCHANT_ACTION,
        PaymentStatus.PARTIALLY_CAPTURED,
        PaymentStatus.PARTIALLY_CAPTURED_AND_CAPTURABLE,
        PaymentStatus.PARTIALLY_CAPTURED_AND_PROCESSING,
        PaymentStatus.PARTIALLY_AUTHORIZED_AND_REQUIRES_CAPTURE,
        PaymentStatus.CONFLICTED,
        PaymentStatus.REVIEW,
    }
)
"""Money may be reserved, even if no amount was received yet."""
