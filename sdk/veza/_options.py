"""What any call takes beside its own arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypedDict

from veza._call import seconds
from veza.errors import InvalidRequestError

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
        InvalidRequestError: one is malformed, or is the SDK's own.
    """
    for name, value in (headers or {}).items():
        given: object = value
        if not isinstance(given, str) or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise InvalidRequestError(f"the header {name[:40]!r} is malformed")
        if name.lower() in _OURS or (auth and name.lower() == "authorization"):
            raise InvalidRequestError(f"the header {name} is written by the SDK, and cannot be passed")
    return headers


def product(name: str | None) -> str | None:
    """Return the name of an application as User-Agent has it: `shop/1.2 (+https://shop.test)`.

    Raises:
        InvalidRequestError: no header can carry it.
    """
    if name is not None and (not name.strip() or len(name) > 200 or not _VALUE.fullmatch(name)):  # noqa: PLR2004
        raise InvalidRequestError("app_info must be printable ASCII of at most 200 characters, such as shop/1.2")
    return name
