"""The API: checks each request against the contract, carries it out once, and answers."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from veza_rehearsal.accounts import TokenError
from veza_rehearsal.answers import Answer, RefusedError, envelope, error_code, error_object
from veza_rehearsal.call import Call, Received
from veza_rehearsal.clock import stamp
from veza_rehearsal.contract import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from veza_rehearsal.accounts import Accounts
    from veza_rehearsal.contract import Operation
    from veza_rehearsal.database import Row
    from veza_rehearsal.means import Means
    from veza_rehearsal.presentation import Dialect
    from veza_rehearsal.shop import Shop

OPERATIONS: Final = frozenset(
    {
        "getHealth",
        "getStatus",
        "login",
        "refreshToken",
        "logout",
        "getMe",
        "listProducts",
        "getProduct",
        "createOrder",
        "listOrders",
        "getOrder",
        "listMyLicenses",
        "requestRefund",
    }
)
"""The operationIds that the backend can carry out."""

_KEY_LIFETIME: Final = timedelta(hours=24)
_SERVER_ERROR: Final = 500
_VERSION: Final = "rehearsal"
_OTHER_MODE: Final = {"live": "sandbox", "sandbox": "live"}


class Api:
    """Carries out the contract's operations.

    Args:
        means: Database, clock, ids and switches.
        accounts: Logins.
        shop: Products, orders, licenses.
        environment: `sandbox` or `live`: what `/status` reports.
        dialect: The form of requests and responses that the contract describes.
    """

    def __init__(self, means: Means, accounts: Accounts, shop: Shop, environment: str, dialect: Dialect) -> None:
        self._means = means
        self._database = means.database
        self._clock = means.clock
        self._faults = means.faults
        self._accounts = accounts
        self._environment = environment
        self._dialect = dialect
        self._handlers: Mapping[str, Callable[[Call], Answer]] = {
            "getStatus": self._status,
            "login": lambda call: accounts.login(dict(call.body), call.address),
            "refreshToken": lambda call: accounts.refresh(dict(call.body)),
            "logout": lambda call: accounts.logout(dict(call.body), call.user),
            "getMe": lambda call: envelope(200, accounts.profile(call.user)),
            "listProducts": shop.list_products,
            "getProduct": shop.get_product,
            "createOrder": shop.create_order,
            "listOrders": shop.list_orders,
            "getOrder": shop.get_order,
            "listMyLicenses": shop.list_my_licenses,
            "requestRefund": shop.request_refund,
        }

    def handle(self, operation: Operation, received: Received) -> Answer:
        """Carry out one operation in one transaction."""
        if operation.id == "getHealth":
            return self._dialect.answered(operation, self._health())
        try:
            with self._database.transaction():
                user = self._user(operation, received) if operation.security else {}
                answer = self._once(operation, self._checked(operation, received, user))
            return self._dialect.answered(operation, answer)
        except RefusedError as refused:
            return refused.answer
        except InvalidRequestError as invalid:
            places = ", ".join(f"{place}: {reason}" for place, reason in invalid.reasons.items())
            return error_code(400, invalid.code, f"The request is not as documented: {places}", invalid.reasons)

    def _checked(self, operation: Operation, received: Received, user: Row) -> Call:
        headers = operation.read_parameters("header", received.headers)
        body = operation.read_body(received.header("content-type"), received.body)
        return Call(
            path=self._dialect.ids(operation.read_parameters("path", received.path.items())),
            query=self._dialect.ids(operation.read_parameters("query", received.query)),
            body=self._dialect.understood(operation, body, received),
            idempotency_key=headers.get("idempotency-key"),
            user=user,
            address=received.address,
            request_id=received.request_id,
        )

    def _user(self, operation: Operation, received: Received) -> Row:
        token, csrf = self._dialect.credentials(operation, received)
        try:
            return self._accounts.authenticated(token, csrf)
        except TokenError as error:
            now = self._means.stamp()
            answer = error_object(401, error.code, "Log in again", request_id=received.request_id, timestamp=now)
            raise RefusedError(answer) from None

    def _once(self, operation: Operation, call: Call) -> Answer:
        handler = self._handlers[operation.id]
        key = call.idempotency_key
        if key is None or self._faults.on("no_idempotency"):
            return handler(call)
        digest = _digest(call)
        since = stamp(self._clock.now() - _KEY_LIFETIME)
        self._database.run("DELETE FROM idempotency WHERE created_at <= ?", since)
        known = self._database.one(
            "SELECT digest, answer FROM idempotency WHERE user_id = ? AND operation = ? AND idempotency_key = ?",
            call.user["id"], operation.id, key,
        )  # fmt: skip
        if known is not None and known["digest"] != digest:
            message = "The Idempotency-Key was used with another request"
            raise RefusedError(error_code(409, "IDEMPOTENCY_KEY_REUSED", message))
        if known is not None:
            return Answer(200, json.loads(known["answer"]))
        answer = handler(call)
        if answer.status >= _SERVER_ERROR:
            return answer
        self._database.run(
            "INSERT INTO idempotency (user_id, operation, idempotency_key, digest, answer, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            call.user["id"], operation.id, key, digest, json.dumps(answer.body), self._means.stamp(),
        )  # fmt: skip
        return answer

    def _health(self) -> Answer:
        if self._database.answers():
            return Answer(200, {"status": "healthy"})
        return Answer(503, {"status": "unhealthy"})

    def _status(self, _: Call) -> Answer:
        mode = self._environment
        if self._faults.on("processor_mode_mismatch"):
            mode = _OTHER_MODE[mode]
        processor = {"status": "disabled" if self._faults.on("hyperswitch_disabled") else "healthy", "mode": mode}
        services = {"database": {"status": "healthy"}, "hyperswitch": processor}
        return envelope(200, {"environment": self._environment, "version": _VERSION, "services": services})


def _digest(call: Call) -> str:
    asked = json.dumps({"path": call.path, "body": call.body}, sort_keys=True, default=str)
    return hashlib.sha256(asked.encode()).hexdigest()
