"""What `request()` returns, and the check of the path it is given."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from veza._response import ResponseInfo
from veza._wire import Json, parse, unwrap
from veza.errors import InvalidRequestError

_PATH: Final = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")


class RawResponse:
    """An answer that no model describes.

    Attributes:
        json: the parsed body; None where it is empty. A number with a point or an exponent is a float whose `text`
            is what was written.
        content: the body's bytes.
        response_info: status, headers, request id, retries.
    """

    __slots__ = ("content", "json", "response_info")

    def __init__(self, json: Json, content: bytes, response_info: ResponseInfo) -> None:
        self.json: Json = json
        self.content: bytes = content
        self.response_info: ResponseInfo = response_info

    @property
    def data(self) -> Json:
        """The body without its envelope."""
        return unwrap(self.json)

    def __repr__(self) -> str:
        return f"<RawResponse {self.response_info.status_code}, {len(self.content)} bytes>"


def raw_body(body: bytes) -> tuple[Json, bytes]:
    """Return a body's JSON, None where it is empty, and the body.

    Raises:
        InvalidResponseError: it is not JSON.
    """
    return (parse(body) if body else None), body


def safe_path(path: str) -> str:
    """Return a path that stays below the API's base path.

    Raises:
        InvalidRequestError: it does not, or it holds a query, a fragment or what no path may hold.
    """
    given: object = path
    if not isinstance(given, str) or not _PATH.fullmatch(path):
        raise InvalidRequestError("a path starts with / and holds only what a URL's path may hold")
    segments = unquote(unquote(path)).replace("\\", "/").split("/")
    if path.startswith("//") or any(part in {".", ".."} for part in segments):
        raise InvalidRequestError("a path must not leave the API")
    return path
