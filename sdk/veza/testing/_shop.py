"""What the fake backend remembers: an account, products, orders, licenses. Plain JSON values, no models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

Object: TypeAlias = dict[str, Any]


class RefusalError(Exception):
    """An error answer: status, code, message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class Shop:
    """The books of the fake backend.

    Args:
        now: the time.
        checkout: the URL of the page that orders are paid on, without the payment's id.
    """

    def __init__(self, now: Callable[[], datetime], checkout: str) -> None:
        self._now = now
        self._checkout = checkout
        self.products: dict[str, Object] = {}
        self.orders: dict[str, Object] = {}
        self.licenses: dict[str, Object] = {}
        self._by_key: dict[tuple[str, str], tuple[object, Object]] = {}

    def _time(self) -> str:
        return self._now().isoformat().replace("+00:00", "Z")

    def once(self, kind: str, key: str | None, asked: object, act: Callable[[], Object]) -> tuple[Object, bool]:
        """Carry out a write once for each idempotency key. Returns the result and whether it was carried out now."""
        if key is None:
            return act(), True
        if known := self._by_key.get((kind, key)):
            if known[0] != asked:
                raise RefusalError(409, "IDEMPOTENCY_KEY_REUSED", "The key was used for another request")
            return known[1], False
        result = act()
        self._by_key[kind, key] = (asked, result)
        return result, True

    def product(self, product_id: str) -> Object:
        """Return a product."""
        if product_id not in self.products:
            raise RefusalError(404, "PRODUCT_NOT_FOUND", "No such product")
        return self.products[product_id]

    def order(self, order_id: str) -> Object:
        """Return an order."""
        if order_id not in self.orders:
            raise RefusalError(404, "ORDER_NOT_FOUND", "No such order")
        return self.orders[order_id]

    def create(self, buyer: str, items: list[Object]) -> Object:
        """Order products."""
        lines = [self._line(item) for item in items]
        number = f"{len(self.orders) + 1}"
        order = {
            "id": f"order-{number}",
            "buyer_id": buyer,
            "status": "pending_payment",
            "total_amount_cents": sum(line["price_cents"] for line in lines),
            "tax_amount_cents": 0,
            "currency": self.product(items[0]["product_id"])["currency"],
            "payment_id": f"pay-{number}",
            "payment_status": "requires_payment_method",
            "refunded_amount_cents": 0,
            "items": lines,
            "created_at": self._time(),
            "updated_at": self._time(),
        }
        self.orders[order["id"]] = order
        return {"order": dict(order), "checkout_url": f"{self._checkout}/{order['payment_id']}"}

    def _line(self, item: Object) -> Object:
        product = self.product(item["product_id"])
        license_type = item.get("license_type") or product["license_types"][0]
        return {"product_id": product["id"], "license_type": license_type, "price_cents": product["price_cents"]}

    def pay(self, order_id: str) -> None:
        """Let the buyer pay: the order is completed and its licenses are granted."""
        order = self.order(order_id)
        self._change(order, status="completed", payment_status="succeeded", completed_at=self._time())
        for line in order["items"]:
            number = f"license-{len(self.licenses) + 1}"
            self.licenses[number] = {
                "id": number,
                "order_id": order_id,
                "product_id": line["product_id"],
                "license_type": line["license_type"],
                "status": "active",
                "granted_at": self._time(),
            }

    def refund(self, order_id: str, amount_cents: int | None) -> Object:
        """Accept a refund; `settle_refund` carries it out."""
        order = self.order(order_id)
        if order["status"] != "completed":
            raise RefusalError(409, "ORDER_INVALID_STATE", "The order is not completed")
        amount = order["total_amount_cents"] if amount_cents is None else amount_cents
        if amount > order["total_amount_cents"]:
            raise RefusalError(422, "VALIDATION_ERROR", "More than was paid")
        refund = {"id": f"refund-{order_id}", "status": "pending", "amount_cents": amount}
        self._change(order, status="refund_pending", refund_id=refund["id"], refund_status="pending")
        return {"refund": refund, "order": dict(order)}

    def settle_refund(self, order_id: str) -> None:
        """Let the refund come through: the order is refunded and its licenses are revoked."""
        order = self.order(order_id)
        self._change(
            order,
            status="refunded",
            refund_status="succeeded",
            refunded_amount_cents=order["total_amount_cents"],
            refunded_at=self._time(),
        )
        for license_ in self.licenses.values():
            if license_["order_id"] == order_id:
                license_.update(status="revoked", revoked_at=self._time())

    def set_status(self, order_id: str, status: str) -> None:
        """Put an order into any state."""
        self._change(self.order(order_id), status=status)

    def _change(self, order: Object, **changes: object) -> None:
        order.update(changes, updated_at=self._time())
