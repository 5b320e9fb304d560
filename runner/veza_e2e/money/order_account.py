"""One order's money: what each witness says was charged and came back, and the state that follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from operator import attrgetter

from veza.money import Money
from veza_e2e.frozen import dataclass
from veza_e2e.money.figures import Figure, FigureKind, backend_back, by_hand, current, is_some_of, last_said, sums
from veza_e2e.money.payment_states import AUTHORISED, PAYABLE, UNTAKEN, VOID, VOIDED
from veza_e2e.money.told import BankRead, OrderRead, PaymentRead, PersonRead, RefundRead

CHARGED = frozenset({"completed", "refund_pending", "refunded", "refund_failed", "disputed"})
"""Order states that only follow a charge."""
UNPAID = frozenset({"failed", "cancelled", "expired"})
"""Order states that no charge precedes."""
NOT_FOUND = "not found"
"""Stands for the state of an order that the backend answers with 404."""
_ENDED = frozenset({"succeeded", "failed"})
"""States of a refund that has, at the processor."""
LINK = timedelta(minutes=15)
"""How long a payment link stays valid by default (Hyperswitch)."""
RETRIES = timedelta(hours=24)
"""How long the processor repeats its webhooks: what may be late is late until then."""


class AccountState(StrEnum):
    """How a session stands with the card; each word about money follows from it."""

    UNTOUCHED = "untouched"
    """Nothing was charged, and nothing can be."""
    RETURNED = "returned"
    """All that was received came back."""
    AT_RISK = "at risk"
    """An order can be paid, or may have been; no charge was seen."""
    CHARGED = "charged"
    """More was received than came back."""
    UNKNOWN = "unknown"
    """Witnesses disagree, a needed one does not answer, or currencies differ."""


@dataclass(frozen=True)
class OrderAccount:
    """One order's money.

    Attributes:
        order_id: the order.
        accepted_at: when the backend took it, or may have: from then on it can be paid.
        reads: what the backend said of it, in the order of the events.
        payments: what the processor said of its payments.
        silent: whether the processor was asked after that, and did not tell.
        silent_since: the first event at which it did not; 0 if it is not silent.
        unread: the payments that it was asked for and never told.
        unlisted: whether the processor did not tell which payments there are.
        persons: what people read at a dashboard.
        bank: what the bank statement shows.
    """

    order_id: str
    accepted_at: datetime
    reads: tuple[OrderRead, ...]
    payments: tuple[PaymentRead, ...]
    silent: bool
    persons: tuple[PersonRead, ...]
    bank: BankRead | None
    unread: tuple[str, ...] = ()
    unlisted: bool = False
    silent_since: int = 0

    @cached_property
    def latest(self) -> tuple[PaymentRead, ...]:
        """The last reading of each payment."""
        return tuple({one.payment_id: one for one in self.payments}.values())

    @cached_property
    def untold(self) -> tuple[str, ...]:
        """The payments of which nobody told anything, though the processor told others: they may hold more money."""
        by_hand = {one.payment_id for one in self.persons if one.charged is not None}
        return tuple(one for one in self.unread if self.latest and one not in by_hand)

    @cached_property
    def charged(self) -> tuple[Figure, ...]:
        """The last figure of each witness; of the processor one for each currency."""
        return tuple(
            sorted(
                (*self._backend_charged(), *self._processor_charged(), *self._person("charged")), key=attrgetter("seq")
            )
        )

    @cached_property
    def refunded(self) -> tuple[Figure, ...]:
        """As `charged`, of what came back."""
        back = (*self._backend_back(), *self._processor_back(), *self._person("refunded"), *self._bank_back())
        return tuple(sorted(back, key=attrgetter("seq")))

    @cached_property
    def back(self) -> Sequence[Figure]:
        """The figures of what came back that stand beside each other now.

        What the processor, or a person at its dashboard, said last stands: who pays out is a needed witness.
        """
        kept = [one for one in current(self.refunded) if not (self._of_one_payment(one) or self.counts_some(one))]
        if self.read_by_hand:
            return [one for one in kept if one.by != "processor"]
        return kept + [one for one in self.refunded if one.by == "processor" and one not in kept]

    def _of_one_payment(self, figure: Figure) -> bool:
        """Whether the backend tells what the processor tells of the payment that the order names, one of several."""
        if figure.by != "backend" or figure.pending or sum(bool(one.received) for one in self.latest) <= 1:
            return False
        named = next((one for one in self.latest if one.payment_id == self._named), None)
        return named is not None and named.received is not None and figure.amount == self._back_of(named)

    def counts_some(self, figure: Figure) -> bool:
        """Whether the backend counts some of the refunds that another witness listed since: it may not hear of all."""
        if figure.by != "backend" or figure.pending or not figure.amount or self._of_one_payment(figure):
            return False
        since = figure.since or figure.seq
        told = [(one.seq, back) for one in self.latest for back in self._own(one) if back.status == "succeeded"]
        listed = [back.amount for seq, back in told if seq >= since and back.amount is not None]
        said = last_said("refunded", self.persons).values()
        read = [amount for _, amount in said if amount] if any(seq >= since for seq, _ in said) else []
        whole = len(listed) == len(told)
        return (whole and is_some_of(figure.amount, listed)) or is_some_of(figure.amount, read)

    def _back_of(self, payment: PaymentRead) -> Money | None:
        """What came back of a payment that received something; None if that is not known."""
        received = payment.received
        if received is None or payment.status == VOIDED:
            return received
        back = [one.amount for one in self._own(payment) if one.status == "succeeded"]
        known = [one.minor for one in back if one is not None and one.currency == received.currency]
        return Money(sum(known), received.currency) if len(known) == len(back) else None

    @cached_property
    def read_by_hand(self) -> bool:
        """Whether a person read, since the processor last told, how a refund ended that it had not seen end."""
        if self._refund_untold:
            return bool(self._refunds_read(0))
        refunds = [back for one in self.latest for back in one.refunds]
        heard = max((one.seq for one in self.latest), default=0)
        under_way = {one.refund_id for one in refunds if one.status not in _ENDED}
        if under_way or not self.latest:
            return bool(under_way) and under_way <= self._refunds_read(heard)
        if any(one.amount and (one.since or one.seq) <= heard for one in self._backend_back()):
            return False  # it told what it told after the refund
        return bool(self._refunds_read(max(heard, self.silent_since)) - {one.refund_id for one in refunds})

    def _refunds_read(self, since: int) -> set[str | None]:
        """The refunds that a person read since then."""
        read = (one.refund_id for one in self.persons if one.refunded and one.seq > since)
        return {one for one in read if one is not None}

    @cached_property
    def outdated(self) -> tuple[Figure, ...]:
        """What the processor said of the refund before there was one, by those who looked later."""
        said = [one for one in self.refunded if one.by == "processor" and one.amount is not None]
        none = [one for one in said if not one.amount and (self.read_by_hand or not one.pending)]
        return tuple(one for one in none if self.read_by_hand or one not in current(self.refunded))

    @cached_property
    def holding(self) -> Mapping[str, Money]:
        """What each payment that received something still holds, by the processor's last word; only what is known."""
        held: dict[str, Money] = {}
        for one in self.latest:
            back = self._back_of(one)
            if one.received is not None and back is not None and back < one.received:
                held[one.payment_id] = Money(one.received.minor - back.minor, back.currency)
        return held

    @property
    def _named(self) -> str | None:
        """The payment that the order named last."""
        return next((one.payment_id for one in reversed(self.reads) if one.payment_id), None)

    @property
    def elsewhere(self) -> Mapping[str, Money]:
        """What payments hold that the order does not name: the backend cannot refund it."""
        named = self._named
        return {name: money for name, money in self.holding.items() if named is not None and name != named}

    @cached_property
    def state(self) -> AccountState:
        """The state that the figures make. Absent is unknown, never zero."""
        charged = current(self.charged)
        amounts = {one.amount for one in charged}
        if not any(one.amount is None or one.amount.minor for one in charged):
            return self._uncharged()
        if None in amounts or len(amounts) != 1:
            return AccountState.UNKNOWN
        (total,) = amounts
        assert total is not None
        return self._charged(total)

    def _uncharged(self) -> AccountState:
        flying = any(one.status not in UNTAKEN for one in self.latest)
        unpaid = bool(self.reads) and self.reads[-1].status in UNPAID
        void = bool(self.latest) and all(one.status in VOID for one in self.latest)
        payable = any(one.status in PAYABLE and one.at < self.accepted_at + LINK for one in self.latest)
        silent = self.silent and not self._person_saw_nothing
        if (void and not self.untold) or (unpaid and not flying and not payable and not silent):
            return AccountState.UNTOUCHED
        return AccountState.UNKNOWN if unpaid and silent else AccountState.AT_RISK

    @property
    def _person_saw_nothing(self) -> bool:
        """Whether a person, after the order had ended, read at the dashboard that no payment received anything."""
        seen = [one for one in self._person("charged") if one.seq > self.reads[-1].seq] if self.reads else []
        return bool(seen) and not any(one.amount for one in seen)

    def _charged(self, total: Money) -> AccountState:
        back = self.back
        amounts = {one.amount for one in back}
        foreign = any(one.amount.currency != total.currency for one in back if one.amount)
        if len(amounts) != 1 or None in amounts or foreign:
            return AccountState.UNKNOWN
        (came,) = amounts
        assert came is not None
        if came < total:
            return AccountState.CHARGED
        reserved = any(one.status in AUTHORISED and not one.received for one in self.latest)
        more = reserved or bool(self.untold) or any(one.pending for one in back)
        return AccountState.RETURNED if came == total and not more else AccountState.UNKNOWN

    @property
    def last_payable(self) -> datetime:
        """The last moment at which the order could be paid, as far as it is known."""
        return max((self.accepted_at + LINK, *(one.at for one in self.payments if one.status in PAYABLE | AUTHORISED)))

    @property
    def refund_seen_at(self) -> datetime | None:
        """When the backend was first seen to say that the refund is done; None if it never did."""
        done = (one.at for one in self.reads if one.refund_status == "succeeded" or one.status == "refunded")
        return next(done, None)

    @property
    def total(self) -> Money | None:
        """The order's total, as last told."""
        return next((one.total for one in reversed(self.reads) if one.total is not None), None)

    @property
    def payment_ids(self) -> tuple[str, ...]:
        """The payments that the order named, or that name the order; the latest first."""
        named = [one.payment_id for one in reversed(self.reads) if one.payment_id]
        return tuple(dict.fromkeys([*named, *(one.payment_id for one in reversed(self.payments))]))

    @property
    def refund_ids(self) -> tuple[str, ...]:
        """The refunds that the order named, the latest first."""
        return tuple(dict.fromkeys(one.refund_id for one in reversed(self.reads) if one.refund_id))

    @cached_property
    def _reserved(self) -> bool:
        """Whether the processor, heard after the order completed, tells of reserved money only: that is no charge."""
        since = next((one.seq for one in self.reads if one.status in CHARGED), 0)
        told = self.refund_seen_at is None and all(one.seq >= since and one.received is not None for one in self.latest)
        none = not self.unread and not any(one.received or one.refunds for one in self.latest)
        return told and none and any(one.status in AUTHORISED for one in self.latest)

    def _backend_charged(self) -> Iterable[Figure]:
        if self._reserved:
            return
        taken = {one.total: one for one in self.reads if one.status in CHARGED and one.total is not None}
        if taken:
            # An order that changes its total contradicts itself: each total is a figure.
            yield from (Figure("charged", "backend", one.seq, total) for total, one in taken.items())
        elif any(one.status in CHARGED for one in self.reads):
            yield Figure("charged", "backend", self.reads[-1].seq, self.total)
        elif self.reads and self.reads[-1].status in UNPAID and self.total is not None:
            yield Figure("charged", "backend", self.reads[-1].seq, Money(0, self.total.currency))

    def _backend_back(self) -> Iterable[Figure]:
        if any(one.status in CHARGED for one in self.reads):
            yield backend_back(self.reads, self.total)

    def _processor_charged(self) -> Iterable[Figure]:
        received = [one.received for one in self.latest]
        told = [one for one in received if one is not None]
        added: Sequence[Money | None] = sums([one for one in told if one] or told[:1])
        for amount in added if len(told) == len(received) else [None]:
            yield Figure("charged", "processor", max(one.seq for one in self.latest), amount)

    def _processor_back(self) -> Iterable[Figure]:
        taken = [one for one in self.latest if one.received is None or one.received.minor]
        if not taken:
            return
        seq, pending = max(one.refunds_seq or one.seq for one in taken), False
        back: list[Money | None] = []
        for one in taken:
            own = self._own(one)
            pending = pending or any(each.status not in _ENDED for each in own)
            back += [one.received] if one.status == VOIDED else [e.amount for e in own if e.status == "succeeded"]
        if None in back or taken[0].received is None or self._refund_untold:
            yield Figure("refunded", "processor", seq, None, pending)
            return
        zero = Money(0, taken[0].received.currency)
        for amount in sums([one for one in back if one is not None] or [zero]):
            yield Figure("refunded", "processor", seq, amount, pending)

    @property
    def _refund_untold(self) -> bool:
        told = {None, *(back.refund_id for one in self.latest for back in one.refunds)}
        return any(one.untold_refund not in told for one in self.latest)

    def _own(self, payment: PaymentRead) -> list[RefundRead]:
        """The refunds of this order among those that a payment lists."""
        return [one for one in payment.refunds if one.payment_id in {None, *self.payment_ids}]

    def _person(self, kind: FigureKind) -> Iterable[Figure]:
        return by_hand(kind, self.persons, self.payment_ids)

    def _bank_back(self) -> Iterable[Figure]:
        if self.bank is not None:
            yield Figure("refunded", "bank", self.bank.seq, self.bank.credit or self.bank.dropped)
