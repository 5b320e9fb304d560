"""The fake backend: routes, checks and defaults from the contract, answers scripted by the test."""

from __future__ import annotations

import json
import re
import threading
from collections import defaultdict, deque
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from veza._operation import check
from veza._operations import BASE_PATH, OPERATIONS
from veza.errors import InvalidRequestError
from veza.testing._clock import AsyncFakeClock, FakeClock
from veza.testing._handlers import HANDLERS
from veza.testing._reply import Reply, Sent
from veza.testing._shop import Object, RefusalError, Shop

if TYPE_CHECKING:
    from collections.abc import Mapping

    from veza._operation import Operation


EMAIL: Final = "operator@veza.test"
PASSWORD: Final = "rehearsal"  # noqa: S105  (of a fake account)
_PUBLIC_PAGE: Final = "https://pay.veza.test/payment_link/veza"


class FakeBackend:
    """A Veza backend in memory. Checks every request against the contract, as the real one would.

    Args:
        clock: its time; a `FakeClock` where it is left out.
        email: the account that exists.
        password: its password.
        expires_in: seconds for which an access token holds.
        idempotency: whether it honours `Idempotency-Key`.
        rotate: whether a renewal uses up the refresh token.

    Attributes:
        clock: its time.
        shop: its books: `products`, `orders`, `licenses`, and `pay`, `settle_refund`, `set_status`.
        sent: every request that it received, in order.
    """

    def __init__(
        self,
        *,
        clock: FakeClock | AsyncFakeClock | None = None,
        email: str = EMAIL,
        password: str = PASSWORD,
        expires_in: int = 900,
        idempotency: bool = True,
        rotate: bool = False,
    ) -> None:
        self.clock: FakeClock | AsyncFakeClock = clock or FakeClock()
        self.email: str = email
        self.password: str = password
        self.expires_in: int = expires_in
        self.idempotency: bool = idempotency
        self.rotate: bool = rotate
        self.shop: Shop = Shop(self.clock.now, _PUBLIC_PAGE)
        self.sent: list[Sent] = []
        self._contract = json.loads(files("veza").joinpath("openapi.json").read_text(encoding="utf-8"))
        self._scripts: dict[str | None, deque[Reply]] = defaultdict(deque)
        self._access: dict[str, float] = {}
        self._refresh: set[str] = set()
        self._issued = 0
        self._lock = threading.RLock()
        self._routes = [(_route(operation), operation) for operation in OPERATIONS.values()]
        for product in self._example("listProducts"):
            self.shop.products[product["id"]] = product

    def script(self, operation: str, *replies: Reply) -> None:
        """Answer the next calls of an operation with these replies, one each; `*` stands for any operation.

        Args:
            operation: the contract's operationId.
            replies: in the order in which they are given.

        Raises:
            ValueError: the contract has no such operation.
        """
        if operation != "*" and operation not in OPERATIONS:
            raise ValueError(f"the contract has no operation {operation!r}")
        self._scripts[operation].extend(replies)

    def revoke_access(self) -> None:
        """Make every access token that was given invalid."""
        self._access.clear()

    def revoke_refresh(self) -> None:
        """Make every refresh token that was given invalid, as a login elsewhere does."""
        self._refresh.clear()

    def count(self, operation: str) -> int:
        """Return how often an operation was called."""
        return sum(one.operation == operation for one in self.sent)

    def receive(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Take a request and return what is to be answered. Transports and servers call it."""
        parts = urlsplit(url)
        path = parts.path.removeprefix(BASE_PATH)
        operation, ids = self._find(method, path)
        try:
            value = json.loads(body) if body else None
        except ValueError:
            value = None
        sent = Sent(
            operation=operation.id if operation else None,
            method=method,
            path=path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): content for name, content in headers.items()},
            body=value,
        )
        with self._lock:
            self.sent.append(sent)
            request_id = sent.headers.get("x-request-id") or f"req-{len(self.sent)}"
            scripted = self._scripted(sent.operation)
            if scripted is None or scripted.carried_out:
                reply = self._answer(operation, ids, sent)
            if scripted is not None:
                self.clock.advance(scripted.seconds)
                reply = scripted
        return _with_header(reply, "X-Request-ID", request_id)

    def _scripted(self, operation: str | None) -> Reply | None:
        for name in (operation, "*"):
            if self._scripts[name]:
                return self._scripts[name].popleft()
        return None

    def _find(self, method: str, path: str) -> tuple[Operation | None, dict[str, str]]:
        for pattern, operation in self._routes:
            found = pattern.fullmatch(path)
            if found and operation.method == method:
                return operation, {name: unquote(value) for name, value in found.groupdict().items()}
        return None, {}

    def _answer(self, operation: Operation | None, ids: dict[str, str], sent: Sent) -> Reply:
        try:
            status, data, *meta = self._carry_out(operation, ids, sent)
        except RefusalError as refusal:
            return Reply(
                status=refusal.status,
                json={"success": False, "message": refusal.message, "error_code": refusal.code},
            )
        body: Object = {"success": True} if data is None else {"success": True, "data": data}
        return Reply(status=status, json=body | ({"meta": meta[0]} if meta else {}))

    def _carry_out(self, operation: Operation | None, ids: dict[str, str], sent: Sent) -> tuple[Any, ...]:
        if operation is None:
            known = any(pattern.fullmatch(sent.path) for pattern, _ in self._routes)
            raise RefusalError(405 if known else 404, "RESOURCE_NOT_FOUND", "No such resource")
        _check(operation, ids, sent)
        if operation.auth:
            self._authenticate(sent)
        return HANDLERS[operation.id](self, sent, **ids)

    def _authenticate(self, sent: Sent) -> None:
        token = sent.headers.get("authorization", "").removeprefix("Bearer ")
        ends = self._access.get(token)
        if ends is None or self.clock.monotonic() >= ends:
            code = "AUTH_TOKEN_INVALID" if ends is None else "AUTH_TOKEN_EXPIRED"
            raise RefusalError(401, code, "The access token is not valid")

    def _example(self, operation: str) -> Any:
        for item in self._contract["paths"].values():
            for one in item.values():
                if isinstance(one, dict) and one.get("operationId") == operation:
                    content = one["responses"]["200"]["content"]["application/json"]
                    return next(iter(content["examples"].values()))["value"]["data"]
        raise ValueError(f"the contract has no operation {operation!r}")

    def issue(self) -> Object:
        """Make an access token and return what says so."""
        self._issued += 1
        access = f"access-{self._issued}"
        self._access[access] = self.clock.monotonic() + self.expires_in
        return {"access_token": access, "token_type": "Bearer", "expires_in": self.expires_in}

    def issue_refresh(self) -> str:
        """Make a refresh token and return it."""
        refresh = f"refresh-{self._issued}"
        self._refresh.add(refresh)
        return refresh

    def use_refresh(self, refresh: str) -> None:
        """Take a refresh token, using it up if they are used up."""
        if refresh not in self._refresh:
            raise RefusalError(401, "AUTH_TOKEN_INVALID", "The refresh token is not valid")
        if self.rotate:
            self._refresh.discard(refresh)


def _route(operation: Operation) -> re.Pattern[str]:
    """Return what an operation's paths look like."""
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(operation.path)))


def _check(operation: Operation, ids: Mapping[str, str], sent: Sent) -> None:
    """Refuse what the contract refuses."""
    try:
        for name, value in ids.items():
            check(operation.parameters[name], value, name)
        for name, text in sent.query.items():
            rule = operation.parameters[name] if name in operation.query else {"enum": ()}
            is_number = rule.get("type") == "integer" and re.fullmatch(r"-?[0-9]{1,9}", text)
            check(rule, int(text) if is_number else text, name)
        if operation.keyed and "idempotency-key" in sent.headers:
            check(operation.parameters["Idempotency-Key"], sent.headers["idempotency-key"], "Idempotency-Key")
        if operation.body is not None:
            check(operation.body, sent.body, "body")
    except InvalidRequestError as error:
        raise RefusalError(400, "VALIDATION_ERROR", error.message) from None


def _with_header(reply: Reply, name: str, value: str) -> Reply:
    return replace(reply, headers={name: value, **reply.headers})
