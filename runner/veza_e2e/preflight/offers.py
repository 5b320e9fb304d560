"""The products on sale, and which of them the limit allows. The gate and the step `products` use both."""

from __future__ import annotations

from veza import Product, ProductStatus, Veza
from veza.money import Money

MAX_PAGES = 5
PER_PAGE = 100


def affordable(product: Product, limit: Money) -> bool:
    """Whether the product is on sale, priced in the limit's currency and within the limit."""
    return (
        product.status is ProductStatus.ACTIVE
        and product.currency == limit.currency
        and 0 < product.price_cents <= limit.minor
    )


def listed(api: Veza) -> list[Product]:
    """Return the products of the first `MAX_PAGES` pages."""
    products: list[Product] = []
    for number, page in enumerate(api.products.list(limit=PER_PAGE).pages(), 1):
        products += page.data
        if number >= MAX_PAGES:
            break
    return products
