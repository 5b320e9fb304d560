"""Step 4: lets the operator pay on the processor's page."""

from __future__ import annotations

from veza import OrderStatus
from veza_e2e.steps.checkout_page import moved_on, offer, operator_pays, ran_out, refuse_dead_link
from veza_e2e.steps.context import Context
from veza_e2e.steps.results import Payment, PlacedOrder
from veza_e2e.steps.step import step
from veza_e2e.steps.waiting import paid_already, waiting_for


@step("pay", Payment)
def pay(context: Context, order: PlacedOrder) -> Payment:
    """Offer the checkout page; wait until the operator confirms, or the order moves on."""
    waiting = waiting_for(context, order, "reading the order before it is paid")
    now = context.wait(
        lambda: context.api.orders.get(order.order_id), lambda _: True, timeout=context.options.grace, waiting=waiting
    )
    if now.status is not OrderStatus.PENDING_PAYMENT:
        return moved_on(context, now)
    if ran_out(context) or context.options.walkthrough > 1:
        refuse_dead_link(context, order)  # it asks the processor, whose word `offer` compares too
    if context.options.walkthrough > 1 and (why := paid_already(context, order)) is not None:
        context.operator.tell(why)
        return moved_on(context, now)  # step 5 tells "paid, not completed", and leads on to the refund
    offer(context, order)
    return operator_pays(context, order)
