"""The network with a limit for each whole call, so that an answer of one byte every two seconds ends too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from socket import SHUT_RDWR, socket
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from threading import Timer
from typing import Any

import httpx

Deferred = Callable[[Callable[[], object]], AbstractContextManager[None]]
"""`Interrupts.deferred`."""
WHOLE_CALL = 30.0
"""Seconds that one call may take, from its first byte to the last byte of its answer."""
CONNECTING = 10.0
"""Seconds that connecting to one address may take: nothing can end it before."""


def trusted(scheme: str) -> SSLContext | bool:
    """Return whom TLS trusts on a connection of this scheme, for httpx's `verify`.

    http needs no certificates, and loading them takes longer than a request. Without them no server is trusted.
    """
    return True if scheme == "https" else SSLContext(PROTOCOL_TLS_CLIENT)


class LimitedTransport(httpx.BaseTransport):
    """httpx's transport, whose connection is shut down when a call has taken too long.

    httpx limits each read, not their sum. While a write is under way signals are deferred, so its end must be bounded.

    Args:
        deferred: defers signals. An exception raised in the midst of httpx can leave a lock held for ever, or become
            another error on its way; so a signal shuts the connections down, and is raised when httpx has returned.
        seconds: how long one call may take.
    """

    def __init__(self, deferred: Deferred, seconds: float = WHOLE_CALL) -> None:
        self._seconds = seconds
        self._deferred = deferred
        self._inner: dict[str, httpx.HTTPTransport] = {}
        self._streams: dict[int, Any] = {}
        self._ended = False
        self._limit = _Limit(seconds, self._shut)

    def close(self) -> None:
        """Close all connections."""
        with self._deferred(self._shut):
            for inner in self._inner.values():
                inner.close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request`; reading the answer is limited too.

        Raises:
            httpx.ReadTimeout: the call took too long; whether it was carried out is not known.
            httpx.TransportError: as httpx's.
        """
        self._ended = False
        with self._deferred(self._shut):
            self._limit.over()  # of a call whose end a signal took away
            timeouts = dict(request.extensions.get("timeout", {}))
            timeouts["connect"] = min(timeouts.get("connect") or CONNECTING, CONNECTING)
            request.extensions = {**request.extensions, "trace": self._opened, "timeout": timeouts}
            limit = self._limit = _Limit(self._seconds, self._shut)
            limit.begin()
            try:
                response = self._of(request.url.scheme).handle_request(request)
            except BaseException as error:
                limit.over()
                limit.refuse(error)
                raise
            assert isinstance(response.stream, httpx.SyncByteStream)
            return httpx.Response(
                response.status_code,
                headers=response.headers,
                stream=_LimitedStream(response.stream, limit, partial(self._deferred, self._shut)),
                extensions=response.extensions,
            )

    def _of(self, scheme: str) -> httpx.HTTPTransport:
        if scheme not in self._inner:
            self._inner[scheme] = httpx.HTTPTransport(verify=trusted(scheme))
        return self._inner[scheme]

    def _opened(self, event: str, told: dict[str, Any]) -> None:
        """Remember the sockets that were opened; httpcore calls this for each step of a request."""
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            stream = told["return_value"]
            self._streams[id(stream.get_extra_info("socket"))] = stream
            if self._ended:
                self._shut()

    def _shut(self) -> None:
        """End the call: shut down what is connected, and what will be."""
        self._ended = True
        for stream in list(self._streams.values()):
            try:
                # The plain socket's own method: that of TLS would take the session from the thread that reads.
                socket.shutdown(stream.get_extra_info("socket"), SHUT_RDWR)
            except OSError:
                continue  # closed already


class _Limit:
    def __init__(self, seconds: float, shut: Callable[[], None]) -> None:
        self._seconds = seconds
        self._shut = shut
        self._expired = False
        self._timer = Timer(seconds, self._expire)
        self._timer.daemon = True

    def begin(self) -> None:
        self._timer.start()

    def over(self) -> None:
        self._timer.cancel()

    def refuse(self, error: BaseException) -> None:
        """Raise what an error means that the end of the connection caused."""
        if self._expired and isinstance(error, httpx.TransportError):
            raise httpx.ReadTimeout(f"the whole answer did not come within {self._seconds:g} s") from error

    def _expire(self) -> None:
        self._expired = True
        self._shut()


class _LimitedStream(httpx.SyncByteStream):
    def __init__(
        self, inner: httpx.SyncByteStream, limit: _Limit, deferred: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._inner = inner
        self._limit = limit
        self._deferred = deferred

    def __iter__(self) -> Iterator[bytes]:
        chunks = iter(self._inner)
        while True:
            with self._deferred():
                try:
                    chunk = next(chunks, None)
                except httpx.TransportError as error:
                    self._limit.refuse(error)
                    raise
            if chunk is None:
                return
            yield chunk

    def close(self) -> None:
        with self._deferred():
            self._limit.over()
            self._inner.close()
