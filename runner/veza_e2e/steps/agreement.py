"""Compares the order that was made with what the operator chose and agrees to."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from veza import Order, OrderItem
from veza.money import Money
from veza_e2e.frozen import dataclass
from veza_e2e.journal.findings import FindingCode
from veza_e2e.journal.story import text_of
from veza_e2e.money.order_account import CHARGED
from veza_e2e.ports.screen import plain
from veza_e2e.redaction import lacking
from veza_e2e.steps.context import Context
from veza_e2e.steps.results import Buyer, ChosenProduct, PlacedOrder
from veza_e2e.steps.step import Failed


@dataclass(frozen=True, slots=True)
class Made:
    """The order that the backend made, or that was found."""

    order: Order
    checkout_url: str
    adopted: bool = False
    """Whether the response was lost and the order was found by asking."""


def agreed_to(context: Context, buyer: Buyer, product: ChosenProduct, made: Made) -> PlacedOrder:
    """Return the order, if it is the buyer's, of the product, and its total is what the operator agrees to.

    Raises:
        Failed: it is not.
    """
    placed, paid = _placed(context, made), made.order.status in CHARGED
    try:
        _refuse_other(context, buyer, product, made.order)
        _accept(context, product, placed, paid=paid)
    except Failed as wrong:
        if not paid:
            raise
        # What was paid is to be refunded: refused here, no step would reach the refund.
        context.operator.tell(f"Order {plain(placed.order_id)} was paid already: {plain(wrong.observed)}.")
    return placed


def _refuse_other(context: Context, buyer: Buyer, product: ChosenProduct, order: Order) -> None:
    """Fail if the order says that it is another account's, or of another product or license."""
    items, wrong = ", ".join(map(_told, order.items)), None
    told = text_of(order.buyer_id) is not None and not lacking(buyer.user_id)  # one that the journal masks is unknown
    if told and not _same(order.buyer_id, buyer.user_id):
        wrong = f"account {order.buyer_id}, and account {buyer.user_id} is logged in"
    elif order.items and not _of(product, order.items):
        wrong = f"product {items}, and product {_told(product)} was asked for"
    if wrong is not None:
        raise Failed(
            FindingCode.ORDER_DIFFERS,
            f"the backend answered with order {order.id} of {wrong}",
            meaning=context.account().said,
            todo=f"Do not pay order {order.id}; it expires unpaid. Report it to the backend's makers.",
        )


def _told(one: OrderItem | ChosenProduct) -> str:
    return one.product_id if one.license_type is None else f"{one.product_id} ({one.license_type})"


def _of(product: ChosenProduct, items: Sequence[OrderItem]) -> bool:
    """Whether these are of the product alone, in the license that was asked for, as far as they tell it."""
    licenses = {None if one.license_type is None else one.license_type.casefold() for one in items}
    return all(_same(one.product_id, product.product_id) for one in items) and (
        product.license_type is None or bool(licenses & {product.license_type.casefold(), None})
    )


def _same(one: str, other: str) -> bool:
    """Whether two ids are the same; a UUID is in small letters and in capitals."""
    try:
        return one == other or UUID(one) == UUID(other)
    except ValueError:
        return False


def _placed(context: Context, made: Made) -> PlacedOrder:
    order = made.order
    known = next((one for one in context.account().orders if one.order_id == order.id), None)
    named = None if known is None else next(iter(known.payment_ids), None)
    return PlacedOrder(
        order_id=order.id,
        payment_id=text_of(order.payment_id) or named,  # of a recorded answer it may have been withheld
        total_cents=order.total_amount_cents,
        tax_cents=order.tax_amount_cents or 0,
        discount_cents=_discount(order),
        tax_told=order.tax_amount_cents is not None,
        currency=order.currency,
        checkout_url=made.checkout_url,
        adopted=made.adopted,
    )


def _discount(order: Order) -> int:
    """Return the discount that the order tells; the contract does not have the member."""
    told = (order.model_extra or {}).get("discount_amount_cents")
    return told if isinstance(told, int) and not isinstance(told, bool) else 0


def _accept(context: Context, product: ChosenProduct, placed: PlacedOrder, *, paid: bool) -> None:
    """Fail if the order's total is not what the operator agreed to."""
    price, total = Money(product.price_cents, product.currency), placed.total
    if placed.currency != product.currency:
        raise Failed(
            FindingCode.CURRENCY_DIFFERS,
            f"the product costs {price}, the order {placed.order_id} is in {placed.currency} ({total})",
            meaning=context.account().said,
            todo="Do not pay this order. The backend mixes currencies.",
        )
    if total.currency != context.options.limit.currency or total > context.options.limit:
        raise Failed(
            FindingCode.OVER_LIMIT,
            f"the order's total is {total}, the limit is {context.options.limit}",
            meaning=context.account().said,
            todo=f"Do not pay this order. Choose a cheaper product{context.options.or_raise}.",
        )
    tax = Money(placed.tax_cents, placed.currency)
    discount = Money(placed.discount_cents, placed.currency)
    included = bool(tax) and total == price - discount
    due = price - discount if included else price - discount + tax
    notes = [
        *(["tax included"] if included else []),
        *([f"discount {discount}"] if discount else []),
        *([] if placed.tax_told else ["no tax told"]),
    ]
    note = ", ".join(notes)
    if not context.compare("R3", total, due, context.call("createOrder"), context.call("listProducts"), note=note):
        raise Failed(
            FindingCode.TOTAL_DIFFERS,
            f"the order's total is {total}, but the list price of {price}, tax of {tax} and discount of {discount} "
            f"make {due}",
            meaning=context.account().said,
            todo=f"Do not pay order {placed.order_id}.",
        )
    said = f"List price {price}, VAT {tax}{' included' if included else ''}, total {total}."
    if tax and not paid and not context.yes("vat", f"{said} Go on with this total?"):
        raise Failed(
            FindingCode.TOTAL_REFUSED,
            f"the operator did not accept the total of {total} ({price} and VAT of {tax})",
            meaning=context.account().said,
            todo=f"Do not pay order {placed.order_id}; it expires unpaid.",
        )
