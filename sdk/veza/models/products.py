"""What can be bought."""

from __future__ import annotations

from veza.models._base import Cents, Currency, Id, LicenseType, Listed, Model, OpenEnum, Text
from veza.money import Money


class ProductStatus(OpenEnum):
    """Whether a product is on sale."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    SOLD_OUT = "sold_out"


class Product(Model):
    """A product (operations listProducts, getProduct)."""

    id: Id
    """The product's id."""
    title: Text
    """Its title, as its seller wrote it: escape it wherever it is shown."""
    seller_id: Id
    """Who sells it."""
    price_cents: Cents
    """The price in minor units, read exactly from a decimal `price` where the backend sends that."""
    currency: Currency
    """The price's currency (ISO 4217)."""
    status: ProductStatus
    """Whether it is on sale."""
    license_types: Listed[LicenseType] = ()
    """The licenses that can be bought; none where the backend does not tell them."""

    @property
    def price(self) -> Money:
        """The price as money."""
        return Money(self.price_cents, self.currency)
