"""Runs the backend on 127.0.0.1, and reports when it listens."""

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
    from collections.abc import Callable
    from types import FrameType

    from starlette.types import ASGIApp

    from veza_rehearsal.backend import Backend

_MARK: Final = ("X-Veza-Rehearsal", "1")
_IDLE: Final = 75
_LAST_ANSWERS: Final = 1.0


class Connection(H11Protocol):
    """A connection that a response can drop."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the requests access to their transport."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}

    def send_400_response(self, msg: str) -> None:
        """Answer a request that is not HTTP, with the same headers as all others."""
        body = json.dumps({"success": False, "message": msg}).encode()
        head = (
            "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\n"
            f"{_MARK[0]}: {_MARK[1]}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


class Server(uvicorn.Server):
    """A server that reports when it listens and has caught up with what was due.

    Args:
        app: The application.
        backend: The backend behind it.
        ready: Called once, as soon as the server answers requests.
        tied: Whether it ends with its parent, which then handles Ctrl-C in their shared terminal.
    """

    def __init__(self, app: ASGIApp, backend: Backend, ready: Callable[[], None], *, tied: bool = False) -> None:
        super().__init__(_config(app))
        self._backend = backend
        self._ready = ready
        self._tied = tied
        self._outbox: asyncio.Task[None] | None = None
        self._over = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop on a signal, unless the parent handles it."""
        if not (self._tied and sig == signal.SIGINT):
            super().handle_exit(sig, frame)
            self.stop()

    def stop(self) -> None:
        """Stop serving. Callable from any thread, and from a signal handler."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._over.set)

    def catch_up(self) -> None:
        """Do everything that is due, then return. Call this from another thread than the serving one."""
        if self._loop is not None:
            asyncio.run_coroutine_threadsafe(self._backend.outbox.catch_up(), self._loop).result()

    async def main_loop(self) -> None:
        """Wait for the end without delay; uvicorn would poll for it ten times a second."""
        if not self.should_exit:
            await self._over.wait()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, catch up with what is due, and call `ready`."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        await self.on_tick(0)  # sets the headers that every response gets
        await self._backend.outbox.catch_up()
        self._outbox = asyncio.create_task(self._backend.outbox.run())
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop sending webhooks and listening. Responses under way have a second to end."""
        if self._outbox is not None:
            self._outbox.cancel()
        for one in self.servers:
            one.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            await asyncio.wait(list(self.server_state.tasks), timeout=_LAST_ANSWERS)
        await asyncio.sleep(0)


def listen(port: int) -> socket.socket:
    """Bind 127.0.0.1.

    Args:
        port: The port; 0 takes a free one.

    Returns:
        The socket.

    Raises:
        OSError: The port is taken.
    """
    # asyncio turns Nagle's algorithm off only if the protocol is named. With it, each response takes 40 ms.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(("127.0.0.1", port))
    except OSError:
        bound.close()
        raise
    return bound


def serve(app: ASGIApp, backend: Backend, bound: socket.socket, *, until_stdin_closes: bool) -> None:
    """Serve until a signal comes, or standard input ends.

    Args:
        app: The application.
        backend: The backend behind it.
        bound: The socket to listen on.
        until_stdin_closes: Whether the server ends with its standard input, which ends when the parent is killed.
    """

    def announce() -> None:
        settings = backend.settings
        print(json.dumps({"base_url": settings.base_url, "port": settings.port}), flush=True)  # noqa: T201 - the one line that is promised

    server = Server(app, backend, announce, tied=until_stdin_closes)
    if until_stdin_closes:
        threading.Thread(target=_watch_stdin, args=(server,), daemon=True).start()
    with suppress(KeyboardInterrupt):
        server.run([bound])


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
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
    )


def _watch_stdin(server: Server) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    server.stop()
