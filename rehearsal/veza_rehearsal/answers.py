"""What an operation answers, and the four shapes in which the backend's errors were seen."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with a JSON body.

    Attributes:
        status: The HTTP status.
        body: The JSON document.
        headers: Headers of this answer alone.
        committed: Whether an order or a refund was written.
        cookies: The values of its `Set-Cookie` headers.
    """

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    committed: bool = False
    cookies: Sequence[str] = ()

    def encoded(self) -> bytes:
        """Give the body's bytes; what is not ASCII, lone surrogates too, is escaped."""
        return json.dumps(self.body, separators=(",", ":")).encode()


class RefusedError(Exception):
    """The request is refused; nothing that it began is kept.

    Args:
        answer: What the caller is told.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def envelope(status: int, data: object = None, *, message: str = "", committed: bool = False, **more: object) -> Answer:
    """Answer with success; members that are empty are left out."""
    body: dict[str, object] = {"success": True}
    if data is not None:
        body["data"] = _without_nulls(data)
    if message:
        body["message"] = message
    return Answer(status, body | more, committed=committed)


def error_text(status: int, text: str) -> Answer:
    """Answer as the oldest handlers do: `{success, error}`."""
    return Answer(status, {"success": False, "error": text})


def error_code(
    status: int, code: str, message: str, details: object = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Answer as most handlers do: `{success, message, error_code, details}`."""
    body: dict[str, object] = {"success": False, "message": message, "error_code": code}
    if details:
        body["details"] = details
    return Answer(status, body, headers or {})


def error_object(status: int, code: str, message: str, *, request_id: str, timestamp: str) -> Answer:
    """Answer as the middleware does: `{error: {code, message, timestamp, request_id}}`."""
    error = {"code": code, "message": message, "timestamp": timestamp, "request_id": request_id}
    return Answer(status, {"error": error})


def error_message(status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Answer with the shortest shape: `{success, message}`."""
    return Answer(status, {"success": False, "message": message}, headers or {})


def respond(answer: Answer) -> Response:
    """Turn an answer into a response."""
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
