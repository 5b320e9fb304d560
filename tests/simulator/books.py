"""The simulated world's books: what really happened, in plain records. Written from the facts about the backend."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class Product:
    id: str
    title: str
    seller: str
    price: int
    currency: str


@dataclass
class ProcessorRefund:
    id: str
    payment: str
    amount: int
    currency: str
    status: str


@dataclass
class Payment:
    """A payment at the processor; amounts in minor units."""

    id: str
    order: str
    amount: int
    currency: str
    link_until: datetime
    net_amount: int | None = None
    status: str = "requires_payment_method"
    received: int = 0
    error: str | None = None
    refunds: list[ProcessorRefund] = field(default_factory=list)
    disputes: list[str] = field(default_factory=list)
    word: str = ""
    """Another word for its status, that the processor says instead."""

    @property
    def returned(self) -> int:
        return sum(one.amount for one in self.refunds if one.status == "succeeded")


@dataclass
class Order:
    """An order at the backend."""

    id: str
    buyer: str
    product: Product
    total: int
    tax: int
    currency: str
    created: datetime
    status: str = "pending_payment"
    payment: str | None = None
    refund_id: str | None = None
    refund_status: str | None = None
    refunded: int | None = None
    completed: datetime | None = None
    refunded_at: datetime | None = None
    key: str | None = None
    foreign: bool = False


@dataclass
class License:
    id: str
    order: str
    product: str
    granted: datetime
    status: str = "active"
    revoked: datetime | None = None


@dataclass
class Transfer:
    id: str
    order: str
    seller: str
    stripe: str | None
    amount: int
    fee: int
    currency: str
    status: str
    created: datetime
    reversed: int = 0
    reversal: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class BankLine:
    order: str
    day: str
    kind: str
    amount: int
    currency: str


@dataclass
class Told:
    """What a witness told last, and when."""

    charged: int
    returned: int
    currency: str
    status: str
    at: datetime
    recorded: bool = True
    """False if the walkthrough was killed right after it heard this: nobody knows whether it kept it."""
