"""Runs the backend on 127.0.0.1, and says when it listens."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from types import FrameType

    from starlette.types import ASGIApp

    from veza_rehearsal.backend import Backend

_MARK: Final = ("X-Veza-Rehearsal", "1")
_IDLE: Final = 75


class Connection(H11Protocol):
    """A connection that an answer can drop."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let the requests know their transport."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP, marked as everything else is."""
        body = json.dumps({"success": False, "message": msg}).encode()
        head = (
            "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\n"
            f"{_MARK[0]}: {_MARK[1]}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


class Server(uvicorn.Server):
    """A server that announces itself once it listens and has done what was due.

    Args:
        config: uvicorn's configuration.
        backend: The backend that is served.
        tied: Whether it lives as long as its parent; Ctrl-C in their terminal is then the parent's to answer.
    """

    def __init__(self, config: uvicorn.Config, backend: Backend, *, tied: bool) -> None:
        super().__init__(config)
        self._backend = backend
        self._tied = tied
        self._outbox: asyncio.Task[None] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop on a signal, unless it is the parent's."""
        if not (self._tied and sig == signal.SIGINT):
            super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, catch up with what is due, and print where."""
        await super().startup(sockets)
        await self._backend.outbox.catch_up()
        self._outbox = asyncio.create_task(self._backend.outbox.run())
        settings = self._backend.settings
        print(json.dumps({"base_url": settings.base_url, "port": settings.port}), flush=True)  # noqa: T201 - the one line that is promised

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop sending webhooks, then stop."""
        if self._outbox is not None:
            self._outbox.cancel()
        await super().shutdown(sockets)


def listen(port: int) -> socket.socket:
    """Bind 127.0.0.1.

    Args:
        port: The port; 0 takes a free one.

    Returns:
        The socket.

    Raises:
        OSError: The port is taken.
    """
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it, each answer takes 40 ms.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound


def serve(app: ASGIApp, backend: Backend, bound: socket.socket, *, until_stdin_closes: bool) -> None:
    """Serve until a signal comes, or standard input ends.

    Args:
        app: The application.
        backend: The backend behind it.
        bound: The socket to listen on.
        until_stdin_closes: Whether the end of standard input ends the server, as when its parent was killed.
    """
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        headers=[_MARK],
        proxy_headers=False,
        timeout_keep_alive=_IDLE,
        timeout_graceful_shutdown=1,
    )
    server = Server(config, backend, tied=until_stdin_closes)
    if until_stdin_closes:
        threading.Thread(target=_watch_stdin, args=(server,), daemon=True).start()
    with suppress(KeyboardInterrupt):
        server.run([bound])


def _watch_stdin(server: uvicorn.Server) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    server.should_exit = True
