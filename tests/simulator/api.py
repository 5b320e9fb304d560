"""The simulated Veza API, in one of its dialects. Written from the facts, not from the rehearsal backend."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from simulator.books import License, Order, Product, Told
from simulator.clock import stamp
from simulator.plan import Plan
from simulator.wire import Answer, Question
from simulator.world import BUYER, World

EMAIL, PASSWORD = "buyer@operator.example", "correct-horse-battery-61"
PREFIX = "/api/v1"
_PUBLIC = ("/health", "/status", "/auth/login", "/auth/refresh", "/auth/logout", "/marketplace/")
ZERO_TIME = "0001-01-01T00:00:00Z"
_REFUNDING = frozenset({"refund_pending", "refunded", "refund_failed"})
OWNED = "this account owns it already"
_TAKEN = frozenset({"completed", "disputed", "archived"}) | _REFUNDING


class VezaApi:
    """Answers as the backend does.

    Args:
        world: the books.
        environment: what `/status` calls it.
    """

    def __init__(self, world: World, environment: str) -> None:
        self.world = world
        self.plan: Plan = world.plan
        self.environment = environment
        self._tokens: dict[str, datetime] = {}
        self._logins = 0
        self._keys: dict[tuple[str, str], str] = {}
        self._listed = 0
        self.secrets = [PASSWORD]
        self._routes: list[tuple[str, str, Callable[..., Answer]]] = [
            ("GET", "/health", self._health),
            ("GET", "/status", self._status),
            ("POST", "/auth/login", self._login),
            ("POST", "/auth/refresh", self._refresh),
            ("POST", "/auth/logout", lambda _question: Answer(200, {"success": True})),
            ("GET", "/auth/me", lambda _question: self._data(self._user())),
            ("GET", "/marketplace/products", self._products),
            ("GET", "/marketplace/products/([^/]+)", self._product),
            ("POST", "/orders", self._create),
            ("GET", "/orders", self._orders),
            ("GET", "/orders/([^/]+)", self._order),
            ("GET", "/licenses/mine", self._licenses),
            ("POST", "/orders/([^/]+)/refund", self._refund),
        ]

    def answer(self, question: Question) -> Answer:
        path = question.path.removeprefix(PREFIX)
        for method, pattern, act in self._routes:
            found = re.fullmatch(pattern, path)
            if found and method == question.method:
                if not path.startswith(_PUBLIC) and not self._known(question):
                    return self.error(401, "AUTH_TOKEN_EXPIRED", "the token has expired")
                return act(question, *found.groups())
        return Answer(404, b"404 page not found", {"content-type": "text/plain"})

    # Dialect.

    def _data(self, data: Any, status: int = 200, meta: Any = None) -> Answer:
        document = {"success": True, "data": data}
        if meta is not None:
            document["meta"] = meta
        if self.plan.absent != "omitted":
            document["message"] = "ok"
        return Answer(status, document, {"x-request-id": f"req-{self.world.chance.getrandbits(40):x}"})

    def error(self, status: int, code: str, message: str) -> Answer:
        shapes: tuple[dict[str, Any], ...] = (
            {"success": False, "message": message, "error_code": code, "details": {}},
            {"success": False, "error": message},
            {"error": {"code": code, "message": message, "details": {}, "timestamp": self._time(self.world.clock.at)}},
            {"success": False, "message": message},
            {"success": False, "message": message, "error_code": code},
        )
        return Answer(status, shapes[self.plan.error_shape])

    def _id(self, value: str) -> str | int:
        return int(value) if self.plan.ids == "integer" and value.isdigit() else value

    def _time(self, at: datetime) -> str:
        return stamp(at, nanoseconds=self.plan.nanoseconds)

    def _said(self, members: dict[str, Any], zero: str | None = "") -> dict[str, Any]:
        """Members that may not be there yet, as this backend writes what is not there."""
        if self.plan.absent == "omitted":
            return {name: value for name, value in members.items() if value is not None}
        if self.plan.absent == "zero":
            return {
                name: (ZERO_TIME if name.endswith("_at") else zero) if value is None else value
                for name, value in members.items()
            }
        return members

    def _money(self, name: str, cents: int | None, currency: str) -> dict[str, Any]:
        if cents is None:
            return {}
        if self.plan.money == "decimal":
            whole = f"{cents}" if currency.upper() == "JPY" else f"{cents // 100}.{cents % 100:02d}"
            return {name: whole}
        return {f"{name}_cents": cents}

    def _currency(self, currency: str) -> str:
        return currency.lower() if self.plan.currency_case == "lower" else currency

    def _more(self) -> dict[str, Any]:
        return {"org_id": None, "flags": {"beta": True}, "_links": []} if self.plan.extra else {}

    # Accounts.

    def _user(self) -> dict[str, Any]:
        return {"id": self._id(BUYER), "username": "operator", "email": EMAIL, "role": "user", **self._more()}

    def _token(self) -> str:
        token = f"tok{self.world.chance.getrandbits(160):040x}"
        self._tokens[token] = self.world.clock.at
        self.secrets.append(token)
        return token

    def _login(self, question: Question) -> Answer:
        if self.plan.login == "locked" and not self.world.healed:
            return self.error(423, "ACCOUNT_LOCKED", "too many attempts")
        if (question.body["email"], question.body["password"]) != (EMAIL, PASSWORD):
            return self.error(401, "INVALID_CREDENTIALS", "wrong e-mail or password")
        refresh = f"ref{self.world.chance.getrandbits(160):040x}"
        self.secrets.append(refresh)
        self._tokens[refresh] = self.world.clock.at
        tokens = {"access_token": self._token(), "refresh_token": refresh, "expires_in": self.plan.token_ttl}
        return self._data({**tokens, "user": self._user()})

    def _refresh(self, question: Question) -> Answer:
        if question.body["refresh_token"] not in self._tokens:
            return self.error(401, "AUTH_TOKEN_INVALID", "unknown refresh token")
        return self._data({"access_token": self._token(), "expires_in": self.plan.token_ttl})

    def _known(self, question: Question) -> bool:
        token = question.headers.get("authorization", "").removeprefix("Bearer ")
        given = self._tokens.get(token)
        return given is not None and (self.world.clock.at - given).total_seconds() < self.plan.token_ttl

    # System and products.

    def _health(self, _question: Question) -> Answer:
        return self._data({"status": "healthy"}) if self.plan.extra else Answer(200, {"status": "ok"})

    def _status(self, _question: Question) -> Answer:
        mode = "live" if self.environment == "prod" else "sandbox"
        hyperswitch: Any = {"status": "healthy", "mode": mode} if self.plan.services == "object" else "healthy"
        services = {"hyperswitch": hyperswitch, "database": "healthy"}
        return self._data({"environment": self.environment, "version": "1.9.2", "services": services, **self._more()})

    def _product_data(self, product: Product) -> dict[str, Any]:
        return {
            "id": self._id(product.id), "title": product.title, "seller_id": self._id(product.seller),
            "currency": self._currency(product.currency), "status": "active",
            "license_types": None if self.plan.absent == "zero" else ["personal"],
            **self._money("price", product.price, product.currency), **self._more(),
        }  # fmt: skip

    def _page(self, question: Question, items: list[dict[str, Any]]) -> Answer:
        page, limit = int(question.query.get("page", "1")), int(question.query.get("limit", "20"))
        meta = {"page": page, "per_page": limit, "total": len(items), "total_pages": -(-len(items) // limit)}
        shown = items[(page - 1) * limit : page * limit]
        if self.plan.absent != "null":
            meta = {name: value for name, value in meta.items() if value}
        return self._data(shown or (None if self.plan.absent == "zero" else []), meta=meta)

    def _products(self, question: Question) -> Answer:
        self._listed += 1
        emptied = self.plan.shelf == "emptied" and self._listed > 1 and not self.world.healed
        return self._page(question, [] if emptied else [self._product_data(one) for one in self.world.products])

    def _product(self, _question: Question, wanted: str) -> Answer:
        found = next((one for one in self.world.products if one.id == wanted), None)
        if found is None:
            return self.error(404, "PRODUCT_NOT_FOUND", "no such product")
        return self._data(self._product_data(found))

    # Orders.

    def order_data(self, order: Order, *, created: bool = False) -> dict[str, Any]:
        payment = None if created and self.plan.payment_told == "later" else order.payment
        if self.plan.echo == "password" and not self.world.healed:
            payment = PASSWORD
        untold = self.plan.refund == "untold" and not self.world.healed
        zero = self.plan.refund == "zero_told" and not self.world.healed and order.refunded
        maybe: dict[str, Any] = {
            "payment_id": payment,
            "refund_id": order.refund_id,
            "refund_status": order.refund_status,
            "completed_at": self._time(order.completed) if order.completed else None,
            "refunded_at": self._time(order.refunded_at) if order.refunded_at else None,
        }
        tax = None if self.plan.tax == "untold" or (self.plan.absent == "omitted" and not order.tax) else order.tax
        other = None if self.world.healed or order.foreign else self.plan.order_of
        product = self.world.products[-1] if other == "other_product" else order.product
        buyer = "another-buyer" if other == "other_buyer" else order.buyer
        item = {"product_id": self._id(product.id), **self._money("price", order.product.price, order.currency)}
        return {
            "id": self._id(order.id), "buyer_id": self._id(buyer), "status": order.status,
            **self._money("total_amount", order.total, order.currency),
            **self._money("tax_amount", tax, order.currency),
            **self._money("refunded_amount", None if untold else 0 if zero else order.refunded, order.currency),
            "currency": self._currency(order.currency), "items": [item],
            "created_at": self._time(order.created), "updated_at": self._time(self.world.clock.at),
            **self._said(maybe), **self._more(),
        }  # fmt: skip

    def _tells(self, *orders: Order) -> Callable[[], None]:
        """Note what the backend tells of these orders, once that is delivered."""

        def tell() -> None:
            at = self.world.clock.at
            for order in orders:
                charged = order.total if order.status in _TAKEN else 0
                back = order.refunded or 0
                self.world.tell(("backend", order.id), Told(charged, back, order.currency, order.status, at))
                self.world.ever.add((order.id, order.status))

        return tell

    def _create(self, question: Question) -> Answer:
        key = question.headers.get("idempotency-key")
        wanted = str(question.body["items"][0]["product_id"])
        product = next((one for one in self.world.products if one.id == wanted), None)
        if product is None:
            return self.error(404, "PRODUCT_NOT_FOUND", "no such product")
        before = self._keys.get(("order", key or ""))
        if self.plan.honoured and key and before:
            return self._created(self.world.orders[before], 200)
        if any(one.status in _TAKEN - _REFUNDING and not one.foreign for one in self.world.orders.values()):
            return self.error(409, "ORDER_ALREADY_OWNED", OWNED)
        order = self.world.place(product, key)
        if key:
            self._keys["order", key] = order.id
        return self._created(order, 201)

    def _created(self, order: Order, status: int) -> Answer:
        host = "elsewhere.example" if self.plan.page == "elsewhere" else "checkout.example"
        url = f"https://{host}/payment_link/veza/{order.payment}"
        answer = self._data({"order": self.order_data(order, created=True), "checkout_url": url}, status)
        answer.delivered = self._tells(order)
        return answer

    def _order(self, _question: Question, wanted: str) -> Answer:
        order = self.world.orders.get(wanted)
        if order is None:
            return self.error(404, "ORDER_NOT_FOUND", "no such order")
        answer = self._data(self.order_data(order))
        answer.delivered = self._tells(order)
        return answer

    def _orders(self, question: Question) -> Answer:
        status = question.query.get("status")
        found = [one for one in self.world.orders.values() if status in {None, one.status}]
        found.sort(key=lambda one: one.created, reverse=True)
        told = [self.order_data(one) for one in found]
        odd = "whole" if self.world.healed else self.plan.orders_list
        if odd == "no_items":
            told = [{**one, "items": None} for one in told]
        answer = self._page(question, told)
        if odd == "no_pages" and isinstance(answer.document, dict):
            for untold in ("total", "total_pages"):
                answer.document["meta"].pop(untold, None)
        answer.delivered = self._tells(*found)
        return answer

    def _refund(self, question: Question, wanted: str) -> Answer:
        order = self.world.orders.get(wanted)
        if order is None:
            return self.error(404, "ORDER_NOT_FOUND", "no such order")
        key = question.headers.get("idempotency-key")
        before = self._keys.get(("refund", key or ""))
        if self.plan.honoured and key and before:
            return self._accepted(order, before, 200)
        if order.status in _REFUNDING - {"refund_failed"}:
            return self.error(409, "REFUND_ALREADY_REQUESTED", "a refund was requested already")
        if order.status not in {"completed", "refund_failed"}:
            return self.error(409, "ORDER_INVALID_STATE", f"an order that is {order.status} cannot be refunded")
        if not self.world.payments[order.payment or ""].received:
            return self.error(422, "PAYMENT_FAILED", "the processor has nothing of this payment to give back")
        refund = self.world.refund(order)
        if key:
            self._keys["refund", key] = refund.id
        return self._accepted(order, refund.id, 202)

    def _accepted(self, order: Order, refund_id: str, status: int) -> Answer:
        refund = next(
            one for payment in self.world.payments_of(order.id) for one in payment.refunds if one.id == refund_id
        )
        told = {"id": refund.id, "status": refund.status, **self._money("amount", refund.amount, order.currency)}
        answer = self._data({"refund": told, "order": self.order_data(order)}, status)
        answer.delivered = self._tells(order)
        return answer

    # Licenses.

    def _license_data(self, one: License) -> dict[str, Any]:
        maybe = {"revoked_at": self._time(one.revoked) if one.revoked else None}
        return {
            "id": self._id(one.id), "order_id": self._id(one.order), "product_id": self._id(one.product),
            "license_type": "personal", "status": one.status, "granted_at": self._time(one.granted),
            **self._said(maybe), **self._more(),
        }  # fmt: skip

    def _licenses(self, question: Question) -> Answer:
        wanted = question.query.get("order_id")
        found = [one for one in self.world.licenses if wanted in {None, one.order}]
        answer = self._data([self._license_data(one) for one in found] or (None if self.plan.absent == "zero" else []))

        def tell() -> None:
            for one in found:
                self.world.ever.add((one.order, f"license {one.status}"))

        answer.delivered = tell
        return answer
