"""A list that comes in one piece."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self, TypeVar

from veza._response import ResponseInfo

Item = TypeVar("Item")


class Listed(tuple[Item, ...]):  # noqa: SLOT001  (a tuple of any length has none)
    """All items of a list that comes in one piece: a tuple that knows its answer.

    Attributes:
        response_info: the answer that it came from.
    """

    response_info: ResponseInfo

    @classmethod
    def of(cls, items: Iterable[Item], info: ResponseInfo) -> Self:
        """Make one of items and their answer."""
        listed = cls(items)
        listed.response_info = info
        return listed
