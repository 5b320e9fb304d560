"""httpx or httpx2: the family of the client in hand, and the translation of its exceptions."""

from __future__ import annotations

import ssl
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from veza.errors import APIConnectionError, APITimeoutError, InvalidResponseError

if TYPE_CHECKING:
    from types import ModuleType

    from veza.errors import VezaError

FOREIGN: Final = (OSError, RuntimeError, ValueError, EOFError)
"""What escapes a transport beside its family's own errors: sockets, TLS, closed loops, bad text."""


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

    __slots__ = ("Headers", "Request", "Timeout", "URL", "_module", "errors", "name")

    def __init__(self, module: ModuleType) -> None:
        self._module: Any = module
        self.name = module.__name__
        self.Request: Any = module.Request
        self.URL: Any = module.URL
        self.Headers: Any = module.Headers
        self.Timeout: Any = module.Timeout
        self.errors: tuple[type[Exception], ...] = (
            module.HTTPError,
            module.InvalidURL,
            module.StreamError,
            module.CookieConflict,
            *FOREIGN,
        )

    def failure(self, error: BaseException) -> Failure:
        """Say what an exception means for the call. Its text is not used: it may quote a header."""
        family = self._module
        if isinstance(error, family.DecodingError):
            return Failure(InvalidResponseError, "the response cannot be decompressed", sent=True)
        if isinstance(error, family.ConnectTimeout | family.PoolTimeout):
            return Failure(APITimeoutError, f"no connection in time ({type(error).__name__})", sent=False)
        if isinstance(error, family.TimeoutException | TimeoutError):
            return Failure(APITimeoutError, f"no answer in time ({type(error).__name__})", sent=True)
        if isinstance(error, family.ConnectError | family.ProxyError):
            hopeless = _is_certificate(error)
            what = "the certificate was refused" if hopeless else "no connection"
            return Failure(APIConnectionError, f"{what} ({type(error).__name__})", sent=False, hopeless=hopeless)
        if isinstance(error, family.UnsupportedProtocol | family.InvalidURL | family.LocalProtocolError):
            return Failure(
                APIConnectionError, f"the request cannot be sent ({type(error).__name__})", sent=False, hopeless=True
            )
        if isinstance(error, family.TransportError | OSError):
            return Failure(APIConnectionError, f"the connection broke ({type(error).__name__})", sent=True)
        return Failure(APIConnectionError, f"the transport failed ({type(error).__name__})", sent=True, hopeless=True)


def _is_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def family_of(client: object) -> Family:
    """Return the family of an injected client; httpx where there is none.

    Raises:
        TypeError: the client is of neither family.
    """
    if client is None:
        import httpx  # noqa: PLC0415  (`import veza` alone loads nothing)

        return Family(httpx)
    for kind in type(client).__mro__:
        root = kind.__module__.partition(".")[0]
        if root in {"httpx", "httpx2"}:
            return Family(sys.modules[root])
    raise TypeError(f"http_client must be a client of httpx or httpx2, not {type(client).__name__}")
