"""What came of waiting for several orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from veza.errors import VezaError

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Waited(Generic[Item]):
    """What came of each order that was awaited. Every one of them is in one of the two.

    Attributes:
        arrived: by its id, what is as wanted.
        failed: by its id, the error that ended the wait for it; `DeadlineExceededError` where time ran out.
    """

    arrived: Mapping[str, Item]
    failed: Mapping[str, VezaError]
