"""What another spec changes, as it matters to the SDK."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a change means for the SDK as it is."""

    BREAK = "break"
    """The SDK sends what they refuse, or cannot read what they send."""
    DRIFT = "drift"
    """The SDK goes on working; its types say more, less or other than the spec."""
    BEYOND = "beyond"
    """They offer what the SDK does not use."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Attributes:
        verdict: what it means.
        operation: our operationId; empty where it concerns all of the spec.
        method: the SDK's method, as a caller writes it.
        place: where: `path`, `login`, `body items.0.product_id`, `200 data.status`.
        message: what changed.
        value: a value that shows it, as JSON text; empty where none does.
        file: the file to change, from the top of the project; empty where none needs to be.
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
