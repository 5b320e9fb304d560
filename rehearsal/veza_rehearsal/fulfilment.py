"""Receives webhooks for the shop: completes orders, grants and revokes licenses, pays sellers."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any, Final

from veza_rehearsal.answers import Answer, envelope, error_code
from veza_rehearsal.states import CAPTURED, ORDER_MOVES, LicenseStatus, OrderStatus, RefundStatus

if TYPE_CHECKING:
    from veza_rehearsal.database import Row
    from veza_rehearsal.means import Means
    from veza_rehearsal.transfers import Transfers

_ENDS: Final = {
    "payment_expired": OrderStatus.EXPIRED,
    "payment_cancelled": OrderStatus.CANCELLED,
    "payment_failed": OrderStatus.FAILED,
}


class Fulfilment:
    """Receives the processor's webhooks.

    Args:
        means: Database, clock, ids and switches; the caller holds the transaction.
        transfers: Pays the sellers.
        key: The key that signs the webhooks.
    """

    def __init__(self, means: Means, transfers: Transfers, key: str) -> None:
        self._means = means
        self._database = means.database
        self._ids = means.ids
        self._faults = means.faults
        self._transfers = transfers
        self._key = key

    def receive(self, raw: bytes, signature: str) -> Answer:
        """Process a webhook once, if its signature is right."""
        if not hmac.compare_digest(sign(self._key, raw), signature.encode("utf-8", "replace")):
            return error_code(401, "WEBHOOK_SIGNATURE_INVALID", "The signature is wrong")
        event = json.loads(raw)
        paid = event["event_type"] in {"payment_succeeded", "payment_captured"}
        if paid and self._faults.on("order_completion_crash"):
            return error_code(500, "INTERNAL_ERROR", "Could not complete the order")
        known = self._database.run(
            "INSERT INTO webhook_receipts (event_id, event_type, received_at) VALUES (?, ?, ?)"
            " ON CONFLICT (event_id) DO NOTHING",
            event["event_id"], event["event_type"], self._means.stamp(),
        )  # fmt: skip
        if known:
            kind, content = event["content"]["type"], event["content"]["object"]
            order = self._database.one("SELECT * FROM orders WHERE payment_id = ?", content["payment_id"])
            if order is not None:
                self._apply(kind, event["event_type"], order, content)
        return envelope(200, message="Received")

    def _apply(self, kind: str, event_type: str, order: Row, content: Row) -> None:
        if kind == "payment_details":
            self._payment(event_type, order, content)
        elif kind == "refund_details":
            self._refund(order, content)
        elif kind == "dispute_details":
            self._change(order, OrderStatus.DISPUTED)

    def _payment(self, event_type: str, order: Row, payment: Row) -> None:
        if order["payment_updated"] is not None and payment["updated"] <= order["payment_updated"]:
            return
        news = {"payment_status": payment["status"], "payment_updated": payment["updated"]}
        self._note(order, news)
        if payment["status"] in CAPTURED:
            same = (payment["amount"], payment["currency"]) == (order["total_amount_cents"], order["currency"])
            now = self._means.stamp()
            if same and self._change(order, OrderStatus.COMPLETED, completed_at=now):
                self._deliver(order, now)
                if payment["disputes"]:
                    self._change({**order, "status": OrderStatus.COMPLETED}, OrderStatus.DISPUTED)
        elif event_type in _ENDS and not payment["manual_retry_allowed"]:
            self._change(order, _ENDS[event_type])

    def _refund(self, order: Row, refund: Row) -> None:
        if order["refund_id"] != refund["refund_id"]:
            return
        if order["refund_updated"] is not None and refund["updated_at"] <= order["refund_updated"]:
            return
        self._note(order, {"refund_status": refund["status"], "refund_updated": refund["updated_at"]})
        status = OrderStatus(order["status"])
        if refund["status"] == RefundStatus.SUCCEEDED:
            now = self._means.stamp()
            whole = self._faults.on("partial_refund_untold")
            amount = order["total_amount_cents"] if whole else refund["amount"]
            news = {"refunded_at": now, "refunded_amount_cents": amount}
            if self._change(order, OrderStatus.REFUNDED, **news):
                self._take_back({**order, **news}, now)
        elif refund["status"] == RefundStatus.FAILED and status is OrderStatus.REFUNDED:
            self._change(order, OrderStatus.REFUND_FAILED, refunded_amount_cents=0)
        elif refund["status"] == RefundStatus.FAILED:
            self._change(order, OrderStatus.COMPLETED)

    def _change(self, order: Row, status: OrderStatus, **more: str | int) -> bool:
        if status not in ORDER_MOVES[OrderStatus(order["status"])]:
            return False
        self._note(order, {"status": status, **more})
        return True

    def _note(self, order: Row, changes: dict[str, Any]) -> None:
        changes = {**changes, "updated_at": self._means.stamp()}
        columns = ", ".join(f"{name} = ?" for name in changes)
        sql = f"UPDATE orders SET {columns} WHERE id = ?"  # noqa: S608 - the names are this module's
        self._database.run(sql, *changes.values(), order["id"])

    def _deliver(self, order: Row, now: str) -> None:
        items = self._database.all("SELECT * FROM order_items WHERE order_id = ? ORDER BY position", order["id"])
        if not self._faults.on("license_not_granted"):
            for item in items:
                self._database.run(
                    "INSERT INTO licenses (id, order_id, buyer_id, product_id, license_type, status, granted_at)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    self._ids.uuid(), order["id"], order["buyer_id"], item["product_id"], item["license_type"],
                    LicenseStatus.ACTIVE, now,
                )  # fmt: skip
        self._transfers.completed(order, now)

    def _take_back(self, order: Row, now: str) -> None:
        if not self._faults.on("license_not_revoked"):
            self._database.run(
                "UPDATE licenses SET status = ?, revoked_at = ? WHERE order_id = ? AND status = ?",
                LicenseStatus.REVOKED, now, order["id"], LicenseStatus.ACTIVE,
            )  # fmt: skip
        self._transfers.refunded(order, now)


def sign(key: str, raw: bytes) -> bytes:
    """Sign a webhook's bytes as Hyperswitch does: HMAC-SHA512, in hexadecimal."""
    return hmac.new(key.encode(), raw, hashlib.sha512).hexdigest().encode()
