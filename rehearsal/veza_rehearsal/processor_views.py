"""Shows payments, refunds and disputes in the form of Hyperswitch's API and webhooks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from veza_rehearsal.states import CAPTURED, PAYABLE, PaymentStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from veza_rehearsal.database import Row

MERCHANT: Final = "merchant_veza"
"""The only merchant account that the stub keeps."""

ATTEMPTS: Final = 3
"""How many cards a payment accepts before it fails."""


class ProcessorError(Exception):
    """The processor refuses a request.

    Args:
        status: The HTTP status.
        code: Hyperswitch's code, such as `HE_02`.
        message: Hyperswitch's text.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def shown_payment(payment: Row, refunds: Sequence[Row], link: str) -> Row:
    """Show a payment as Hyperswitch's `PaymentsResponse`.

    Args:
        payment: The payment.
        refunds: Its refunds.
        link: The URL of its checkout page.

    Returns:
        The response. A refunded payment stays `succeeded`; the refunded amounts are in `refunds`.
    """
    open_amount = 0 if payment["status"] in CAPTURED else payment["amount"]
    card = json.loads(payment["card"]) if payment["card"] else None
    return {
        "payment_id": payment["payment_id"],
        "merchant_id": MERCHANT,
        "processor_merchant_id": MERCHANT,
        "status": payment["status"],
        "amount": payment["amount"],
        "net_amount": payment["amount"] + payment["surcharge"],
        "amount_capturable": open_amount,
        "amount_received": payment["amount_received"],
        "connector": "stripe_test" if payment["attempts"] else None,
        "client_secret": payment["client_secret"],
        "created": payment["created"],
        "updated": payment["updated"],
        "modified_at": payment["updated"],
        "expires_on": payment["expires_on"],
        "currency": payment["currency"],
        "customer_id": payment["customer_id"],
        "description": payment["description"],
        "refunds": [shown_refund(refund) for refund in refunds] or None,
        "disputes": [shown_dispute(payment)] if payment["dispute_id"] else None,
        "payment_method": "card" if card else None,
        "payment_method_data": {"card": card} if card else None,
        "capture_method": "automatic",
        "return_url": payment["return_url"],
        "error_code": payment["error_code"],
        "error_message": payment["error_message"],
        "manual_retry_allowed": retryable(payment) if payment["status"] == PaymentStatus.FAILED else None,
        "connector_transaction_id": payment["transaction_id"],
        "merchant_order_reference_id": payment["order_reference"],
        "metadata": _metadata(payment),
        "payment_link": {
            "link": link,
            "secure_link": None,
            "payment_link_id": f"plink_{payment['payment_id'].removeprefix('pay_')}",
        },
        "attempt_count": max(1, payment["attempts"]),
    }


def _metadata(payment: Row) -> Row | None:
    given = json.loads(payment["metadata"] or "{}")
    return given | ({"tax_amount": str(payment["tax"])} if payment["tax"] else {}) or None


def retryable(payment: Row) -> bool:
    """Whether a payment accepts a card: its first, or another after a decline."""
    return payment["status"] in PAYABLE and payment["attempts"] < ATTEMPTS


def shown_refund(refund: Row) -> Row:
    """Show a refund as Hyperswitch's `RefundResponse`."""
    return {
        "refund_id": refund["refund_id"],
        "payment_id": refund["payment_id"],
        "amount": refund["amount"],
        "currency": refund["currency"],
        "status": refund["status"],
        "reason": json.loads(refund["reason"]) if refund["reason"] else None,
        "metadata": None,
        "error_message": refund["error_message"],
        "error_code": refund["error_code"],
        "created_at": refund["created_at"],
        "updated_at": refund["updated_at"],
        "connector": "stripe_test",
    }


def shown_dispute(payment: Row) -> Row:
    """Show a payment's dispute as Hyperswitch's `DisputeResponse`."""
    return {
        "dispute_id": payment["dispute_id"],
        "payment_id": payment["payment_id"],
        "attempt_id": f"{payment['payment_id']}_{payment['attempts']}",
        "amount": str(payment["amount"]),
        "currency": payment["currency"],
        "dispute_stage": "dispute",
        "dispute_status": "dispute_opened",
        "connector": "stripe_test",
        "connector_status": "needs_response",
        "connector_dispute_id": payment["dispute_id"],
        "created_at": payment["updated"],
        "is_already_refunded": False,
    }
