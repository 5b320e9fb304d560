"""The page to pay on: the seam for a backend that gives a client secret and a payment id in place of a URL."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from veza._call import Answer
    from veza._wire import Json

_FIELDS: Final = ("client_secret", "payment_id")


def with_checkout_page(answer: Answer, page: str | None) -> Answer:
    """Put a `checkout_url` into a new order that has none, made of the configured page.

    Args:
        answer: of createOrder.
        page: a URL with `{client_secret}` and `{payment_id}` in it; None leaves the answer as it is.
    """
    if page is None or not isinstance(answer.value, dict):
        return answer
    inner = answer.value.get("data")
    data = inner if isinstance(inner, dict) else answer.value
    if "checkout_url" in data:
        return answer
    url = page
    for name in _FIELDS:
        value = _find(data, name)
        if f"{{{name}}}" in page and value is None:
            return answer
        url = url.replace(f"{{{name}}}", quote(value or "", safe=""))
    adapted: dict[str, Json] = {name: value for name, value in data.items() if name != "client_secret"}
    adapted["checkout_url"] = url
    return replace(answer, value={**answer.value, "data": adapted} if data is inner else adapted)


def _find(data: dict[str, Json], name: str) -> str | None:
    order = data.get("order")
    value = data.get(name) or (order.get(name) if isinstance(order, dict) else None)
    return value if isinstance(value, str) else None
