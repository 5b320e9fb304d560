"""The account: what was charged, what came back and what may be out, by which witness.

A pure fold over the journal and its addenda. All words about money, the bars against a second run, `abandon`, summary,
report and site ask it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Final
from urllib.parse import quote

from veza.money import Money
from veza_e2e.frozen import dataclass
from veza_e2e.journal import Line
from veza_e2e.journal.addenda import Addendum
from veza_e2e.journal.events import SessionAbandoned
from veza_e2e.journal.story import Story
from veza_e2e.money.doubt import CARRIED_OUT, in_doubt_at
from veza_e2e.money.figures import KINDS, Figure, FigureKind, Witness, current, most
from veza_e2e.money.gathering import orders_of
from veza_e2e.money.order_account import LINK, RETRIES, AccountState, OrderAccount
from veza_e2e.money.payment_states import AUTHORISED
from veza_e2e.money.readings import money, read
from veza_e2e.money.stake import at_stake

_SEVERITY: Final = (
    AccountState.UNKNOWN,
    AccountState.CHARGED,
    AccountState.AT_RISK,
    AccountState.RETURNED,
    AccountState.UNTOUCHED,
)
_NAMES: Final[Mapping[Witness, str]] = {
    "backend": "the backend", "processor": "the processor", "person": "a person", "bank": "the bank"
}  # fmt: skip


@dataclass(frozen=True)
class Account:
    """One session's money, as far as it was seen.

    Attributes:
        orders: every order that the session made, adopted or named to the operator.
        in_doubt_at: when an order was last asked for of which nothing is known; None if there is no such request.
        accepted: the open amount that the operator gave up with `abandon --accept-loss`.
        abandoned_at: when the session was abandoned.
    """

    orders: tuple[OrderAccount, ...]
    in_doubt_at: datetime | None = None
    accepted: Money | None = None
    abandoned_at: datetime | None = None

    @cached_property
    def state(self) -> AccountState:
        """The gravest state of the orders."""
        states = {one.state for one in self.orders}
        if self.in_doubt_at is not None:
            states.add(AccountState.AT_RISK)
        return next((one for one in _SEVERITY if one in states), AccountState.UNTOUCHED)

    def figures(self, kind: FigureKind) -> tuple[Figure, ...]:
        """Return the last amount that each witness named, with its event; an amount of None was not told."""
        return tuple(one for order in self.orders for one in (order.charged if kind == "charged" else order.refunded))

    @cached_property
    def charged(self) -> Money | None:
        """What the card was charged: never less than an answering witness says. None if it is not known."""
        if self.state is AccountState.UNTOUCHED:
            return self._zero
        amounts = [one.amount for order in self.orders for one in order.charged]
        totals = [most(current(order.charged)) for order in self.orders if order.charged]
        if None in amounts or not any(one.minor for one in totals if one):
            return None
        return _total(totals)

    @cached_property
    def refunded(self) -> Money | None:
        """What came back; None if it is not known, or witnesses disagree."""
        if self.state is AccountState.UNTOUCHED:
            return self._zero
        if not self.charged:
            return None
        back = [order.back for order in self.orders if any(one.amount for one in order.charged)]
        agreed = [ours[0].amount if len({one.amount for one in ours}) == 1 else None for ours in back]
        total = _total(agreed)
        # More than was charged cannot have come back: a figure is wrong, and which one is not known.
        return None if total is None or total.currency != self.charged.currency or total > self.charged else total

    @property
    def _zero(self) -> Money | None:
        return None if self.currency is None else Money(0, self.currency)

    @property
    def open(self) -> Money | None:
        """What was charged and did not come back; None if that is not known."""
        if self.charged is None or self.refunded is None or self.charged.currency != self.refunded.currency:
            return None
        return Money(max(self.charged.minor - self.refunded.minor, 0), self.charged.currency)

    @property
    def at_stake(self) -> Money | None:
        """The most that may be lost: what `abandon --accept-loss` must name. None if no amount is known."""
        if any(one.untold for one in self.orders):
            return None
        settled = {AccountState.UNTOUCHED, AccountState.RETURNED}
        return _total([at_stake(one) for one in self.orders if one.state not in settled])

    @property
    def currency(self) -> str | None:
        """The currency of the charge, else of the order; None if it is not known."""
        amounts = [one.amount for order in self.orders for one in order.charged if one.amount and one.amount.minor]
        codes = {one.currency for one in amounts}
        if len(codes) == 1:
            return codes.pop()
        return None if codes else next((one.total.currency for one in self.orders if one.total), None)

    @property
    def charged_cents(self) -> int | None:
        """What the card was charged, in minor units; None if it is not known."""
        unknown = 0 if self.state is AccountState.UNTOUCHED else None
        return unknown if self.charged is None else self.charged.minor

    @property
    def refunded_cents(self) -> int | None:
        """What came back, in minor units; None if it is not known."""
        unknown = 0 if self.state is AccountState.UNTOUCHED else None
        return unknown if self.refunded is None else self.refunded.minor

    @property
    def moved(self) -> bool:
        """Whether a charge was seen."""
        return any(one.amount is None or one.amount.minor for one in self.figures("charged"))

    @property
    def came_back(self) -> bool:
        """Whether a witness saw money come back."""
        return any(one.amount for one in self.figures("refunded"))

    @property
    def on_its_way(self) -> bool:
        """Whether a witness says that more of a refund is on its way."""
        return any(one.pending for order in self.orders for one in order.back)

    @property
    def refund_open(self) -> bool | None:
        """Whether a charge was seen that has not wholly come back; None if money may be out."""
        if self.state in {AccountState.UNTOUCHED, AccountState.RETURNED}:
            return False
        return True if self.state is AccountState.CHARGED else None

    @property
    def may_be_out(self) -> bool:
        """Whether money is out, or may be for all that was seen."""
        return self.state not in {AccountState.UNTOUCHED, AccountState.RETURNED}

    @property
    def settled(self) -> bool:
        """Whether nothing is out, the operator gave up exactly what is, or gave up what nobody pays any more."""
        given_up = self.accepted is not None and self.accepted == self.at_stake
        lapsed = self.abandoned_at is not None and self.lapsed(self.abandoned_at)
        return not self.may_be_out or given_up or lapsed

    @property
    def unsettled_witness(self) -> bool:
        """Whether a witness last said that more was charged than came back, even if a later one saw it return."""
        return any(_open_by(order, by) for order in self.orders for by in _NAMES)

    @property
    def disputed(self) -> bool:
        """Whether a dispute is open, by the last word of the backend or of the processor."""
        return any(True for _ in self.disputes())

    def disputes(self) -> Iterator[tuple[int, str]]:
        """Yield who says of what that a dispute is open, with the event."""
        for order in self.orders:
            for one in order.latest:
                if one.disputes:
                    yield one.seq, f"the processor has a dispute on payment {quote(one.payment_id, safe='')}"
            if order.reads and order.reads[-1].status == "disputed":
                yield order.reads[-1].seq, f"the backend calls order {quote(order.order_id, safe='')} disputed"

    @property
    def elsewhere(self) -> Mapping[str, Money]:
        """What payments hold that no order names, so that the backend cannot refund it."""
        return {name: money for order in self.orders for name, money in order.elsewhere.items()}

    @property
    def refundable(self) -> Money | None:
        """What of the open money the backend can refund; None if that is not known."""
        left = self.open
        if left is None or any(one.currency != left.currency for one in self.elsewhere.values()):
            return left
        return Money(max(left.minor - sum(one.minor for one in self.elsewhere.values()), 0), left.currency)

    def lapsed(self, now: datetime) -> bool:
        """Whether an order that can be paid has been left unpaid for so long that nothing is to be expected of it."""
        return self.state is AccountState.AT_RISK and now >= self.late_after

    @property
    def late_after(self) -> datetime:
        """24 hours after the last moment at which an order could be paid."""
        moments = [one.last_payable for one in self.orders]
        moments += [self.deniable_at + LINK] if self.deniable_at else []
        return max(moments) + RETRIES

    @property
    def deniable_at(self) -> datetime | None:
        """From when a list of the orders may deny the one that is in doubt; None if none is."""
        return None if self.in_doubt_at is None else self.in_doubt_at + CARRIED_OUT

    @property
    def silent(self) -> bool:
        """Whether the processor was asked last, and did not tell."""
        return any(one.silent for one in self.orders)

    @cached_property
    def main(self) -> OrderAccount | None:
        """The order that the report is about: the gravest one, else the last."""
        return min(reversed(self.orders), key=lambda one: _SEVERITY.index(one.state), default=None)

    @cached_property
    def sentence(self) -> str:
        """What the card was charged and what came back, for people."""
        unheard = self._unheard
        match self.state:
            case AccountState.UNTOUCHED:
                unchecked = "; the processor was not checked" if any(not one.payments for one in self.orders) else ""
                return f"nothing was charged{unheard or unchecked}"
            case AccountState.AT_RISK:
                return f"the card may be charged{unheard}"
            case AccountState.CHARGED if self.open is not None:
                return f"charged {self.charged}, back {self.refunded}, open {self.open}{self._held}{unheard}"
            case AccountState.RETURNED:
                return f"charged {self.charged}, back {self.refunded}{unheard}"
            case _:
                return (self._each() or "whether the card was charged is not known") + unheard

    @property
    def _held(self) -> str:
        """Which payment holds what is open, if several received something."""
        if all(sum(bool(one.received) for one in order.latest) <= 1 for order in self.orders):
            return ""
        held = {name: money for order in self.orders for name, money in order.holding.items()}
        named = (
            f"{money} of payment {quote(name, safe='')}"
            + (", which the backend cannot refund" if name in self.elsewhere else "")
            for name, money in held.items()
        )
        return f" ({'; '.join(named)})" if held else ""

    @property
    def _unheard(self) -> str:
        # As in an address, since an id comes from outside and may hold anything.
        names = ", ".join(quote(one, safe="") for order in self.orders for one in order.untold)
        silence = f"; the processor did not tell payment {names}" if names else ""
        silence = silence or ("; the processor did not tell the payment" if self.silent else "")
        if not silence and any(one.unlisted and not any(each.charged for each in one.persons) for one in self.orders):
            silence = "; whether there are other payments was not seen"
        charged = (one for order in self.orders if any(e.amount for e in order.charged) for one in order.latest)
        held = (one for one in charged if one.status in AUTHORISED and not one.received)
        silence += "".join(f"; payment {quote(e.payment_id, safe='')} is {e.status} and may be charged" for e in held)
        some = (one for order in self.orders for one in order.refunded if order.counts_some(one))
        silence += "".join(f"; the backend counts {one.amount} of it" for one in some)
        return silence + "".join(f"; {said}" for _, said in self.disputes())

    @property
    def said(self) -> str:
        """The sentence, with its capital and its full stop."""
        return f"{self.sentence[:1].upper()}{self.sentence[1:]}."

    def _each(self) -> str:
        """Return what each witness says, with its own figures."""
        said = ((name, self.said_by(by)) for by, name in _NAMES.items())
        return "; ".join(f"{name} {told}" for name, told in said if told)

    def said_by(self, by: Witness) -> str:
        """Return what a witness says of charge and refund; empty if it told nothing."""
        told = ", ".join(one.told for kind in KINDS for one in self.figures(kind) if one.by == by)
        if any(one.by == by for order in self.orders for one in order.outdated):
            return f"said {told} before the refund"
        return f"says {told}" if told else ""


def _open_by(order: OrderAccount, by: Witness) -> bool:
    if (by == "processor" and order.read_by_hand) or (by == "backend" and any(map(order.counts_some, order.refunded))):
        return False
    charged = most([one for one in order.charged if one.by == by])
    back = most([one for one in order.refunded if one.by == by])
    if charged is None or not charged:
        return False
    return back is None or back.currency != charged.currency or back < charged


def _total(amounts: Sequence[Money | None]) -> Money | None:
    told = [one for one in amounts if one is not None]
    if len(told) != len(amounts) or len({one.currency for one in told}) != 1:
        return None
    return Money(sum(one.minor for one in told), told[0].currency)


def fold(lines: Sequence[Line], addenda: Sequence[Addendum] = ()) -> Account:
    """Return the account that the lines and addenda of one session make."""
    story = Story(lines)
    readings = read(story, addenda)
    orders = orders_of(story, readings)
    given_up = story.last(SessionAbandoned)
    accepted = money(given_up[1].accepted_cents, given_up[1].accepted_currency) if given_up else None
    abandoned_at = datetime.fromisoformat(given_up[0].at) if given_up else None
    return Account(orders, None if orders else in_doubt_at(story), accepted, abandoned_at)
