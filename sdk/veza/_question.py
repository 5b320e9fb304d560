"""An answer is compared with its question: one about another order is refused, whatever it says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NoReturn, TypeVar

from veza.errors import InvalidArgumentError, InvalidRequestError, InvalidResponseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from veza._params import Item
    from veza.models import CheckoutOrder, License, Order, Product, RefundedOrder

_Result = TypeVar("_Result")
_LONGEST = 80
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
"""PostgreSQL writes it in small letters, whatever it was given."""


def answering(read: Callable[[bytes], _Result], check: Callable[[_Result], None]) -> Callable[[bytes], _Result]:
    """Return a reader that also holds what it read against what was asked."""

    def reading(body: bytes) -> _Result:
        found = read(body)
        check(found)
        return found

    return reading


def about_order(order_id: str) -> Callable[[Order], None]:
    """Refuse another order than this one."""
    return lambda order: _same("order", order_id, order.id)


def about_product(product_id: str) -> Callable[[Product], None]:
    """Refuse another product than this one."""
    return lambda product: _same("product", product_id, product.id)


def about_refund(order_id: str, amount_cents: int | None) -> Callable[[RefundedOrder], None]:
    """Refuse another order's refund, and another amount than the one that was asked for, if any was."""

    def check(found: RefundedOrder) -> None:
        _same("order", order_id, found.order.id)
        if amount_cents is not None:
            _same("amount_cents", amount_cents, found.refund.amount_cents)

    return check


def of_order(order_id: str | None, licenses: Iterable[License]) -> Iterable[License]:
    """Leave out licenses of other orders, if those of one were asked for: not every backend filters."""
    return licenses if order_id is None else [one for one in licenses if _equal(order_id, one.order_id)]


def about_items(wanted: Iterable[Mapping[str, object]]) -> Callable[[CheckoutOrder], None]:
    """Refuse an order of other products or licenses, as far as it tells its items."""
    asked = [(one.get("product_id"), one.get("license_type")) for one in wanted]

    def check(found: CheckoutOrder) -> None:
        items = found.order.items
        if not items:
            return
        products, told = sorted({str(product) for product, _ in asked}), sorted({str(one.product_id) for one in items})
        _same("products", ", ".join(products), ", ".join(told))
        for product, license_type in asked:
            licenses = {one.license_type for one in items if one.product_id == str(product)}
            if license_type is not None and licenses.isdisjoint({license_type, None}):
                _same(f"license_type of {product}", license_type, ", ".join(sorted(filter(None, licenses))))

    return check


def ordered(items: Iterable[Item | str]) -> list[dict[str, object]]:
    """Return the items of an order in their long form.

    Raises:
        InvalidArgumentError: `items` is a text, bytes, a mapping or no iterable, or an item is neither an id nor a
            mapping.
        InvalidRequestError: there are none.
    """
    given: object = items
    if isinstance(given, str | bytes | bytearray | Mapping) or not isinstance(given, Iterable):
        _wrong("items", given)
    wanted: list[dict[str, object]] = []
    for index, item in enumerate(given):
        if not isinstance(item, str | Mapping):
            _wrong(f"items[{index}]", item)
        wanted.append({"product_id": item} if isinstance(item, str) else dict(item))
    if not wanted:
        raise InvalidRequestError("items is empty: pass at least one product id")
    return wanted


def _wrong(where: str, given: object) -> NoReturn:
    raise InvalidArgumentError(
        f"{where} is of type {type(given).__name__}: pass a list of product ids, "
        'or of {"product_id": …, "license_type": …}, such as items=[product.id]'
    )


def _equal(asked: object, got: object) -> bool:
    return asked == got or bool(_UUID.fullmatch(str(asked)) and str(asked).lower() == str(got).lower())


def _same(what: str, asked: object, got: object) -> None:
    if not _equal(asked, got):
        raise InvalidResponseError(
            f"the answer is about something else: asked for {what} {str(asked)[:_LONGEST]}, got {str(got)[:_LONGEST]}"
        )
