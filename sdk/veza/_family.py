"""httpx or httpx2: the family of the client in hand, and the translation of its exceptions."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from veza.errors import APIConnectionError, APITimeoutError, InvalidResponseError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from veza.errors import VezaError

FOREIGN: Final = (OSError, RuntimeError, ValueError, EOFError)
"""Exceptions of a transport that are not its family's own: sockets, TLS, closed loops, bad text."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt without a usable answer.

    Attributes:
        error: the error's class.
        message: what happened, without anything that was sent.
        sent: whether bytes of the request may have reached the backend.
        hopeless: whether another attempt would fail alike.
    """

    error: type[VezaError]
    message: str
    sent: bool
    hopeless: bool = False


class Family:
    """The module that a client comes from, with what the SDK needs of it."""

    __slots__ = ("Auth", "ByteStream", "Headers", "Request", "Timeout", "URL", "_meanings", "errors", "name")

    def __init__(self, module: ModuleType) -> None:
        self.name = module.__name__
        self.Auth: Any = module.Auth
        self.ByteStream: Any = module.ByteStream
        self.Request: Any = module.Request
        self.URL: Any = module.URL
        self.Headers: Any = module.Headers
        self.Timeout: Any = module.Timeout
        self._meanings = _meanings(module)
        self.errors: tuple[type[Exception], ...] = (
            module.HTTPError,
            module.InvalidURL,
            module.StreamError,
            module.CookieConflict,
            *FOREIGN,
        )

    def failure(self, error: BaseException) -> Failure:
        """Return what an exception means for the call. Its text is not used, since it may quote a header."""
        unknown = Failure(APIConnectionError, "the transport failed", sent=True, hopeless=True)
        outcome = next((meant for kinds, meant in self._meanings if isinstance(error, kinds)), unknown)
        if not outcome.sent and _is_certificate(error):
            outcome = Failure(APIConnectionError, "the certificate was refused", sent=False, hopeless=True)
        return replace(outcome, message=f"{outcome.message} ({type(error).__name__})")


def _meanings(family: Any) -> tuple[tuple[tuple[type[Exception], ...], Failure], ...]:
    """Return what each kind of exception means; the first that fits counts."""
    broken, timed_out = APIConnectionError, APITimeoutError
    unsendable = (family.UnsupportedProtocol, family.InvalidURL, family.LocalProtocolError)
    return (
        ((family.DecodingError,), Failure(InvalidResponseError, "the response cannot be decompressed", sent=True)),
        ((family.ConnectTimeout, family.PoolTimeout), Failure(timed_out, "no connection in time", sent=False)),
        ((family.TimeoutException, TimeoutError), Failure(timed_out, "no answer in time", sent=True)),
        ((family.ConnectError, family.ProxyError), Failure(broken, "no connection", sent=False)),
        (unsendable, Failure(broken, "the request cannot be sent", sent=False, hopeless=True)),
        ((family.TransportError, OSError), Failure(broken, "the connection broke", sent=True)),
    )


def _is_certificate(error: BaseException | None) -> bool:
    seen: list[BaseException] = []  # a transport of the caller's may raise an error from itself
    while error is not None and error not in seen:
        seen.append(error)
        if type(error).__name__ == "SSLCertVerificationError" or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def family_of(client: object) -> Family:
    """Return the family of a client.

    Raises:
        TypeError: the client is of neither family.
    """
    name = _family_name(client)
    if name is None:
        raise TypeError(f"http_client must be a client of httpx or httpx2, not {type(client).__name__}")
    return Family(sys.modules[name])


def _family_name(client: object) -> str | None:
    roots = (kind.__module__.partition(".")[0] for kind in type(client).__mro__)
    return next((root for root in roots if root in {"httpx", "httpx2"}), None)


def maker(http_client: Any, kind: str, timeout: float) -> Callable[[], Any] | None:
    """Return what makes the clients to send with: httpx's, or a caller's function; None for a caller's client."""
    if http_client is not None:
        return http_client if callable(http_client) and _family_name(http_client) is None else None
    import httpx  # noqa: PLC0415  (`import veza` alone loads nothing)

    tls = httpx.create_ssl_context()  # once: reading the certificates is what takes time
    return partial(getattr(httpx, kind), timeout=timeout, verify=tls)
