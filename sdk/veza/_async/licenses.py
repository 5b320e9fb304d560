"""What the account may use."""

from __future__ import annotations

from typing import Unpack

from veza import _operations as contract
from veza._async.resource import AsyncResource
from veza._decode import many
from veza._listed import Listed
from veza._options import CallOptions
from veza._params import OrderId
from veza._question import of_order
from veza.models.licenses import License


class AsyncLicenses(AsyncResource):
    """What the account may use."""

    async def mine(
        self, *, order_id: OrderId | None = None, deadline: float | None = None, **options: Unpack[CallOptions]
    ) -> Listed[License]:
        """List the caller's licenses, revoked ones included (operation listMyLicenses).

        Args:
            order_id: only licenses of this order. Those of others are left out, even if the backend ignores the filter.
            deadline: seconds for all attempts and waits.
            options: `timeout` and `extra_headers`, for this call alone.

        Raises:
            InvalidResponseError: unreadable.
            VezaError: as any call.
        """
        answer = await self._send(
            contract.LIST_MY_LICENSES,
            many(License),
            values={"order_id": order_id},
            deadline=deadline,
            **options,
        )
        return Listed.of(of_order(order_id, answer.result), answer.info)
