# Written by sdk/generate.py; not edited by hand.
"""The API's operations, a class for each resource."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from veza import _operations as contract
from veza._call import Call, seconds
from veza._checkout import with_checkout_page
from veza._decode import decode, decode_list, decode_meta
from veza._listed import Listed
from veza._operation import Operation, check, expand, query
from veza._session import as_secret
from veza._sync.paging import Page
from veza.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from veza._call import Answer
    from veza._params import Email, IdempotencyKey, Item, Limit, OrderId, PageNumber, ProductId, Reason, RefundCents
    from veza._secret import Secret
    from veza._sync.client import Veza
    from veza.models import (
        CheckoutOrder,
        Health,
        License,
        Login,
        Order,
        OrderStatus,
        Product,
        RefundedOrder,
        Status,
        Tokens,
        User,
    )


class Resource:
    """A part of the API, seen through one client."""

    def __init__(self, client: Veza) -> None:
        self._client = client

    def _send(
        self,
        operation: Operation,
        ids: Mapping[str, str] | None = None,
        values: Mapping[str, object] | None = None,
        fields: Mapping[str, object] | None = None,
        key: str | None = None,
        deadline: float | None = None,
    ) -> tuple[Answer, Call]:
        """Check the arguments against the contract and send them; None stands for what is left out."""
        settings = self._client._settings  # noqa: SLF001  (a resource is a part of its client)
        body: bytes | None = None
        if fields is not None:
            present = {name: value for name, value in fields.items() if value is not None}
            check(operation.body or {}, present, operation.id)
            body = json.dumps(present).encode()
        if operation.keyed and key is None and settings.idempotency:
            key = settings.new_key()
        if key is not None:
            check(operation.parameters["Idempotency-Key"], key, "idempotency_key")
        call = Call(
            operation.method,
            expand(operation, ids) if ids else operation.path,
            query(operation, values) if values else "",
            body,
            auth=operation.auth,
            repeatable=operation.safe or (key is not None and settings.idempotency),
            idempotency_key=key,
            deadline=seconds(deadline, "deadline"),
        )
        return self._client._engine.send(call, settings), call  # noqa: SLF001  (as above)


class System(Resource):
    """What the backend says of itself. Needs no login."""

    def health(self, *, deadline: float | None = None) -> Health:
        """Ask whether the backend is up (operation getHealth).

        Args:
            deadline: seconds for all attempts and waits.

        Raises:
            InternalServerError: 503, the backend runs but is not well.
            VezaError: as any call.
        """
        from veza.models.system import Health  # noqa: PLC0415  (built when first used)

        answer, call = self._send(contract.GET_HEALTH, deadline=deadline)
        return decode(answer, Health, call)

    def status(self, *, deadline: float | None = None) -> Status:
        """Ask which environment this is and which services it uses (operation getStatus).

        Args:
            deadline: seconds for all attempts and waits.

        Raises:
            VezaError: as any call.
        """
        from veza.models.system import Status  # noqa: PLC0415  (built when first used)

        answer, call = self._send(contract.GET_STATUS, deadline=deadline)
        return decode(answer, Status, call)


class Auth(Resource):
    """Logging in and out. Calls that need a login log in by themselves, so this is seldom needed."""

    def login(
        self,
        email: Email | None = None,
        password: str | Secret | None = None,
        *,
        remember_me: bool | None = None,
        deadline: float | None = None,
    ) -> Login:
        """Log in; the client uses the tokens from then on (operation login).

        A login ends the refresh tokens of this account's earlier logins.

        Args:
            email: the account; the client's where it is left out, which then remembers neither.
            password: its password; the client's where it is left out.
            remember_me: ask for a longer login.
            deadline: seconds for all attempts and waits.

        Raises:
            AuthenticationError: 401, the credentials are wrong.
            LockedError: 423, the account is locked.
            VezaError: as any call.
        """
        client = self._client
        session = client._engine.session  # noqa: SLF001  (a resource is a part of its client)
        email = email or session.email
        secret = as_secret(password, "password") or session.password
        if email is None or secret is None:
            raise InvalidRequestError("login needs an email and a password, here or on the client")
        return client._engine.renewer.login(  # noqa: SLF001  (as above)
            email, secret, client._settings, remember_me=remember_me, deadline=seconds(deadline, "deadline")
        )

    def refresh(self, refresh_token: str | Secret | None = None, *, deadline: float | None = None) -> Tokens:
        """Renew the access token; the client uses it from then on (operation refreshToken).

        Args:
            refresh_token: the token to renew by; the client's where it is left out.
            deadline: seconds for all attempts and waits.

        Raises:
            AuthenticationError: 401, the refresh token was used up or revoked.
            VezaError: as any call.
        """
        client = self._client
        secret = as_secret(refresh_token, "refresh_token") or client._engine.session.refresh  # noqa: SLF001
        if secret is None:
            raise InvalidRequestError("refresh needs a refresh token, here or on the client")
        return client._engine.renewer.refresh(  # noqa: SLF001
            secret, client._settings, deadline=seconds(deadline, "deadline")
        )

    def logout(
        self,
        refresh_token: str | Secret | None = None,
        *,
        all_devices: bool | None = None,
        deadline: float | None = None,
    ) -> None:
        """End a login; the client forgets its tokens (operation logout).

        Args:
            refresh_token: the login to end; the client's where it is left out.
            all_devices: end every login of the account.
            deadline: seconds for all attempts and waits.

        Raises:
            VezaError: as any call.
        """
        session = self._client._engine.session  # noqa: SLF001  (a resource is a part of its client)
        secret = as_secret(refresh_token, "refresh_token") or session.refresh
        if secret is None:
            raise InvalidRequestError("logout needs a refresh token, here or on the client")
        fields = {"refresh_token": secret.get_secret_value(), "all_devices": all_devices}
        self._send(contract.LOGOUT, fields=fields, deadline=deadline)
        session.ended()

    def me(self, *, deadline: float | None = None) -> User:
        """Ask which account is logged in (operation getMe).

        Args:
            deadline: seconds for all attempts and waits.

        Raises:
            VezaError: as any call.
        """
        from veza.models.auth import User  # noqa: PLC0415  (built when first used)

        answer, call = self._send(contract.GET_ME, deadline=deadline)
        return decode(answer, User, call)


class Products(Resource):
    """What can be bought. Needs no login."""

    def list(
        self, *, page: PageNumber | None = None, limit: Limit | None = None, deadline: float | None = None
    ) -> Page[Product]:
        """List the products on offer, a page at a time (operation listProducts).

        Args:
            page: the first page to ask for, from 1.
            limit: how many items a page holds, 1 to 100; the backend's default is 20.
            deadline: seconds for all attempts and waits of each page.

        Raises:
            VezaError: as any call.
        """

        def fetch(number: int | None) -> Page[Product]:
            from veza.models.paging import Meta  # noqa: PLC0415  (built when first used)
            from veza.models.products import Product  # noqa: PLC0415

            answer, call = self._send(
                contract.LIST_PRODUCTS, values={"page": number, "limit": limit}, deadline=deadline
            )
            return Page(decode_list(answer, Product, call), decode_meta(answer, Meta, call), answer.info, fetch)

        return fetch(page)

    def get(self, product_id: ProductId, *, deadline: float | None = None) -> Product:
        """Read one product (operation getProduct).

        Args:
            product_id: the product.
            deadline: seconds for all attempts and waits.

        Raises:
            NotFoundError: 404, there is no such product.
            VezaError: as any call.
        """
        from veza.models.products import Product  # noqa: PLC0415  (built when first used)

        answer, call = self._send(contract.GET_PRODUCT, {"product_id": product_id}, deadline=deadline)
        return decode(answer, Product, call)


class Orders(Resource):
    """Buying and refunding."""

    def create(
        self,
        items: Iterable[Item | ProductId],
        *,
        idempotency_key: IdempotencyKey | None = None,
        deadline: float | None = None,
    ) -> CheckoutOrder:
        """Order products and get the page to pay them on (operation createOrder).

        Args:
            items: product ids, or `{"product_id": …, "license_type": …}`.
            idempotency_key: where the backend honours keys, the same key never orders twice. With
                `idempotency=True` one is made if none is given; the error and the result carry it.
            deadline: seconds for all attempts and waits.

        Raises:
            NotFoundError: 404, there is no such product.
            ConflictError: 409, owned already, or the key belongs to another request.
            UnprocessableEntityError: 422, the product is not on sale.
            InternalServerError: 503, payments are switched off.
            APIConnectionError: the order may or may not have been made.
            VezaError: as any call.
        """
        from veza.models.orders import CheckoutOrder  # noqa: PLC0415  (built when first used)

        wanted = [{"product_id": item} if isinstance(item, str) else dict(item) for item in items]
        answer, call = self._send(
            contract.CREATE_ORDER, fields={"items": wanted}, key=idempotency_key, deadline=deadline
        )
        page = self._client._settings.checkout_page  # noqa: SLF001  (a resource is a part of its client)
        return decode(with_checkout_page(answer, page), CheckoutOrder, call)

    def get(self, order_id: OrderId, *, deadline: float | None = None) -> Order:
        """Read one order (operation getOrder).

        Args:
            order_id: the order.
            deadline: seconds for all attempts and waits.

        Raises:
            PermissionDeniedError: 403, it is another account's order.
            NotFoundError: 404, there is no such order.
            VezaError: as any call.
        """
        from veza.models.orders import Order  # noqa: PLC0415  (built when first used)

        answer, call = self._send(contract.GET_ORDER, {"order_id": order_id}, deadline=deadline)
        return decode(answer, Order, call)

    def list(
        self,
        *,
        page: PageNumber | None = None,
        limit: Limit | None = None,
        status: OrderStatus | None = None,
        deadline: float | None = None,
    ) -> Page[Order]:
        """List the caller's orders, newest first (operation listOrders).

        Args:
            page: the first page to ask for, from 1.
            limit: how many items a page holds, 1 to 100; the backend's default is 20.
            status: only orders in this state.
            deadline: seconds for all attempts and waits of each page.

        Raises:
            VezaError: as any call.
        """

        def fetch(number: int | None) -> Page[Order]:
            from veza.models.orders import Order  # noqa: PLC0415  (built when first used)
            from veza.models.paging import Meta  # noqa: PLC0415

            values = {"page": number, "limit": limit, "status": None if status is None else str(status)}
            answer, call = self._send(contract.LIST_ORDERS, values=values, deadline=deadline)
            return Page(decode_list(answer, Order, call), decode_meta(answer, Meta, call), answer.info, fetch)

        return fetch(page)

    def refund(
        self,
        order_id: OrderId,
        *,
        reason: Reason,
        amount_cents: RefundCents | None = None,
        idempotency_key: IdempotencyKey | None = None,
        deadline: float | None = None,
    ) -> RefundedOrder:
        """Ask for an order's money back (operation requestRefund).

        The answer says that the refund was accepted; read the order until it says `refunded`.

        Args:
            order_id: the order.
            reason: why, 1 to 500 characters.
            amount_cents: a part of the total in minor units; the whole of it where this is left out.
            idempotency_key: as for `create`.
            deadline: seconds for all attempts and waits.

        Raises:
            ConflictError: 409, not completed, or a refund was asked for already.
            UnprocessableEntityError: 422, the refund window has closed.
            APIConnectionError: the refund may or may not have been asked for.
            VezaError: as any call.
        """
        from veza.models.orders import RefundedOrder  # noqa: PLC0415  (built when first used)

        answer, call = self._send(
            contract.REQUEST_REFUND,
            {"order_id": order_id},
            fields={"reason": reason, "amount_cents": amount_cents},
            key=idempotency_key,
            deadline=deadline,
        )
        return decode(answer, RefundedOrder, call)


class Licenses(Resource):
    """What the account may use."""

    def mine(self, *, order_id: OrderId | None = None, deadline: float | None = None) -> Listed[License]:
        """List the caller's licenses, revoked ones included (operation listMyLicenses).

        Args:
            order_id: only licenses of this order.
            deadline: seconds for all attempts and waits.

        Raises:
            VezaError: as any call.
        """
        from veza.models.licenses import License  # noqa: PLC0415  (built when first used)

        answer, call = self._send(contract.LIST_MY_LICENSES, values={"order_id": order_id}, deadline=deadline)
        return Listed.of(decode_list(answer, License, call), answer.info)
