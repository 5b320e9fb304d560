"""Payments as the processor has them, and what the payments of one order add up to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from veza import PaymentStatus, RefundStatus
from veza.money import Money
from veza_e2e.frozen import dataclass
from veza_e2e.money.payment_states import VOIDED


@dataclass(frozen=True, slots=True)
class ProcessorRefund:
    """A refund as the processor has it."""

    refund_id: str
    payment_id: str
    status: RefundStatus
    amount: Money
    call: int | None = None
    """The call that returned it, if it was asked for by its own name."""


@dataclass(frozen=True, slots=True)
class ProcessorPayment:
    """A payment as the processor has it."""

    payment_id: str
    status: PaymentStatus
    asked: Money
    """`net_amount` where it is given (a surcharge is in it), else `amount`."""
    received: Money | None
    """None if the processor does not tell."""
    error_message: str | None
    link: str | None
    refunds: tuple[ProcessorRefund, ...]
    disputes: tuple[str, ...]
    """The states of the disputes that are not settled."""
    customer: str | None
    order_id: str | None
    """The order that the payment names in its metadata."""
    call: int
    """The number of the call that returned it."""
    reference: str | None = None
    """What the shop calls its order: the order's id, or a number of its own."""
    created: datetime | None = None
    lists_refunds: bool = True
    """False if the answer has no list of refunds, be it that there are none or that they are not told."""

    @property
    def taken(self) -> bool:
        """Whether something was received, or may have been."""
        return self.received is None or bool(self.received)


@dataclass(frozen=True, slots=True)
class Unread:
    """A payment of the order that could not be read."""

    payment_id: str
    why: str
    passing: bool
    """Whether asking again may help."""

    @property
    def told(self) -> str:
        """What is said of it."""
        return f"payment {self.payment_id}: {self.why}"


@dataclass(frozen=True, slots=True)
class OrderPayments:
    """All payments of one order that could be read; at least one. The one that the order names stands first."""

    payments: tuple[ProcessorPayment, ...]
    unlisted: str | None = None
    """Why the buyer's list does not tell which payments are the order's: it was not read, or lacks some. None if it
    does."""
    unread: tuple[Unread, ...] = ()
    """The payments that may hold more than the others tell: what these add up to settles nothing."""
    passing: bool = False
    """Whether asking again may help to read what is left."""
    untold_refunds: tuple[str, ...] = ()
    """The refunds that the order names, that no payment lists, and that were not told either when asked for."""

    @property
    def whole(self) -> bool:
        """Whether every payment of the order was read."""
        return not self.unread and self.unlisted is None

    @property
    def named(self) -> ProcessorPayment:
        """The payment that the order names; if it could not be read, the next one that could."""
        return self.payments[0]

    @property
    def came_back(self) -> bool:
        """Whether all that was received is known to have come back; never if a payment could not be read."""
        received, returned = self.received, self.returned
        return (
            not self.unread
            and bool(received)
            and returned is not None
            and received is not None
            and returned >= received
        )

    @property
    def counted(self) -> tuple[ProcessorPayment, ...]:
        """The payments that received anything; the one that the order names if none did."""
        return tuple(one for one in self.payments if one.taken) or (self.named,)

    @property
    def untold(self) -> bool:
        """Whether a payment does not tell what it received: then nothing is compared with it."""
        return any(one.received is None for one in self.payments)

    @property
    def asked(self) -> Money | None:
        """What the counted payments asked for; None if that is not one amount."""
        return _sum([one.asked for one in self.counted])

    @property
    def received(self) -> Money | None:
        """What was received; None if that is not known, or not one amount."""
        return _sum([one.received for one in self.counted])

    @property
    def returned(self) -> Money | None:
        """Succeeded refunds and voided captures; None if that is not one amount, or a refund was not told."""
        received = self.received
        if received is None or self.untold_refunds:
            return None
        return _sum([*self._back(), Money(0, received.currency)])

    def _back(self) -> list[Money | None]:
        back: list[Money | None] = []
        for one in self.payments:
            succeeded = [refund.amount for refund in one.refunds if refund.status is RefundStatus.SUCCEEDED]
            back += [one.received] if one.status == VOIDED else succeeded
        return back

    def told(self, what: Literal["asked", "received", "returned"]) -> str:
        """Return the sum over all payments, for people; each amount if they have no sum."""
        total: Money | None
        each: list[Money | None]
        match what:
            case "asked":
                total, each = self.asked, [one.asked for one in self.counted]
            case "received":
                total, each = self.received, [one.received for one in self.counted]
            case "returned":
                total, each = self.returned, self._back()
        if total is not None:
            return str(total)
        more: list[Money | None] = [None] if what == "returned" and self.untold_refunds else []
        return " and ".join("not told" if one is None else str(one) for one in [*each, *more]) or "not told"

    @property
    def refunds(self) -> tuple[ProcessorRefund, ...]:
        """The refunds of all payments."""
        return tuple(refund for one in self.payments for refund in one.refunds)

    @property
    def pending(self) -> tuple[ProcessorRefund, ...]:
        """The refunds that have not ended."""
        return tuple(one for one in self.refunds if one.status not in {RefundStatus.SUCCEEDED, RefundStatus.FAILED})

    @property
    def disputes(self) -> tuple[str, ...]:
        """The states of the disputes that are not settled."""
        return tuple(state for one in self.payments for state in one.disputes)

    @property
    def calls(self) -> tuple[int, ...]:
        """The calls that returned them."""
        alone = (one.call for one in self.refunds if one.call is not None)
        return tuple(dict.fromkeys((*(one.call for one in self.payments), *alone)))


def _sum(amounts: Sequence[Money | None]) -> Money | None:
    told = [one for one in amounts if one is not None]
    if len(told) != len(amounts) or len({one.currency for one in told}) != 1:
        return None
    return Money(sum(one.minor for one in told), told[0].currency)
