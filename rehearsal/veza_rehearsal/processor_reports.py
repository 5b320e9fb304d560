"""What the processor's API reports of payments and refunds, which a switch can make differ from what happened."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from veza_rehearsal.clock import moment
from veza_rehearsal.processor_views import shown_payment, shown_refund
from veza_rehearsal.states import CAPTURED, PaymentStatus, RefundStatus

if TYPE_CHECKING:
    from veza_rehearsal.database import Row
    from veza_rehearsal.means import Means
    from veza_rehearsal.processor import Processor

_NOT_RECEIVED: Final = frozenset({PaymentStatus.PROCESSING.value, "requires_capture"})
_NOT_LISTED: Final = (
    "amount_received",
    "refunds",
    "disputes",
    "return_url",
    "error_code",
    "error_message",
    "manual_retry_allowed",
    "payment_link",
    "expires_on",
)


class Reports:
    """Shows payments and refunds to whoever asks the processor's API. Webhooks tell what happened.

    Args:
        means: Clock and switches.
        processor: The processor's books.
    """

    def __init__(self, means: Means, processor: Processor) -> None:
        self._means = means
        self._faults = means.faults
        self._processor = processor

    def payment(self, payment: Row) -> Row:
        """Show one payment."""
        refunds = [self._lagging(refund) for refund in self._processor.refunds.of(payment["payment_id"])]
        shown = shown_payment(payment, refunds, self._processor.link(payment))
        status = self._faults.word("processor_status")
        if status is None or payment["status"] not in CAPTURED:
            return shown
        unreceived = {"amount_received": 0, "amount_capturable": payment["amount"]} if status in _NOT_RECEIVED else {}
        return {**shown, "status": status, **unreceived}

    def listed(self, payment: Row) -> Row:
        """Show a payment as a list does: what Hyperswitch leaves out of its lists is null."""
        return {**self.payment(payment), **dict.fromkeys(_NOT_LISTED)}

    def refund(self, refund: Row) -> Row:
        """Show one refund."""
        return shown_refund(self._lagging(refund))

    def _lagging(self, refund: Row) -> Row:
        lag = self._faults.value("processor_refund_lag")
        if lag is None or refund["status"] != RefundStatus.SUCCEEDED:
            return refund
        if moment(refund["created_at"]) + timedelta(seconds=float(lag)) <= self._means.clock.now():
            return refund
        return {**refund, "status": RefundStatus.PENDING, "updated_at": refund["created_at"]}
