"""A proxy on loopback that changes a backend's answers on their way, and stands for its origin."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from surroundings import PATIENCE

_HOP = {"content-length", "transfer-encoding", "connection", "content-encoding", "host", "accept-encoding"}


@dataclass
class Answer:
    """An answer that may still be changed."""

    method: str
    path: str
    """Without its query."""
    status: int
    body: Any
    """Parsed JSON; None if it is something else."""
    cookies: list[str] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def order(self) -> dict[str, Any] | None:
        """The order in the answer, whichever operation gave it."""
        data = self.body.get("data") if isinstance(self.body, dict) else None
        if not isinstance(data, dict):
            return None
        order = data.get("order", data)
        return order if "total_amount_cents" in order else None


@contextmanager
def meddling(
    base_url: str,
    change: Callable[[Answer], object],
    *,
    out: Callable[[str], str] = str,
    back: Callable[[str], str] = str,
) -> Iterator[str]:
    """Forward requests to `base_url`; give the proxy's own base URL.

    Args:
        base_url: the backend's.
        change: is given each answer.
        out: changes the text of what the backend says, before that.
        back: changes the text of what it is asked.
    """
    client = httpx.Client(base_url=base_url, trust_env=False, timeout=PATIENCE)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

        def forward(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = [(name, value) for name, value in self.headers.items() if name.lower() not in _HOP]
            given = client.request(
                self.command, back(self.path), content=back(content.decode()).encode(), headers=headers
            )
            text = out(given.text)
            try:
                body = json.loads(text)
            except ValueError:
                body = None
            answer = Answer(self.command, self.path.partition("?")[0], given.status_code, body)
            change(answer)
            here = f"http://{self.headers['Host']}"
            sent = (text if body is None else json.dumps(answer.body)).replace(base_url, here).encode()
            passed = [one for one in given.headers.multi_items() if one[0].lower() not in _HOP]
            self.send_response(answer.status)
            for name, value in [
                *((name, out(value).replace(base_url, here)) for name, value in passed),
                *(("Set-Cookie", cookie) for cookie in answer.cookies),
                *answer.headers,
                ("Content-Length", str(len(sent))),
            ]:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = forward  # noqa: N815 - the base class's names

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, client:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
