"""One operation of the contract, and the check that a request keeps to it before it is sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import quote

from veza._secret import Secret
from veza.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Constraint: TypeAlias = "Mapping[str, object]"
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]+")
_TYPES: Final[dict[str, type]] = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """A row of the generated table.

    Attributes:
        id: the contract's operationId.
        method: the HTTP method.
        path: the path template below the base path.
        auth: whether it needs a login.
        keyed: whether it takes an `Idempotency-Key`.
        statuses: the statuses of success.
        errors: the statuses of errors that are documented.
        parameters: what the contract requires of each, by name.
        query: the names of the query parameters.
        body: what the contract requires of the body; None if there is no body.
    """

    id: str
    method: str
    path: str
    auth: bool
    keyed: bool
    statuses: tuple[int, ...]
    errors: tuple[int, ...]
    parameters: Mapping[str, Constraint]
    query: tuple[str, ...]
    body: Constraint | None

    @property
    def safe(self) -> bool:
        """Whether it changes nothing, so that it can be sent again whatever happened."""
        return self.method in {"GET", "HEAD", "OPTIONS"}


@lru_cache(maxsize=64)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text.removeprefix("^").removesuffix("$"))


def _bounded(rule: Constraint, value: float, low: str, high: str) -> bool:
    least, most = rule.get(low), rule.get(high)
    return not ((isinstance(least, int) and value < least) or (isinstance(most, int) and value > most))


def _is(value: object, expected: type) -> bool:
    return isinstance(value, expected) and not (isinstance(value, bool) and expected is not bool)


def check(rule: Constraint, value: object, where: str) -> None:
    """Refuse a value that the contract refuses. The value itself is not named: it may be a secret.

    Raises:
        InvalidRequestError: with the place of the value.
    """
    if isinstance(value, Secret):
        if not _bounded(rule, len(value), "minLength", "maxLength"):
            raise InvalidRequestError(f"{where} has a length that is not allowed")
        return
    asked = rule.get("type")
    names = asked if isinstance(asked, list | tuple) else [asked] if isinstance(asked, str) else []
    if names and not any(_is(value, _TYPES[name]) for name in names):
        raise InvalidRequestError(f"{where} must be of type {' or '.join(names)}, not {type(value).__name__}")
    allowed = rule.get("enum")
    if isinstance(allowed, list | tuple) and value not in allowed:
        raise InvalidRequestError(f"{where} is not one of the allowed values")
    if isinstance(value, str):
        _check_text(rule, value, where)
    elif isinstance(value, int) and not _bounded(rule, value, "minimum", "maximum"):
        raise InvalidRequestError(f"{where} is out of its range")
    elif isinstance(value, list):
        _check_array(rule, value, where)
    elif isinstance(value, dict):
        _check_object(rule, value, where)


def _check_text(rule: Constraint, value: str, where: str) -> None:
    if not _bounded(rule, len(value), "minLength", "maxLength"):
        raise InvalidRequestError(f"{where} has a length that is not allowed")
    pattern = rule.get("pattern")
    if isinstance(pattern, str) and not _pattern(pattern).fullmatch(value):
        raise InvalidRequestError(f"{where} has characters that are not allowed")


def _check_array(rule: Constraint, value: Sequence[object], where: str) -> None:
    if not _bounded(rule, len(value), "minItems", "maxItems"):
        raise InvalidRequestError(f"{where} has a number of items that is not allowed")
    items = rule.get("items")
    if isinstance(items, dict):
        for index, item in enumerate(value):
            check(items, item, f"{where}[{index}]")


def _check_object(rule: Constraint, value: Mapping[str, object], where: str) -> None:
    properties, required = rule.get("properties"), rule.get("required")
    known: Mapping[str, Constraint] = properties if isinstance(properties, dict) else {}
    for name in required if isinstance(required, list | tuple) else ():
        if name not in value:
            raise InvalidRequestError(f"{where}.{name} is missing")
    for name, item in value.items():
        if name not in known:
            raise InvalidRequestError(f"{where}.{name} is not part of the contract")
        check(known[name], item, f"{where}.{name}")


def segment(value: str, where: str) -> str:
    """Return an id as exactly one path segment.

    Raises:
        InvalidRequestError: the id is empty, a dot segment, or holds a character that a server may read as more
            than one segment.
    """
    if not isinstance(value, str):
        raise InvalidRequestError(f"{where} must be of type string, not {type(value).__name__}")
    if _PLAIN.fullmatch(value):
        return value
    if value in {"", ".", ".."} or not value.isprintable() or any(sign in value for sign in "/\\?#% "):
        raise InvalidRequestError(f"{where} cannot be a part of a path")
    return quote(value, safe="")


def expand(operation: Operation, ids: Mapping[str, str]) -> str:
    """Return the operation's path with its ids in place, each as one segment."""
    path = operation.path
    for name, value in ids.items():
        given: object = value
        safe = _checked(operation, name, given) if isinstance(given, str) else segment(value, name)
        path = path.replace(f"{{{name}}}", safe)
    return path


@lru_cache(maxsize=256)
def _checked(operation: Operation, name: str, value: str) -> str:
    safe = segment(value, name)
    check(operation.parameters[name], value, name)
    return safe


def query(operation: Operation, values: Mapping[str, object]) -> str:
    """Return the query string of the values that are not None, each checked."""
    parts: list[str] = []
    for name, value in values.items():
        if value is not None:
            check(operation.parameters[name], value, name)
            parts.append(f"{name}={quote(str(value), safe='')}")
    return "&".join(parts)
