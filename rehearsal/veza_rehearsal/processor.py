"""The Hyperswitch stub's books: payments, refunds, and the events that its webhooks carry."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from veza_rehearsal.clock import moment, stamp
from veza_rehearsal.states import CAPTURED, PAYABLE, PaymentStatus, RefundStatus

if TYPE_CHECKING:
    from datetime import datetime

    from veza_rehearsal.cards import Verdict
    from veza_rehearsal.clock import Clock, Ids
    from veza_rehearsal.faults import FaultBoard
    from veza_rehearsal.store import Database, Row

MERCHANT: Final = "merchant_veza"
"""The only merchant account that the stub keeps."""

_LINK_LIFETIME: Final = timedelta(minutes=15)
_PENDING_AT_MOST: Final = timedelta(days=3)
_LATE_FAILURE: Final = 2
_ATTEMPTS: Final = 3
_OPEN: Final = (
    PaymentStatus.REQUIRES_PAYMENT_METHOD,
    PaymentStatus.FAILED,
    PaymentStatus.REQUIRES_CUSTOMER_ACTION,
)


class ProcessorError(Exception):
    """The processor refuses.

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


@dataclass(frozen=True, slots=True)
class NewPayment:
    """What a payment is made from.

    Attributes:
        amount: Minor units, tax included.
        currency: ISO 4217.
        return_url: Where the buyer goes afterwards.
        payment_id: The caller's own id for it, if any.
        tax: The part of the amount that is tax, in minor units.
        description: What is bought.
        seller_name: Who sells it.
        order_reference: The shop's id for the order.
    """

    amount: int
    currency: str
    return_url: str
    payment_id: str | None = None
    tax: int = 0
    description: str = ""
    seller_name: str = "Veza"
    order_reference: str | None = None


class Processor:
    """Keeps payments and refunds, and writes the events to send.

    Args:
        database: Where they are kept; the caller holds the transaction.
        clock: The backend's clock.
        ids: Draws ids and secrets.
        faults: The switches that are on.
        base_url: The backend's own URL, for links.
    """

    def __init__(self, database: Database, clock: Clock, ids: Ids, faults: FaultBoard, base_url: str) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._faults = faults
        self._base_url = base_url

    def create_payment(self, new: NewPayment) -> Row:
        """Make a payment with a payment link.

        Raises:
            ProcessorError: HE_01, where the caller's payment id is taken.
        """
        payment_id = new.payment_id or self._ids.reference("pay")
        if self.find_payment(payment_id) is not None:
            message = "The payment with the specified payment_id already exists in our records"
            raise ProcessorError(400, "HE_01", message)
        now = self._clock.now()
        expires = now if self._faults.on("checkout_expired") else now + _LINK_LIFETIME
        self._database.run(
            "INSERT INTO hs_payments (payment_id, status, amount, amount_received, tax, currency, client_secret,"
            " return_url, description, seller_name, order_reference, attempts, created, updated, expires_on)"
            " VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)",
            payment_id, PaymentStatus.REQUIRES_PAYMENT_METHOD, new.amount, new.tax, new.currency,
            self._ids.reference(f"{payment_id}_secret"), new.return_url, new.description, new.seller_name,
            new.order_reference, stamp(now), stamp(now), stamp(expires),
        )  # fmt: skip
        return self.payment(payment_id)

    def find_payment(self, payment_id: str) -> Row | None:
        """Give a payment, if there is one of this id."""
        return self._database.one("SELECT * FROM hs_payments WHERE payment_id = ?", payment_id)

    def payment(self, payment_id: str) -> Row:
        """Give a payment.

        Raises:
            ProcessorError: HE_02, where there is none of this id.
        """
        payment = self.find_payment(payment_id)
        if payment is None:
            raise ProcessorError(404, "HE_02", "Payment does not exist in our records")
        return payment

    def refunds_of(self, payment_id: str) -> list[Row]:
        """Give a payment's refunds, oldest first."""
        return self._database.all("SELECT * FROM hs_refunds WHERE payment_id = ? ORDER BY seq", payment_id)

    def refund(self, refund_id: str) -> Row:
        """Give a refund.

        Raises:
            ProcessorError: HE_02, where there is none of this id.
        """
        refund = self._database.one("SELECT * FROM hs_refunds WHERE refund_id = ?", refund_id)
        if refund is None:
            raise ProcessorError(404, "HE_02", "Refund does not exist in our records.")
        return refund

    def link(self, payment: Row) -> str:
        """Give the URL of a payment's checkout page."""
        return f"{self._base_url}/hyperswitch/payment_link/{MERCHANT}/{payment['payment_id']}"

    def attempt(self, payment: Row, verdict: Verdict) -> Row:
        """Put a card's verdict into the books; a payment that does not take a card (any more) is left as it is."""
        if not retryable(payment):
            return payment
        changes = {"attempts": payment["attempts"] + 1, "card": verdict.card}
        if verdict.challenge or self._faults.on("three_ds") or self._faults.on("three_ds_abandon"):
            if verdict.error is None or verdict.challenge:
                changes |= {"error_code": None, "error_message": None}
                return self._move(payment, PaymentStatus.REQUIRES_CUSTOMER_ACTION, "action_required", changes)
        if verdict.error is not None:
            code, message = verdict.error
            changes |= {"error_code": code, "error_message": message}
            return self._move(payment, PaymentStatus.FAILED, "payment_failed", changes)
        return self._capture(payment, changes)

    def challenge(self, payment: Row, *, completed: bool) -> Row:
        """Put the outcome of a 3-D Secure challenge into the books."""
        if payment["status"] != PaymentStatus.REQUIRES_CUSTOMER_ACTION or self._faults.on("three_ds_abandon"):
            return payment
        if completed:
            return self._capture(payment, {})
        failed = {"error_code": "DC_3DS", "error_message": "The bank's 3-D Secure check was rejected."}
        return self._move(payment, PaymentStatus.FAILED, "payment_failed", failed)

    def cancel(self, payment: Row) -> Row:
        """Note that the buyer gave up."""
        if payment["status"] not in _OPEN:
            return payment
        return self._move(payment, PaymentStatus.CANCELLED, "payment_cancelled", {})

    def create_refund(self, payment_id: str, amount: int | None, reason: str | None, refund_id: str | None) -> Row:
        """Accept a refund; its outcome comes later.

        Raises:
            ProcessorError: HE_01 for a refund id that is taken, HE_02 for an unknown payment, IR_14 for a payment
                that was not captured, IR_13 for more than the payment still holds.
        """
        payment = self.payment(payment_id)
        refund_id = refund_id or self._ids.reference("ref")
        if self._database.one("SELECT seq FROM hs_refunds WHERE refund_id = ?", refund_id) is not None:
            message = "Duplicate refund request. Refund already attempted with the refund ID"
            raise ProcessorError(400, "HE_01", message)
        if payment["status"] not in CAPTURED:
            message = f"This Payment could not be refunded because it has a status of {payment['status']}."
            raise ProcessorError(400, "IR_14", message)
        held = payment["amount_received"] - sum(
            refund["amount"] for refund in self.refunds_of(payment_id) if refund["status"] != RefundStatus.FAILED
        )
        # A partial capture is the processor's own fault, so the shop's refund of the total stands against the amount.
        held += payment["amount"] - payment["amount_received"]
        amount = held if amount is None else amount
        if not 0 < amount <= held:
            raise ProcessorError(400, "IR_13", "The refund amount exceeds the amount captured")
        now = stamp(self._clock.now())
        self._database.run(
            "INSERT INTO hs_refunds (refund_id, payment_id, amount, currency, status, reason, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            refund_id, payment_id, amount, payment["currency"], RefundStatus.PENDING, json.dumps(reason), now, now,
        )  # fmt: skip
        return self.refund(refund_id)

    def refunded_was_read(self, refund_id: str) -> None:
        """Note that the shop has shown the order as refunded: from now on the refund may fail late."""
        if not self._faults.on("refund_fails_late"):
            return
        wait = self._faults.value("refund_fails_late")
        fails_at = self._clock.now() + timedelta(seconds=float(_LATE_FAILURE if wait is None else wait))
        self._database.run(
            "UPDATE hs_refunds SET fails_at = ? WHERE refund_id = ? AND fails_at IS NULL AND status = ?",
            stamp(fails_at), refund_id, RefundStatus.SUCCEEDED,
        )  # fmt: skip

    def pass_time(self) -> None:
        """Do what the time has come for: links expire, refunds end."""
        now = stamp(self._clock.now())
        expired = "SELECT * FROM hs_payments WHERE status IN (?, ?, ?) AND expires_on <= ? ORDER BY seq"
        for payment in self._database.all(expired, *_OPEN, now):
            if payment["status"] != PaymentStatus.FAILED or retryable(payment):
                self._move(payment, PaymentStatus.EXPIRED, "payment_expired", {})
        pending = "SELECT * FROM hs_refunds WHERE status = ? AND created_at <= ? ORDER BY seq"
        for refund in self._database.all(pending, RefundStatus.PENDING, self._settled_before()):
            failed = self._faults.on("refund_fails")
            self._settle(refund, RefundStatus.FAILED if failed else RefundStatus.SUCCEEDED)
        late = "SELECT * FROM hs_refunds WHERE status = ? AND fails_at <= ? ORDER BY seq"
        for refund in self._database.all(late, RefundStatus.SUCCEEDED, now):
            self._settle(refund, RefundStatus.FAILED)

    def next_time(self) -> datetime | None:
        """Give the next time at which `pass_time` has something to do."""
        links = self._database.one(
            "SELECT min(expires_on) AS at FROM hs_payments WHERE status IN (?, ?, ?) AND (status <> ? OR attempts < ?)",
            *_OPEN, PaymentStatus.FAILED, _ATTEMPTS,
        )  # fmt: skip
        refunds = self._database.one(
            "SELECT min(created_at) AS at FROM hs_refunds WHERE status = ?", RefundStatus.PENDING
        )
        late = self._database.one(
            "SELECT min(fails_at) AS at FROM hs_refunds WHERE status = ?", RefundStatus.SUCCEEDED
        )
        wait = _PENDING_AT_MOST if self._faults.on("refund_pending") else timedelta()
        times = [moment(row["at"]) for row in (links, late) if row and row["at"]]
        times += [moment(row["at"]) + wait for row in (refunds,) if row and row["at"]]
        return min(times, default=None)

    def _settled_before(self) -> str:
        wait = _PENDING_AT_MOST if self._faults.on("refund_pending") else timedelta()
        return stamp(self._clock.now() - wait)

    def _capture(self, payment: Row, changes: Row) -> Row:
        partial = self._faults.on("partial_capture")
        received = payment["amount"] // 2 if partial else payment["amount"]
        changes |= {
            "amount_received": received,
            "error_code": None,
            "error_message": None,
            "transaction_id": self._ids.reference("pi"),
        }
        if self._faults.on("dispute_opened"):
            changes["dispute_id"] = self._ids.reference("dp")
        status = PaymentStatus.PARTIALLY_CAPTURED if partial else PaymentStatus.SUCCEEDED
        paid = self._move(payment, status, "payment_captured" if partial else "payment_succeeded", changes)
        if paid["dispute_id"]:
            self._emit("dispute_opened", "dispute_details", shown_dispute(paid))
        return paid

    def _settle(self, refund: Row, status: RefundStatus) -> None:
        failed = status is RefundStatus.FAILED
        self._database.run(
            "UPDATE hs_refunds SET status = ?, updated_at = ?, error_code = ?, error_message = ?, fails_at = NULL"
            " WHERE refund_id = ?",
            status, self._after(refund["updated_at"]), "RE_01" if failed else None,
            "The refund was returned by the buyer's bank." if failed else None, refund["refund_id"],
        )  # fmt: skip
        event = "refund_failed" if failed else "refund_succeeded"
        self._emit(event, "refund_details", shown_refund(self.refund(refund["refund_id"])))
        if not failed and self._faults.on("webhook_out_of_order"):
            self._emit_old_state(self.payment(refund["payment_id"]))

    def _move(self, payment: Row, status: PaymentStatus, event: str, changes: Row) -> Row:
        changes = {**changes, "status": status, "updated": self._after(payment["updated"])}
        columns = ", ".join(f"{name} = ?" for name in changes)
        sql = f"UPDATE hs_payments SET {columns} WHERE payment_id = ?"  # noqa: S608 - the names are this module's
        self._database.run(sql, *changes.values(), payment["payment_id"])
        moved = self.payment(payment["payment_id"])
        self._emit(event, "payment_details", self.shown_payment(moved))
        if status in CAPTURED and self._faults.on("webhook_out_of_order"):
            self._emit_old_state({**payment, "status": PaymentStatus.PROCESSING})
        return moved

    def _emit_old_state(self, payment: Row) -> None:
        self._emit("payment_processing", "payment_details", self.shown_payment(payment))

    def _after(self, earlier: str) -> str:
        # Two changes within a millisecond must still be told apart by `updated`.
        return max(stamp(self._clock.now()), stamp(moment(earlier) + timedelta(milliseconds=1)))

    def _emit(self, event_type: str, kind: str, content: Row) -> None:
        now = self._clock.now()
        event_id = self._ids.reference("evt")
        event = {
            "merchant_id": MERCHANT,
            "event_id": event_id,
            "event_type": event_type,
            "content": {"type": kind, "object": content},
            "timestamp": stamp(now),
        }
        delay = self._faults.value("webhook_delay") or 0
        self._database.run(
            "INSERT INTO hs_events (event_id, event_type, body, state, attempts, copies, due_at)"
            " VALUES (?, ?, ?, 'pending', 0, ?, ?)",
            event_id, event_type, json.dumps(event, separators=(",", ":")),
            2 if self._faults.on("webhook_duplicate") else 1, stamp(now + timedelta(seconds=float(delay))),
        )  # fmt: skip

    def shown_payment(self, payment: Row) -> Row:
        """Show a payment as Hyperswitch's `PaymentsResponse`."""
        open_amount = 0 if payment["status"] in CAPTURED else payment["amount"]
        card = json.loads(payment["card"]) if payment["card"] else None
        return {
            "payment_id": payment["payment_id"],
            "merchant_id": MERCHANT,
            "processor_merchant_id": MERCHANT,
            "status": payment["status"],
            "amount": payment["amount"],
            "net_amount": payment["amount"],
            "amount_capturable": open_amount,
            "amount_received": payment["amount_received"],
            "connector": "stripe_test" if payment["attempts"] else None,
            "client_secret": payment["client_secret"],
            "created": payment["created"],
            "updated": payment["updated"],
            "modified_at": payment["updated"],
            "expires_on": payment["expires_on"],
            "currency": payment["currency"],
            "description": payment["description"],
            "refunds": [shown_refund(refund) for refund in self.refunds_of(payment["payment_id"])] or None,
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
            "metadata": {"tax_amount": str(payment["tax"])} if payment["tax"] else None,
            "payment_link": {
                "link": self.link(payment),
                "secure_link": None,
                "payment_link_id": f"plink_{payment['payment_id'].removeprefix('pay_')}",
            },
            "attempt_count": max(1, payment["attempts"]),
        }


def retryable(payment: Row) -> bool:
    """Say whether a payment takes a card: its first one, or another after a decline."""
    return payment["status"] in PAYABLE and payment["attempts"] < _ATTEMPTS


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
    }
