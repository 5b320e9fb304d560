"""What a wait for an order tells the person who waits, and what they can do meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from veza import License, Order
from veza_e2e.journal.events import CallIntended
from veza_e2e.money.order_account import LINK
from veza_e2e.money.payment_states import UNTAKEN
from veza_e2e.money.told import PaymentRead
from veza_e2e.steps.context import Context, Waiting
from veza_e2e.steps.cross_check import cross_check
from veza_e2e.steps.results import PlacedOrder

LEAVING = "s = status, q = leave"
REOPENING = "r = open the checkout page, " + LEAVING


def waiting_for(
    context: Context, order: PlacedOrder, what: str, *, reopen: Callable[[], None] | None = None
) -> Waiting:
    """Return what to tell and do while an order is waited for.

    Args:
        context: the step's.
        order: the order.
        what: what is waited for, as `waiting for the license`.
        reopen: offers the checkout page again; None if the order is past payment.
    """
    return Waiting(
        what,
        keys=LEAVING if reopen is None else REOPENING,
        status=lambda: status_of(context, order),
        reopen=reopen,
        said=lambda: processor_said(context, order),
        link=lambda: None if reopen is None else link_left(context),
    )


def status_of(context: Context, order: PlacedOrder) -> str:
    """Ask the backend and the processor how the order stands."""
    current, _ = context.glance(lambda: context.api.orders.get(order.order_id))
    if current is None:
        return "The backend does not answer now; try again."
    seen = cross_check(context, order)
    payment = f"; the processor says {seen.named.status}" if seen is not None else ""
    return f"order {current.id} is {current.status}{payment}"


def processor_said(context: Context, order: PlacedOrder) -> str:
    """Return what the processor last said of the order's payments."""
    if context.processor is None:
        return "processor: not asked, there is no key"
    last = _last(context, order)
    told = [f"{one.status}" + "".join(f", refund {r.status}" for r in one.refunds) for one in last]
    return f"processor: {' and '.join(told)}" if told else "processor: not asked yet"


def paid_already(context: Context, order: PlacedOrder) -> str | None:
    """Return the processor's last word if it is that a payment was made, or may have been; then no page is opened.

    A card that was refused is none: whether another one can be tried, the page tells.
    """
    word = next((one.status for one in _last(context, order) if one.received or one.status not in UNTAKEN), None)
    if word is not None:
        context.operator.tell(f"Not opened: the processor says {word}. Do not pay a second time.")
    return word


def _last(context: Context, order: PlacedOrder) -> list[PaymentRead]:
    """Return the processor's last word on each payment of the order."""
    known = next((one for one in context.account().orders if one.order_id == order.order_id), None)
    return list({one.payment_id: one for one in known.payments}.values()) if known is not None else []


def order_said(seen: Order) -> str:
    """Return what the backend says of an order."""
    refund = f", refund {seen.refund_status}" if seen.refund_status is not None else ""
    return f"backend: {seen.status}{refund}"


def licenses_said(seen: Sequence[License]) -> str:
    """Return what the backend says of the order's licenses."""
    return f"backend: {' and '.join(f'license {one.status}' for one in seen) or 'no license'}"


def link_left(context: Context) -> float | None:
    """Return the seconds until the payment link expires by default; None if no order was asked for."""
    lines = context.journal.lines
    asked = (line for line in lines if isinstance(line.event, CallIntended) and line.event.operation == "createOrder")
    first = next(asked, None)
    if first is None:
        return None
    since = datetime.fromisoformat(lines[-1].at) - datetime.fromisoformat(first.at)
    return (LINK - since).total_seconds()
