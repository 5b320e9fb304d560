"""How people mend the world: nothing breaks any more, and what is wrong is put right by hand."""

from __future__ import annotations

from simulator.books import Order, Payment, ProcessorRefund
from simulator.world import World


def heal(world: World) -> None:
    """End every fault; support staff put right what the faults left."""
    world.healed = True
    world.note("the world heals")
    world.catch_up()
    for order in world.own_orders():
        _heal(world, order)


def _heal(world: World, order: Order) -> None:
    main, *others = world.payments_of(order.id)
    for payment in (main, *others):
        payment.word = ""
        payment.disputes.clear()
        if payment.status == "requires_capture":
            payment.status = "cancelled"
    for other in others:
        _give_back(world, other)
    if order.status in {"archived", "disputed"} or (order.status == "refund_failed" and not main.refunds):
        order.status = "refunded" if main.returned else "completed"
    if main.received and order.status in {"pending_payment", "expired"}:
        world.complete(order)
    if not main.received and order.status == "completed":
        order.status = "cancelled"
    refunded_before = bool(main.refunds)
    if refunded_before and main.returned < main.received:
        _give_back(world, main)
    if refunded_before and order.status not in {"refunded", "cancelled"}:
        world.refunded(order, main.refunds[-1])
    if refunded_before:
        order.refund_id, order.refund_status = main.refunds[-1].id, "succeeded"
        order.refunded = min(main.returned, order.total)
        world.revoke(order)
        world.reverse(order)


def _give_back(world: World, payment: Payment) -> None:
    for refund in payment.refunds:
        if refund.status in {"pending", "review"}:
            refund.status = "failed"
    left = payment.received - payment.returned
    if left:
        payment.refunds.append(
            ProcessorRefund(world.processor_id("ref"), payment.id, left, payment.currency, "pending")
        )
        world.returned(payment.refunds[-1])
        world.note(f"support refunds {left} at the processor's dashboard")
