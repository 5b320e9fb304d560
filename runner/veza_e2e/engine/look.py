"""Reads a session's orders and their payments again: each witness's word goes on record, and the account tells."""

from __future__ import annotations

from veza import VezaError
from veza_e2e.ports.processor import ProcessorError
from veza_e2e.steps.context import Context


def look(context: Context) -> None:
    """Read orders and payments again, outside the nine steps; where an order is in doubt, the list of orders.

    A witness that does not answer is told to the operator, and hides no other.
    """
    if context.account().in_doubt_at is not None:
        try:
            list(context.api.orders.list(limit=100))
        except VezaError as error:
            context.operator.tell(f"The account's orders could not be read: {error}")
    for order in context.account().orders:
        try:
            context.api.orders.get(order.order_id)
        except VezaError as error:
            context.operator.tell(f"Order {order.order_id} could not be read: {error}")
    for order in context.account().orders:
        if context.processor is None or not order.payment_ids:
            continue
        try:
            seen = context.processor.payments(order.order_id, order.payment_ids, order.accepted_at, order.refund_ids)
        except ProcessorError as error:
            context.operator.tell(f"The payments of order {order.order_id} could not be read: {error}")
        else:
            for one in seen.unread:
                context.operator.tell(f"Of order {order.order_id} the processor did not tell {one.told}")
