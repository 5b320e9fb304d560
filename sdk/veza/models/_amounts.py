"""The seam for a backend whose money is in major units: decimals are read exactly into minor units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from veza._wire import JsonNumber
from veza.money import to_minor

if TYPE_CHECKING:
    from collections.abc import Mapping

    Data: TypeAlias = Mapping[object, object]

_NAMES: Final = ("price", "total_amount", "tax_amount", "refunded_amount", "amount")


def with_cents(value: object, currency: str | None = None) -> object:
    """Put `<name>_cents` beside each decimal amount: text, or a JSON number read as it was written.

    An amount takes the currency beside it, else that of the object around it, else that of an object within it.
    A `<name>_cents` that is there wins.

    Returns:
        The value itself where there was nothing to add.

    Raises:
        ValueError: an amount is not a decimal number, or finer than the minor unit.
    """
    if isinstance(value, list | tuple):
        items = [with_cents(item, currency) for item in value]
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    if not isinstance(value, dict):
        return value
    currency = _currency(value) or currency
    inner = currency or next((found for one in value.values() if (found := _currency(one))), None)
    added = {name: with_cents(one, inner) for name, one in value.items() if isinstance(one, dict | list)}
    changed = {name: one for name, one in added.items() if one is not value[name]} | _amounts(value, currency)
    return {**value, **changed} if changed else value


def _currency(value: object) -> str | None:
    found = value.get("currency") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None


def _amounts(value: Data, currency: str | None) -> dict[object, object]:
    found: dict[object, object] = {}
    for name in _NAMES:
        raw = value.get(name)
        if currency is None or raw is None or f"{name}_cents" in value:
            continue
        amount = raw.text if isinstance(raw, JsonNumber) else raw
        if isinstance(amount, str) or (isinstance(amount, int) and not isinstance(amount, bool)):
            found[f"{name}_cents"] = to_minor(amount, currency)
    return found
