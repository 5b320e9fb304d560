"""Reads the order's payment at the processor, as a second witness."""

from __future__ import annotations

from veza_e2e.ports.processor import ProcessorError, ProcessorPayment
from veza_e2e.steps.context import Context
from veza_e2e.steps.results import PlacedOrder


def cross_check(context: Context, order: PlacedOrder) -> ProcessorPayment | None:
    """Return the payment as the processor has it; None if it cannot be asked or does not answer."""
    if context.processor is None or order.payment_id is None:
        return None
    try:
        return context.processor.payment(order.payment_id)
    except ProcessorError:
        return None
