"""The fake backend: routes, checks and defaults from the contract, answers scripted by the test."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter, defaultdict, deque
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from veza._operation import check
from veza._operations import BASE_PATH, OPERATIONS
from veza.errors import InvalidRequestError
from veza.testing._accounts import EMAIL, PASSWORD, Account
from veza.testing._clock import AsyncFakeClock, FakeClock
from veza.testing._handlers import HANDLERS
from veza.testing._reply import Reply, Sent
from veza.testing._shop import RefusalError, Shop

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from veza._operation import Operation


_PUBLIC_PAGE: Final = "https://pay.veza.test/payment_link/veza"


class UnusedScriptError(AssertionError):
    """A test ended before every scripted reply was asked for."""


class FakeBackend(Account):
    """A Veza backend in memory. Checks every request against the contract, as the real one would.

    As a context manager it raises `UnusedScriptError` at the end of the block if a scripted reply was not asked for.

    Args:
        clock: its time; a `FakeClock` where it is left out.
        email: the account that exists.
        password: its password.
        expires_in: seconds for which an access token holds.
        idempotency: whether it honours `Idempotency-Key`.
        rotate: whether a renewal uses up the refresh token.
        login_limit: how many logins it takes in 15 minutes, right or wrong; more are refused with 429.
        account_lock: how many wrong passwords in a row lock the account for 15 minutes (423).

    Attributes:
        clock: its time.
        shop: its books: `products`, `orders`, `licenses`, and what can happen to an order.
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
        login_limit: int | None = None,
        account_lock: int | None = None,
    ) -> None:
        super().__init__(
            clock=clock or FakeClock(),
            email=email,
            password=password,
            expires_in=expires_in,
            rotate=rotate,
            login_limit=login_limit,
            account_lock=account_lock,
        )
        self.idempotency: bool = idempotency
        self.shop: Shop = Shop(self.clock.now, _PUBLIC_PAGE)
        self.sent: list[Sent] = []
        self._contract = json.loads(files("veza").joinpath("openapi.json").read_text(encoding="utf-8"))
        self._scripts: dict[str | None, deque[tuple[Reply, bool]]] = defaultdict(deque)
        self._lock = threading.RLock()
        self._routes = [(_route(operation), operation) for operation in OPERATIONS.values()]
        for product in self._example("listProducts"):
            self.shop.products[product["id"]] = product

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.check_scripts()

    def check_scripts(self) -> None:
        """Check that every reply that was scripted, but for optional ones, was asked for.

        Raises:
            UnusedScriptError: with the operations and what would have been answered.
        """
        left = Counter(
            f"{operation} ({reply.breaks or reply.status})"
            for operation, replies in self._scripts.items()
            for reply, optional in replies
            if not optional
        )
        if left:
            told = ", ".join(name if count == 1 else f"{count} of {name}" for name, count in left.items())
            raise UnusedScriptError(f"scripted, but never asked for: {told} (allow it with optional=True)")

    def script(self, operation: str, *replies: Reply, optional: bool = False) -> None:
        """Answer the next calls of an operation with these replies, one each; `*` stands for any operation.

        Args:
            operation: the contract's operationId.
            replies: in the order in which they are given.
            optional: whether it is fine if a test ends before all are asked for.

        Raises:
            ValueError: the contract has no such operation.
        """
        if operation != "*" and operation not in OPERATIONS:
            raise ValueError(f"the contract has no operation {operation!r}")
        self._scripts[operation].extend((reply, optional) for reply in replies)

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
        if method == "HEAD":
            reply = replace(reply, body=b"")
        return _with_header(reply, "X-Request-ID", request_id)

    def _scripted(self, operation: str | None) -> Reply | None:
        for name in (operation, "*"):
            if self._scripts[name]:
                return self._scripts[name].popleft()[0]
        return None

    def _find(self, method: str, path: str) -> tuple[Operation | None, dict[str, str]]:
        method = "GET" if method == "HEAD" else method
        for pattern, operation in self._routes:
            found = pattern.fullmatch(path)
            if found and operation.method == method:
                return operation, {name: unquote(value) for name, value in found.groupdict().items()}
        return None, {}

    def _answer(self, operation: Operation | None, ids: dict[str, str], sent: Sent) -> Reply:
        try:
            status, data, *meta = self._carry_out(operation, ids, sent)
        except RefusalError as refusal:
            code = {} if refusal.code is None else {"error_code": refusal.code}
            body = {"success": False, "message": refusal.message} | code
            return Reply(status=refusal.status, json=body, headers=refusal.headers)
        if operation is not None and operation.id == "getHealth":
            return Reply(status=status, json=data)  # the only answer without an envelope
        body = {"success": True} if data is None else {"success": True, "data": data}
        return Reply(status=status, json=body | ({"meta": meta[0]} if meta else {}))

    def _carry_out(self, operation: Operation | None, ids: dict[str, str], sent: Sent) -> tuple[Any, ...]:
        if operation is None:
            if any(pattern.fullmatch(sent.path) for pattern, _ in self._routes):
                raise RefusalError(405, None, f"{sent.method} is not allowed here")
            raise RefusalError(404, "RESOURCE_NOT_FOUND", "No such resource")
        if operation.auth:
            self.authenticate(sent.headers.get("authorization", "").removeprefix("Bearer "))
        _check(operation, ids, sent)
        return HANDLERS[operation.id](self, sent, **ids)

    def _example(self, operation: str) -> Any:
        for item in self._contract["paths"].values():
            for one in item.values():
                if isinstance(one, dict) and one.get("operationId") == operation:
                    content = one["responses"]["200"]["content"]["application/json"]
                    return next(iter(content["examples"].values()))["value"]["data"]
        raise ValueError(f"the contract has no operation {operation!r}")


def _route(operation: Operation) -> re.Pattern[str]:
    """Return what an operation's paths look like."""
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(operation.path)))


def _check(operation: Operation, ids: Mapping[str, str], sent: Sent) -> None:
    """Refuse what the contract refuses. What it does not name is ignored, as Gin ignores it."""
    try:
        for name, value in ids.items():
            check(operation.parameters[name], value, name)
        for name in operation.query:
            if name in sent.query:
                rule, text = operation.parameters[name], sent.query[name]
                is_number = rule.get("type") == "integer" and re.fullmatch(r"-?(0|[1-9][0-9]{0,8})", text)
                check(rule, int(text) if is_number else text, name)
        if operation.keyed and "idempotency-key" in sent.headers:
            check(operation.parameters["Idempotency-Key"], sent.headers["idempotency-key"], "Idempotency-Key")
        if operation.body is not None:
            kind = sent.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise RefusalError(400, "VALIDATION_CONTENT_TYPE", "Content-Type must be application/json")
            check(operation.body, _named(operation.body, sent.body), "body")
    except InvalidRequestError as error:
        raise RefusalError(400, "VALIDATION_ERROR", error.message) from None


def _named(rule: Any, value: Any) -> Any:
    """Return a value without the members that the contract does not name, its whole floats as integers."""
    if isinstance(value, dict) and "properties" in rule:
        known = rule["properties"]
        return {name: _named(known[name], one) for name, one in value.items() if name in known}
    if isinstance(value, list) and "items" in rule:
        return [_named(rule["items"], one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _with_header(reply: Reply, name: str, value: str) -> Reply:
    return replace(reply, headers={name: value, **reply.headers})
