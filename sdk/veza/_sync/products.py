# Written by sdk/generate.py; not edited by hand.
"""What can be bought."""

from __future__ import annotations

from typing import Unpack

from veza import _operations as contract
from veza._decode import many
from veza._options import CallOptions
from veza._params import Limit, PageNumber, ProductId
from veza._question import about_product
from veza._sync.paging import Page
from veza._sync.resource import Resource
from veza.models.paging import Meta
from veza.models.products import Product


class Products(Resource):
    """What can be bought. Needs no login."""

    def list(
        self,
        *,
        page: PageNumber | None = None,
        limit: Limit | None = None,
        deadline: float | None = None,
        **options: Unpack[CallOptions],
    ) -> Page[Product]:
        """List the products on offer, a page at a time (operation listProducts).

        Args:
            page: the first page to ask for, from 1.
            limit: how many items a page holds, 1 to 100; the backend's default is 20.
            deadline: seconds for all attempts and waits of each page.
            options: `timeout` and `extra_headers`, for this call alone.

        Raises:
            VezaError: as any call.
        """

        def fetch(number: int | None) -> Page[Product]:
            answer = self._send(
                contract.LIST_PRODUCTS,
                many(Product, Meta).page,
                values={"page": number, "limit": limit},
                deadline=deadline,
                **options,
            )
            return Page(*answer.result, answer.info, fetch)

        return fetch(page)

    def get(self, product_id: ProductId, *, deadline: float | None = None, **options: Unpack[CallOptions]) -> Product:
        """Read one product (operation getProduct).

        Args:
            product_id: the product.
            deadline: seconds for all attempts and waits.
            options: `timeout` and `extra_headers`, for this call alone.

        Raises:
            InvalidResponseError: unreadable, or another product.
            NotFoundError: 404, there is no such product.
            VezaError: as any call.
        """
        return self._one(
            contract.GET_PRODUCT,
            Product,
            ids={"product_id": product_id},
            deadline=deadline,
            **options,
            check=about_product(product_id),
        )
