"""What the fake backend does for each operation: by operationId, the status, the data, and where a page stands."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from veza.testing._accounts import USER
from veza.testing._shop import Object, RefusalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from veza.testing._reply import Sent
    from veza.testing._shop import Shop

_DEFAULT_LIMIT: Final = 20


class Serves(Protocol):
    """The part of the fake backend that the operations work with."""

    idempotency: bool
    shop: Shop

    def log_in(self, email: str, password: str) -> Object:
        """Return new tokens and the user."""
        ...

    def renew(self, refresh: str) -> Object:
        """Return new tokens."""
        ...

    def revoke_refresh(self, token: str | None = None) -> None:
        """End one refresh token, or all."""
        ...

    def user(self) -> Object:
        """Return the account."""
        ...


def _health(backend: Serves, sent: Sent) -> tuple[int, Object]:  # noqa: ARG001
    return 200, {"status": "healthy"}


def _status(backend: Serves, sent: Sent) -> tuple[int, Object]:  # noqa: ARG001
    services = {"hyperswitch": {"status": "healthy", "mode": "sandbox"}, "database": {"status": "healthy"}}
    return 200, {"environment": "test", "version": "1.0.0", "services": services}


def _login(backend: Serves, sent: Sent) -> tuple[int, Object]:
    return 200, backend.log_in(sent.body["email"], sent.body["password"])


def _refresh(backend: Serves, sent: Sent) -> tuple[int, Object]:
    return 200, backend.renew(sent.body["refresh_token"])


def _logout(backend: Serves, sent: Sent) -> tuple[int, None]:
    backend.revoke_refresh(None if sent.body.get("all_devices") else sent.body["refresh_token"])
    return 200, None


def _me(backend: Serves, sent: Sent) -> tuple[int, Object]:  # noqa: ARG001
    return 200, backend.user()


def _page(items: Iterable[Object], sent: Sent) -> tuple[int, list[Object], Object]:
    every = list(items)
    page, limit = int(sent.query.get("page", 1)), int(sent.query.get("limit", _DEFAULT_LIMIT))
    shown = every[(page - 1) * limit : page * limit]
    meta = {"page": page, "per_page": limit, "total": len(every), "total_pages": -(-len(every) // limit)}
    return 200, shown, meta


def _products(backend: Serves, sent: Sent) -> tuple[int, list[Object], Object]:
    return _page([one for one in backend.shop.products.values() if one["status"] == "active"], sent)


def _product(backend: Serves, sent: Sent, product_id: str) -> tuple[int, Object]:  # noqa: ARG001
    return 200, backend.shop.product(product_id)


def _once(backend: Serves, sent: Sent, kind: str, act: Callable[[], Object]) -> tuple[Object, bool]:
    key = sent.headers.get("idempotency-key") if backend.idempotency else None
    return backend.shop.once(kind, key, (sent.path, sent.body), act)


def _create_order(backend: Serves, sent: Sent) -> tuple[int, Object]:
    data, now = _once(backend, sent, "order", partial(backend.shop.create, USER, sent.body["items"]))
    return 201 if now else 200, data


def _orders(backend: Serves, sent: Sent) -> tuple[int, list[Object], Object]:
    wanted = sent.query.get("status")
    backend.shop.pass_time()
    newest = [one for one in reversed(backend.shop.orders.values()) if one["buyer_id"] == USER]
    return _page([one for one in newest if wanted is None or one["status"] == wanted], sent)


def _own(backend: Serves, order_id: str) -> Object:
    order = backend.shop.order(order_id)
    if order["buyer_id"] != USER:
        raise RefusalError(403, None, "Not your order")
    return order


def _order(backend: Serves, sent: Sent, order_id: str) -> tuple[int, Object]:  # noqa: ARG001
    return 200, _own(backend, order_id)


def _refund(backend: Serves, sent: Sent, order_id: str) -> tuple[int, Object]:
    def act() -> Object:
        return backend.shop.refund(_own(backend, order_id)["id"], sent.body.get("amount_cents"))

    data, now = _once(backend, sent, "refund", act)
    return 202 if now else 200, data


def _licenses(backend: Serves, sent: Sent) -> tuple[int, list[Object]]:
    wanted = sent.query.get("order_id")
    return 200, [one for one in backend.shop.licenses_of(USER) if wanted in {None, one["order_id"]}]


HANDLERS: Final[dict[str, Callable[..., tuple[Any, ...]]]] = {
    "getHealth": _health,
    "getStatus": _status,
    "login": _login,
    "refreshToken": _refresh,
    "logout": _logout,
    "getMe": _me,
    "listProducts": _products,
    "getProduct": _product,
    "createOrder": _create_order,
    "listOrders": _orders,
    "getOrder": _order,
    "requestRefund": _refund,
    "listMyLicenses": _licenses,
}
