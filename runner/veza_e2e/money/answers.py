"""The data of an answer on record, as the SDK reads it, and which payment request or answer name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from veza_e2e.canonical import JSON
from veza_e2e.journal.events import CallFinished
from veza_e2e.journal.story import text_of

_ASKED: Final = re.compile(r"/(?:payments|refunds)/([^/?#]+)")
_LINK: Final = re.compile(r"/payment_link/[^/?#]+/([\w-]+)(?=[/?#]|$)")
"""A payment link, as Hyperswitch makes it: merchant, payment."""


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


def payment_named(order: Mapping[str, JSON], beside: Mapping[str, JSON]) -> JSON:
    """Return the payment that an order names; else that of the answer around it, or of its payment link."""
    link = _LINK.search(text_of(beside.get("checkout_url")) or "")
    named = (text_of(order.get("payment_id")), text_of(beside.get("payment_id")), link[1] if link else None)
    return next((one for one in named if one), None)


def asked_for(url: str) -> str | None:
    """Return the payment, or the refund, that a request to the processor names; None if it names none."""
    found = _ASKED.search(url)
    return None if found is None else unquote(found[1])
