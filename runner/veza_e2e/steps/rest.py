"""What is left to refund of an order: never more than each witness calls open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from veza import Order
from veza.money import Money
from veza_e2e.journal.findings import FindingCode
from veza_e2e.money.account import Account
from veza_e2e.steps.context import Context
from veza_e2e.steps.step import Paused


def rest_of(context: Context, current: Order) -> int | None:
    """Return what is left to refund, in minor units; None for the whole.

    What an order tells beside a refund that failed is a part that came back, or else the whole that was asked for.

    Raises:
        Paused: a person read that nothing is left, and no other witness agrees.
    """
    account, total = context.account(), current.total
    known = account.refundable if account.refunded else None
    left = [] if known is None or known.currency != total.currency else [known]
    if not context.options.first:
        left += _left_by_others(context, current, left)
    rest = min(left, default=total)
    if known is not None and not known and account.elsewhere:
        held = ", ".join(account.elsewhere)
        raise Paused(
            FindingCode.NOT_REFUNDABLE_YET,
            f"what is open is held by payment {held}, which order {current.id} does not name",
            meaning=account.said,
            todo=f"The backend cannot refund it: refund payment {held} at the processor's dashboard, then resume.",
            waiting_for="refund",
        )
    if not rest:
        own = f"; if the dashboard lists refund {current.refund_id} too, record it as well" if current.refund_id else ""
        raise in_doubt(context, current.id, f"by what a person read, nothing is left to refund{own}")
    return None if rest == total else rest.minor


def _left_by_others(context: Context, current: Order, agreed: Sequence[Money]) -> Iterator[Money]:
    """Yield what is left by the order itself, and by what a person read.

    Raises:
        Paused: a person read an amount in another currency, so that what is left is not known.
    """
    account, total = context.account(), current.total
    told = Money(current.refunded_amount_cents or 0, total.currency)
    if told and told < total:
        yield _less(total, told)
    by_hand = [one.amount for one in account.figures("refunded") if one.by == "person" and one.amount]
    if any(one.currency != total.currency for one in by_hand):
        raise in_doubt(context, current.id, f"a person read {by_hand[0]} to have come back, the order is {total}")
    if not agreed:
        yield from (_less(total, one) for one in by_hand)
    elif not any(one.latest for one in account.orders):  # a processor that was heard counts every refund
        beside = _read_beside(account, total.currency)
        if beside != account.refunded:  # the same sum is the same money
            yield _less(agreed[0], beside)


def _less(amount: Money, taken: Money) -> Money:
    return amount - taken if taken < amount else Money(0, amount.currency)


def _read_beside(account: Account, currency: str) -> Money:
    """Return what a person read of refunds that the backend never named: it may not count them."""
    named = {one.refund_id for order in account.orders for one in order.reads}
    read = {one.refund_id: one.refunded for order in account.orders for one in order.persons if one.refund_id}
    amounts = [one for name, one in read.items() if name not in named and one is not None and one.currency == currency]
    return sum(amounts, Money(0, currency))


def in_doubt(context: Context, order_id: str, why: str) -> Paused:
    """Nobody knows whether the order is being refunded, or was; nothing is asked for."""
    return Paused(
        FindingCode.REFUND_IN_DOUBT,
        f"whether order {order_id} is being refunded is not known: {why}",
        meaning=context.account().said,
        todo="Resume when the processor answers: the refund is asked for again only if there is none. Without its key "
        "look at its dashboard, and record what it shows with `attest dashboard`; then resume.",
        waiting_for="refund",
    )
