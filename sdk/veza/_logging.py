"""Logging without secrets: our own lines, and those that httpx writes about our requests."""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from veza._call import Call
    from veza.errors import VezaError

logger: Final = logging.getLogger("veza")
in_flight: Final[ContextVar[bool]] = ContextVar("veza_in_flight", default=False)
_PARTS: Final = ("connection", "http11", "http2", "proxy", "socks")
_TAIL: Final = re.compile(r" (return_value|exception)=.*", re.DOTALL)


class _Redaction(logging.Filter):
    """Takes query strings, header values and quoted exceptions out of the records of requests in flight."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not in_flight.get():
            return True
        if isinstance(record.args, tuple):
            record.args = tuple(str(arg).partition("?")[0] if _is_url(arg) else arg for arg in record.args)
        if isinstance(record.msg, str):
            record.msg = _TAIL.sub("", record.msg)
        return True


def _is_url(value: object) -> bool:
    return type(value).__name__ == "URL" or (isinstance(value, str) and "://" in value)


_redaction: Final = _Redaction()


def guard(family: str) -> None:
    """Add the redaction to the loggers of a family and of its core, only once."""
    core = family.replace("httpx", "httpcore")
    for name in (family, *(f"{core}.{part}" for part in _PARTS)):
        logging.getLogger(name).addFilter(_redaction)


def note_attempt(call: Call, number: int, status: int | None, request_id: str | None, error: VezaError | None) -> None:
    """Log an attempt."""
    if not logger.isEnabledFor(logging.DEBUG):
        return
    extra = _extra(call, number) | {"veza_status_code": status, "veza_request_id": request_id}
    if status is not None:
        logger.debug(
            "%s %s attempt %d: %d, request %s", call.method, call.path, number, status, request_id, extra=extra
        )
    elif error is not None:
        extra["veza_reason"] = error.reason
        logger.debug("%s %s attempt %d: %s", call.method, call.path, number, error.message, extra=extra)


def note_wait(call: Call, number: int, error: VezaError, delay: float) -> None:
    """Log the wait for the next attempt."""
    if logger.isEnabledFor(logging.DEBUG):
        told = {"veza_status_code": error.status_code, "veza_request_id": error.request_id, "veza_delay": delay}
        extra = _extra(call, number) | told
        logger.debug("%s %s waits %.3f s", call.method, call.path, delay, extra=extra)


def _extra(call: Call, number: int) -> dict[str, object]:
    return {
        "veza_operation": call.operation,
        "veza_method": call.method,
        "veza_path": call.path,
        "veza_attempt": number,
    }
