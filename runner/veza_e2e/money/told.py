"""What each witness told of the money, one reading at a time."""

from __future__ import annotations

from datetime import datetime

from veza.money import Money
from veza_e2e.frozen import dataclass


@dataclass(frozen=True, slots=True)
class OrderRead:
    """An order, as the backend told it."""

    seq: int
    at: datetime
    order_id: str
    status: str | None
    total: Money | None
    payment_id: str | None
    refund_id: str | None
    refund_status: str | None
    refunded: Money | None
    """What came back of it; None if the order does not tell. Beside a refund that is done a zero tells nothing."""
    operation: str | None
    tax: Money | None = None


@dataclass(frozen=True, slots=True)
class RefundRead:
    """A refund, as the processor told it."""

    refund_id: str | None
    payment_id: str | None
    status: str | None
    amount: Money | None


@dataclass(frozen=True, slots=True)
class PaymentRead:
    """A payment, as the processor told it."""

    seq: int
    at: datetime
    payment_id: str
    order_id: str | None
    """The order that the payment names."""
    status: str | None
    received: Money | None
    """None if the amount or its currency was not told."""
    refunds: tuple[RefundRead, ...]
    disputes: int
    """How many are not settled."""
    asked: Money | None = None
    """`net_amount` where it is given (a surcharge is in it), else `amount`; None if neither was told."""
    reference: str | None = None
    """What the shop calls its order."""
    created: datetime | None = None
    refunds_seq: int = 0
    """The event that told of the refunds; 0 is `seq`. Where a later answer has no list, what was told last stands."""
    lists_refunds: bool = True
    """False if the answer has no list of refunds, be it that there are none or that they are not told."""
    untold_refund: str | None = None
    """A refund that was asked for by its own name, since this answer has no list, and was not told either."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The processor was asked and did not tell the payment."""

    seq: int
    at: datetime
    payment_id: str | None = None
    """The payment that was asked for; None if the request does not name one."""


@dataclass(frozen=True, slots=True)
class PersonRead:
    """What a person read at a dashboard."""

    seq: int
    payment_id: str | None
    charged: Money | None
    refund_id: str | None
    refunded: Money | None
    reversed: Money | None
    by: str


@dataclass(frozen=True, slots=True)
class BankRead:
    """What the bank statement shows; None if nothing."""

    seq: int
    credit: Money | None
    dropped: Money | None
    """A charge that vanished."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Everything that was read of one session's money, in the order of the events."""

    orders: tuple[OrderRead, ...]
    payments: tuple[PaymentRead, ...]
    silences: tuple[NoAnswer, ...]
    persons: tuple[PersonRead, ...]
    bank: BankRead | None
    """The latest bank statement, which corrects earlier ones."""
    listed: tuple[tuple[str, str], ...] = ()
    """Payments in the buyer's list at the processor, each with the order that it names."""
    relisted: bool = False
    """Whether the whole list was read when the processor was asked last after the end."""
