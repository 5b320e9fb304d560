"""The data of an answer on record, as the SDK reads it."""

from __future__ import annotations

from collections.abc import Mapping

from veza_e2e.canonical import JSON
from veza_e2e.journal.events import CallFinished


def body_of(event: CallFinished) -> JSON:
    """Return the data of a successful answer, without its envelope; None if it was no success or cannot be read."""
    if not 200 <= event.status < 300 or not event.response_body:  # noqa: PLR2004 - the class of success
        return None
    body = event.response_body.get("json")
    if isinstance(body, Mapping) and isinstance(body.get("data"), Mapping | list | tuple):
        body = body["data"]
    return as_read(body) if event.target == "api" else body


def as_read(value: JSON) -> JSON:
    """Return an answer's data as the SDK reads it: currencies in capitals, without empty texts."""
    if isinstance(value, Mapping):
        return {name: _member(name, one) for name, one in value.items() if one != ""}
    if isinstance(value, list | tuple):
        return [as_read(one) for one in value]
    return value


def _member(name: str, value: JSON) -> JSON:
    return value.upper() if name == "currency" and isinstance(value, str) else as_read(value)
