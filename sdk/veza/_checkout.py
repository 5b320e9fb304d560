"""Builds the checkout URL for a backend that gives a client secret and a payment id instead of a URL."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from veza._decode import one, place_of
from veza._wire import parse, unwrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from veza._wire import Json
    from veza.models.orders import CheckoutOrder

_FIELDS: Final = ("client_secret", "payment_id")


def checkout_reader(page: str | None) -> Callable[[bytes], CheckoutOrder]:
    """Return the reader of a new order.

    Args:
        page: the checkout page's URL, with `{client_secret}` and `{payment_id}` in it; None if the backend gives the
            URL itself.
    """
    from veza.models.orders import CheckoutOrder  # noqa: PLC0415  (built when first used)

    reader = one(CheckoutOrder)
    return reader if page is None else partial(_read, page=page)


def _read(body: bytes, page: str) -> CheckoutOrder:
    from veza.models.orders import CheckoutOrder  # noqa: PLC0415  (built when first used)

    value = parse(body)
    data = unwrap(value)
    if isinstance(data, dict) and "checkout_url" not in data:
        data = _with_url(data, page)
    return one(CheckoutOrder).read(data, place_of(value))


def _with_url(data: dict[str, Json], page: str) -> dict[str, Json]:
    url = page
    for name in _FIELDS:
        value = _find(data, name)
        if value is None and f"{{{name}}}" in page:
            return data
        url = url.replace(f"{{{name}}}", quote(value or "", safe=""))
    return {name: value for name, value in data.items() if name != "client_secret"} | {"checkout_url": url}


def _find(data: dict[str, Json], name: str) -> str | None:
    order = data.get("order")
    for holder in (data, order):
        value = holder.get(name) if isinstance(holder, dict) else None
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return str(value)
    return None
