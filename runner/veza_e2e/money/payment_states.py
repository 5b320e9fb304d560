"""What each state of a payment says of the money: nothing was taken, nothing can be, or some may be reserved."""

from __future__ import annotations

from veza import PaymentStatus

PAYABLE = frozenset(
    {PaymentStatus.REQUIRES_PAYMENT_METHOD, PaymentStatus.REQUIRES_CONFIRMATION, PaymentStatus.REQUIRES_CUSTOMER_ACTION}
)
"""Nothing was taken so far, and the page can be paid on."""
VOID = frozenset({PaymentStatus.EXPIRED, PaymentStatus.CANCELLED})
"""Nothing was taken, and nothing can be any more."""
UNTAKEN = PAYABLE | VOID | {PaymentStatus.FAILED}
"""Nothing was taken, unless an amount received says otherwise."""
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
"""Where money may be reserved, and nothing is received yet."""
