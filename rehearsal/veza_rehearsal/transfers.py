"""Pays the sellers of completed orders, and takes their transfers back after a refund."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from veza_rehearsal.clock import moment, stamp
from veza_rehearsal.states import OrderStatus, TransferStatus

if TYPE_CHECKING:
    from datetime import datetime

    from veza_rehearsal.database import Row
    from veza_rehearsal.means import Means

_PLATFORM_FEE_PERCENT: Final = 10


class _Task(StrEnum):
    BOOK = "book"
    REVERSE = "reverse"


class Transfers:
    """The rows of `seller_transfers`.

    Args:
        means: Database, clock, ids and switches; the caller holds the transaction.
    """

    def __init__(self, means: Means) -> None:
        self._means = means
        self._database = means.database
        self._ids = means.ids
        self._faults = means.faults

    def completed(self, order: Row, now: str) -> None:
        """Book the transfers of an order that was just completed, now or when a switch says so."""
        if self._faults.on("transfer_missing"):
            return
        if self._faults.on("transfer_late"):
            self._later(_Task.BOOK, order, "transfer_late")
        else:
            self._book(order, now)

    def refunded(self, order: Row, now: str) -> None:
        """Reverse the transfers of an order that was just refunded, now or when a switch says so."""
        if self._faults.on("transfer_not_reversed"):
            return
        if self._faults.on("reversal_late"):
            self._later(_Task.REVERSE, order, "reversal_late")
        else:
            self._reverse(order, now)

    def pass_time(self) -> None:
        """Book and reverse what is due."""
        due = "SELECT * FROM transfers_due WHERE due_at <= ? ORDER BY due_at, seq"
        now = self._means.stamp()
        for task in self._database.all(due, now):
            self._database.run("DELETE FROM transfers_due WHERE seq = ?", task["seq"])
            order = self._database.one("SELECT * FROM orders WHERE id = ?", task["order_id"])
            assert order is not None, task
            if task["task"] == _Task.REVERSE:
                self._reverse(order, now)
                continue
            self._book(order, now)
            if order["refunded_at"] is not None:
                self.refunded(order, now)

    def next_time(self) -> datetime | None:
        """Return the next time at which `pass_time` has something to do."""
        first = self._database.one("SELECT min(due_at) AS at FROM transfers_due")
        return moment(first["at"]) if first and first["at"] else None

    def _later(self, task: _Task, order: Row, switch: str) -> None:
        due = self._means.clock.now() + timedelta(seconds=float(self._faults.value(switch) or 0))
        self._database.run(
            "INSERT INTO transfers_due (task, order_id, due_at) VALUES (?, ?, ?)", task, order["id"], stamp(due)
        )

    def _book(self, order: Row, now: str) -> None:
        items = self._database.all("SELECT * FROM order_items WHERE order_id = ? ORDER BY position", order["id"])
        prices: dict[str, int] = {}
        for item in items:
            prices[item["seller_id"]] = prices.get(item["seller_id"], 0) + item["price_cents"]
        for seller_id, net in _without_tax(order, prices).items():
            self._pay_out(order, seller_id, net, now)

    def _pay_out(self, order: Row, seller_id: str, net: int, now: str) -> None:
        fee = net * _PLATFORM_FEE_PERCENT // 100
        choice = "id <> ? AND onboarded = 1 ORDER BY id" if self._faults.on("wrong_seller") else "id = ?"
        seller = self._database.one(f"SELECT id, stripe_account_id FROM sellers WHERE {choice}", seller_id)  # noqa: S608 - literals
        assert seller is not None, seller_id
        self._database.run(
            "INSERT INTO seller_transfers (id, order_id, seller_id, stripe_transfer_id, stripe_account_id,"
            " amount_cents, platform_fee_cents, currency, status, reversed_amount_cents, attempts, created_at,"
            " updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 1, ?, ?)",
            self._ids.uuid(), order["id"], seller["id"], self._ids.reference("tr"), seller["stripe_account_id"],
            net - fee, fee, order["currency"], TransferStatus.COMPLETED, now, now,
        )  # fmt: skip

    def _reverse(self, order: Row, now: str) -> None:
        refunded, total = order["refunded_amount_cents"], order["total_amount_cents"]
        if order["status"] == OrderStatus.REFUND_FAILED:
            return
        for transfer in self._database.all("SELECT * FROM seller_transfers WHERE order_id = ?", order["id"]):
            if self._faults.on("seller_balance_low"):
                self._database.run(
                    "UPDATE seller_transfers SET error_message = ?, attempts = attempts + 1, updated_at = ?"
                    " WHERE id = ?",
                    "The seller's balance is too low for the reversal", now, transfer["id"],
                )  # fmt: skip
                continue
            self._database.run(
                "UPDATE seller_transfers SET status = ?, reversed_amount_cents = ?, stripe_reversal_id = ?,"
                " reversed_at = ?, updated_at = ? WHERE id = ?",
                TransferStatus.REVERSED if refunded == total else TransferStatus.PARTIALLY_REVERSED,
                transfer["amount_cents"] * refunded // total, self._ids.reference("trr"), now, now, transfer["id"],
            )  # fmt: skip


def _without_tax(order: Row, prices: dict[str, int]) -> dict[str, int]:
    """Take the tax that is included in the list prices from each seller's part, whole cents that add up."""
    whole = sum(prices.values())
    included = whole + order["tax_amount_cents"] - order["total_amount_cents"]
    net: dict[str, int] = {}
    seen = taken = 0
    for seller_id, price in prices.items():
        seen += price
        share = included * seen // whole - taken
        taken += share
        net[seller_id] = price - share
    return net
