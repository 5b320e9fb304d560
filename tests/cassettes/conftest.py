"""A backend on loopback that answers as it is told to, and recordings of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from recorded_world import AT, META, Backend, Handler

from veza_e2e.cassettes.record import Recording
from veza_e2e.redaction import Redactor


class Quiet(ThreadingHTTPServer):
    """Does not print that a connection was reset: the test asked for it."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""


@pytest.fixture
def backend() -> Iterator[Backend]:
    """A server on loopback."""
    server = Quiet(("127.0.0.1", 0), Handler)
    there = Backend(f"http://127.0.0.1:{server.server_address[1]}")
    server.RequestHandlerClass = type("Bound", (Handler,), {"backend": there})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield there
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def recorded(backend: Backend, tmp_path: Path) -> Callable[..., Recording]:
    """Start a recording of the backend."""

    def start(redactor: Redactor | None = None, name: str = "session") -> Recording:
        return Recording.start(
            tmp_path / "recordings" / name,
            redactor or Redactor(),
            {**META, "base_url": backend.url},
            at=AT,
            base_url=backend.url,
        )

    return start
