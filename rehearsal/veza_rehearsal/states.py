"""The states of orders, licenses, refunds and seller transfers, and how orders and refunds move."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class OrderStatus(StrEnum):
    """The state of an order."""

    PENDING_PAYMENT = "pending_payment"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUND_PENDING = "refund_pending"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    DISPUTED = "disputed"


class LicenseStatus(StrEnum):
    """The state of a license."""

    ACTIVE = "active"
    REVOKED = "revoked"


class TransferStatus(StrEnum):
    """The state of a seller's transfer."""

    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REVERSED = "reversed"
    PARTIALLY_REVERSED = "partially_reversed"


class RefundStatus(StrEnum):
    """The state of a refund, at the shop and at the processor."""

    REQUESTED = "requested"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REVIEW = "review"


class PaymentStatus(StrEnum):
    """The payment states of Hyperswitch that the stub uses."""

    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_CUSTOMER_ACTION = "requires_customer_action"
    SUCCEEDED = "succeeded"
    PARTIALLY_CAPTURED = "partially_captured"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    PROCESSING = "processing"


class ProductStatus(StrEnum):
    """Whether a product is on sale."""

    ACTIVE = "active"
    INACTIVE = "inactive"


_O = OrderStatus

ORDER_MOVES: Final[Mapping[OrderStatus, frozenset[OrderStatus]]] = {
    _O.PENDING_PAYMENT: frozenset({_O.COMPLETED, _O.FAILED, _O.CANCELLED, _O.EXPIRED}),
    _O.COMPLETED: frozenset({_O.REFUND_PENDING, _O.DISPUTED}),
    _O.REFUND_PENDING: frozenset({_O.REFUNDED, _O.COMPLETED}),
    _O.REFUNDED: frozenset({_O.REFUND_FAILED, _O.DISPUTED}),
    _O.DISPUTED: frozenset({_O.COMPLETED, _O.REFUNDED}),
    _O.FAILED: frozenset(),
    _O.CANCELLED: frozenset(),
    _O.EXPIRED: frozenset(),
    _O.REFUND_FAILED: frozenset(),
}
"""The orders' state machine: each state and those that may follow it."""

REFUND_MOVES: Final[Mapping[RefundStatus, frozenset[RefundStatus]]] = {
    RefundStatus.REQUESTED: frozenset({RefundStatus.PENDING}),
    RefundStatus.PENDING: frozenset({RefundStatus.SUCCEEDED, RefundStatus.FAILED, RefundStatus.REVIEW}),
    RefundStatus.REVIEW: frozenset({RefundStatus.SUCCEEDED, RefundStatus.FAILED}),
    RefundStatus.SUCCEEDED: frozenset({RefundStatus.FAILED}),
    RefundStatus.FAILED: frozenset(),
}
"""The refunds' state machine. A success may become a failure later."""

PAYABLE: Final = frozenset({PaymentStatus.REQUIRES_PAYMENT_METHOD, PaymentStatus.FAILED})
"""A payment in these states takes a card (a failed one while its attempts last)."""

CAPTURED: Final = frozenset({PaymentStatus.SUCCEEDED, PaymentStatus.PARTIALLY_CAPTURED})
"""A payment in these states has charged the card."""
