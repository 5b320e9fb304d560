"""Keeps the Hyperswitch stub's payments, from the link to the charge."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from veza_rehearsal.clock import moment, stamp
from veza_rehearsal.processor_events import Events
from veza_rehearsal.processor_refunds import Refunds
from veza_rehearsal.processor_views import (
    ATTEMPTS,
    MERCHANT,
    ProcessorError,
    retryable,
    shown_dispute,
    shown_payment,
)
from veza_rehearsal.states import CAPTURED, PaymentStatus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from veza_rehearsal.cards import Verdict
    from veza_rehearsal.database import Row
    from veza_rehearsal.means import Means

_LINK_LIFETIME: Final = timedelta(minutes=15)
_LATE_DISPUTE: Final = 2
_OPEN: Final = (
    PaymentStatus.REQUIRES_PAYMENT_METHOD,
    PaymentStatus.FAILED,
    PaymentStatus.REQUIRES_CUSTOMER_ACTION,
)


@dataclass(frozen=True, slots=True)
class NewPayment:
    """The arguments of a new payment.

    Attributes:
        amount: Minor units, tax included.
        currency: ISO 4217.
        return_url: Where the buyer goes afterwards.
        payment_id: The caller's own id for it, if any.
        tax: The part of the amount that is tax, in minor units.
        description: What is bought.
        seller_name: Who sells it.
        order_reference: The shop's id for the order.
        customer_id: The shop's id for the buyer, as its API shows it.
        metadata: What the shop wants to find with the payment again.
    """

    amount: int
    currency: str
    return_url: str
    payment_id: str | None = None
    tax: int = 0
    description: str = ""
    seller_name: str = "Veza"
    order_reference: str | None = None
    customer_id: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)


class Processor:
    """Keeps payments and refunds, and writes the events to send.

    Args:
        means: Database, clock, ids and switches; the caller holds the transaction.
    """

    def __init__(self, means: Means) -> None:
        self._means = means
        self._database = means.database
        self._clock = means.clock
        self._ids = means.ids
        self._faults = means.faults
        self._events = Events(means)
        self.refunds = Refunds(means, self._events)

    def create_payment(self, new: NewPayment) -> Row:
        """Make a payment with a payment link.

        Raises:
            ProcessorError: HE_01 if the caller's payment id is taken.
        """
        payment_id = new.payment_id or self._ids.reference("pay")
        if self.find_payment(payment_id) is not None:
            message = "The payment with the specified payment_id already exists in our records"
            raise ProcessorError(400, "HE_01", message)
        now = self._clock.now()
        expires = now if self._faults.on("checkout_expired") else now + _LINK_LIFETIME
        self._database.run(
            "INSERT INTO hs_payments (payment_id, status, amount, amount_received, tax, currency, client_secret,"
            " return_url, description, seller_name, order_reference, attempts, created, updated, expires_on,"
            " customer_id, metadata) VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?)",
            payment_id, PaymentStatus.REQUIRES_PAYMENT_METHOD, new.amount, new.tax, new.currency,
            self._ids.reference(f"{payment_id}_secret"), new.return_url, new.description, new.seller_name,
            new.order_reference, stamp(now), stamp(now), stamp(expires),
            new.customer_id, json.dumps(dict(new.metadata)) if new.metadata else None,
        )  # fmt: skip
        return self.payment(payment_id)

    def find_payment(self, payment_id: str) -> Row | None:
        """Return the payment with this id, if there is one."""
        return self._database.one("SELECT * FROM hs_payments WHERE payment_id = ?", payment_id)

    def payment(self, payment_id: str) -> Row:
        """Return the payment with this id.

        Raises:
            ProcessorError: HE_02 if there is no payment with this id.
        """
        payment = self.find_payment(payment_id)
        if payment is None:
            raise ProcessorError(404, "HE_02", "Payment does not exist in our records")
        return payment

    def payments(self, customer_id: str | None = None) -> list[Row]:
        """Return a buyer's payments, or all of them, newest first."""
        if customer_id is None:
            return self._database.all("SELECT * FROM hs_payments ORDER BY seq DESC")
        return self._database.all("SELECT * FROM hs_payments WHERE customer_id = ? ORDER BY seq DESC", customer_id)

    def of_order(self, order_reference: str) -> list[Row]:
        """Return an order's payments, oldest first."""
        return self._database.all("SELECT * FROM hs_payments WHERE order_reference = ? ORDER BY seq", order_reference)

    def another(self, payment: Row) -> Row:
        """Make one more payment for the same order."""
        new = NewPayment(
            amount=payment["amount"],
            currency=payment["currency"],
            return_url=payment["return_url"],
            tax=payment["tax"],
            description=payment["description"],
            seller_name=payment["seller_name"],
            order_reference=payment["order_reference"],
            customer_id=payment["customer_id"],
            metadata=json.loads(payment["metadata"] or "{}"),
        )
        return self.create_payment(new)

    def link(self, payment: Row) -> str:
        """Return the URL of a payment's checkout page."""
        return f"{self._means.base_url}/hyperswitch/payment_link/{MERCHANT}/{payment['payment_id']}"

    def attempt(self, payment: Row, verdict: Verdict) -> Row:
        """Record a card's verdict. A payment that no longer takes a card is left unchanged."""
        if not retryable(payment):
            return payment
        changes = {"attempts": payment["attempts"] + 1, "card": verdict.card}
        forced = self._faults.on("three_ds") or self._faults.on("three_ds_abandon")
        if verdict.challenge or (forced and verdict.error is None):
            changes |= {"error_code": None, "error_message": None}
            return self._move(payment, PaymentStatus.REQUIRES_CUSTOMER_ACTION, "action_required", changes)
        if verdict.error is not None:
            code, message = verdict.error
            changes |= {"error_code": code, "error_message": message}
            return self._move(payment, PaymentStatus.FAILED, "payment_failed", changes)
        return self.charge(payment, changes)

    def charge(self, payment: Row, changes: Row) -> Row:
        """Charge an accepted card, at once or, with a method that settles later, after its time."""
        seconds = self._faults.value("async_method")
        if seconds is None:
            return self._capture(payment, changes)
        settles = self._clock.now() + timedelta(seconds=float(seconds))
        changes = {**changes, "error_code": None, "error_message": None, "settles_at": stamp(settles)}
        return self._move(payment, PaymentStatus.PROCESSING, "payment_processing", changes)

    def challenge(self, payment: Row, *, completed: bool) -> Row:
        """Record the outcome of a 3-D Secure challenge."""
        if payment["status"] != PaymentStatus.REQUIRES_CUSTOMER_ACTION or self._faults.on("three_ds_abandon"):
            return payment
        if completed:
            return self.charge(payment, {})
        failed = {"error_code": "DC_3DS", "error_message": "The bank's 3-D Secure check was rejected."}
        return self._move(payment, PaymentStatus.FAILED, "payment_failed", failed)

    def cancel(self, payment: Row) -> Row:
        """Cancel a payment, because the buyer gave up."""
        if payment["status"] not in _OPEN:
            return payment
        return self._move(payment, PaymentStatus.CANCELLED, "payment_cancelled", {})

    def refund_was_read(self, payment_id: str, refund_id: str) -> bool:
        """Note that the shop has shown an order as refunded; return whether something follows from it later."""
        self.refunds.success_was_read(refund_id)
        if not self._faults.on("dispute_after_refund"):
            return self._faults.on("refund_fails_late")
        wait = self._faults.value("dispute_after_refund")
        opens = self._clock.now() + timedelta(seconds=float(_LATE_DISPUTE if wait is None else wait))
        self._database.run(
            "UPDATE hs_payments SET dispute_at = ? WHERE payment_id = ? AND dispute_at IS NULL AND dispute_id IS NULL",
            stamp(opens), payment_id,
        )  # fmt: skip
        return True

    def pass_time(self) -> None:
        """Do everything that is due: expire links, receive late money, open disputes, end refunds."""
        now = self._means.stamp()
        expired = "SELECT * FROM hs_payments WHERE status IN (?, ?, ?) AND expires_on <= ? ORDER BY seq"
        for payment in self._database.all(expired, *_OPEN, now):
            if payment["status"] != PaymentStatus.FAILED or retryable(payment):
                self._move(payment, PaymentStatus.EXPIRED, "payment_expired", {})
        settled = "SELECT * FROM hs_payments WHERE status = ? AND settles_at <= ? ORDER BY seq"
        for payment in self._database.all(settled, PaymentStatus.PROCESSING, now):
            self._capture(payment, {"settles_at": None})
        disputed = "SELECT * FROM hs_payments WHERE dispute_at <= ? ORDER BY seq"
        for payment in self._database.all(disputed, now):
            self._dispute(payment)
        self.refunds.pass_time()

    def next_time(self) -> datetime | None:
        """Return the next time at which `pass_time` has something to do."""
        links = self._database.one(
            "SELECT min(expires_on) AS at FROM hs_payments WHERE status IN (?, ?, ?) AND (status <> ? OR attempts < ?)",
            *_OPEN, PaymentStatus.FAILED, ATTEMPTS,
        )  # fmt: skip
        settling = self._database.one(
            "SELECT min(settles_at) AS at FROM hs_payments WHERE status = ?", PaymentStatus.PROCESSING
        )
        disputes = self._database.one("SELECT min(dispute_at) AS at FROM hs_payments")
        times = [moment(first["at"]) for first in (links, settling, disputes) if first and first["at"]]
        times += [at for at in (self.refunds.next_time(),) if at is not None]
        return min(times, default=None)

    def shown(self, payment: Row) -> Row:
        """Return a payment with its refunds, as the API shows it."""
        return shown_payment(payment, self.refunds.of(payment["payment_id"]), self.link(payment))

    def _capture(self, payment: Row, changes: Row) -> Row:
        partial = self._faults.on("partial_capture")
        received = payment["amount"] // 2 if partial else payment["amount"]
        surcharge = self._faults.cents("net_amount")
        changes |= {
            "amount_received": received + surcharge,
            "surcharge": surcharge,
            "error_code": None,
            "error_message": None,
            "transaction_id": self._ids.reference("pi"),
        }
        if self._faults.on("dispute_opened"):
            changes["dispute_id"] = self._ids.reference("dp")
        status = PaymentStatus.PARTIALLY_CAPTURED if partial else PaymentStatus.SUCCEEDED
        paid = self._move(payment, status, "payment_captured" if partial else "payment_succeeded", changes)
        if paid["dispute_id"]:
            self._events.emit("dispute_opened", "dispute_details", shown_dispute(paid))
        return paid

    def _dispute(self, payment: Row) -> None:
        self._database.run(
            "UPDATE hs_payments SET dispute_at = NULL, dispute_id = ?, updated = ? WHERE payment_id = ?",
            self._ids.reference("dp"), self._events.after(payment["updated"]), payment["payment_id"],
        )  # fmt: skip
        disputed = self.payment(payment["payment_id"])
        self._events.emit("dispute_opened", "dispute_details", shown_dispute(disputed))

    def _move(self, payment: Row, status: PaymentStatus, event: str, changes: Row) -> Row:
        changes = {**changes, "status": status, "updated": self._events.after(payment["updated"])}
        columns = ", ".join(f"{name} = ?" for name in changes)
        sql = f"UPDATE hs_payments SET {columns} WHERE payment_id = ?"  # noqa: S608 - the names are this module's
        self._database.run(sql, *changes.values(), payment["payment_id"])
        moved = self.payment(payment["payment_id"])
        self._events.emit(event, "payment_details", self.shown(moved))
        if status in CAPTURED and self._faults.on("webhook_out_of_order"):
            # Older than the success just sent, so a receiver that compares `updated` ignores it.
            earlier = self.shown({**payment, "status": PaymentStatus.PROCESSING})
            self._events.emit("payment_processing", "payment_details", earlier)
        return moved
