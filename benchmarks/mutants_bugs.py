# ruff: noqa: E501  (a line for each bug)
"""The bugs that are seeded into a copy of the SDK: what a hand that maintains it may get wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SDK = Path(__file__).parents[1] / "sdk/veza"


@dataclass(frozen=True)
class Bug:
    """A bug: in `file`, the first `old` becomes `new`."""

    name: str
    file: str
    old: str
    new: str


BY_HAND = (
    Bug("another path", "_operations.py", 'path="/marketplace/products"', 'path="/products"'),
    Bug("path without its parameter's parent", "_operations.py", 'path="/orders/{order_id}/refund"', 'path="/refunds/{order_id}"'),
    Bug("another method", "_operations.py", 'id="requestRefund",\n    method="POST"', 'id="requestRefund",\n    method="PUT"'),
    Bug("another base path", "_operations.py", 'BASE_PATH = "/api/v1"', 'BASE_PATH = "/api/v2"'),
    Bug("a read without its login", "_operations.py", 'path="/licenses/mine",\n    auth=True', 'path="/licenses/mine",\n    auth=False'),
    Bug("a login that carries a login", "_sync/login.py", "LOGIN.path, body=Body(fields), auth=False", "LOGIN.path, body=Body(fields), auth=True"),
    Bug("a public read that carries the login", "_operations.py", 'path="/marketplace/products",\n    auth=False', 'path="/marketplace/products",\n    auth=True'),
    Bug("login posts to the renewal", "_sync/login.py", '"POST", LOGIN.path', '"POST", REFRESH_TOKEN.path'),
    Bug("the order list reads the products", "_sync/orders.py", "contract.LIST_ORDERS", "contract.LIST_PRODUCTS"),
    Bug("the limit is the page", "_sync/orders.py", '"limit": limit', '"limit": number'),
    Bug("the limit is not sent", "_async/products.py", '"limit": limit', '"limit": None'),
    Bug("the page counts from 0", "_sync/products.py", '"page": number', '"page": number and number - 1'),
    Bug("a default that nobody asked for", "_sync/products.py", '"limit": limit', '"limit": limit or 20'),
    Bug("the state is not sent", "_sync/orders.py", "None if status is None else str(status)", "None"),
    Bug("the state in capitals", "_async/orders.py", "else str(status)", "else str(status).upper()"),
    Bug("per_page for limit", "_sync/orders.py", '"limit": limit', '"per_page": limit'),
    Bug("the reason is the amount", "_sync/orders.py", '"amount_cents": amount_cents', '"amount_cents": None'),
    Bug("the amount in euros", "_sync/orders.py", '"amount_cents": amount_cents', '"amount_cents": amount_cents and amount_cents // 100'),
    Bug("the reason in small letters", "_async/orders.py", '"reason": reason', '"reason": reason.lower()'),
    Bug("the reason without its ends", "_sync/orders.py", '"reason": reason', '"reason": reason.strip() or reason'),
    Bug("the key is not sent", "_sync/orders.py", "key=idempotency_key", "key=None"),
    Bug("the refund's key is not sent", "_async/orders.py", '"amount_cents": amount_cents},\n            key=idempotency_key', '"amount_cents": amount_cents},\n            key=None'),
    Bug("the key under another name", "_sync/engine.py", 'headers["Idempotency-Key"]', 'headers["X-Idempotency-Key"]'),
    Bug("the short form of an item is lost", "_question.py", '{"product_id": item} if isinstance(item, str)', '{"id": item} if isinstance(item, str)'),
    Bug("only the first item", "_question.py", "in enumerate(given):", "in enumerate(list(given)[:1]):"),
    Bug("an item without its license", "_question.py", "else dict(item)", 'else {"product_id": item["product_id"]}'),
    Bug("items in a set", "_question.py", "in enumerate(given):", "in enumerate(dict.fromkeys(map(str, given))):"),
    Bug("the licenses of every order", "_sync/licenses.py", '{"order_id": order_id}', '{"order_id": None}'),
    Bug("another order's id", "_async/orders.py", 'ids={"order_id": order_id}', 'ids={"order_id": order_id[::-1]}'),
    Bug("an id without its hyphens", "_sync/products.py", 'ids={"product_id": product_id}', 'ids={"product_id": product_id.replace("-", "")}'),
    Bug("remember_me is forgotten", "_sync/login.py", "if remember_me is not None:", "if remember_me:"),
    Bug("all devices always", "_sync/auth.py", '"all_devices": all_devices', '"all_devices": True'),
    Bug("the token under another name", "_async/auth.py", 'fields = {"refresh_token"', 'fields = {"token"'),
    Bug("the password in small letters", "_sync/login.py", '"password": password}', '"password": password.get_secret_value().lower()}'),
    Bug("the e-mail as user name", "_async/login.py", '"email": email, "password"', '"username": email, "password"'),
    Bug("a body without its type", "_sync/engine.py", 'headers["Content-Type"] = "application/json"', 'headers["Content-Type"] = "text/plain"'),
    Bug("another accepted type", "_async/engine.py", '"Accept": "application/json"', '"Accept": "application/xml"'),
    Bug("a header of one's own", "_sync/engine.py", '"Accept": "application/json"', '"Accept": "application/json", "X-Client": "veza"'),
    Bug("Token in the place of Bearer", "_session.py", 'f"Bearer {', 'f"Token {'),
    Bug("the token in another header", "_session.py", '{"Authorization":', '{"X-Access-Token":'),
    Bug("hyphens are lost in the query", "_operation.py", "{quote(str(value), safe='')}", "{quote(str(value).strip('-'), safe='')}"),
    Bug("a query in the wrong order of names", "_operation.py", 'parts.append(f"{name}=', 'parts.append(f"{name[::-1]}='),
    Bug("null is sent", "_sync/resource.py", "for name, value in fields.items() if value is not None", "for name, value in fields.items()"),
    Bug("zero is left out", "_async/resource.py", "if value is not None}", "if value}"),
    Bug("errors lose their request id", "_sync/engine.py", 'request_id=received.headers.get("x-request-id") or facts.request_id', "request_id=facts.request_id"),
    Bug("results lose their request id", "_response.py", 'self._raw.get("x-request-id")', 'self._raw.get("request-id")'),
    Bug("errors lose their code", "_async/engine.py", "code=facts.code", "code=None"),
    Bug("errors lose their details", "_sync/engine.py", "details=facts.details", "details=None"),
    Bug("errors lose their wait", "_sync/engine.py", 'received.headers.get("retry-after")', 'received.headers.get("retry_after")'),
    Bug("one shape of an error is not read", "_wire.py", 'source.get("code") or source.get("error_code")', 'source.get("code")'),
    Bug("the oldest shape of an error is not read", "_wire.py", "or (inner if isinstance(inner, str) else None)", "or None"),
    Bug("the nested shape of an error is not read", "_wire.py", "source = inner if isinstance(inner, dict) else value", "source = value"),
    Bug("409 is a 404", "errors.py", "409: ConflictError", "409: NotFoundError"),
    Bug("423 has no class", "errors.py", "    423: LockedError,\n", ""),
    Bug("503 has no class", "errors.py", "_FIRST_SERVER_ERROR: Final = 500", "_FIRST_SERVER_ERROR: Final = 504"),
    Bug("202 is an error", "_sync/engine.py", "_OK = range(200, 300)", "_OK = range(200, 202)"),
    Bug("errors are results", "_async/engine.py", "_OK = range(200, 300)", "_OK = range(200, 404)"),
    Bug("an answer without its envelope is refused", "_wire.py", '<= {"data", "message", "meta"}):\n        return value', '<= {"data", "message", "meta"}):\n        return None'),
    Bug("moments lose their offset", "models/_base.py", 'core_schema.datetime_schema(tz_constraint="aware", ge=_AFTER_ZERO)', 'core_schema.datetime_schema(tz_constraint="naive")'),
    Bug("integers written with a point are refused", "models/_base.py", 'return _either([strict, written], "an integer")', "return strict"),
    Bug("amounts are above zero", "models/_base.py", "Cents: TypeAlias = Annotated[int, _Integer(0, point=False)]", "Cents: TypeAlias = Annotated[int, _Integer(1, point=False)]"),
    Bug("the page's own items only", "_sync/orders.py", "Order, Meta).page", "Order, Meta)"),
)  # fmt: skip

_FIELD = re.compile(r"^    (?P<name>[a-z_]+): (?P<type>[A-Za-z]\S*(?: \| None)?)(?P<default> = None)?$", re.MULTILINE)
_MEMBER = re.compile(r'^    [A-Z_]+ = "(?P<value>\w+)"$', re.MULTILINE)


def generated() -> Iterator[Bug]:
    """A field of each model under another name or of another type, a value of each enumeration misspelt."""
    for path in sorted((SDK / "models").glob("[a-z]*.py")):
        file, text = f"models/{path.name}", path.read_text(encoding="utf-8")
        for number, found in enumerate(_FIELD.finditer(text)):
            line = found[0]
            if text.count(f"{line}\n") > 1:
                continue
            if number % 2:
                yield Bug(
                    f"{found['name']} under another name",
                    file,
                    line,
                    line.replace(found["name"], f"{found['name']}_", 1),
                )
            elif "Flag" not in found["type"]:  # which is a truth value already
                yield Bug(
                    f"{found['name']} is a truth value",
                    file,
                    line,
                    f"    {found['name']}: bool{found['default'] or ''}",
                )
        for number, found in enumerate(_MEMBER.finditer(text)):
            if number % 3 == 0 and text.count(f"{found[0]}\n") == 1:
                yield Bug(
                    f"{found['value']} misspelt",
                    file,
                    found[0],
                    found[0].replace(f'"{found["value"]}', f'"{found["value"]}_'),
                )
