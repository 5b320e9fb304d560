"""Names a change of an operation, and the SDK's file that it affects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from veza_contract.bindings import Method
from veza_contract.findings import Change, Verdict
from veza_contract.model import Operation
from veza_contract.rules import verdict
from veza_contract.schema import UNUSABLE
from veza_contract.walking import Difference, incomparable

CONTRACT_FILE: Final = "sdk/veza/openapi.yaml"
WIRE_FILE: Final = "sdk/veza/_wire.py"
_CHECKOUT_FILE: Final = "sdk/veza/_checkout.py"
_MODELS: Final = {
    "auth": "sdk/veza/models/auth.py",
    "system": "sdk/veza/models/system.py",
    "products": "sdk/veza/models/products.py",
    "orders": "sdk/veza/models/orders.py",
    "licenses": "sdk/veza/models/licenses.py",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Side:
    """An operation of ours, and the SDK's method for it.

    Attributes:
        ours: the operation.
        method: the method; None if there is none.
    """

    ours: Operation
    method: Method | None

    @property
    def label(self) -> str:
        """The method as a caller writes it."""
        return self.method.label if self.method else ""

    @property
    def calls(self) -> str:
        """The file that sends the request."""
        return f"sdk/{self.method.module}" if self.method else CONTRACT_FILE

    @property
    def models(self) -> str:
        """The file with the models of the response."""
        return _MODELS.get(self.method.resource, CONTRACT_FILE) if self.method else CONTRACT_FILE

    def change(self, meaning: Verdict, place: str, message: str, file: str = "", value: str = "") -> Change:
        """Return a change of this operation."""
        needed = file if meaning is Verdict.BREAK else ""
        return Change(meaning, self.ours.id, self.label, place, message, value, needed)

    def ruled(
        self,
        rule: str,
        place: str,
        message: str,
        file: str = "",
        *,
        value: str = "",
        about: str = "",
        detail: str = "",
    ) -> Change:
        """Return a change of this operation, whose rule says what it means."""
        return replace(self.change(verdict(rule), place, message, file, value), rule=rule, about=about, detail=detail)

    def changes(self, differences: Iterator[Difference], place: str, file: str) -> Iterator[Change]:
        """Yield the differences of two schemas as changes."""
        for one in differences:
            where = _CHECKOUT_FILE if one.place.endswith("checkout_url") else file
            at = f"{place} {one.place}".strip()
            yield self.ruled(one.rule, at, one.message, where, value=one.value, about=one.about, detail=one.detail)

    def guarded(self, found: Iterator[Change], place: str, file: str) -> Iterator[Change]:
        """Yield changes; an invalid part of their spec is a change too."""
        try:
            yield from found
        except UNUSABLE as error:
            yield self.ruled("incomparable", place, incomparable(error), file, detail=str(error))
