"""The results of the nine steps: frozen ids, amounts and statuses, without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Self, cast

from veza import IntegerId
from veza.money import Money
from veza_e2e.canonical import JSON
from veza_e2e.frozen import dataclass
from veza_e2e.journal.story import text_of
from veza_e2e.money.transfer_rows import counted


@dataclass(frozen=True, slots=True)
class Result:
    """A step's result, as the journal stores it."""

    @property
    def observed(self) -> str:
        """One line for the operator."""
        raise NotImplementedError

    def to_json(self) -> dict[str, JSON]:
        """Return the members as JSON; an id that came as an integer is one, so that a resume can send it back so."""
        members = {name: int(one) if isinstance(one, IntegerId) else one for name, one in asdict(self).items()}
        return cast("dict[str, JSON]", members)

    @classmethod
    def from_json(cls, data: Mapping[str, JSON]) -> Self:
        """Return the result that the journal stores.

        Raises:
            TypeError: a member is missing, because another version of the walkthrough wrote it.
        """
        types = {f.name: str(f.type) for f in fields(cls)}
        return cls(**{name: _member(value, types[name]) for name, value in data.items() if name in types})


def _member(value: JSON, annotation: str) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and annotation in {"str", "str | None"}:
        return IntegerId(value)
    if isinstance(value, str) and annotation == "str | None":
        return text_of(value)  # what was withheld names nothing
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Buyer(Result):
    """The account that is logged in."""

    user_id: str
    email: str

    @property
    def observed(self) -> str:
        """Who is logged in."""
        return f"logged in as {self.email}"


@dataclass(frozen=True, slots=True)
class ChosenProduct(Result):
    """The product to buy."""

    product_id: str
    title: str
    price_cents: int
    currency: str
    license_type: str | None
    seller_id: str

    @property
    def observed(self) -> str:
        """Title and price."""
        return f"{self.title}, {Money(self.price_cents, self.currency)}"


@dataclass(frozen=True, slots=True)
class PlacedOrder(Result):
    """The order that awaits payment."""

    order_id: str
    payment_id: str | None
    total_cents: int
    tax_cents: int
    currency: str
    checkout_url: str
    """Opened as it came. The journal has it without its secrets: one that lacks any cannot be opened."""
    adopted: bool = False
    """Whether the response was lost and the order was found by asking."""
    discount_cents: int = 0
    tax_told: bool = True
    """Whether the order told its tax; results of walkthrough 1 do not say."""

    @property
    def total(self) -> Money:
        """The amount that the card will be charged."""
        return Money(self.total_cents, self.currency)

    @property
    def observed(self) -> str:
        """The order, its payment and its total."""
        tax = f" (of it VAT {Money(self.tax_cents, self.currency)})" if self.tax_cents else ""
        found = ", found again after its answer was lost" if self.adopted else ""
        payment = f", payment {self.payment_id}" if self.payment_id else ""
        return f"order {self.order_id}, {self.total}{tax}{payment}{found}"


@dataclass(frozen=True, slots=True)
class Payment(Result):
    """The operator finished at the checkout; not yet proof of a payment."""

    how: str
    """`operator` or `script` if one of them confirmed it; `status` if the order moved on; `processor` if it says so."""
    payment_status: str | None
    confirmed_at: str | None

    @property
    def observed(self) -> str:
        """Who confirmed the payment."""
        when = f" at {self.confirmed_at}" if self.confirmed_at else ""
        said = {
            "operator": "the operator said paid",
            "script": "the script paid",
            "processor": f"the processor says {self.payment_status}",
        }
        return said.get(self.how, "the order moved on by itself") + when


@dataclass(frozen=True, slots=True)
class PaidOrder(Result):
    """The completed order."""

    order_id: str
    payment_id: str | None
    status: str
    total_cents: int
    tax_cents: int
    currency: str
    completed_at: str | None
    unlisted: str | None = None
    """Why the processor's list of payments was not read, so that R1 is not compared; else None."""

    @property
    def observed(self) -> str:
        """The state and the amount."""
        told = f"order {self.status}, {Money(self.total_cents, self.currency)}"
        return told if self.unlisted is None else f"{told}; whether it has other payments was not seen: {self.unlisted}"


@dataclass(frozen=True, slots=True)
class GrantedLicense(Result):
    """The license that the order granted."""

    license_id: str
    status: str
    product_id: str
    order_id: str
    granted_at: str

    @property
    def observed(self) -> str:
        """The license and its state."""
        return f"license {self.license_id} is {self.status}"


@dataclass(frozen=True, slots=True)
class Transfers(Result):
    """The rows of seller_transfers for the order."""

    rows: tuple[Mapping[str, JSON], ...]
    unexplained_cents: int | None
    """None where the table has no fee: nothing can be added up."""
    confirmed: bool
    currency: str
    seller_checked: bool = False
    """Whether every row names the product's seller."""
    complete: bool | None = None
    """Whether every row says that no row is missing; None if the rows carry no count."""
    database_tax_cents: int | None = None
    """The order's tax, if only the database told it."""

    @property
    def observed(self) -> str:
        """What the seller gets."""
        rows = counted(self.rows)
        amounts = [row["amount_cents"] for row in rows]
        total = Money(sum(amount for amount in amounts if isinstance(amount, int)), self.currency)
        tax = self.database_tax_cents
        return (
            f"{len(rows)} transfer{'s' if len(rows) != 1 else ''}, {total} to the seller"
            + (", the fee is not known" if self.unexplained_cents is None else "")
            + (f"; only the database told the tax of {Money(tax, self.currency)}" if tax else "")
        )


@dataclass(frozen=True, slots=True)
class RequestedRefund(Result):
    """The requested refund."""

    refund_id: str
    status: str
    amount_cents: int
    currency: str

    @property
    def observed(self) -> str:
        """The refund, its state and its amount."""
        return f"refund {self.refund_id} is {self.status}, {Money(self.amount_cents, self.currency)}"


@dataclass(frozen=True, slots=True)
class Revoked(Result):
    """The refund arrived and the license is revoked."""

    order_status: str
    refund_status: str | None
    refunded_cents: int | None
    """None if neither the order nor the processor told how much came back."""
    currency: str
    license_id: str | None
    license_status: str | None
    revoked_at: str | None
    refunded_at: str | None

    @property
    def observed(self) -> str:
        """The refunded amount, and the license's state."""
        gone = f"license {self.license_id} {self.license_status}" if self.license_id else "no license left"
        back = self.refunded_cents
        came = "how much came back was not told" if back is None else f"{Money(back, self.currency)} back"
        return f"order {self.order_status}, {came}, {gone}"
