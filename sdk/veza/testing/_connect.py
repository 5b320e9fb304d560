"""Ways to the fake backend: transports of httpx and httpx2 without a socket, and a server on loopback."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from veza.testing._clock import AsyncFakeClock, FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from veza._async.client import AsyncVeza
    from veza._sync.client import Veza
    from veza.testing._backend import FakeBackend

FamilyName: TypeAlias = Literal["httpx", "httpx2"]
BASE_URL: Final = "http://veza.test"
_ERRORS: Final = {
    "connect": "ConnectError",
    "connect_timeout": "ConnectTimeout",
    "write": "WriteError",
    "read": "ReadError",
    "read_timeout": "ReadTimeout",
    "disconnect": "RemoteProtocolError",
}


def transport(backend: FakeBackend, family: FamilyName = "httpx") -> Any:
    """Return a transport to the backend, for a sync or an async client of the family.

    Args:
        backend: what answers.
        family: `httpx` or `httpx2`.
    """
    module: Any = import_module(family)

    def handle(request: Any) -> Any:
        reply = backend.receive(request.method, str(request.url), request.headers, request.read())
        if reply.breaks is not None:
            raise getattr(module, _ERRORS[reply.breaks])(f"scripted: {reply.breaks}", request=request)
        return module.Response(reply.status, headers=_headers(reply.headers), content=reply.content())

    return module.MockTransport(handle)


def connect(backend: FakeBackend, family: FamilyName = "httpx", **options: Any) -> Veza:
    """Return a client of the backend, with the fake account's credentials and the backend's clock: no wait takes time.

    Args:
        backend: what answers.
        family: `httpx` or `httpx2`.
        options: as for `Veza`; other credentials or another `clock` among them.
    """
    from veza._sync.client import Veza  # noqa: PLC0415  (an asynchronous test never loads it)

    return Veza(BASE_URL, **_connected("Client", FakeClock, backend, family, options))


def connect_async(backend: FakeBackend, family: FamilyName = "httpx", **options: Any) -> AsyncVeza:
    """As `connect`, for `AsyncVeza`."""
    from veza._async.client import AsyncVeza  # noqa: PLC0415  (a synchronous test never loads it)

    return AsyncVeza(BASE_URL, **_connected("AsyncClient", AsyncFakeClock, backend, family, options))


def _connected(
    name: str,
    clock: type[FakeClock | AsyncFakeClock],
    backend: FakeBackend,
    family: FamilyName,
    options: dict[str, Any],
) -> dict[str, Any]:
    http = getattr(import_module(family), name)(transport=transport(backend, family))
    own = {"email", "password", "access_token", "refresh_token", "token_provider"} & options.keys()
    credentials = {} if own else {"email": backend.email, "password": backend.password}
    return {"http_client": http, "clock": clock.beside(backend.clock)} | credentials | options


def _headers(headers: Any) -> dict[str, str]:
    return {"Content-Type": "application/json", **headers}


@contextmanager
def serve(backend: FakeBackend) -> Iterator[str]:
    """Serve the backend on a free port of loopback for as long as the context lasts. Yields the base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(backend))
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(backend: FakeBackend) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Hands each request to the backend."""

        def handle_one_request(self) -> None:
            self.close_connection = True
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply = backend.receive(self.command, self.path, dict(self.headers.items()), body)
            if reply.breaks is not None:
                return
            content = reply.content()
            self.send_response(reply.status)
            for name, value in (_headers(reply.headers) | {"Content-Length": str(len(content))}).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class names it)
            """Keep quiet."""

    return Handler
