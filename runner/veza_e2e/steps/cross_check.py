"""Reads the order's payments at the processor, as a second witness."""

from __future__ import annotations

from veza_e2e.ports.payments import OrderPayments
from veza_e2e.ports.processor import ProcessorError
from veza_e2e.ports.screen import plain
from veza_e2e.steps.context import Context
from veza_e2e.steps.results import PlacedOrder

_PAUSES = (1.0, 4.0, 0.0)
"""Seconds before the processor is asked again after a failure that may pass; 0 is the last try."""


def cross_check(context: Context, order: PlacedOrder) -> OrderPayments | None:
    """Return the order's payments as the processor has them; None if it cannot be asked or does not answer.

    The operator is told why it did not answer. A recording of walkthrough 1 holds only createOrder's payment.
    """
    if context.processor is None:
        return None
    whole = not context.options.first
    known = next((one for one in context.account().orders if one.order_id == order.order_id), None)
    named = known.payment_ids if whole and known is not None else ()
    named = named or ((order.payment_id,) if order.payment_id is not None else ())
    if not named:
        return None
    accepted_at, refunds = (context.clock.now(), ()) if known is None else (known.accepted_at, known.refund_ids)
    for pause in _PAUSES if whole else (0.0,):
        try:
            seen = context.processor.payments(order.order_id, named, accepted_at, refunds, whole=whole)
        except ProcessorError as error:
            if not pause or not error.passing:
                context.operator.tell(
                    f"The processor did not tell the payment: {error}. Nothing is concluded from that."
                )
                return None
        else:
            if not pause or not seen.passing:
                break
        context.clock.sleep(pause)
    _tell(context, seen)
    return seen


def _tell(context: Context, seen: OrderPayments) -> None:
    """Say what the processor did not tell, once."""
    if seen.unlisted is not None:
        context.tell_once(f"Whether the order has other payments was not seen: {seen.unlisted}.")
    for one in seen.unread:
        context.tell_once(f"The processor did not tell {one.told}. The order's other payments settle nothing.")
    for name in seen.untold_refunds:
        context.tell_once(f"The processor did not tell refund {plain(name)}. Nothing is concluded from that.")
