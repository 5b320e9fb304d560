"""Step 3: places the order, or finds the one that was placed already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import NoReturn

from veza import (
    APIConnectionError,
    CheckoutOrder,
    ConflictError,
    DeadlineExceededError,
    InternalServerError,
    InvalidResponseError,
    Order,
    OrderStatus,
)
from veza_e2e.journal import timestamp
from veza_e2e.journal.findings import FindingCode
from veza_e2e.journal.readings import OrderNamed
from veza_e2e.money.doubt import CARRIED_OUT, CONFLICT, NOTHING_DONE
from veza_e2e.money.order_account import CHARGED
from veza_e2e.ports.processor import ProcessorError
from veza_e2e.ports.screen import plain
from veza_e2e.steps.agreement import Made, agreed_to
from veza_e2e.steps.context import Context
from veza_e2e.steps.in_doubt import (
    REFUSALS,
    Doubt,
    Found,
    found_orders,
    may_send_again,
    named_orders,
    open_doubt,
    recorded_answer,
)
from veza_e2e.steps.results import Buyer, ChosenProduct, PlacedOrder
from veza_e2e.steps.step import Failed, Paused, step

LOST_ANSWER = (APIConnectionError, InternalServerError, InvalidResponseError, DeadlineExceededError)


@step("order", PlacedOrder)
def place_order(context: Context, buyer: Buyer, product: ChosenProduct) -> PlacedOrder:
    """Create exactly one order (operation createOrder)."""
    doubt = _doubt(context)
    made = _create(context, product) if doubt is None else _recorded(context) or _settle(context, product, doubt)
    return agreed_to(context, buyer, product, made)


def _create(context: Context, product: ChosenProduct) -> Made:
    try:
        created = _send(context, product, context.ids.key())
    except (ConflictError, *REFUSALS) as error:
        if (doubt := open_doubt(context, "createOrder")) is not None:
            return _settle_by_asking(context, product, doubt)  # an earlier try of the same request may have succeeded
        if not isinstance(error, ConflictError):
            raise
        if (doubt := _doubt(context)) is not None and (made := _made_before(context, product, doubt)) is not None:
            return made
        if context.account().in_doubt_at is not None and not context.options.first:
            raise Paused(
                FindingCode.ORDER_IN_DOUBT,
                f"the order was refused as a repetition, and the account's orders do not deny the first one: {error}",
                meaning=context.account().said,
                todo="Resume later, when the account's orders tell. Pay none of them.",
                waiting_for="operator",
            ) from error
        raise Failed(
            FindingCode.ORDER_REFUSED,
            f"the backend refused the order: {error}",
            meaning=context.account().said,
            todo="If this account already owns the product, choose another one, or another account.",
        ) from error
    except LOST_ANSWER:
        doubt = open_doubt(context, "createOrder")
        if doubt is None:
            raise
        # An answer about something else is no lost one: it names an order, which is to be told.
        return _recorded(context) or _settle(context, product, doubt)
    return Made(created.order, created.checkout_url)


def _doubt(context: Context) -> Doubt | None:
    """Return the request for an order that is in doubt. A conflict may answer the repetition of one that succeeded."""
    told = NOTHING_DONE if context.options.first else NOTHING_DONE - {CONFLICT}
    return open_doubt(context, "createOrder", told)


def _made_before(context: Context, product: ChosenProduct, doubt: Doubt) -> Made | None:
    """Return the order that a request answered by a conflict made all the same, as its key tells; None if none.

    Raises:
        Failed: no key tells, and the account has an order that may be this one.
    """
    if may_send_again(context, doubt):
        try:
            return _send_again(context, product, doubt)
        except (ConflictError, *REFUSALS):
            return None
    unpaid = _found(context, product, doubt).unpaid
    return _several(context, unpaid) if unpaid else None


def _recorded(context: Context) -> Made | None:
    """Return the order from the recorded response, if the process ended between response and step."""
    answer = recorded_answer(context, "createOrder")
    if answer is None:
        return None
    try:
        created = CheckoutOrder.model_validate(answer)
    except ValueError:
        return None
    return Made(created.order, created.checkout_url)


def _settle(context: Context, product: ChosenProduct, doubt: Doubt) -> Made:
    """Repeat the request with its key, if that is safe; else look for an order that may exist already."""
    if not context.options.first and may_send_again(context, doubt):
        try:
            return _send_again(context, product, doubt)
        except (ConflictError, *REFUSALS):
            pass  # it says that the request was carried out before, or never can be: the orders tell
    return _settle_by_asking(context, product, doubt)


def _settle_by_asking(context: Context, product: ChosenProduct, doubt: Doubt) -> Made:
    named = [context.api.orders.get(one) for one in named_orders(context)]
    paid = [order for order in named if order.status is not OrderStatus.PENDING_PAYMENT]
    found = Found((), ()) if named else _found(context, product, doubt)
    orders = paid or named or _of_this_session(context, found.paid) or found.unpaid
    if len(orders) > 1:
        _several(context, orders)
    if orders:
        return _adopt(context, product, orders[0], doubt)
    if not may_send_again(context, doubt):
        others = ", ".join(order.id for order in found.paid)
        raise Paused(
            FindingCode.ORDER_IN_DOUBT,
            "the request for the order was sent, its answer was lost, and the account shows no such order"
            + (f" but {others}, paid for something else by the operator's word" if others else ""),
            meaning=f"{context.account().said} No idempotency key is valid here, so nothing is sent a second time.",
            todo=_later(context, doubt),
            waiting_for="operator",
        )
    return _send_again(context, product, doubt)


def _of_this_session(context: Context, paid: Sequence[Order]) -> list[Order]:
    """Return those that the operator paid for this session, on a page that it never opened."""
    ours = []
    for order in paid:
        told = f"made at {timestamp(order.created_at)}, is {plain(str(order.status))} ({order.total})"
        if context.yes("paid_elsewhere", f"Order {plain(order.id)}, {told}. Was it paid for this session?"):
            _name(context, order)
            ours.append(order)
    return ours


def _later(context: Context, doubt: Doubt) -> str:
    if context.account().in_doubt_at is None or context.options.first:
        return "Resume later, in case the order turns up; or end the session with `abandon`."
    if not doubt.settled(context.clock.now()):
        return f"Resume after {timestamp(doubt.last + CARRIED_OUT)}: until then the backend may still be making it."
    return "Resume later: the account has orders that may be this one, or did not tell all. Pay none of them."


def _found(context: Context, product: ChosenProduct, doubt: Doubt) -> Found:
    try:
        return found_orders(context, product.product_id, doubt)
    except (InvalidResponseError, *REFUSALS) as error:
        if context.options.first:
            raise
        raise Paused(
            FindingCode.ORDER_IN_DOUBT,
            f"the answer to the request for the order was lost, and the account's orders could not be read: {error}",
            meaning=context.account().said,
            todo="Resume when the backend tells them: what is in doubt is settled first.",
            waiting_for="operator",
        ) from error


def _several(context: Context, orders: Iterable[Order]) -> NoReturn:
    found = list(orders)
    for order in found:
        _name(context, order)
    paid = [plain(order.id) for order in found if str(order.status) in CHARGED]
    if paid and not context.options.first:
        rest = " Pay no other." if len(paid) < len(found) else ""
        raise Failed(
            FindingCode.SEVERAL_ORDERS,
            f"{len(found)} of the account's orders are this session's, or could be; paid elsewhere: {', '.join(paid)}",
            meaning=f"A session buys one order, and none was paid on a page that it opened. {context.account().said}",
            todo=f"At the processor's dashboard refund what is not being refunded; look again with `resume`.{rest}",
        )
    raise Failed(
        FindingCode.SEVERAL_ORDERS,
        f"{len(found)} of the account's orders could be this session's: {', '.join(order.id for order in found)}",
        meaning=f"None of them was paid through this session. {context.account().said}",
        todo="Do not pay them. Cancel them at the backend; resume when they have expired.",
    )


def _name(context: Context, order: Order) -> None:
    """Record that the operator is told of an order: whoever knows it can pay it."""
    if context.recorder.step is not None and order.id not in named_orders(context):
        context.journal.append(OrderNamed(step=context.recorder.step, order_id=order.id, payment_id=order.payment_id))


def _send_again(context: Context, product: ChosenProduct, doubt: Doubt) -> Made:
    try:
        created = _send(context, product, doubt.key or context.ids.key())
    except LOST_ANSWER as error:
        return _recorded(context) or _lost(context, error)
    return Made(created.order, created.checkout_url)


def _lost(context: Context, error: Exception) -> NoReturn:
    raise Paused(
        FindingCode.ORDER_IN_DOUBT,
        f"the backend does not answer the request for the order: {error}",
        meaning=context.account().said,
        todo="Resume when the backend is back: what is in doubt is settled first.",
        waiting_for="operator",
    ) from error


def _adopt(context: Context, product: ChosenProduct, order: Order, doubt: Doubt) -> Made:
    """Take over an order whose checkout URL was lost: get the URL from the processor, or with the key."""
    if order.status is not OrderStatus.PENDING_PAYMENT:
        return Made(order, "", adopted=True)
    link = None
    if context.processor is not None and order.payment_id is not None:
        with suppress(ProcessorError):
            link = context.processor.payment(order.payment_id).link
    if link is None and may_send_again(context, doubt):
        same = _send_again(context, product, doubt)
        if same.order.id != order.id:
            _several(context, (order, context.api.orders.get(same.order.id)))
        return same
    if link is None or not context.options.first:
        _name(context, order)  # what is found wrong with it is told by its id
    if link is None:
        raise Paused(
            FindingCode.PAGE_LOST,
            f"order {order.id} (payment {order.payment_id}) exists, but the address of its checkout page was lost",
            meaning=context.account().said,
            todo="Give HYPERSWITCH_API_KEY, or open the payment's link at the processor's dashboard and pay there; "
            "then resume. Or let the page expire, and end the session with `abandon`.",
            waiting_for="operator",
        )
    return Made(order, link, adopted=True)


def _send(context: Context, product: ChosenProduct, key: str) -> CheckoutOrder:
    orders, wanted = context.api.orders, product.license_type
    if wanted is None:
        return orders.create(items=[product.product_id], idempotency_key=key)
    return orders.create(items=[{"product_id": product.product_id, "license_type": wanted}], idempotency_key=key)
