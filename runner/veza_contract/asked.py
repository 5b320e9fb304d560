"""Makes a generated answer one about what was asked: the SDK refuses an answer about something else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from veza_contract.bindings import Method

_ABOUT: Final = {
    "getOrder": {"id": "order_id"},
    "getProduct": {"id": "product_id"},
    "requestRefund": {"order.id": "order_id", "refund.amount_cents": "amount_cents"},
    "createOrder": {"order.items.product_id": "product_id"},
    "listMyLicenses": {"order_id": "order_id"},
}
"""By operation: the member of the data, and the argument that it answers."""


def about(method: Method, arguments: Mapping[str, Any], value: Any) -> Any:
    """Return an answer of a method's operation with the ids and the amount that were asked for.

    Only members that are there are changed, in place.
    """
    data = value.get("data", value) if isinstance(value, dict) and "success" in value else value
    asked = {**arguments, "product_id": _product(arguments)}
    for path, argument in _ABOUT.get(method.operation, {}).items():
        *parents, name = path.split(".")
        for holder in _holders(data, parents):
            if name in holder and asked.get(argument) is not None:
                holder[name] = asked[argument]
    return value


def _product(arguments: Mapping[str, Any]) -> Any:
    items = arguments.get("items")
    first = items[0] if items else arguments.get("product_id")
    return first.get("product_id") if isinstance(first, dict) else first


def _holders(value: Any, path: list[str]) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for one in value:
            yield from _holders(one, path)
    elif isinstance(value, dict):
        if path:
            yield from _holders(value.get(path[0]), path[1:])
        else:
            yield value
