"""How much of an order's money may be lost: what `abandon --accept-loss` must name."""

from __future__ import annotations

from collections.abc import Collection
from operator import attrgetter

from veza.money import Money
from veza_e2e.money.figures import most, sums
from veza_e2e.money.order_account import AccountState, OrderAccount
from veza_e2e.money.payment_states import AUTHORISED, PAYABLE


def at_stake(order: OrderAccount) -> Money | None:
    """Return the most that may be lost of an order of which not all came back; None if that is not known."""
    charged = most(order.charged)
    if not charged:
        asked = sums(_asked(order, PAYABLE | AUTHORISED))
        likely = [one for one in (order.total, *asked) if one is not None]
        same = len({one.currency for one in likely}) == 1
        return max(likely, key=attrgetter("minor")) if same else None
    told = order.refunded if order.state is AccountState.UNKNOWN else order.back
    back = [one.amount for one in told if one.amount is not None and one.amount.currency == charged.currency]
    # What stands beside them and is not told, or is told in another currency, may be nothing.
    doubted = any(one.amount is None or one.amount.currency != charged.currency for one in order.back)
    least = 0 if doubted else min((one.minor for one in back), default=0)
    left = Money(max(charged.minor - least, 0), charged.currency)
    others = any(one.received for one in order.latest)
    lost = sums([left, *(_asked(order, AUTHORISED) if others else ())])
    return next(iter(lost)) if len(lost) == 1 else None


def _asked(order: OrderAccount, states: Collection[str]) -> list[Money]:
    """Return what each payment in these states that received nothing asked for, as last told."""
    names = [one.payment_id for one in order.latest if one.status in states and not one.received]
    told = {one.payment_id: one.asked for one in order.payments if one.asked is not None}
    return [told[one] for one in names if one in told]
