"""What an operation answers, and the five shapes in which the backend's errors were seen."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Answer:
    """A response with a JSON body.

    Attributes:
        status: The HTTP status.
        body: The JSON document.
        headers: Headers of this response only.
        committed: Whether the request wrote an order or a refund.
        due: Whether something follows from the request in time.
        cookies: The values of its `Set-Cookie` headers.
    """

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    committed: bool = False
    due: bool = False
    cookies: Sequence[str] = ()

    def encoded(self) -> bytes:
        """Return the body's bytes. Characters outside ASCII are escaped, lone surrogates too."""
        return json.dumps(self.body, separators=(",", ":")).encode()


class RefusedError(Exception):
    """The request is refused; its changes are rolled back.

    Args:
        answer: The response.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def envelope(status: int, data: object = None, *, message: str = "", committed: bool = False, **more: object) -> Answer:
    """Return a success. Empty members are left out."""
    body: dict[str, object] = {"success": True}
    if data is not None:
        body["data"] = _without_nulls(data)
    if message:
        body["message"] = message
    return Answer(status, body | more, committed=committed)


def error_text(status: int, text: str) -> Answer:
    """Return an error as the oldest handlers do: `{success, error}`."""
    return Answer(status, {"success": False, "error": text})


def error_code(
    status: int, code: str, message: str, details: object = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Return an error as most handlers do: `{success, message, error_code, details}`."""
    body: dict[str, object] = {"success": False, "message": message, "error_code": code}
    if details:
        body["details"] = details
    return Answer(status, body, headers or {})


def error_object(status: int, code: str, message: str, *, request_id: str, timestamp: str) -> Answer:
    """Return an error as the middleware does: `{error: {code, message, timestamp, request_id}}`."""
    error = {"code": code, "message": message, "timestamp": timestamp, "request_id": request_id}
    return Answer(status, {"error": error})


def error_message(status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an error in the shortest shape: `{success, message}`."""
    return Answer(status, {"success": False, "message": message}, headers or {})


def error_limit(message: str, seconds: int, reset: int, headers: Mapping[str, str]) -> Answer:
    """Answer as the limiter of 2025 does: `{error, message, retry_after_seconds, reset_time}`, status 429."""
    body = {
        "error": "Rate limit exceeded",
        "message": message,
        "retry_after_seconds": seconds,
        "reset_time": reset,
    }
    return Answer(429, body, headers)


def respond(answer: Answer) -> Response:
    """Turn an answer into Starlette's response."""
    response = Response(answer.encoded(), answer.status, dict(answer.headers), media_type="application/json")
    for cookie in answer.cookies:
        response.headers.append("Set-Cookie", cookie)
    return response


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_nulls(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_without_nulls(member) for member in value]
    return value
