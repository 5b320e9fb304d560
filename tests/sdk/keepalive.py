"""A backend on loopback that keeps its connections open, and notes which one each order was asked for on."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kept:
    """What was asked for: `(order id, the caller's port)`, in order."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[tuple[str, int]] = []

    def ports(self, prefix: str) -> set[int]:
        return {port for order, port in self.asked if order.startswith(prefix)}


@contextmanager
def kept_alive(slow: float = 0.0) -> Iterator[Kept]:
    """Serve orders; `slow` is how many seconds each answer takes."""
    kept = Kept()
    never = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            order = self.path.rpartition("/")[2]
            never.wait(slow)
            kept.asked.append((order, self.client_address[1]))
            content = json.dumps({
                "id": order, "buyer_id": "7", "status": "completed", "total_amount_cents": 500, "currency": "EUR",
                "items": [], "created_at": "2026-04-01T10:00:00Z",
            }).encode()  # fmt: skip
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class names it)
            """Keep quiet."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

        def handle_error(self, request: object, client_address: object) -> None:
            """Keep quiet about callers that hang up."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    kept.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
