"""What is on the wire: JSON with its numbers kept exact, the success envelope, the five error shapes.

This is the one place that knows how the backend wraps its answers.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self, TypeAlias
from urllib.parse import urlsplit, urlunsplit

from veza._secret import scrub
from veza.errors import InvalidResponseError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from veza._secret import Secret

_MEDIA_TYPE: Final = re.compile(r"[a-z0-9.+_-]{1,40}/[a-z0-9.+_-]{1,60}")
_LONGEST_PLACE: Final = 300
_BOUNDED: Final = frozenset({"gzip", "deflate", "identity"})
_UNBOUNDED: Final = frozenset({"br", "zstd"})

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
"""A JSON value. A number with a point or an exponent is a `JsonNumber`."""


class JsonNumber(float):
    """A JSON number with a point or an exponent, which remembers how it was written."""

    __slots__ = ("text",)

    text: str

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __reduce__(self) -> tuple[type[JsonNumber], tuple[str]]:
        return JsonNumber, (self.text,)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _number(text: str) -> JsonNumber:
    number = JsonNumber(text)
    if math.isinf(number):
        raise ValueError("a number is out of range")
    return number


_decoder = json.JSONDecoder(parse_float=_number, parse_constant=_refuse_constant)


def parse(body: bytes) -> Json:
    """Read a JSON text.

    Raises:
        InvalidResponseError: the body is not one JSON value in UTF-8.
    """
    try:
        value: Json = _decoder.decode(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        pass
    else:
        return value
    what = "is empty" if not body.strip() else "is not JSON"
    raise InvalidResponseError(f"the response {what}")


def media_type(headers: Mapping[str, str], body: bytes) -> str | None:
    """Return the media type of a body that is not JSON; None if it is, or is empty, or has no proper type."""
    told = headers.get("content-type", "").partition(";")[0].strip().lower()
    return told if _MEDIA_TYPE.fullmatch(told) and body.strip() and not is_json(body) else None


def bounded_encodings(asked: str) -> str:
    """Return of an `Accept-Encoding` what grows a thousandfold at most: 32 KB of zstd may hold gigabytes."""
    kept = [one.strip() for one in asked.split(",") if one.partition(";")[0].strip().lower() in _BOUNDED]
    return ", ".join(kept) or "identity"


def unbounded(encoding: str) -> str | None:
    """Return why a body is not decompressed; None if it is, or need not be."""
    if "," in encoding:  # each layer may grow a thousandfold
        return "the response is compressed twice"
    name = encoding.strip().lower()
    return f"the response is compressed by {name}, which was not asked for" if name in _UNBOUNDED else None


def place(location: str | None) -> str | None:
    """Return where a redirect points to, without its query, user and password; None if that cannot be said."""
    try:
        parts = urlsplit(location or "")
        host = parts.netloc.rpartition("@")[2]
        where = urlunsplit((parts.scheme, host, parts.path, "", ""))[:_LONGEST_PLACE]
    except ValueError:
        return None
    return where if where and where.isascii() and where.isprintable() else None


def is_json(body: bytes) -> bool:
    """Whether a body is one JSON value."""
    try:
        parse(body)
    except InvalidResponseError:
        return False
    return True


def unwrap(value: Json) -> Json:
    """Take the data out of the success envelope; an answer without one is its own data.

    The backend leaves empty members out, so an envelope without `data` holds None.
    `GET /health` was bare in 2025.

    Raises:
        InvalidResponseError: the envelope says that the request failed, although the status says it did not.
    """
    if not isinstance(value, dict) or not ("success" in value or value.keys() <= {"data", "message", "meta"}):
        return value
    if value.get("success", True) is not True:
        raise InvalidResponseError("the response has a success status and says that it failed")
    return value.get("data")


@dataclass(frozen=True, slots=True)
class ErrorFacts:
    """What an error body says.

    Attributes:
        message: in words; empty where the body gives none.
        code: the backend's code.
        details: plain JSON values.
        request_id: the request's id, where the body repeats it.
        retry_after: seconds to wait, where the body names them.
    """

    message: str = ""
    code: str | None = None
    details: Json = None
    request_id: str | None = None
    retry_after: float | None = None


_LONGEST_TEXT = 500


def _text(value: Json, secrets: tuple[Secret, ...]) -> str | None:
    return scrub(value, secrets)[:_LONGEST_TEXT] if isinstance(value, str) and value else None


def _clean(value: Json, secrets: tuple[Secret, ...]) -> Json:
    if isinstance(value, str):
        return scrub(value, secrets)
    if isinstance(value, list):
        return [_clean(item, secrets) for item in value]
    if isinstance(value, dict):
        return {scrub(key, secrets): _clean(item, secrets) for key, item in value.items()}
    return value


def read_error(body: bytes, secrets: tuple[Secret, ...] = ()) -> ErrorFacts:
    """Read an error body in any of the five shapes; another body says nothing. Known secrets are masked.

    The shapes: `{success, error: text}`, `{success, message, error_code, details}`,
    `{error: {code, message, details, timestamp, request_id}}`, `{success, message}`, and of a rate limit
    `{error: text, message, retry_after_seconds, reset_time}`.
    """
    try:
        value = parse(body)
    except InvalidResponseError:
        return ErrorFacts()
    if not isinstance(value, dict):
        return ErrorFacts()
    inner = value.get("error")
    source = inner if isinstance(inner, dict) else value
    message = source.get("message") or (inner if isinstance(inner, str) else None)
    return ErrorFacts(
        message=_text(message, secrets) or "",
        code=_text(source.get("code") or source.get("error_code"), secrets),
        details=_clean(source.get("details"), secrets),
        request_id=_text(source.get("request_id") or value.get("request_id"), secrets),
        retry_after=_seconds(value.get("retry_after_seconds")),
    )


_A_YEAR = 366 * 86400


def _seconds(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _A_YEAR:
        return None
    return float(value)


def joined(own: str, client: str) -> str:
    """Return the query of a call with that of its client, from the question mark on; empty where there is none."""
    joined = "&".join(part for part in (own, client) if part)
    return f"?{joined}" if joined else ""
