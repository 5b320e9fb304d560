"""What the fake backend remembers: products, orders, licenses. Plain JSON values, no models."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Object: TypeAlias = dict[str, Any]
_CARDS: Final = 3
_KEYS_LAST: Final = timedelta(hours=24)
_REFUND_WINDOW: Final = timedelta(days=14)
_REQUESTED: Final = frozenset({"refund_pending", "refunded", "refund_failed"})


class RefusalError(Exception):
    """An error answer: status, code, message, headers."""

    def __init__(self, status: int, code: str | None, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


@dataclass(eq=False)
class _Page:
    """A checkout page: until when it takes cards, how many it declined, and when it charged one."""

    until: datetime
    declined: int = 0
    charged: datetime | None = None


class Shop:
    """The books of the fake backend.

    Args:
        now: the time.
        checkout: the URL of the page that orders are paid on, without the payment's id.

    Attributes:
        products: by id. One whose `status` is not `active` is neither listed nor sold.
        orders: by id.
        licenses: by id.
        checkout_seconds: for how long a new order can be paid; after that it is expired.
    """

    def __init__(self, now: Callable[[], datetime], checkout: str) -> None:
        self._now = now
        self._checkout = checkout
        self.products: dict[str, Object] = {}
        self.orders: dict[str, Object] = {}
        self.licenses: dict[str, Object] = {}
        self.checkout_seconds: float = 15 * 60
        self._pages: dict[str, _Page] = {}
        self._refunds: dict[str, int] = {}
        self._by_key: dict[tuple[str, str], tuple[datetime, object, Object]] = {}

    def _time(self) -> str:
        return self._now().isoformat().replace("+00:00", "Z")

    def once(self, kind: str, key: str | None, asked: object, act: Callable[[], Object]) -> tuple[Object, bool]:
        """Carry out a write once for each idempotency key. Returns the result and whether it was carried out now."""
        if key is None:
            return act(), True
        known = self._by_key.get((kind, key))
        if known and known[0] + _KEYS_LAST > self._now():
            if known[1] != asked:
                raise RefusalError(409, "IDEMPOTENCY_KEY_REUSED", "The key was used for another request")
            return known[2], False
        result = act()
        self._by_key[kind, key] = (self._now(), asked, result)
        return result, True

    def product(self, product_id: str) -> Object:
        """Return a product."""
        if product_id not in self.products:
            raise RefusalError(404, "PRODUCT_NOT_FOUND", "No such product")
        return self.products[product_id]

    def order(self, order_id: str) -> Object:
        """Return an order."""
        self.pass_time()
        if order_id not in self.orders:
            raise RefusalError(404, "ORDER_NOT_FOUND", "No such order")
        return self.orders[order_id]

    def pass_time(self) -> None:
        """Let the orders expire that were not paid in time."""
        for order in self.orders.values():
            page = self._pages.get(order["payment_id"])
            if page and page.until <= self._now() and order["status"] == "pending_payment":
                self._change(order, status="expired", payment_status="expired")

    def create(self, buyer: str, items: list[Object]) -> Object:
        """Order products."""
        lines = [self._line(buyer, item) for item in items]
        if len({line["product_id"] for line in lines}) < len(lines):
            raise RefusalError(409, "ORDER_ALREADY_OWNED", "A product is named twice")
        currencies = [self.product(line["product_id"])["currency"] for line in lines]
        if len(set(currencies)) > 1:
            raise RefusalError(409, "ORDER_INVALID_STATE", "An order's products share one currency")
        number = f"{len(self.orders) + 1}"
        order = {
            "id": f"order-{number}",
            "buyer_id": buyer,
            "status": "pending_payment",
            "total_amount_cents": sum(line["price_cents"] for line in lines),
            "tax_amount_cents": 0,
            "currency": currencies[0],
            "payment_id": f"pay-{number}",
            "payment_status": "requires_payment_method",
            "refunded_amount_cents": 0,
            "items": lines,
            "created_at": self._time(),
            "updated_at": self._time(),
        }
        self.orders[order["id"]] = order
        self._pages[order["payment_id"]] = _Page(self._now() + timedelta(seconds=self.checkout_seconds))
        return {"order": dict(order), "checkout_url": f"{self._checkout}/{order['payment_id']}"}

    def _line(self, buyer: str, item: Object) -> Object:
        product = self.product(item["product_id"])
        if product["status"] != "active":
            raise RefusalError(422, "PRODUCT_UNAVAILABLE", "The product is not on sale")
        license_type = item.get("license_type") or product["license_types"][0]
        if license_type not in product["license_types"]:
            raise RefusalError(404, "RESOURCE_NOT_FOUND", "The product has no such license")
        owned = [one for one in self.licenses_of(buyer) if one["status"] == "active"]
        if any(one["product_id"] == product["id"] for one in owned):
            raise RefusalError(409, "ORDER_ALREADY_OWNED", "The buyer owns a license of the product")
        return {"product_id": product["id"], "license_type": license_type, "price_cents": product["price_cents"]}

    def licenses_of(self, buyer: str) -> list[Object]:
        """Return a buyer's licenses."""
        theirs = {name for name, order in self.orders.items() if order["buyer_id"] == buyer}
        return [one for one in self.licenses.values() if one["order_id"] in theirs]

    def pay(self, order_id: str) -> bool:
        """Let the buyer pay: the order is completed and its licenses are granted.

        Returns:
            Whether the card was charged. An order that is paid, expired, failed or cancelled takes no card.
        """
        order = self.order(order_id)
        if order["status"] != "pending_payment":
            return False
        if page := self._pages.get(order["payment_id"]):
            page.charged = self._now()
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
        return True

    def decline(self, order_id: str) -> bool:
        """Let the buyer's card be declined. The buyer may try again; the third decline ends the order as failed.

        Returns:
            Whether the order took a card.
        """
        order = self.order(order_id)
        if order["status"] != "pending_payment":
            return False
        page = self._pages[order["payment_id"]]
        page.declined += 1
        self._change(order, payment_status="failed")
        if page.declined == _CARDS:
            self._change(order, status="failed")
        return True

    def cancel(self, order_id: str) -> bool:
        """Let the buyer give up at the checkout. Returns whether the order could still be paid."""
        order = self.order(order_id)
        if order["status"] != "pending_payment":
            return False
        self._change(order, status="cancelled", payment_status="cancelled")
        return True

    def refund(self, order_id: str, amount_cents: int | None) -> Object:
        """Accept a refund; `settle_refund` or `fail_refund` ends it."""
        order = self.order(order_id)
        if order["status"] in _REQUESTED:
            raise RefusalError(409, "REFUND_ALREADY_REQUESTED", "A refund was requested before")
        if order["status"] != "completed":
            raise RefusalError(409, "ORDER_INVALID_STATE", f"The order is {order['status']}, not completed")
        page = self._pages.get(order["payment_id"])
        if page and page.charged and page.charged + _REFUND_WINDOW < self._now():
            raise RefusalError(422, "REFUND_WINDOW_EXPIRED", "Refunds are possible for 14 days")
        amount = order["total_amount_cents"] if amount_cents is None else amount_cents
        if amount > order["total_amount_cents"]:
            raise RefusalError(422, "PAYMENT_FAILED", "The refund amount exceeds the amount captured")
        earlier = sum(name.startswith(f"refund-{order_id}") for name in self._refunds)
        refund_id = f"refund-{order_id}" + (f"-{earlier + 1}" if earlier else "")
        self._refunds[refund_id] = amount
        self._change(order, status="refund_pending", refund_id=refund_id, refund_status="pending")
        return {"refund": {"id": refund_id, "status": "pending", "amount_cents": amount}, "order": dict(order)}

    def settle_refund(self, order_id: str) -> bool:
        """Let the refund come through: the order is refunded and its licenses are revoked, whatever part came back.

        Returns:
            Whether a refund was pending.
        """
        order = self.order(order_id)
        if order.get("refund_status") != "pending":
            return False
        amount = self._refunds.get(order.get("refund_id", ""), order["total_amount_cents"])
        self._change(
            order,
            status="refunded",
            refund_status="succeeded",
            refunded_amount_cents=amount,
            refunded_at=self._time(),
        )
        for license_ in self.licenses.values():
            if license_["order_id"] == order_id:
                license_.update(status="revoked", revoked_at=self._time())
        return True

    def fail_refund(self, order_id: str) -> bool:
        """Let the refund fail: a pending one leaves the order completed, one that came through `refund_failed`.

        Returns:
            Whether there was a refund that could fail.
        """
        order = self.order(order_id)
        if order.get("refund_status") not in {"pending", "succeeded"}:
            return False
        status = "refund_failed" if order["status"] == "refunded" else "completed"
        self._change(order, status=status, refund_status="failed", refunded_amount_cents=0)
        return True

    def set_status(self, order_id: str, status: str) -> None:
        """Put an order into any state."""
        self._change(self.order(order_id), status=status)

    def _change(self, order: Object, **changes: object) -> None:
        order.update(changes, updated_at=self._time())
