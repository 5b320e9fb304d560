"""The findings: every way in which a step can end without passing, by the name that journal and report use."""

from __future__ import annotations

from enum import StrEnum
from typing import NewType, Self

RecordedName = NewType("RecordedName", str)
"""A finding's name as a journal has it, which may be one of another version."""


class FindingCode(StrEnum):
    """The name of a finding. Journals of later versions may hold others; they are read as text."""

    description: str
    """What was seen, in one sentence."""

    def __new__(cls, value: str, description: str) -> Self:
        """Make a member of its name and its description."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member

    LOGIN_REFUSED = "login_refused", "The backend refused the login."
    ACCOUNT_LOCKED = "account_locked", "The backend has locked the account."
    RATE_LIMITED = "rate_limited", "The backend allows no further request now."
    REQUEST_REFUSED = "request_refused", "The backend refused a request of this step."
    NO_ANSWER = "no_answer", "The backend did not answer, or its answer could not be read."
    SECRET_ECHOED = "secret_echoed", "An answer holds a login secret where an id, an amount or a status belongs."
    DEFECT = "defect", "This program met something that it was not made for."
    NO_PRODUCT = "no_product", "No product on sale is within the limit."
    OVER_LIMIT = "over_limit", "The product or the order costs more than the limit."
    ORDER_REFUSED = "order_refused", "The backend refused the order."
    ORDER_IN_DOUBT = "order_in_doubt", "The request for the order was sent, and no order is known to be the one."
    SEVERAL_ORDERS = "several_orders", "Several orders could be this session's."
    PAGE_LOST = "page_lost", "The order exists, but the address of its checkout page was lost."
    ORDER_DIFFERS = "order_differs", "The order is another account's, or of another product, than was asked for."
    CURRENCY_DIFFERS = "currency_differs", "The order is in another currency than the product."
    TOTAL_DIFFERS = "total_differs", "The order's total is not the list price and tax, or has changed."
    TOTAL_REFUSED = "total_refused", "The operator did not accept the total."
    UNEXPECTED_CHECKOUT = "unexpected_checkout", "The checkout page is not at an address that may be opened."
    DECLINED = "declined", "The card was declined."
    NOT_PAID = "not_paid", "The order was not paid."
    CHALLENGE_OPEN = "challenge_open", "The 3-D Secure challenge was left open."
    NOT_COMPLETED = "not_completed", "The order is still pending; whether it was paid was not seen."
    PAID_NOT_COMPLETED = "paid_not_completed", "The processor has the money, and the order is not completed."
    PAYMENT_PROCESSING = "payment_processing", "The processor has not received the money yet."
    PAYMENT_UNKNOWN = "payment_unknown", "The processor did not say how the payment stands."
    AMOUNT_DIFFERS = "amount_differs", "Order and processor do not agree on the amount."
    PAYMENT_STATUS = "payment_status", "The order is completed, and the processor reports another state of its payment."
    OTHER_ORDER = "other_order", "The payment that the order names belongs to another order."
    DISPUTE_OPENED = "dispute_opened", "A dispute was opened on the order."
    UNEXPECTED_STATUS = "unexpected_status", "The order has a status that nobody asked for."
    UNKNOWN_STATUS = (
        "unknown_status",
        "The order, its payment or its refund has a status that this version does not know.",
    )
    LICENSE_MISSING = "license_missing", "The order granted no license."
    LICENSE_NOT_ACTIVE = "license_not_active", "The license is not active."
    SEVERAL_LICENSES = "several_licenses", "The order granted several licenses."
    ORDER_ID_UNSAFE = "order_id_unsafe", "The order's id cannot be put into SQL."
    TRANSFER_MISSING = "transfer_missing", "No transfer to the seller is booked for the order."
    TRANSFER_NOT_BOOKED = "transfer_not_booked", "A transfer is in a status that is not booked."
    TRANSFER_CURRENCY = "transfer_currency", "A transfer is in another currency than the order."
    TRANSFER_SELLER = "transfer_seller", "A transfer is booked to another seller than the product's."
    TRANSFER_DIFFERS = "transfer_differs", "Transfers and fees do not add up to the order's total."
    REFUND_IN_DOUBT = "refund_in_doubt", "The request for the refund was not answered, and the order shows none."
    REFUND_REFUSED = "refund_refused", "The backend does not accept the request for the refund."
    NOT_REFUNDABLE = "not_refundable", "The order cannot be refunded through the backend."
    NOT_REFUNDABLE_YET = "not_refundable_yet", "The order is still pending, so the backend cannot refund it."
    REFUNDED_ELSEWHERE = "refunded_elsewhere", "The money came back, but not through the backend."
    REFUND_PENDING = "refund_pending", "The refund is still pending."
    REFUND_FAILED = "refund_failed", "The refund failed."
    REFUND_DIFFERS = "refund_differs", "Another amount came back than was charged."
    LICENSE_NOT_REVOKED = "license_not_revoked", "The order is refunded, and a license is not revoked."
    TRANSFER_NOT_REVERSED = "transfer_not_reversed", "The seller's transfer was not reversed in full."
