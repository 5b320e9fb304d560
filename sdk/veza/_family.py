"""httpx or httpx2: the family of the client in hand, and the translation of its exceptions."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from veza._reasons import address, connecting, of_transport, proxy_of
from veza.errors import APIConnectionError, APITimeoutError, InvalidRequestError, InvalidResponseError

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
        message: what happened, without anything that was sent; while it is a pattern, `{at}` is host and port.
        reason: why, in a word.
        sent: whether bytes of the request may have reached the backend.
        hopeless: whether another attempt would fail alike.
        host: what could not be reached, or did not answer.
        port: its port.
    """

    error: type[VezaError]
    message: str
    reason: str
    sent: bool
    hopeless: bool = False
    host: str | None = None
    port: int | None = None

    def raised(self) -> VezaError:
        """Return the error."""
        return self.error(self.message, reason=self.reason, host=self.host, port=self.port)


class Family:
    """The module that a client comes from, with what the SDK needs of it."""

    __slots__ = ("Auth", "ByteStream", "Headers", "Request", "Timeout", "URL", "_meanings", "_module", "errors", "name")

    def __init__(self, module: ModuleType) -> None:
        self.name = module.__name__
        self._module = module
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

    def failure(self, error: BaseException, http: Any, url: Any) -> Failure:
        """Return what an exception of a transport means for the call."""
        if isinstance(error, RuntimeError) and http.is_closed:
            return Failure(
                APIConnectionError, "the client is closed (RuntimeError)", "closed", sent=False, hopeless=True
            )
        outcome = next((meant for kinds, meant in self._meanings if isinstance(error, kinds)), _UNKNOWN)
        host, port = address(url)
        if outcome.reason == "connect":
            reason, message = connecting(error)
            proxy = proxy_of(http, url)
            if proxy is not None and reason not in {"certificate", "tls"}:
                reason, message = "proxy", message.replace("{at}", "the proxy {at}")
                host, port = proxy
            outcome = replace(outcome, reason=reason, message=message, hopeless=reason == "certificate")
        named = f"[{host}]" if ":" in host else host
        at = f"{named}:{port}" if port else named
        message = f"{outcome.message.replace('{at}', at)} ({type(error).__name__})"
        return replace(outcome, message=message, host=host, port=port)

    def translates(self, error: BaseException) -> bool:
        """Whether an exception of `send` came from the transport, and not from a hook or a caller's other code."""
        return of_transport(error, self._module)


_UNKNOWN: Final = Failure(APIConnectionError, "the transport to {at} failed", "transport", sent=True, hopeless=True)


def _meanings(family: Any) -> tuple[tuple[tuple[type[Exception], ...], Failure], ...]:
    """Return what each kind of exception means; the first that fits counts."""
    broken, late, unreadable = APIConnectionError, APITimeoutError, InvalidResponseError
    unsendable = (family.UnsupportedProtocol, family.InvalidURL, family.LocalProtocolError)
    timeouts = (family.TimeoutException, TimeoutError)
    return (
        ((family.DecodingError,), Failure(unreadable, "the response cannot be decompressed", "encoding", sent=True)),
        ((family.ConnectTimeout,), Failure(late, "no connection to {at} in time", "connect_timeout", sent=False)),
        ((family.PoolTimeout,), Failure(late, "no connection to {at} was free in time", "pool_timeout", sent=False)),
        ((family.WriteTimeout,), Failure(late, "{at} did not take the request in time", "write_timeout", sent=True)),
        (timeouts, Failure(late, "no answer from {at} in time", "read_timeout", sent=True)),
        ((family.ConnectError, family.ProxyError), Failure(broken, "no connection", "connect", sent=False)),
        (unsendable, Failure(broken, "the request to {at} cannot be sent", "request", sent=False, hopeless=True)),
        ((family.TransportError, OSError), Failure(broken, "the connection to {at} broke", "broken", sent=True)),
    )


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
    """Return what makes the clients to send with: httpx's, or a caller's function; None for a caller's client.

    Raises:
        InvalidRequestError: the environment names a proxy or certificates that httpx cannot use.
    """
    if http_client is not None:
        return http_client if callable(http_client) and _family_name(http_client) is None else None
    import httpx  # noqa: PLC0415  (`import veza` alone loads nothing)

    try:
        tls = httpx.create_ssl_context()  # once: reading the certificates is what takes time
    except OSError as error:
        raise InvalidRequestError("the certificates that SSL_CERT_FILE or SSL_CERT_DIR name cannot be read") from error
    return partial(_made, getattr(httpx, kind), timeout=timeout, verify=tls)


def _made(kind: Callable[..., Any], **options: Any) -> Any:
    try:
        return kind(**options)
    except (ImportError, ValueError) as error:
        message = "httpx takes no such proxy as the environment names (ALL_PROXY, HTTP_PROXY, HTTPS_PROXY)"
        hint = "; for socks5: pip install httpx[socks]" if isinstance(error, ImportError) else ""
        raise InvalidRequestError(f"{message}{hint}") from error
