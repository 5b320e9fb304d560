"""Logging without secrets: our own lines, and those that httpx writes about our requests."""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar
from typing import Final

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
