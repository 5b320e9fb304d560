"""Receives webhooks for the shop: completes orders, grants and revokes licenses, pays sellers."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any, Final

from veza_rehearsal.answers import Answer, envelope, error_code
from veza_rehearsal.states import CAPTURED, ORDER_MOVES, LicenseStatus, OrderStatus, RefundStatus, TransferStatus

if TYPE_CHECKING:
    from veza_rehearsal.database import Row
    from veza_rehearsal.means import Means

_PLATFORM_FEE_PERCENT: Final = 10
_ENDS: Final = {
    "payment_expired": OrderStatus.EXPIRED,
    "payment_cancelled": OrderStatus.CANCELLED,
    "payment_failed": OrderStatus.FAILED,
}


class Fulfilment:
    """Receives the processor's webhooks.

    Args:
        means: Database, clock, ids and switches; the caller holds the transaction.
        key: The key that signs the webhooks.
    """

    def __init__(self, means: Means, key: str) -> None:
        self._means = means
        self._database = means.database
        self._ids = means.ids
        self._faults = means.faults
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
            if self._change(order, OrderStatus.REFUNDED, refunded_at=now, refunded_amount_cents=refund["amount"]):
                self._take_back(order, refund["amount"], now)
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
        if not self._faults.on("transfer_missing"):
            for seller_id in dict.fromkeys(item["seller_id"] for item in items):
                net = sum(item["price_cents"] for item in items if item["seller_id"] == seller_id)
                self._pay_out(order, seller_id, net, now)

    def _pay_out(self, order: Row, seller_id: str, net: int, now: str) -> None:
        fee = net * _PLATFORM_FEE_PERCENT // 100
        seller = self._database.one("SELECT stripe_account_id FROM sellers WHERE id = ?", seller_id)
        self._database.run(
            "INSERT INTO seller_transfers (id, order_id, seller_id, stripe_transfer_id, stripe_account_id,"
            " amount_cents, platform_fee_cents, currency, status, reversed_amount_cents, attempts, created_at,"
            " updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 1, ?, ?)",
            self._ids.uuid(), order["id"], seller_id, self._ids.reference("tr"),
            seller["stripe_account_id"] if seller else None, net - fee, fee, order["currency"],
            TransferStatus.COMPLETED, now, now,
        )  # fmt: skip

    def _take_back(self, order: Row, refunded: int, now: str) -> None:
        if not self._faults.on("license_not_revoked"):
            self._database.run(
                "UPDATE licenses SET status = ?, revoked_at = ? WHERE order_id = ? AND status = ?",
                LicenseStatus.REVOKED, now, order["id"], LicenseStatus.ACTIVE,
            )  # fmt: skip
        if self._faults.on("transfer_not_reversed"):
            return
        whole = refunded == order["total_amount_cents"]
        for transfer in self._database.all("SELECT * FROM seller_transfers WHERE order_id = ?", order["id"]):
            if self._faults.on("seller_balance_low"):
                self._database.run(
                    "UPDATE seller_transfers SET error_message = ?, attempts = attempts + 1, updated_at = ?"
                    " WHERE id = ?",
                    "The seller's balance is too low for the reversal", now, transfer["id"],
                )  # fmt: skip
                continue
            part = transfer["amount_cents"] * refunded // order["total_amount_cents"]
            self._database.run(
                "UPDATE seller_transfers SET status = ?, reversed_amount_cents = ?, stripe_reversal_id = ?,"
                " reversed_at = ?, updated_at = ? WHERE id = ?",
                TransferStatus.REVERSED if whole else TransferStatus.PARTIALLY_REVERSED, part,
                self._ids.reference("trr"), now, now, transfer["id"],
            )  # fmt: skip


def sign(key: str, raw: bytes) -> bytes:
    """Sign a webhook's bytes as Hyperswitch does: HMAC-SHA512, in hexadecimal."""
    return hmac.new(key.encode(), raw, hashlib.sha512).hexdigest().encode()
