"""Puts requests and responses into the contract's form: the one place where dialects of the API differ.

Inside, the backend has one form: an envelope, amounts as integer `*_cents`, ids as UUIDs, the checkout with its URL and
its client secret, a bearer token. Only the contract decides what of that a caller sees, by which names and in which
form.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import NAMESPACE_OID, UUID, uuid5

from veza_rehearsal import of_2025

if TYPE_CHECKING:
    from veza_rehearsal.answers import Answer
    from veza_rehearsal.call import Received
    from veza_rehearsal.contract import Contract, Operation
    from veza_rehearsal.faults import FaultBoard

_REFRESH_COOKIE: Final = "refresh_token"
_CSRF_COOKIE: Final = "csrf_token"


class Dialect:
    """The form of requests and responses that the contract describes.

    Args:
        contract: The contract.
        faults: Whether the dialect of 2025 is switched on.
    """

    def __init__(self, contract: Contract, faults: FaultBoard) -> None:
        self._faults = faults
        self._schemes = contract.security_schemes
        self._cookie = next((scheme["name"] for scheme in self._schemes.values() if _kept_in(scheme, "cookie")), None)

    def credentials(self, operation: Operation, received: Received) -> tuple[str, str | None]:
        """Read the access token from a request, and the CSRF token if the operation needs one.

        Args:
            operation: The operation that is asked for.
            received: The request.

        Returns:
            The access token, empty if there is none; and the CSRF token, None if none is needed.
        """
        for alternative in operation.security:
            schemes = [self._schemes[name] for name in alternative]
            csrf = [received.header(scheme["name"].lower()) for scheme in schemes if _kept_in(scheme, "header")]
            tokens = [self._token(scheme, received) for scheme in schemes if not _kept_in(scheme, "header")]
            if any(tokens):
                return tokens[0], csrf[0] if csrf else None
        return "", None

    def understood(self, operation: Operation, body: dict[str, Any], received: Received) -> dict[str, Any]:
        """Give a request's body under the backend's own names.

        Raises:
            RefusedError: The dialect of 2025 is spoken, and an id is a text.
        """
        understood = of_2025.understood(body) if self._faults.on(of_2025.SWITCH) else dict(body)
        properties = (operation.body_schema or {}).get("properties", {})
        if "amount" in body and "amount_cents" not in properties:
            understood["amount_cents"] = _cents(body["amount"], operation.resolve(properties["amount"]))
        if self._cookie and operation.id in {"refreshToken", "logout"}:
            understood.setdefault("refresh_token", received.cookies.get(_REFRESH_COOKIE, ""))
        return understood

    def ids(self, values: dict[str, Any]) -> dict[str, Any]:
        """Give the ids of a path or a query as the backend's own."""
        if not self._faults.on(of_2025.SWITCH):
            return values
        return {name: of_2025.key(one) if name.endswith("_id") else one for name, one in values.items()}

    def answered(self, operation: Operation, answer: Answer) -> Answer:
        """Return a response in the contract's form, with the cookies that carry its tokens."""
        schema = operation.response_schema(answer.status)
        body = _document(operation, schema, answer.body)
        if self._faults.on(of_2025.SWITCH):
            body = of_2025.answered(operation.id, body)
        return replace(answer, body=body, cookies=self._cookies(operation, answer.body))

    def _token(self, scheme: dict[str, Any], received: Received) -> str:
        if _kept_in(scheme, "cookie"):
            return received.cookies.get(scheme["name"], "")
        kind, _, token = received.header("authorization").partition(" ")
        return token.strip() if kind.lower() == "bearer" else ""

    def _cookies(self, operation: Operation, body: Any) -> tuple[str, ...]:
        if self._cookie is None or not isinstance(body, dict):
            return ()
        if operation.id == "logout" and body.get("success"):
            names = (self._cookie, _REFRESH_COOKIE, _CSRF_COOKIE)
            return tuple(f"{name}=; Path=/; Max-Age=0; SameSite=Strict" for name in names)
        data = body.get("data")
        if not isinstance(data, dict) or "access_token" not in data:
            return ()
        return (
            f"{self._cookie}={data['access_token']}; Path=/; HttpOnly; SameSite=Strict",
            f"{_REFRESH_COOKIE}={data['refresh_token']}; Path=/; HttpOnly; SameSite=Strict",
            # The page's script must be able to read this cookie, to send it back as a header.
            f"{_CSRF_COOKIE}={data['csrf_token']}; Path=/; SameSite=Strict",
        )


def _kept_in(scheme: dict[str, Any], place: str) -> bool:
    return (scheme["type"], scheme.get("in")) == ("apiKey", place)


def _document(operation: Operation, schema: dict[str, Any], body: Any) -> Any:
    schema = operation.resolve(schema)
    properties = schema.get("properties", {})
    enveloped = isinstance(body, dict) and "data" in body and "success" in body
    named = properties.keys() | {
        name for option in schema.get("anyOf", ()) for name in operation.resolve(option).get("properties", {})
    }
    if enveloped and schema and "data" not in named:
        # Without an envelope: the data, plus those of the envelope's other members that the contract names.
        data = body["data"]
        body = {**body, **data} if isinstance(data, dict) else data
    return _shown(operation, schema, body)


def _shown(operation: Operation, schema: dict[str, Any], value: Any) -> Any:
    schema = operation.resolve(schema)
    if isinstance(value, list):
        items = schema.get("items", {})
        return [_shown(operation, items, member) for member in value]
    if isinstance(value, str) and schema.get("format") == "uuid":
        return _uuid(value)
    if not isinstance(value, dict):
        return value
    for option in map(operation.resolve, schema.get("anyOf", ())):
        if set(option.get("required", ())) <= set(value) and option.get("properties"):
            return _shown(operation, option, value)
    properties = schema.get("properties")
    if properties is None:
        return value
    shown = {}
    for name, member in properties.items():
        if name in value:
            shown[name] = _shown(operation, member, value[name])
        elif f"{name}_cents" in value:
            shown[name] = _money(value[f"{name}_cents"], operation.resolve(member))
    return shown


def _money(cents: int, schema: dict[str, Any]) -> int | float | str:
    if schema.get("type") == "integer":
        return cents
    exact = f"{cents // 100}.{cents % 100:02d}"
    # The float nearest to two decimals is printed with the same two decimals.
    return exact if schema.get("type") == "string" else float(exact)


def _cents(amount: float | str, schema: dict[str, Any]) -> Decimal:
    # The order checks whether this is a whole number of cents.
    return Decimal(str(amount)) * (1 if schema.get("type") == "integer" else 100)


def _uuid(value: str) -> str:
    try:
        return str(UUID(value))
    except ValueError:
        return str(uuid5(NAMESPACE_OID, value))
