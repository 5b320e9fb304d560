"""Orders, their payment and their refund."""

from __future__ import annotations

from veza.models._base import (
    Cents,
    Currency,
    Id,
    LicenseTold,
    Listed,
    Maybe,
    Model,
    Omitted,
    OpenEnum,
    Timestamp,
    Unsaid,
    Url,
)
from veza.money import Money


class OrderStatus(OpenEnum):
    """Where an order stands."""

    PENDING_PAYMENT = "pending_payment"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUND_PENDING = "refund_pending"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    DISPUTED = "disputed"


class PaymentStatus(OpenEnum):
    """The processor's word for a payment (Hyperswitch). A refunded payment stays `succeeded`."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    CANCELLED_POST_CAPTURE = "cancelled_post_capture"
    PROCESSING = "processing"
    REQUIRES_CUSTOMER_ACTION = "requires_customer_action"
    REQUIRES_MERCHANT_ACTION = "requires_merchant_action"
    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_CAPTURE = "requires_capture"
    PARTIALLY_CAPTURED = "partially_captured"
    PARTIALLY_CAPTURED_AND_CAPTURABLE = "partially_captured_and_capturable"
    PARTIALLY_AUTHORIZED_AND_REQUIRES_CAPTURE = "partially_authorized_and_requires_capture"
    PARTIALLY_CAPTURED_AND_PROCESSING = "partially_captured_and_processing"
    CONFLICTED = "conflicted"
    EXPIRED = "expired"
    REVIEW = "review"


class RefundStatus(OpenEnum):
    """Where a refund stands."""

    REQUESTED = "requested"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REVIEW = "review"


class OrderItem(Model):
    """A line of an order."""

    product_id: Id
    """The product."""
    license_type: Unsaid[LicenseTold] = None
    """The license bought; None where the backend does not say."""
    price_cents: Cents
    """The line's price in minor units of the order's currency."""


class Order(Model):
    """An order (operations createOrder, getOrder, listOrders)."""

    id: Id
    """The order's id."""
    buyer_id: Id
    """The account that ordered."""
    status: OrderStatus
    """Where the order stands."""
    total_amount_cents: Cents
    """What the buyer pays, tax included, in minor units."""
    tax_amount_cents: Omitted[Cents] = None
    """The tax within the total, in minor units; None where the backend does not say."""
    currency: Currency
    """The currency of every amount of the order (ISO 4217)."""
    payment_id: Maybe[Id] = None
    """The processor's id of the payment."""
    payment_status: Maybe[PaymentStatus] = None
    """The processor's word for the payment."""
    refund_id: Maybe[Id] = None
    """The processor's id of the refund; None while none was asked for."""
    refund_status: Maybe[RefundStatus] = None
    """Where the refund stands; None while none was asked for."""
    refunded_amount_cents: Omitted[Cents] = None
    """What came back, in minor units; None where the backend does not say."""
    items: Listed[OrderItem] = ()
    """The lines; none where the backend does not tell them."""
    created_at: Timestamp
    """When it was ordered."""
    updated_at: Unsaid[Timestamp] = None
    """When the backend last changed it; None where it does not say."""
    completed_at: Maybe[Timestamp] = None
    """When the payment came through."""
    refunded_at: Maybe[Timestamp] = None
    """When the refund came through."""

    @property
    def total(self) -> Money:
        """What the buyer pays, as money."""
        return Money(self.total_amount_cents, self.currency)

    @property
    def tax(self) -> Money | None:
        """The tax within the total, as money; None where the backend does not say."""
        return None if self.tax_amount_cents is None else Money(self.tax_amount_cents, self.currency)

    @property
    def refunded(self) -> Money | None:
        """What came back, as money; None where the backend does not say."""
        return None if self.refunded_amount_cents is None else Money(self.refunded_amount_cents, self.currency)


class CheckoutOrder(Model):
    """A new order and the page to pay it on (operation createOrder)."""

    order: Order
    """The order, which awaits payment."""
    checkout_url: Url
    """The processor's page; it expires (15 minutes by default). Its host is not checked here."""


class Refund(Model):
    """A refund as the backend accepted it."""

    id: Id
    """The processor's id of the refund."""
    status: RefundStatus
    """Where it stands; money came back only at `succeeded`."""
    amount_cents: Cents
    """What is to come back, in minor units of the order's currency."""


class RefundedOrder(Model):
    """A refund and its order (operation requestRefund)."""

    refund: Refund
    """The refund."""
    order: Order
    """The order as it then stood."""

    @property
    def amount(self) -> Money:
        """What is to come back, as money."""
        return Money(self.refund.amount_cents, self.order.currency)
