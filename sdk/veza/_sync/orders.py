# Written by sdk/generate.py; not edited by hand.
"""Buying and refunding."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Unpack

from veza import _operations as contract
from veza._call import seconds
from veza._checkout import checkout_reader
from veza._decode import attached, many
from veza._options import CallOptions
from veza._params import IdempotencyKey, Item, Limit, OrderId, PageNumber, ProductId, Reason, RefundCents
from veza._question import about_items, about_order, about_refund, answering, ordered
from veza._sync.paging import Page
from veza._sync.resource import Resource
from veza._sync.waiting import expect, wait
from veza._waited import Waited
from veza.errors import InvalidArgumentError
from veza.models.orders import CheckoutOrder, Order, OrderStatus, RefundedOrder, RefundStatus
from veza.models.paging import Meta


class Orders(Resource):
    """Buying and refunding."""

    def create(
        self,
        items: Iterable[Item | ProductId],
        *,
        idempotency_key: IdempotencyKey | None = None,
        deadline: float | None = None,
        **options: Unpack[CallOptions],
    ) -> CheckoutOrder:
        """Order products and get the page to pay them on (operation createOrder).

        Args:
            items: product ids, or `{"product_id": …, "license_type": …}`. An id that was read as an integer
                (`IntegerId`) is sent as one.
            idempotency_key: where the backend honours keys, the same key never orders twice. With
                `idempotency=True` one is made if none is given; the error and the result carry it.
            deadline: seconds for all attempts and waits.
            options: `timeout` and `extra_headers`, for this call alone.

        Raises:
            InvalidArgumentError: `items` is a text or a mapping; nothing was sent.
            InvalidResponseError: unreadable, or an order of other products; the order may have been made.
            NotFoundError: 404, there is no such product.
            ConflictError: 409, owned already, or the key belongs to another request.
            UnprocessableEntityError: 422, the product is not on sale.
            InternalServerError: 503, payments are switched off.
            APIConnectionError: the order may or may not have been made.
            VezaError: as any call.
        """
        wanted = ordered(items)
        answer = self._send(
            contract.CREATE_ORDER,
            answering(checkout_reader(self._settings.checkout_page), about_items(wanted)),
            fields={"items": wanted},
            key=idempotency_key,
            deadline=deadline,
            **options,
        )
        return attached(answer)

    def get(self, order_id: OrderId, *, deadline: float | None = None, **options: Unpack[CallOptions]) -> Order:
        """Read one order (operation getOrder).

        Args:
            order_id: the order.
            deadline: seconds for all attempts and waits.
            options: `timeout` and `extra_headers`, for this call alone.

        Raises:
            InvalidResponseError: unreadable, or another order.
            PermissionDeniedError: 403, it is another account's order.
            NotFoundError: 404, there is no such order.
            VezaError: as any call.
        """
        return self._one(
            contract.GET_ORDER,
            Order,
            ids={"order_id": order_id},
            deadline=deadline,
            **options,
            check=about_order(order_id),
        )

    def list(
        self,
        *,
        page: PageNumber | None = None,
        limit: Limit | None = None,
        status: OrderStatus | None = None,
        deadline: float | None = None,
        **options: Unpack[CallOptions],
    ) -> Page[Order]:
        """List the caller's orders, newest first (operation listOrders).

        Args:
            page: the first page to ask for, from 1.
            limit: how many items a page holds, 1 to 100; the backend's default is 20.
            status: only orders in this state.
            deadline: seconds for all attempts and waits of each page.
            options: `timeout` and `extra_headers`, for this call alone.

        Raises:
            VezaError: as any call.
        """

        def fetch(number: int | None) -> Page[Order]:
            values = {"page": number, "limit": limit, "status": None if status is None else str(status)}
            answer = self._send(
                contract.LIST_ORDERS, many(Order, Meta).page, values=values, deadline=deadline, **options
            )
            return Page(*answer.result, answer.info, fetch)

        return fetch(page)

    def refund(
        self,
        order_id: OrderId,
        *,
        reason: Reason,
        amount_cents: RefundCents | None = None,
        idempotency_key: IdempotencyKey | None = None,
        deadline: float | None = None,
        **options: Unpack[CallOptions],
    ) -> RefundedOrder:
        """Ask for an order's money back (operation requestRefund).

        The answer says that the refund was accepted; read the order until it says `refunded`.

        Args:
            order_id: the order.
            reason: why, 1 to 500 characters.
            amount_cents: a part of the total in minor units; the whole of it where this is left out.
            idempotency_key: as for `create`.
            deadline: seconds for all attempts and waits.
            options: `timeout` and `extra_headers`, for this call alone.

        Raises:
            InvalidResponseError: unreadable, another order, or another amount; it may have been asked for.
            ConflictError: 409, not completed, or a refund was asked for already.
            UnprocessableEntityError: 422, the refund window has closed.
            APIConnectionError: the refund may or may not have been asked for.
            VezaError: as any call.
        """
        return self._one(
            contract.REQUEST_REFUND,
            RefundedOrder,
            ids={"order_id": order_id},
            fields={"reason": reason, "amount_cents": amount_cents},
            key=idempotency_key,
            deadline=deadline,
            **options,
            check=about_refund(order_id, amount_cents),
        )

    def wait_until_completed(
        self,
        order_id: OrderId,
        *,
        deadline: float,
        interval: float = 2.0,
        on_progress: Callable[[Order], object] | None = None,
        **options: Unpack[CallOptions],
    ) -> Order:
        """Read an order until its payment came through (operation getOrder).

        Args:
            order_id: the order.
            deadline: seconds to wait in all.
            interval: seconds between the first reads; they grow apart to 15 seconds.
            on_progress: called with the order after each read.
            options: `timeout` and `extra_headers`, for this call alone.

        Raises:
            UnexpectedStatusError: it failed, expired, was cancelled, or is in a status new to this version.
            DeadlineExceededError: it was not completed in time; `details` has the status last seen.
            VezaError: as any call.
        """
        there = expect(OrderStatus.COMPLETED, {OrderStatus.PENDING_PAYMENT})
        return self.wait_until(
            order_id, there, deadline=deadline, **options, interval=interval, on_progress=on_progress
        )

    def wait_until_refunded(
        self,
        order_id: OrderId,
        *,
        deadline: float,
        interval: float = 2.0,
        on_progress: Callable[[Order], object] | None = None,
        **options: Unpack[CallOptions],
    ) -> Order:
        """Read an order until the refund that was asked for came through (operation getOrder).

        Args:
            order_id: the order.
            deadline: seconds to wait in all; a refund may stay pending for days.
            interval: seconds between the first reads; they grow apart to 15 seconds.
            on_progress: called with the order after each read.
            options: `timeout` and `extra_headers`, for this call alone.

        Raises:
            UnexpectedStatusError: the refund failed, or the order is in a status new to this version.
            DeadlineExceededError: it was not refunded in time; `details` has the status last seen.
            VezaError: as any call.
        """
        refunded = expect(OrderStatus.REFUNDED, {OrderStatus.REFUND_PENDING})

        def there(order: Order) -> bool:
            asked = order.refund_status not in {None, RefundStatus.FAILED}
            return not (order.status == OrderStatus.COMPLETED and asked) and refunded(order)

        return self.wait_until(
            order_id, there, deadline=deadline, **options, interval=interval, on_progress=on_progress
        )

    def wait_until(
        self,
        order_id: OrderId,
        there: Callable[[Order], bool],
        *,
        deadline: float,
        interval: float = 2.0,
        on_progress: Callable[[Order], object] | None = None,
        **options: Unpack[CallOptions],
    ) -> Order:
        """Read an order until it is as wanted (operation getOrder).

        Reads at once, then after pauses that grow by half; failures that may pass are waited out.

        Args:
            order_id: the order.
            there: whether the order is as wanted; what it raises ends the wait.
            deadline: seconds to wait in all.
            interval: seconds between the first reads; they grow apart to 15 seconds.
            on_progress: called with the order after each read.
            options: `timeout` and `extra_headers`, for this call alone.

        Raises:
            DeadlineExceededError: it did not come there in time; `details` has the status last seen.
            VezaError: as any call.
        """
        waited = self.wait_until_all(
            [order_id], there, deadline=deadline, **options, interval=interval, on_progress=on_progress
        )
        for error in waited.failed.values():
            raise error
        return waited.arrived[order_id]

    def wait_until_all(
        self,
        order_ids: Iterable[OrderId],
        there: Callable[[Order], bool] | None = None,
        *,
        deadline: float,
        interval: float = 2.0,
        on_progress: Callable[[Order], object] | None = None,
        **options: Unpack[CallOptions],
    ) -> Waited[Order]:
        """Read orders, one after the other and round by round, until each is as wanted (operation getOrder).

        One that fails holds up no other. As `wait_until` for the pauses between the rounds.

        Args:
            order_ids: the orders.
            there: whether an order is as wanted; whether it is completed, where this is left out. A `VezaError` that it
                raises ends the wait for the order, any other exception that for all.
            deadline: seconds to wait in all.
            interval: seconds between the first rounds; they grow apart to 15 seconds.
            on_progress: called with each order after each read.
            options: `timeout` and `extra_headers`, for each read.

        Raises:
            InvalidArgumentError: `order_ids` is a text; nothing was sent.
        """

        def read(order_id: str, left: float | None) -> Order:
            return self.get(order_id, deadline=left, **options)

        if isinstance(order_ids, str):
            raise InvalidArgumentError("order_ids is one text; pass a list of ids")
        return wait(
            read,
            there or expect(OrderStatus.COMPLETED, {OrderStatus.PENDING_PAYMENT}),
            self._engine.clock,
            order_ids=order_ids,
            deadline=seconds(deadline, "deadline") or deadline,
            interval=seconds(interval, "interval") or interval,
            on_progress=on_progress,
        )
