"""Makes vcrpy strict: plays interactions strictly in order, where vcrpy's own cassette would search for a match.

vcrpy does not patch httpx here. Its stub sits in a transport, so a client with another transport cannot bypass it.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from vcr.request import Request  # type: ignore[import-untyped]
from vcr.stubs.httpx_stubs import vcr_handle_request  # type: ignore[import-untyped]

from veza_e2e.canonical import JSON
from veza_e2e.cassettes.interaction import ERRORS, Clean, content, header_bytes
from veza_e2e.ports.interrupts import Interrupted
from veza_e2e.ports.wire import LeakError, read_body

# vcrpy logs the URLs of requests unredacted, with their queries.
logging.getLogger("vcr").setLevel(logging.CRITICAL)

Keep = Callable[[Mapping[str, JSON]], None]
Play = Callable[[Mapping[str, JSON]], Mapping[str, Any]]


class StrictCassette:
    """The cassette that vcrpy's stub is given: stores each interaction as it ends, or plays them strictly in order.

    Args:
        clean: redacts requests and responses.
        keep: stores an interaction while recording.
        play: while replaying, compares a request with the next recorded one and returns the interaction.

    Attributes:
        unstored: how many requests were sent whose interaction is not stored (yet).
    """

    write_protected = False

    def __init__(self, clean: Clean, *, keep: Keep | None = None, play: Play | None = None) -> None:
        self.unstored = 0
        self._clean = clean
        self._keep = keep
        self._play = play
        self._lock = threading.RLock()

    def can_play_response_for(self, request: Request) -> bool:
        """Whether this is a replay, in which nothing is ever sent."""
        return self._play is not None

    def play_response(self, request: Request) -> dict[str, Any]:
        """Return the next response, or raise the recorded failure.

        Raises:
            Mismatch: another request was recorded here.
            httpx.RequestError: as recorded.
        """
        if self._play is None:
            raise RuntimeError("this cassette records")
        with self._lock:
            interaction = self._play(self.cleaned(request))
        error = interaction.get("error")
        if error is not None:
            raise _error(error, request)
        return _played(interaction["response"])

    def append(self, request: Request, response: Mapping[str, Any]) -> None:
        """Store a finished interaction."""
        headers = [(name, header_bytes(value)) for name, values in response["headers"].items() for value in values]
        with self._lock:
            answer = self._clean.response(response["status"]["code"], headers, response["body"]["string"])
            self.keep({"request": self.cleaned(request), "response": answer})

    def failed(self, request: Request, error: BaseException) -> None:
        """Store a request that got no complete response."""
        with self._lock:
            self.keep({"request": self.cleaned(request), "error": self._clean.error(error)})

    def keep(self, interaction: Mapping[str, JSON]) -> None:
        """Store an interaction."""
        if self._keep is None:
            raise RuntimeError("this cassette replays")
        self._keep(interaction)
        self.unstored -= 1

    def cleaned(self, request: Request) -> dict[str, JSON]:
        """Return a request as it is stored."""
        return self._clean.request(request.method, request.uri, request.headers.items(), request.body)

    def sends(self, request: Request) -> None:
        """Count a request that is about to be sent; refuse it if its record would hold a secret.

        Raises:
            LeakError: its record would hold a secret.
        """
        with self._lock:
            found = self._clean.redactor.find(self.cleaned(request))
            if found:
                kinds = ", ".join(sorted({finding.kind for finding in found}))
                raise LeakError(f"{request.method} was not sent: its recording would hold {kinds}")
            self.unstored += 1


class CassetteTransport(httpx.BaseTransport):
    """A transport that records an inner one, or replays a recording.

    Args:
        cassette: stores or plays the interactions.
        inner: the network; None in a replay, which has none.
    """

    def __init__(self, cassette: StrictCassette, inner: httpx.BaseTransport | None = None) -> None:
        self._cassette = cassette
        self._inner = inner
        self._handle = vcr_handle_request(cassette, CassetteTransport.send, httpx)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` and record it, or play its response.

        Raises:
            Mismatch: in a replay, if another request was recorded here.
            LeakError: nothing was sent, because the recording would hold a secret.
            httpx.RequestError: the network failed, now or in the recording.
        """
        response: httpx.Response = self._handle(self, request)
        response.headers = httpx.Headers(response.headers.raw)
        return response

    def close(self) -> None:
        """Close the network."""
        if self._inner is not None:
            self._inner.close()

    def send(self, request: httpx.Request) -> httpx.Response:
        """Send `request`; read and decode its whole response. A failure is recorded."""
        if self._inner is None:
            raise RuntimeError("a replay has no network")
        plain = Request(request.method, str(request.url), request.read(), request.headers)
        self._cassette.sends(plain)
        try:
            response = self._inner.handle_request(request)
            try:
                body = read_body(response)
            finally:
                response.close()
        except (httpx.RequestError, Interrupted) as error:
            self._cassette.failed(plain, error)
            raise
        kept = httpx.Response(
            response.status_code,
            headers=_unencoded(response.headers, request.headers.get("accept-encoding", "")),
            stream=httpx.ByteStream(body),
            request=request,
        )
        kept.headers.encoding = "latin-1"  # vcrpy reads texts, and a header may hold any byte
        return kept


def _unencoded(headers: httpx.Headers, accepted: str) -> list[tuple[bytes, bytes]]:
    """Return the headers of a decoded body. httpx leaves a body alone if it does not know the encoding."""
    decoded = {"gzip", "deflate", "identity", *re.findall(r"[\w-]+", accepted.lower())}
    dropped = {b"content-length", b"transfer-encoding"}
    if set(re.findall(r"[\w-]+", headers.get("content-encoding", "").lower())) <= decoded:
        dropped.add(b"content-encoding")
    return [(name, value) for name, value in headers.raw if name.lower() not in dropped]


def _played(response: Mapping[str, Any]) -> dict[str, Any]:
    headers: dict[str, list[bytes]] = {}
    for name, value in response["headers"]:
        headers.setdefault(name, []).append(header_bytes(value))
    media = headers.get("content-type", [b""])[0].decode("latin-1")
    return {
        "status": {"code": response["status"], "message": ""},
        "headers": headers,
        "body": {"string": content(response["body"], media)},
    }


def _error(error: Mapping[str, str], request: Request) -> BaseException:
    if error["class"] == Interrupted.__name__:
        return Interrupted(error["message"])
    kind = ERRORS.get(error["class"], httpx.TransportError)
    return kind(error["message"], request=httpx.Request(request.method, request.uri))
