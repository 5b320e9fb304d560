"""The results of the contract tools: findings of checks, and changes in another spec."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """The direction of a check."""

    CLIENT = "a"
    """Client → spec: what the SDK sends."""
    SPEC = "b"
    """Spec → client: what the SDK reads."""
    STATIC = "static"
    """The SDK's types against the spec's schemas, without a call."""


class Verdict(StrEnum):
    """What a change means for today's SDK."""

    BREAK = "break"
    """The backend refuses what the SDK sends, or the SDK cannot read what it answers."""
    DRIFT = "drift"
    """The SDK still works, but its types differ from the spec."""
    BEYOND = "beyond"
    """The spec offers something that the SDK does not use."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference between the SDK and a spec.

    Attributes:
        direction: the check that found it.
        operation: the operationId.
        place: where in the request or the response.
        message: what differs.
        value: a value that shows it, as JSON text; empty if there is none.
    """

    direction: Direction
    operation: str
    place: str
    message: str
    value: str = ""

    def __str__(self) -> str:
        shown = f" ({self.value[:200]})" if self.value else ""
        return f"{self.direction}: {self.operation} {self.place}: {self.message}{shown}"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of another spec.

    Attributes:
        verdict: what it means.
        operation: our operationId; empty if it concerns the whole spec.
        method: the SDK's method, as a caller writes it.
        place: the changed part: `path`, `login`, `body items.0.product_id`, `200 data.status`.
        message: what changed.
        value: a value that shows it, as JSON text; empty if none does.
        file: the file to change, from the top of the project; empty if none needs to be.
    """

    verdict: Verdict
    operation: str
    method: str
    place: str
    message: str
    value: str = ""
    file: str = ""

    def __str__(self) -> str:
        shown = f", e.g. {self.value[:160]}" if self.value else ""
        where = f" → {self.file}" if self.file else ""
        return f"{self.place}: {self.message}{shown}{where}"
