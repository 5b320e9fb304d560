"""Decides whether a session can be abandoned: not while money is or may be out."""

from __future__ import annotations

from collections.abc import Callable

from veza import Order, OrderStatus, VezaError
from veza_e2e.engine.session import Stage
from veza_e2e.journal.events import BrowserOpened, CallIntended
from veza_e2e.money.payment_states import UNTAKEN
from veza_e2e.ports.processor import ProcessorError, ProcessorPayment, returned
from veza_e2e.steps.checkout_page import link_ran_out

_NO_MONEY = frozenset({OrderStatus.FAILED, OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.REFUNDED})


class MoneyMayBeOutError(Exception):
    """The session cannot be abandoned: money is or may be out.

    Attributes:
        todo: what to do about it.
    """

    def __init__(self, message: str, todo: str) -> None:
        super().__init__(message)
        self.todo = todo


def refuse_if_money_is_out(stage: Stage, tell: Callable[[str], object]) -> None:
    """Read payment and order; raise unless both show that no money is out.

    Args:
        stage: the session.
        tell: shows a line for the operator if the payment's state stays unknown.

    Raises:
        MoneyMayBeOutError: money is or may be out, or the processor does not answer.
    """
    summary = stage.summary()
    events = list(stage.journal.events())
    if summary.order_id is None:
        if any(isinstance(event, CallIntended) and event.operation == "createOrder" for event in events):
            tell("The request for the order may have been carried out; an unpaid order expires by itself.")
        return
    try:
        order = stage.api.orders.get(summary.order_id)
    except VezaError as error:
        told = stage.parts.redactor.text(str(error))
        raise MoneyMayBeOutError(
            f"whether money is out cannot be told: {told}", "abandon the session when the API answers"
        ) from error
    payment = _payment(stage, order.payment_id)
    shown = f"order {order.id} is {order.status}" + (f", its payment {payment.status}" if payment else "")
    if _settled(order, payment, offered=any(isinstance(event, BrowserOpened) for event in events)):
        return
    if payment is None and order.status is OrderStatus.PENDING_PAYMENT:
        _wait_for_the_link(stage, shown, tell)
        return
    raise MoneyMayBeOutError(
        f"money is or may be out: {shown} ({summary.money.sentence})",
        "resume the session to refund it first",
    )


def _settled(order: Order, payment: ProcessorPayment | None, *, offered: bool) -> bool:
    """Whether order and payment, as just read, show that no money is out."""
    if payment is not None and payment.amount_received:
        return returned(payment).minor >= payment.amount_received
    if order.status is OrderStatus.PENDING_PAYMENT:
        return not offered or (payment is not None and payment.status in UNTAKEN)
    return order.status in _NO_MONEY and (payment is None or payment.status in UNTAKEN)


def _wait_for_the_link(stage: Stage, shown: str, tell: Callable[[str], object]) -> None:
    """Without a processor to ask, refuse until the link has expired; then say that the payment is unknown."""
    if not link_ran_out(stage.journal, stage.parts.ports.clock.now()):
        raise MoneyMayBeOutError(
            f"money may be out: {shown}, its page was opened, and there is no processor to ask",
            "set HYPERSWITCH_API_KEY, or wait until the page's link ran out (15 minutes after the order)",
        )
    tell(f"Whether it was paid is not known ({shown}): look the payment up at the processor's dashboard.")


def _payment(stage: Stage, payment_id: str | None) -> ProcessorPayment | None:
    """Return the payment; None if there is no processor to ask.

    Raises:
        MoneyMayBeOutError: the processor did not answer.
    """
    if stage.processor is None or payment_id is None:
        return None
    try:
        return stage.processor.payment(payment_id)
    except ProcessorError as error:
        told = stage.parts.redactor.text(str(error))
        raise MoneyMayBeOutError(
            f"whether money is out cannot be told: {told}", "abandon the session when it answers"
        ) from error
