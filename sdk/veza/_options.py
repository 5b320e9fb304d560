"""What any call takes beside its own arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypedDict

from veza._call import seconds
from veza.errors import InvalidArgumentError, InvalidRequestError

_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE: Final = re.compile(r"[\x20-\x7e]*")
_OURS: Final = frozenset({"host", "content-length", "content-type", "transfer-encoding", "idempotency-key"})


class CallOptions(TypedDict, total=False):
    """Options of one call."""

    timeout: float
    """Seconds for connecting, for writing, and for each read of an attempt, in the place of the client's."""
    extra_headers: Mapping[str, str]
    """Headers beside the client's own, such as `traceparent`. Those that the SDK writes itself are refused."""


class _Sending(TypedDict, total=False):
    timeout: float | None
    headers: Mapping[str, str] | None


def sending(*, auth: bool, timeout: float | None = None, extra_headers: Mapping[str, str] | None = None) -> _Sending:
    """Return the options of a call as its fields. Errors as `as_headers` and `seconds`."""
    return {"timeout": seconds(timeout, "timeout"), "headers": as_headers(extra_headers, auth=auth)}


def as_headers(headers: Mapping[str, str] | None, *, auth: bool) -> Mapping[str, str] | None:
    """Return headers that a caller gave.

    Args:
        headers: what the caller gave.
        auth: whether the call carries the login, which is then not the caller's to write.

    Raises:
        InvalidArgumentError: they are not a mapping.
        InvalidRequestError: one is malformed, or is the SDK's own.
    """
    if headers is None:
        return None
    whole: object = headers
    if not isinstance(whole, Mapping):
        raise InvalidArgumentError(f"headers must be a mapping, not {type(whole).__name__}")
    for name, value in whole.items():
        if not _is(name, _NAME) or not _is(value, _VALUE):
            raise InvalidRequestError(f"the header {str(name)[:40]!r} is malformed")
        plain = name.lower().replace("_", "-")  # a WSGI server takes both for the same
        if plain in _OURS or (auth and plain == "authorization"):
            raise InvalidRequestError(f"the header {name} is written by the SDK, and cannot be passed")
    return dict(headers)  # the caller's own may change before the next attempt


def _is(given: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(given, str) and pattern.fullmatch(given) is not None


def product(name: str | None) -> str | None:
    """Return the name of an application as User-Agent has it: `shop/1.2 (+https://shop.test)`.

    Raises:
        InvalidRequestError: no header can carry it.
    """
    if name is not None and (not name.strip() or len(name) > 200 or not _VALUE.fullmatch(name)):  # noqa: PLR2004
        raise InvalidRequestError("app_info must be printable ASCII of at most 200 characters, such as shop/1.2")
    return name
