"""The seam for a backend whose money is in major units: decimals are read exactly into minor units, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from pydantic import BaseModel

from veza._wire import JsonNumber
from veza.money import to_minor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Data: TypeAlias = Mapping[object, object]
    Place: TypeAlias = tuple[str | int, ...]

_NAMES: Final = ("price", "total_amount", "tax_amount", "refunded_amount", "amount")


_LONGEST = 19


def with_cents(value: object, currency: str | None = None) -> object:
    """Put `<name>_cents` beside each decimal amount: text, or a JSON number read as it was written.

    An amount takes the currency beside it, else that of the object around it, else that of an object within it.
    A `<name>_cents` that is there stays, and what cannot be read exactly stays as it is: `unread` finds both.

    Returns:
        The value itself where there was nothing to add.
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


def unread(value: object, currency: str | None = None) -> tuple[Place, str] | None:
    """Return the place of an amount in major units that a model did not take over exactly, and why."""
    for place, raw, cents, found in _decimals(value, (), currency):
        if cents is None or found is None:
            return place, "the amount in major units cannot be read exactly"
        try:
            said = _minor(raw, found)
        except (TypeError, ValueError) as error:
            return place, str(error)
        if said != cents:
            return place, "the amount in major units is not the amount in minor units beside it"
    return None


def _decimals(value: object, place: Place, currency: str | None) -> Iterator[tuple[Place, object, object, str | None]]:
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _decimals(item, (*place, index), currency)
    if not isinstance(value, BaseModel):
        return
    inner = next((found for name in type(value).model_fields if (found := _own(getattr(value, name)))), None)
    currency = _own(value) or currency or inner
    extra = value.model_extra or {}
    for name in type(value).model_fields:
        held = getattr(value, name)
        base = name.removesuffix("_cents")
        # Go writes "" for a text that is not there; some backends write the minor units under both names.
        raw = extra.get(base)
        if base != name and raw is not None and raw != "" and (held is None or _digits(raw) != held):
            yield (*place, base), raw, held, currency
        yield from _decimals(held, (*place, name), currency)


def _digits(raw: object) -> int | None:
    text = raw.text if isinstance(raw, JsonNumber) else raw
    if isinstance(text, str):
        return int(text) if text.isascii() and text.isdigit() and len(text) < _LONGEST else None
    return text if isinstance(text, int) and not isinstance(text, bool) else None


def _own(value: object) -> str | None:
    found = getattr(value, "currency", None) if isinstance(value, BaseModel) else None
    return found if isinstance(found, str) else None


def _currency(value: object) -> str | None:
    found = value.get("currency") if isinstance(value, dict) else None
    return found.upper() if isinstance(found, str) else None


def _minor(raw: object, currency: str) -> int:
    if isinstance(raw, JsonNumber):
        return to_minor(raw.text, currency)
    return to_minor(raw, currency)  # type: ignore[arg-type]  # what is no amount is refused there


def _amounts(value: Data, currency: str | None) -> dict[object, object]:
    found: dict[object, object] = {}
    for name in _NAMES:
        raw = value.get(name)
        if currency is None or raw is None or value.get(f"{name}_cents") is not None:
            continue
        try:
            found[f"{name}_cents"] = _minor(raw, currency)
        except (TypeError, ValueError):
            continue
    return found
