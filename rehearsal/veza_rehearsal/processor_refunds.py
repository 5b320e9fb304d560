"""Keeps the processor's refunds."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from veza_rehearsal.clock import moment, stamp
from veza_rehearsal.processor_views import ProcessorError, shown_refund
from veza_rehearsal.states import CAPTURED, REFUND_MOVES, RefundStatus

if TYPE_CHECKING:
    from datetime import datetime

    from veza_rehearsal.database import Row
    from veza_rehearsal.means import Means
    from veza_rehearsal.processor_events import Events

_PENDING_AT_MOST: Final = timedelta(days=3)
_LATE_FAILURE: Final = 2


class Refunds:
    """The refunds, from the request to their end.

    Args:
        means: Database, clock, ids and switches; the caller holds the transaction.
        events: Sends their outcomes.
    """

    def __init__(self, means: Means, events: Events) -> None:
        self._means = means
        self._database = means.database
        self._faults = means.faults
        self._events = events

    def create(self, payment: Row, amount: int | None, reason: str | None, refund_id: str | None = None) -> Row:
        """Accept a refund; its outcome comes later.

        Args:
            payment: The payment to refund.
            amount: Minor units; None takes everything that is left of the payment.
            reason: Why.
            refund_id: The caller's own id for it, if any.

        Returns:
            The refund, pending.

        Raises:
            ProcessorError: HE_01 for a refund id that is taken, IR_14 for a payment that was not captured, IR_13 for
                more than is left of the payment.
        """
        refund_id = refund_id or self._means.ids.reference("ref")
        if self._find(refund_id) is not None:
            message = "Duplicate refund request. Refund already attempted with the refund ID"
            raise ProcessorError(400, "HE_01", message)
        if payment["status"] not in CAPTURED:
            message = f"This Payment could not be refunded because it has a status of {payment['status']}."
            raise ProcessorError(400, "IR_14", message)
        given = [row["amount"] for row in self.of(payment["payment_id"]) if row["status"] != RefundStatus.FAILED]
        held = payment["amount_received"] - sum(given)
        amount = held if amount is None else amount
        if not 0 < amount <= held:
            raise ProcessorError(400, "IR_13", "The refund amount exceeds the amount captured")
        now = self._means.stamp()
        self._database.run(
            "INSERT INTO hs_refunds (refund_id, payment_id, amount, currency, status, reason, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            refund_id, payment["payment_id"], amount, payment["currency"], RefundStatus.PENDING, json.dumps(reason),
            now, now,
        )  # fmt: skip
        return self.get(refund_id)

    def of(self, payment_id: str) -> list[Row]:
        """Return a payment's refunds, oldest first."""
        return self._database.all("SELECT * FROM hs_refunds WHERE payment_id = ? ORDER BY seq", payment_id)

    def get(self, refund_id: str) -> Row:
        """Return the refund with this id.

        Raises:
            ProcessorError: HE_02 if there is no refund with this id.
        """
        refund = self._find(refund_id)
        if refund is None:
            raise ProcessorError(404, "HE_02", "Refund does not exist in our records.")
        return refund

    def success_was_read(self, refund_id: str) -> None:
        """Note that the shop has shown the order as refunded. From now on the refund may fail late."""
        if not self._faults.on("refund_fails_late"):
            return
        wait = self._faults.value("refund_fails_late")
        fails_at = self._means.clock.now() + timedelta(seconds=float(_LATE_FAILURE if wait is None else wait))
        self._database.run(
            "UPDATE hs_refunds SET fails_at = ? WHERE refund_id = ? AND fails_at IS NULL AND status = ?",
            stamp(fails_at), refund_id, RefundStatus.SUCCEEDED,
        )  # fmt: skip

    def pass_time(self) -> None:
        """End the refunds that are due."""
        pending = "SELECT * FROM hs_refunds WHERE status = ? AND created_at <= ? ORDER BY seq"
        before = stamp(self._means.clock.now() - self._pending_for())
        outcome = RefundStatus.FAILED if self._faults.on("refund_fails") else RefundStatus.SUCCEEDED
        for refund in self._database.all(pending, RefundStatus.PENDING, before):
            self._settle(refund, outcome)
        late = "SELECT * FROM hs_refunds WHERE status = ? AND fails_at <= ? ORDER BY seq"
        for refund in self._database.all(late, RefundStatus.SUCCEEDED, self._means.stamp()):
            self._settle(refund, RefundStatus.FAILED)

    def next_time(self) -> datetime | None:
        """Return the next time at which a refund ends."""
        pending = "SELECT min(created_at) AS at FROM hs_refunds WHERE status = ?"
        late = "SELECT min(fails_at) AS at FROM hs_refunds WHERE status = ?"
        first = self._database.one(pending, RefundStatus.PENDING)
        second = self._database.one(late, RefundStatus.SUCCEEDED)
        times = [moment(first["at"]) + self._pending_for()] if first and first["at"] else []
        times += [moment(second["at"])] if second and second["at"] else []
        return min(times, default=None)

    def _find(self, refund_id: str) -> Row | None:
        return self._database.one("SELECT * FROM hs_refunds WHERE refund_id = ?", refund_id)

    def _pending_for(self) -> timedelta:
        return _PENDING_AT_MOST if self._faults.on("refund_pending") else timedelta()

    def _settle(self, refund: Row, status: RefundStatus) -> None:
        assert status in REFUND_MOVES[RefundStatus(refund["status"])], refund
        failed = status is RefundStatus.FAILED
        self._database.run(
            "UPDATE hs_refunds SET status = ?, updated_at = ?, error_code = ?, error_message = ?, fails_at = NULL"
            " WHERE refund_id = ?",
            status, self._events.after(refund["updated_at"]), "RE_01" if failed else None,
            "The refund was returned by the buyer's bank." if failed else None, refund["refund_id"],
        )  # fmt: skip
        settled = shown_refund(self.get(refund["refund_id"]))
        self._events.emit("refund_failed" if failed else "refund_succeeded", "refund_details", settled)
        if not failed and self._faults.on("webhook_out_of_order"):
            # Older than the success just sent, so a receiver that compares `updated_at` ignores it.
            self._events.emit(
                "refund_failed", "refund_details", shown_refund({**refund, "status": RefundStatus.FAILED})
            )
