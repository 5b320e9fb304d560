"""Step 2: lists the products and lets the operator choose one."""

from __future__ import annotations

from veza import Product
from veza.money import Money
from veza_e2e.journal.findings import FindingCode
from veza_e2e.ports.screen import plain
from veza_e2e.preflight.offers import affordable, listed
from veza_e2e.steps.context import Context
from veza_e2e.steps.results import Buyer, ChosenProduct
from veza_e2e.steps.step import Failed, step


@step("products", ChosenProduct)
def choose_product(context: Context, _buyer: Buyer) -> ChosenProduct:
    """List the products and let the operator choose one (operation listProducts)."""
    options = context.options
    products = listed(context.api)
    if options.product is not None:
        chosen = next((p for p in products if p.id == options.product), None) or context.api.products.get(
            options.product
        )
        if not affordable(chosen, options.limit):
            raise Failed(
                FindingCode.OVER_LIMIT,
                f"product {chosen.id} is {chosen.status} at {Money(chosen.price_cents, chosen.currency)}; "
                f"the limit is {options.limit}",
                meaning=context.account().said,
                todo=f"Choose another product{options.or_raise}.",
            )
    else:
        chosen = _asked(context, [product for product in products if affordable(product, options.limit)])
    return ChosenProduct(
        product_id=chosen.id,
        title=chosen.title,
        price_cents=chosen.price_cents,
        currency=chosen.currency,
        license_type=chosen.license_types[0] if chosen.license_types else None,
        seller_id=chosen.seller_id,
    )


def _asked(context: Context, products: list[Product]) -> Product:
    limit = context.options.limit
    if not products:
        raise Failed(
            FindingCode.NO_PRODUCT,
            f"no product on sale costs at most {limit}",
            meaning=context.account().said,
            todo=f"Put a test product of about 5 EUR on sale{context.options.or_raise}.",
        )
    lines = [f"{n:>3}  {Money(p.price_cents, p.currency)!s:>12}  {plain(p.title)}" for n, p in enumerate(products, 1)]
    text = f"Products of at most {limit}:\n" + "\n".join(lines) + f"\nWhich one do you buy? (1-{len(products)})"

    def accept(answer: str) -> str | None:
        if answer.isascii() and answer.isdigit() and len(answer) < 6 and 1 <= int(answer) <= len(products):  # noqa: PLR2004
            return None
        return f"Please type a number from 1 to {len(products)}, not {answer!r:.40}."

    return products[int(context.ask("product", text, accept)) - 1]
