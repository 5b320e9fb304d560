"""What the fake backend does for each operation: by operationId, the status, the data, and where a page stands."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from veza.testing._shop import Object, RefusalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from veza.testing._reply import Sent
    from veza.testing._shop import Shop

_DEFAULT_LIMIT: Final = 20
_USER: Final = "user-1"


class Serves(Protocol):
    """The part of the fake backend that the operations work with."""

    email: str
    password: str
    rotate: bool
    idempotency: bool
    shop: Shop

    def issue(self) -> Object:
        """Return a new access token, as an answer has it."""
        ...

    def issue_refresh(self) -> str:
        """Return a new refresh token."""
        ...

    def use_refresh(self, token: str) -> None:
        """Take a refresh token, once."""
        ...

    def revoke_refresh(self) -> None:
        """End all refresh tokens."""
        ...


def _health(backend: Serves, sent: Sent) -> tuple[int, Object]:  # noqa: ARG001
    return 200, {"status": "healthy"}


def _status(backend: Serves, sent: Sent) -> tuple[int, Object]:  # noqa: ARG001
    services = {"hyperswitch": {"status": "healthy", "mode": "sandbox"}, "database": {"status": "healthy"}}
    return 200, {"environment": "test", "version": "1.0.0", "services": services}


def _user(backend: Serves) -> Object:
    return {"id": _USER, "username": "operator", "email": backend.email, "role": "user"}


def _login(backend: Serves, sent: Sent) -> tuple[int, Object]:
    if sent.body["email"] != backend.email or sent.body["password"] != backend.password:
        raise RefusalError(401, "INVALID_CREDENTIALS", "Invalid credentials")
    backend.revoke_refresh()
    return 200, backend.issue() | {"refresh_token": backend.issue_refresh(), "user": _user(backend)}


def _refresh(backend: Serves, sent: Sent) -> tuple[int, Object]:
    backend.use_refresh(sent.body["refresh_token"])
    return 200, backend.issue() | ({"refresh_token": backend.issue_refresh()} if backend.rotate else {})


def _logout(backend: Serves, sent: Sent) -> tuple[int, None]:  # noqa: ARG001
    backend.revoke_refresh()
    return 200, None


def _me(backend: Serves, sent: Sent) -> tuple[int, Object]:  # noqa: ARG001
    return 200, _user(backend)


def _page(items: Iterable[Object], sent: Sent) -> tuple[int, list[Object], Object]:
    every = list(items)
    page, limit = int(sent.query.get("page", 1)), int(sent.query.get("limit", _DEFAULT_LIMIT))
    shown = every[(page - 1) * limit : page * limit]
    meta = {"page": page, "per_page": limit, "total": len(every), "total_pages": -(-len(every) // limit)}
    return 200, shown, meta


def _products(backend: Serves, sent: Sent) -> tuple[int, list[Object], Object]:
    return _page(backend.shop.products.values(), sent)


def _product(backend: Serves, sent: Sent, product_id: str) -> tuple[int, Object]:  # noqa: ARG001
    return 200, backend.shop.product(product_id)


def _once(backend: Serves, sent: Sent, kind: str, act: Callable[[], Object]) -> tuple[Object, bool]:
    key = sent.headers.get("idempotency-key") if backend.idempotency else None
    return backend.shop.once(kind, key, (sent.path, sent.body), act)


def _create_order(backend: Serves, sent: Sent) -> tuple[int, Object]:
    data, now = _once(backend, sent, "order", partial(backend.shop.create, _USER, sent.body["items"]))
    return 201 if now else 200, data


def _orders(backend: Serves, sent: Sent) -> tuple[int, list[Object], Object]:
    wanted = sent.query.get("status")
    newest = reversed(backend.shop.orders.values())
    return _page([one for one in newest if wanted is None or one["status"] == wanted], sent)


def _order(backend: Serves, sent: Sent, order_id: str) -> tuple[int, Object]:  # noqa: ARG001
    return 200, backend.shop.order(order_id)


def _refund(backend: Serves, sent: Sent, order_id: str) -> tuple[int, Object]:
    amount = sent.body.get("amount_cents")
    data, now = _once(backend, sent, "refund", partial(backend.shop.refund, order_id, amount))
    return 202 if now else 200, data


def _licenses(backend: Serves, sent: Sent) -> tuple[int, list[Object]]:
    wanted = sent.query.get("order_id")
    return 200, [one for one in backend.shop.licenses.values() if wanted in {None, one["order_id"]}]


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
