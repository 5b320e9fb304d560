"""Knows the alternatives that the SDK reads: amounts in major units, a checkout given as a client secret.

The checks do not use the SDK's code for this, so that they notice its mistakes.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

from veza.money import minor_digits
from veza_contract.schema import Schema, merged

MONEY: Final = ("price", "total_amount", "tax_amount", "refunded_amount", "amount")
"""The names of amounts in major units; in minor units `_cents` is appended."""

PAGE: Final = "https://pay.veza.test/{payment_id}?client_secret={client_secret}"
"""The checkout page that the checks configure."""

CHECKOUT: Final = ("client_secret", "payment_id")

DECIDES: Final = ("status", "mode", "state", "services")
"""Words in the names of members by which something is decided: a value that is not known stops the walkthrough."""

_CENTS: Final = "_cents"


def said_as(ours: Schema, theirs: Schema) -> Schema:
    """Return the SDK's schema rewritten in another schema's names, if the SDK reads those names."""
    ours, theirs = merged(ours), merged(theirs)
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return ours
    found = dict(ours)
    if "items" in ours and "items" in theirs:
        found["items"] = said_as(ours["items"], theirs["items"])
    if "properties" in ours and "properties" in theirs:
        found |= _members(ours, theirs["properties"])
    return found


def _members(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    words = {name: _word(name, theirs) for name in ours["properties"]}
    properties: dict[str, Any] = {}
    for name, member in ours["properties"].items():
        for word in words[name]:
            properties[word] = theirs[word] if word != name else said_as(member, theirs.get(word, True))
    required = [word for name in ours.get("required", ()) for word in words[name]]
    return {"properties": properties, "required": required}


def _word(name: str, theirs: Mapping[str, Any]) -> tuple[str, ...]:
    """Return their names for what we call `name`."""
    if name in theirs:
        return (name,)
    major = name.removesuffix(_CENTS)
    if major != name and major in MONEY and major in theirs:
        return (major,)
    return CHECKOUT if name == "checkout_url" and set(CHECKOUT) <= theirs.keys() else (name,)


def as_read(value: Any, currency: str | None = None) -> Any:
    """Return a response as the SDK should read it: amounts in minor units, a secret as a checkout URL."""
    if isinstance(value, list):
        return [as_read(one, currency) for one in value]
    if not isinstance(value, dict):
        return value
    own = value.get("currency", currency)
    found: dict[str, Any] = {}
    for name, one in value.items():
        if name in MONEY and f"{name}{_CENTS}" not in value and isinstance(own, str):
            found[f"{name}{_CENTS}"] = int((Decimal(str(one)) * 10 ** minor_digits(own)).to_integral_value())
        else:
            found[name] = as_read(one, own)
    if "checkout_url" not in value and set(CHECKOUT) <= value.keys():
        given = {name: quote(str(found.pop(name)), safe="") for name in CHECKOUT}
        found["checkout_url"] = PAGE.format_map(given)
    return found
