"""A recorded answer of the API in the forms in which the SDK reads it, whichever the backend wrote."""

from __future__ import annotations

from collections.abc import Mapping

from veza_e2e.canonical import JSON


def as_read(value: JSON) -> JSON:
    """Return an answer's data: currencies in capitals, without empty texts."""
    if isinstance(value, Mapping):
        return {name: _member(name, one) for name, one in value.items() if one != ""}
    if isinstance(value, list | tuple):
        return [as_read(one) for one in value]
    return value


def _member(name: str, value: JSON) -> JSON:
    if name == "currency" and isinstance(value, str):
        return value.upper()
    return as_read(value)
