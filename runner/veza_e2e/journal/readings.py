"""Events that say what was read, compared and named: the evidence beside the recorded calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from veza_e2e.canonical import JSON
from veza_e2e.frozen import dataclass
from veza_e2e.journal.events import Event, StepName


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsRead(Event):
    """Rows of seller_transfers, as pasted or read."""

    step: StepName
    source: Literal["pasted", "database", "rehearsal"]
    sql: str
    rows: tuple[Mapping[str, JSON], ...]
    final: bool = True
    """False for an unreadable or unrelated paste; the operator is asked again."""
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared(Event):
    """A comparison of amounts or ids (R1 to R6), made as soon as both sides were known."""

    step: StepName
    id: str
    equal: bool
    left: str
    """What was compared, as text: amounts with currency, or ids."""
    right: str
    calls: tuple[int, ...]
    """The calls whose responses prove this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardRead(Event):
    """What a person read at the processor's or Stripe's dashboard. An ended session has it as an addendum."""

    by: str
    currency: str
    payment_id: str | None = None
    charged_cents: int | None = None
    """What the payment was charged."""
    refund_id: str | None = None
    refunded_cents: int | None = None
    reversed_cents: int | None = None
    """How much of the seller's transfers was reversed."""
    evidence: Mapping[str, JSON] | None = None
    """`{sha256, bytes}` of a file that the operator keeps."""
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNamed(Event):
    """The operator is about to be told of an order that may be this session's; whoever knows it can pay it."""

    step: StepName
    order_id: str
    payment_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOffered(Event):
    """The checkout page is about to be offered; synced to disk before a browser opens it."""

    step: StepName
    order_id: str
    url: str
