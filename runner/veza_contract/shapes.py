"""The schemas of responses that the SDK understands: the success envelope, and five shapes of errors."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from veza.models import Meta
from veza_contract.bindings import Method, declared
from veza_contract.schema import Schema, closed

BARE: Final = frozenset({"getHealth"})
"""The operations whose response was seen without the envelope."""

_TEXT: Final[Schema] = {"type": "string"}
_FAILED: Final[Schema] = {"const": False}


_ERROR_NAMES: Final = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    409: "ConflictError",
    422: "UnprocessableEntityError",
    423: "LockedError",
    429: "RateLimitError",
}


def error_name(status: int) -> str | None:
    """Return the error class that the SDK promises for a status; None if it promises none."""
    return _ERROR_NAMES.get(status) or ("InternalServerError" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else None)


def _object(required: tuple[str, ...], **members: Schema) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": members}


ERRORS: Final[tuple[Schema, ...]] = (
    _object(("success", "error"), success=_FAILED, error=_TEXT),
    _object(
        ("success", "message", "error_code"), success=_FAILED, message=_TEXT, error_code=_TEXT, details=True
    ),
    _object(
        ("error",),
        error=_object(
            ("code", "message"), code=_TEXT, message=_TEXT, details=True, request_id=_TEXT,
            timestamp={"type": "string", "format": "date-time"},
        ),
    ),
    _object(("success", "message"), success=_FAILED, message=_TEXT),
    _object(
        ("error", "message"), error=_TEXT, message=_TEXT,
        retry_after_seconds={"type": "integer", "minimum": 0}, reset_time={"type": "integer"},
    ),
)  # fmt: skip


def success(method: Method) -> Schema:
    """Return the closed schema of the responses that the SDK promises to read for a method."""
    if method.form == "nothing":
        return closed(_object(("success",), success={"const": True}, message=_TEXT))
    model = declared(method.model)
    single = method.form == "one"
    data: Schema = model if single else {"type": ["array", "null"], "items": model}
    needed = ("success", "data") if single else ("success",)
    enveloped = _object(needed, success={"const": True}, data=data, message=_TEXT)
    if method.form == "page":
        enveloped["required"].append("meta")
        enveloped["properties"]["meta"] = declared(Meta)
    return closed({"anyOf": [model, enveloped]} if method.operation in BARE else enveloped)


def failure(method: Method, status: int) -> Schema:
    """Return the closed schema of the error bodies that the SDK promises to read for a method."""
    return closed({"anyOf": [*_also(method, status), *ERRORS]})


def _also(method: Method, status: int) -> tuple[Schema, ...]:
    """Return further schemas: an unhealthy backend answers in a form of its own."""
    return (success(method),) if method.operation in BARE and status == HTTPStatus.SERVICE_UNAVAILABLE else ()
