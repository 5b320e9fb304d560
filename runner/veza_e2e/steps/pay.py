"""Step 4: lets the operator pay on the processor's page."""

from __future__ import annotations

from veza import OrderStatus
from veza_e2e.journal import timestamp
from veza_e2e.journal.events import BrowserOpened
from veza_e2e.steps.checkout_page import moved_on, offer, operator_pays, ran_out, refuse_dead_link
from veza_e2e.steps.context import Context
from veza_e2e.steps.results import Payment, PlacedOrder
from veza_e2e.steps.step import step
from veza_e2e.steps.waiting import paid_already, waiting_for

OPENED_BEFORE = (
    "The page was opened before, and nobody says whether it was paid. If you paid on it, pay nothing: press Enter."
)


@step("pay", Payment)
def pay(context: Context, order: PlacedOrder) -> Payment:
    """Offer the checkout page; wait until the operator confirms, or the order moves on."""
    waiting = waiting_for(context, order, "reading the order before it is paid")
    now = context.wait(
        lambda: context.api.orders.get(order.order_id), lambda _: True, timeout=context.options.grace, waiting=waiting
    )
    if now.status is not OrderStatus.PENDING_PAYMENT:
        return moved_on(context, now)
    if context.options.first:
        if ran_out(context):
            refuse_dead_link(context, order)
    else:
        seen = refuse_dead_link(context, order)  # what the page would charge, `offer` compares
        if (word := paid_already(context, order)) is not None:
            # Step 5 tells "paid, not completed", and leads on to the refund.
            return Payment("processor", word, timestamp(context.clock.now()))
        if (seen is None or seen.unread) and any(isinstance(one, BrowserOpened) for one in context.journal.events()):
            context.operator.tell(OPENED_BEFORE)
    offer(context, order)
    return operator_pays(context, order)
