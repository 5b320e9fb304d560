"""Why a request got no answer: what a transport's exception says, in words of our own.

The text of a foreign exception is never used, since it may quote a header. What it is, and what it came from, is.
"""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

_UNREACHABLE: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_SENDS: Final = frozenset({"handle_request", "handle_async_request"})
_CALLS_HOOKS: Final = "_send_handling_redirects"
_SENDS_ONE: Final = "_send_single_request"


def connecting(error: BaseException) -> tuple[str, str]:
    """Return why a connection could not be made: the reason, and words in which `{at}` is host and port."""
    for cause in _causes(error):
        name = type(cause).__name__
        if name == "SSLCertVerificationError" or "CERTIFICATE_VERIFY_FAILED" in str(cause):
            return "certificate", "the certificate of {at} was refused"
        if name.startswith("SSL"):
            return "tls", "TLS with {at} failed; is it an https address?"
        if isinstance(cause, socket.gaierror):
            return "dns", "no connection: the name of {at} cannot be resolved"
        if isinstance(cause, ConnectionRefusedError):
            return "refused", "no connection: {at} refused it"
        if isinstance(cause, OSError) and cause.errno in _UNREACHABLE:
            return "unreachable", "no connection: {at} cannot be reached"
    return "connect", "no connection to {at}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Go through an exception and all that it came from."""
    waiting, seen = [error], set()  # a transport of the caller's may raise an error from itself
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [cause for cause in (one.__cause__, one.__context__) if cause is not None]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions


def address(url: Any) -> tuple[str, int | None]:
    """Return the host and the port of a family's URL."""
    return url.host, url.port or _DEFAULT_PORTS.get(url.scheme)


def proxy_of(http: Any, url: Any) -> tuple[str, int | None] | None:
    """Return the host and the port of the proxy that a client takes to a URL; None if there is none, or no telling.

    Neither family has a public way to ask.
    """
    find = getattr(http, "_transport_for_url", None)
    proxy = getattr(getattr(find(url) if find else None, "_pool", None), "_proxy_url", None)
    return None if proxy is None else (proxy.host.decode("ascii", "replace"), proxy.port)


def of_transport(error: BaseException, family: ModuleType) -> bool:
    """Whether an exception of `client.send` came from the transport or the family, and not from a caller's own code.

    That is an event hook, or a subclass that sends in its own way: what they raise is not translated.
    """
    frames = list(_frames(error))
    while frames and frames[0][0].startswith("veza."):
        frames.pop(0)
    inner = [module.partition(".")[0] == family.__name__ for module, _ in frames]
    if _hooked([function for _, function in frames], inner):
        return False
    if any(function in _SENDS or module.startswith(f"{family.__name__}._transports") for module, function in frames):
        return True
    return bool(inner) and inner[0]


def _hooked(functions: list[str], inner: list[bool]) -> bool:
    """Whether an event hook raised, be it in a transport: on its own way to another server.

    What wraps the sending of a request, as tracers do, stands at the same place; the family sends below it.
    """
    if _CALLS_HOOKS not in functions:
        return False
    after = functions.index(_CALLS_HOOKS)
    while functions[after : after + 1] == [_CALLS_HOOKS]:  # more than once, where it raises again what was raised
        after += 1
    below = [function for function, own in zip(functions[after:], inner[after:], strict=True) if own]
    return not all(inner[after : after + 1]) and below[:1] != [_SENDS_ONE]


def _frames(error: BaseException) -> Iterator[tuple[str, str]]:
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame.f_globals.get("__name__", ""), trace.tb_frame.f_code.co_name
        trace = trace.tb_next
