"""Ids: opaque texts here, which remember that they came over the wire as integers."""

from __future__ import annotations

import re
from typing import Final, Self

_DIGITS: Final = re.compile(r"-?(0|[1-9][0-9]{0,63})")


class IntegerId(str):
    """An id that the backend writes as an integer: text everywhere, and an integer again in a request's body.

    Ids read from answers are of this class by themselves. Make one of an id that comes from elsewhere:
    `orders.create(items=[IntegerId("11")])`.

    Raises:
        ValueError: the id is not an integer as JSON writes it.
    """

    __slots__ = ()

    def __new__(cls, value: str | int) -> Self:
        text = value if isinstance(value, str) else repr(value)
        if not _DIGITS.fullmatch(text):
            raise ValueError("an IntegerId is made of an integer, or of its digits")
        return super().__new__(cls, text)


def on_the_wire(value: object) -> object:
    """Return a JSON value in which each `IntegerId` is an integer."""
    if isinstance(value, IntegerId):
        return int(value)
    if isinstance(value, dict):
        return {name: on_the_wire(member) for name, member in value.items()}
    if isinstance(value, list):
        return [on_the_wire(member) for member in value]
    return value
