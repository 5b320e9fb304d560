"""The products on sale in the rehearsal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5

from veza_rehearsal.states import ProductStatus

if TYPE_CHECKING:
    from veza_rehearsal.database import Database

_NAMESPACE: Final = UUID("6f6b0e0c-5f0a-4d0e-9a7c-6c2f7e1d3b52")
_SELLERS: Final = (("Nadia Rehearsal", True), ("Basement Loops", True), ("Not Onboarded Yet", False))
_GENRES: Final = ("House", "Techno", "Ambient", "Drum and Bass", "Dub", "Trap", "Lo-fi", "Disco", "Jungle")

HOSTILE_TITLE: Final = '<script>alert(1)</script> | "x" \n# y'
"""A product title that tries to break out of every page and table."""


def _products() -> list[tuple[str, int, int, str, ProductStatus]]:
    """List title, seller (an index), price in cents, currency and status."""
    active = ProductStatus.ACTIVE
    products = [
        ("Payment test beat", 0, 500, "EUR", active),
        (HOSTILE_TITLE, 1, 450, "EUR", active),
        ("Orchestral stems, complete", 0, 4900, "EUR", active),
        ("Boom bap drum kit (US)", 1, 500, "USD", active),
    ]
    products += [(f"{_GENRES[n % 9]} loop {n + 1}", n % 2, 199 + 100 * (n % 9), "EUR", active) for n in range(21)]
    # These two cannot be ordered and are not listed, but can be read by id.
    products += [
        ("Withdrawn sample pack", 1, 500, "EUR", ProductStatus.INACTIVE),
        ("First upload of a new seller", 2, 500, "EUR", active),
    ]
    return products


def product_id(position: int) -> str:
    """Return the id of the product at this position of the list, from 0; the same in every database."""
    return str(uuid5(_NAMESPACE, f"product {position}"))


def install(database: Database, *, small: bool = False) -> None:
    """Put sellers and products into an empty database; the caller holds the transaction.

    Args:
        database: The database.
        small: Whether ids are to be such as stand for small integers.
    """
    sellers = [str(uuid5(_NAMESPACE, f"seller {name}")) for name, _ in _SELLERS]
    if small:
        sellers = [str(UUID(int=number)) for number in range(1, len(_SELLERS) + 1)]
    for seller, (name, onboarded) in zip(sellers, _SELLERS, strict=True):
        account = f"acct_{UUID(seller).hex[:16]}" if onboarded else None
        database.run(
            "INSERT INTO sellers (id, name, stripe_account_id, onboarded) VALUES (?, ?, ?, ?)",
            seller, name, account, int(onboarded),
        )  # fmt: skip
    for position, (title, seller_index, price, currency, status) in enumerate(_products()):
        numbered = str(UUID(int=11 + position)) if small else product_id(position)
        database.run(
            "INSERT INTO products (id, position, title, seller_id, price_cents, currency, status, license_types)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            numbered, position, title, sellers[seller_index], price, currency, status,
            json.dumps(["standard", "extended"]),
        )  # fmt: skip
