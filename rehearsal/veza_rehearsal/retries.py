"""The payments that a retried checkout leaves behind: several for one order, each with its own id."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from veza_rehearsal.processor_views import retryable
from veza_rehearsal.states import CAPTURED, PaymentStatus

if TYPE_CHECKING:
    from veza_rehearsal.cards import Verdict
    from veza_rehearsal.database import Row
    from veza_rehearsal.means import Means
    from veza_rehearsal.processor import Processor

_TAKEN: Final = CAPTURED | {PaymentStatus.PROCESSING}
_DECLINE: Final = ("DC_01", "The card was declined by its bank.")


class Retries:
    """Takes cards at the checkout, and makes a second payment where a switch asks for one.

    Args:
        means: Database and switches; the caller holds the transaction.
        processor: Takes the payments.
    """

    def __init__(self, means: Means, processor: Processor) -> None:
        self._means = means
        self._faults = means.faults
        self._processor = processor

    def attempt(self, payment: Row, verdict: Verdict) -> Row:
        """Record a card's verdict; return the payment that the buyer is led on with."""
        accepted = verdict.error is None and retryable(payment)
        if accepted and self._faults.on("second_payment") and len(self._of_order(payment)) == 1:
            self._processor.attempt(payment, replace(verdict, error=_DECLINE, challenge=False))
            payment = self._second(payment)
        return self._doubled(self._processor.attempt(payment, verdict), payment)

    def challenge(self, payment: Row, *, completed: bool) -> Row:
        """Record the outcome of a 3-D Secure challenge."""
        return self._doubled(self._processor.challenge(payment, completed=completed), payment)

    def _second(self, payment: Row) -> Row:
        """Make the order's second payment, which the order names from now on."""
        second = self._processor.another(payment)
        self._means.database.run(
            "UPDATE orders SET payment_id = ?, payment_status = ?, payment_updated = NULL, updated_at = ?"
            " WHERE payment_id = ?",
            second["payment_id"], second["status"], self._means.stamp(), payment["payment_id"],
        )  # fmt: skip
        return second

    def _doubled(self, payment: Row, before: Row) -> Row:
        """Charge the card once more, by a payment that no order names."""
        taken = payment["status"] in _TAKEN and before["status"] not in _TAKEN
        if taken and self._faults.on("double_capture"):
            again = self._processor.another(payment)
            self._processor.charge(again, {"attempts": 1, "card": payment["card"]})
        return payment

    def _of_order(self, payment: Row) -> list[Row]:
        reference = payment["order_reference"]
        return [] if reference is None else self._processor.of_order(reference)
