"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """Which way a check looks."""

    CLIENT = "a"
    """client → spec: what the SDK sends."""
    SPEC = "b"
    """spec → client: what the SDK reads."""
    STATIC = "static"
    """The SDK's types against the spec's schemas, without a call."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference between the SDK and a spec.

    Attributes:
        direction: the check that found it.
        operation: the operationId.
        place: where in the request or the response.
        message: what differs.
        value: a value that shows it, as JSON text; empty where there is none.
    """

    direction: Direction
    operation: str
    place: str
    message: str
    value: str = ""

    def __str__(self) -> str:
        shown = f" ({self.value[:200]})" if self.value else ""
        return f"{self.direction}: {self.operation} {self.place}: {self.message}{shown}"
