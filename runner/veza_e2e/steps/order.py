"""Step 3: places the order, or finds the one that was placed already."""

from __future__ import annotations

from collections.abc import Iterable
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
from veza.money import Money
from veza_e2e.journal.findings import FindingCode
from veza_e2e.money.words import UNCHARGED
from veza_e2e.ports.processor import ProcessorError
from veza_e2e.steps.context import Context
from veza_e2e.steps.in_doubt import Doubt, found_orders, may_send_again, open_doubt, recorded_answer
from veza_e2e.steps.results import Buyer, ChosenProduct, PlacedOrder
from veza_e2e.steps.step import Failed, Paused, step

LOST_ANSWER = (APIConnectionError, InternalServerError, InvalidResponseError, DeadlineExceededError)


@step("order", PlacedOrder)
def place_order(context: Context, _buyer: Buyer, product: ChosenProduct) -> PlacedOrder:
    """Create exactly one order (operation createOrder)."""
    doubt = open_doubt(context, "createOrder")
    placed = _create(context, product) if doubt is None else _recorded(context) or _settle(context, product, doubt)
    _accept(context, product, placed)
    return placed


def _create(context: Context, product: ChosenProduct) -> PlacedOrder:
    try:
        created = _send(context, product, context.ids.key())
    except ConflictError as error:
        raise Failed(
            FindingCode.ORDER_REFUSED,
            f"the backend refused the order: {error}",
            meaning=UNCHARGED,
            todo="If this account already owns the product, choose another one, or another account.",
        ) from error
    except LOST_ANSWER:
        doubt = open_doubt(context, "createOrder")
        if doubt is None:
            raise
        return _settle(context, product, doubt)
    return _placed(created.order, created.checkout_url)


def _recorded(context: Context) -> PlacedOrder | None:
    """Return the order from the recorded response, if the process ended between response and step."""
    answer = recorded_answer(context, "createOrder")
    if answer is None:
        return None
    try:
        created = CheckoutOrder.model_validate(answer)
    except ValueError:
        return None
    return _placed(created.order, created.checkout_url)


def _settle(context: Context, product: ChosenProduct, doubt: Doubt) -> PlacedOrder:
    """Look for an order that may exist already, before sending anything again."""
    orders = found_orders(context, product.product_id, doubt)
    if len(orders) > 1:
        _several(order.id for order in orders)
    if orders:
        return _adopt(context, product, orders[0], doubt)
    if not may_send_again(context, doubt):
        raise Paused(
            FindingCode.ORDER_IN_DOUBT,
            "the request for the order was sent, its answer was lost, and no order of this account can be found",
            meaning=UNCHARGED + " There is no idempotency key that still holds here, so nothing is sent a second time.",
            todo="Resume later, in case the order turns up; or end the session with `abandon`.",
            waiting_for="operator",
        )
    return _send_again(context, product, doubt)


def _several(ids: Iterable[str]) -> NoReturn:
    raise Failed(
        FindingCode.SEVERAL_ORDERS,
        f"several orders could be this session's: {', '.join(ids)}",
        meaning="None of them was paid by this session.",
        todo="Cancel them at the backend and start a new session.",
    )


def _send_again(context: Context, product: ChosenProduct, doubt: Doubt) -> PlacedOrder:
    try:
        created = _send(context, product, doubt.key or context.ids.key())
    except LOST_ANSWER as error:
        _lost(error)
    return _placed(created.order, created.checkout_url)


def _lost(error: Exception) -> NoReturn:
    raise Paused(
        FindingCode.ORDER_IN_DOUBT,
        f"the backend does not answer the request for the order: {error}",
        meaning=UNCHARGED,
        todo="Resume when the backend is back: the same request is sent with the same key.",
        waiting_for="operator",
    ) from error


def _adopt(context: Context, product: ChosenProduct, order: Order, doubt: Doubt) -> PlacedOrder:
    """Take over an order whose checkout URL was lost: get the URL from the processor, or with the key."""
    link = None
    if context.processor is not None and order.payment_id is not None:
        with suppress(ProcessorError):
            link = context.processor.payment(order.payment_id).link
    if link is None and may_send_again(context, doubt):
        same = _send_again(context, product, doubt)
        return same if same.order_id == order.id else _several((order.id, same.order_id))
    if link is None and order.status is OrderStatus.PENDING_PAYMENT:
        raise Paused(
            FindingCode.PAGE_LOST,
            f"order {order.id} (payment {order.payment_id}) exists, but the address of its checkout page was lost",
            meaning=UNCHARGED,
            todo="Open the payment's link at the processor's dashboard, or give HYPERSWITCH_API_KEY, and resume; "
            "or end the session with `abandon`.",
            waiting_for="operator",
        )
    return _placed(order, link or "", adopted=True)


def _send(context: Context, product: ChosenProduct, key: str) -> CheckoutOrder:
    orders, wanted = context.api.orders, product.license_type
    if wanted is None:
        return orders.create(items=[product.product_id], idempotency_key=key)
    return orders.create(items=[{"product_id": product.product_id, "license_type": wanted}], idempotency_key=key)


def _placed(order: Order, checkout_url: str, *, adopted: bool = False) -> PlacedOrder:
    return PlacedOrder(
        order_id=order.id,
        payment_id=order.payment_id,
        total_cents=order.total_amount_cents,
        tax_cents=order.tax_amount_cents or 0,
        currency=order.currency,
        checkout_url=checkout_url,
        adopted=adopted,
    )


def _accept(context: Context, product: ChosenProduct, placed: PlacedOrder) -> None:
    """Fail if the order's total is not what the operator agreed to."""
    price, total = Money(product.price_cents, product.currency), placed.total
    if placed.currency != product.currency:
        raise Failed(
            FindingCode.CURRENCY_DIFFERS,
            f"the product costs {price}, the order {placed.order_id} is in {placed.currency} ({total})",
            meaning=UNCHARGED,
            todo="Do not pay this order. The backend mixes currencies.",
        )
    if total.currency != context.options.limit.currency or total > context.options.limit:
        raise Failed(
            FindingCode.OVER_LIMIT,
            f"the order's total is {total}, the limit is {context.options.limit}",
            meaning=UNCHARGED,
            todo="Do not pay this order. Choose a cheaper product, or raise --max-amount.",
        )
    tax = Money(placed.tax_cents, placed.currency)
    if not context.compare("R3", total, price + tax, context.call("createOrder"), context.call("listProducts")):
        raise Failed(
            FindingCode.TOTAL_DIFFERS,
            f"the order's total is {total}, but the list price of {price} and tax of {tax} make {price + tax}",
            meaning=UNCHARGED,
            todo=f"Do not pay order {placed.order_id}.",
        )
    if tax and not context.yes("vat", f"List price {price}, VAT {tax}, total {total}. Go on with this total?"):
        raise Failed(
            FindingCode.TOTAL_REFUSED,
            f"the operator did not accept the total of {total} ({price} and VAT of {tax})",
            meaning=UNCHARGED,
            todo=f"Order {placed.order_id} will expire unpaid.",
        )
