"""Decides whether the SDK reads every value of another spec's amount in major units exactly."""

from __future__ import annotations

import re
from typing import Any, Final

from veza_contract.cases import edges
from veza_contract.schema import Schema, covers, merged

_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?")
_NUMBER_OR_TEXT: Final = frozenset({"number", "string"})
_FORMS: Final = ("pattern", "format", "enum", "const")


def kinds(schema: Schema) -> frozenset[str]:
    """Return the JSON types of a schema's values; `anything` if it does not say."""
    schema = merged(schema)
    if not isinstance(schema, dict):
        return frozenset({"anything"})
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return frozenset().union(*map(kinds, schema[key]))
    said = schema.get("type", "anything")
    return frozenset([said] if isinstance(said, str) else said)


def stated(schema: Schema) -> bool:
    """Whether a schema restricts its texts."""
    schema = merged(schema)
    if not isinstance(schema, dict):
        return False
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return all(stated(one) for one in schema[key] if "string" in kinds(one))
    return any(key in schema for key in _FORMS)


def unread(schema: Schema) -> str:
    """Return why the SDK does not read an amount of this schema exactly; empty if it does."""
    found = kinds(schema)
    if "integer" in found or covers({"type": "integer"}, schema):
        return "a whole number: it may be minor units: check"
    if not found <= _NUMBER_OR_TEXT:
        return f"as {' or '.join(sorted(found - _NUMBER_OR_TEXT))}; the SDK reads a number or the text of a decimal"
    if "string" in found and stated(schema):
        texts: list[Any] = [value for value in edges(schema) if isinstance(value, str)]
        if not texts or not all(map(_DECIMAL.fullmatch, texts)):
            return "as a text that is no decimal"
    return ""
