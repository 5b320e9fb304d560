"""The shop: carries out the operations of products, orders, licenses and refund requests."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final

from veza_rehearsal import of_2025
from veza_rehearsal.answers import (
    Answer,
    RefusedError,
    envelope,
    error_code,
    error_message,
    error_object,
    error_text,
)
from veza_rehearsal.clock import moment
from veza_rehearsal.processor import NewPayment
from veza_rehearsal.processor_views import ProcessorError
from veza_rehearsal.states import LicenseStatus, OrderStatus, ProductStatus

if TYPE_CHECKING:
    from veza_rehearsal.call import Call
    from veza_rehearsal.database import Row
    from veza_rehearsal.means import Means
    from veza_rehearsal.processor import Processor

_REFUND_WINDOW: Final = timedelta(days=14)
_REQUESTED: Final = frozenset({OrderStatus.REFUND_PENDING, OrderStatus.REFUNDED, OrderStatus.REFUND_FAILED})


class Shop:
    """Carries out the operations of products, orders and licenses.

    Args:
        means: Database, clock, ids and switches; the caller holds the transaction.
        processor: Takes the payments.
    """

    def __init__(self, means: Means, processor: Processor) -> None:
        self._means = means
        self._database = means.database
        self._clock = means.clock
        self._ids = means.ids
        self._faults = means.faults
        self._processor = processor

    def list_products(self, call: Call) -> Answer:
        """Carry out `listProducts`: products on sale whose sellers can be paid."""
        on_sale = (
            "SELECT products.* FROM products JOIN sellers ON sellers.id = products.seller_id"
            " WHERE products.status = ? AND sellers.onboarded = 1"
        )
        return self._page(call, on_sale, (ProductStatus.ACTIVE,), "position", shown_product)

    def get_product(self, call: Call) -> Answer:
        """Carry out `getProduct`."""
        return envelope(200, shown_product(self._product(call, call.path["product_id"])))

    def list_orders(self, call: Call) -> Answer:
        """Carry out `listOrders`: the caller's orders, newest first."""
        where, values = "SELECT * FROM orders WHERE buyer_id = ?", [call.user["id"]]
        if "status" in call.query:
            where, values = f"{where} AND status = ?", [*values, call.query["status"]]
        return self._page(call, where, tuple(values), "seq DESC", self.shown_order)

    def get_order(self, call: Call) -> Answer:
        """Carry out `getOrder`."""
        order = self._own_order(call)
        answer = envelope(200, self.shown_order(order))
        if order["status"] != OrderStatus.REFUNDED:
            return answer
        return replace(answer, due=self._processor.refund_was_read(order["payment_id"], order["refund_id"]))

    def list_my_licenses(self, call: Call) -> Answer:
        """Carry out `listMyLicenses`."""
        licenses = self._database.all("SELECT * FROM licenses WHERE buyer_id = ? ORDER BY seq", call.user["id"])
        wanted = call.query.get("order_id")
        return envelope(200, [row for row in licenses if wanted in {None, row["order_id"]}])

    def create_order(self, call: Call) -> Answer:
        """Carry out `createOrder`."""
        if self._faults.on("hyperswitch_disabled"):
            raise RefusedError(error_code(503, "PAYMENT_PROVIDER_DISABLED", "Payments are switched off"))
        items = [self._item(call, item) for item in call.body["items"]]
        if len({item["product_id"] for item in items}) < len(items):
            raise RefusedError(error_code(409, "ORDER_ALREADY_OWNED", "A product is named twice"))
        currency = items[0]["currency"]
        if any(item["currency"] != currency for item in items):
            raise RefusedError(error_code(409, "ORDER_INVALID_STATE", "An order's products share one currency"))
        if self._faults.on("currency_mismatch"):
            currency = "USD" if currency == "EUR" else "EUR"
        order_id = self._write_order(call, items, currency)
        order = self._order(order_id)
        payment = self._processor.payment(order["payment_id"])
        data = {
            "order": self.shown_order(order),
            "checkout_url": self._processor.link(payment),
            "payment_id": payment["payment_id"],
            "client_secret": payment["client_secret"],
        }
        return envelope(201, data, committed=True)

    def request_refund(self, call: Call) -> Answer:
        """Carry out `requestRefund`."""
        order = self._own_order(call)
        status = OrderStatus(order["status"])
        if status in _REQUESTED:
            raise RefusedError(error_code(409, "REFUND_ALREADY_REQUESTED", "A refund was requested before"))
        if status is not OrderStatus.COMPLETED:
            raise RefusedError(error_code(409, "ORDER_INVALID_STATE", f"The order is {status}, not completed"))
        if moment(order["completed_at"]) + _REFUND_WINDOW < self._clock.now():
            raise RefusedError(error_code(422, "REFUND_WINDOW_EXPIRED", "Refunds are possible for 14 days"))
        amount = call.body.get("amount_cents")
        if amount is not None and amount != int(amount):
            raise RefusedError(error_code(400, "VALIDATION_AMOUNT", "The amount is no whole number of cents"))
        payment = self._processor.payment(order["payment_id"])
        asked = int(amount) if amount is not None else min(order["total_amount_cents"], payment["amount_received"])
        short = 0 if amount is not None else self._faults.cents("partial_refund_untold")
        try:
            refund = self._processor.refunds.create(payment, max(1, asked - short), call.body["reason"])
        except ProcessorError as error:
            raise RefusedError(error_code(422, "PAYMENT_FAILED", error.message)) from None
        if self._faults.on("refund_lost_at_backend"):
            return replace(error_text(500, "Internal server error"), committed=True)
        self._database.run(
            "UPDATE orders SET status = ?, refund_id = ?, refund_status = ?, refund_updated = NULL, updated_at = ?"
            " WHERE id = ?",
            OrderStatus.REFUND_PENDING, refund["refund_id"], refund["status"], self._means.stamp(), order["id"],
        )  # fmt: skip
        shown = {"id": refund["refund_id"], "status": refund["status"], "amount_cents": asked}
        data = {"refund": shown, "order": self.shown_order(self._order(order["id"]))}
        return envelope(202, data, committed=True)

    def shown_order(self, order: Row) -> Row:
        """Return an order as the API shows it."""
        items = self._database.all(
            "SELECT product_id, license_type, price_cents FROM order_items WHERE order_id = ? ORDER BY position",
            order["id"],
        )  # fmt: skip
        shown = {**order, "items": items}
        if order["status"] == OrderStatus.REFUNDED and self._faults.on("partial_refund_untold"):
            del shown["refunded_amount_cents"]
        return shown

    def _write_order(self, call: Call, items: list[Row], currency: str) -> str:
        order_id = self._ids.uuid()
        net = sum(item["price_cents"] for item in items)
        added, included = self._tax(net)
        total, tax = net + added, added + included
        ids = [call.user["id"], order_id]
        buyer_id, shown_id = [str(of_2025.number(one)) for one in ids] if self._faults.on(of_2025.SWITCH) else ids
        new = NewPayment(
            amount=total,
            currency=currency,
            return_url=f"{self._means.base_url}/shop/return?order_id={order_id}",
            tax=tax,
            description=", ".join(item["title"] for item in items),
            seller_name=", ".join(dict.fromkeys(item["seller_name"] for item in items)),
            order_reference=order_id,
            customer_id=buyer_id,
            metadata={"order_id": shown_id},
        )
        payment = self._processor.create_payment(new)
        now = self._means.stamp()
        self._database.run(
            "INSERT INTO orders (id, buyer_id, status, total_amount_cents, tax_amount_cents, currency, payment_id,"
            " payment_status, refunded_amount_cents, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)",
            order_id, call.user["id"], OrderStatus.PENDING_PAYMENT, total, tax, currency, payment["payment_id"],
            payment["status"], now, now,
        )  # fmt: skip
        for position, item in enumerate(items):
            self._database.run(
                "INSERT INTO order_items (order_id, position, product_id, seller_id, license_type, price_cents)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                order_id, position, item["product_id"], item["seller_id"], item["license_type"], item["price_cents"],
            )  # fmt: skip
        return order_id

    def _tax(self, price: int) -> tuple[int, int]:
        """Return the tax that is added to a list price, and the tax that is included in it."""
        on_top = self._faults.value("vat_added") or Decimal(0)
        inside = self._faults.value("tax_inclusive") or Decimal(0)
        exact = price * on_top / 100, price * inside / (100 + inside)
        added, included = (int(tax.to_integral_value(ROUND_HALF_UP)) for tax in exact)
        return added, included

    def _item(self, call: Call, wanted: dict[str, Any]) -> Row:
        product = self._product(call, wanted["product_id"])
        if product["status"] != ProductStatus.ACTIVE:
            raise RefusedError(error_code(422, "PRODUCT_UNAVAILABLE", "The product is not on sale"))
        license_types = json.loads(product["license_types"])
        license_type = wanted.get("license_type", license_types[0])
        if license_type not in license_types:
            raise RefusedError(self._missing(call, "RESOURCE_NOT_FOUND", "The product has no such license"))
        seller = self._database.one("SELECT * FROM sellers WHERE id = ?", product["seller_id"])
        if seller is None or not seller["onboarded"]:
            raise RefusedError(error_code(422, "SELLER_NOT_ONBOARDED", "The seller cannot be paid yet"))
        owned = self._database.one(
            "SELECT id FROM licenses WHERE buyer_id = ? AND product_id = ? AND status = ?",
            call.user["id"], product["id"], LicenseStatus.ACTIVE,
        )  # fmt: skip
        if owned is not None:
            raise RefusedError(error_code(409, "ORDER_ALREADY_OWNED", "You own a license of this product"))
        return {**product, "product_id": product["id"], "license_type": license_type, "seller_name": seller["name"]}

    def _product(self, call: Call, product_id: str) -> Row:
        product = self._find("products", product_id)
        if product is None:
            raise RefusedError(self._missing(call, "PRODUCT_NOT_FOUND", "No such product"))
        return product

    def _own_order(self, call: Call) -> Row:
        order = self._find("orders", call.path["order_id"])
        if order is None:
            raise RefusedError(self._missing(call, "ORDER_NOT_FOUND", "No such order"))
        if order["buyer_id"] != call.user["id"]:
            raise RefusedError(error_message(403, "Not your order"))
        return order

    def _find(self, table: str, identifier: str) -> Row | None:
        # Compared as text, since an id may be any word, and a UUID column would refuse most words.
        sql = f"SELECT * FROM {table} WHERE CAST(id AS TEXT) = ?"  # noqa: S608 - the table is this module's
        return self._database.one(sql, identifier)

    def _missing(self, call: Call, code: str, message: str) -> Answer:
        now = self._means.stamp()
        return error_object(404, code, message, request_id=call.request_id, timestamp=now)

    def _order(self, order_id: str) -> Row:
        order = self._find("orders", order_id)
        assert order is not None, order_id
        return order

    def _page(self, call: Call, select: str, values: tuple[Any, ...], order: str, show: Any) -> Answer:
        page, limit = int(call.query.get("page", 1)), int(call.query.get("limit", 20))
        counted = self._database.one(f"SELECT count(*) AS total FROM ({select}) AS selected", *values)  # noqa: S608 - literals
        total = counted["total"] if counted else 0
        rows = self._database.all(f"{select} ORDER BY {order} LIMIT ? OFFSET ?", *values, limit, (page - 1) * limit)
        meta = {"page": page, "per_page": limit, "total": total, "total_pages": -(-total // limit)}
        return envelope(200, [show(row) for row in rows], meta=meta)


def shown_product(product: Row) -> Row:
    """Return a product as the API shows it."""
    return {**product, "license_types": json.loads(product["license_types"])}
