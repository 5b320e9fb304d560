"""A backend on loopback that answers as it is told to, and a world to record."""

from __future__ import annotations

import base64
import json
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal
from urllib.parse import quote

import httpx

from veza import SystemClock
from veza_e2e.canonical import JSON
from veza_e2e.ports.ids import SystemIds
from veza_e2e.ports.ledger import NoLedger
from veza_e2e.ports.progress import Progress
from veza_e2e.ports.protocols import EndOfInput, LedgerReading, Ports

Reply = Callable[["Handler"], object]


@dataclass
class Backend:
    """A server whose answers are set by path."""

    url: str
    replies: dict[str, Reply] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    """Answers as the backend was told to."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    backend: Backend

    def handle_any(self) -> None:
        length = int(self.headers.get("content-length", 0))
        self.rfile.read(length)
        self.backend.requests.append(self.path)
        self.backend.replies[self.path.partition("?")[0]](self)

    do_GET = do_HEAD = do_POST = handle_any  # noqa: N815 - the names that http.server looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        """Say nothing."""

    def answer(self, body: bytes, headers: Sequence[tuple[str, str]] = (), status: int = 200) -> None:
        """Send a whole answer."""
        self.send_response(status)
        for name, value in (("content-type", "application/json"), *headers):
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self) -> None:
        """Reset the connection."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()


def says(document: object, *headers: tuple[str, str]) -> Reply:
    """Answer with a JSON document."""
    return lambda handler: handler.answer(json.dumps(document).encode(), headers)


def half_a_body(handler: Handler) -> None:
    """Promise more than is sent."""
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"data": {"id": "1"')
    handler.close_connection = True


def says_nothing(handler: Handler) -> None:
    """Wait until the client goes away."""
    handler.connection.recv(1)
    handler.close_connection = True


def broken_gzip(handler: Handler) -> None:
    """Announce gzip, and send something else."""
    handler.answer(b"this is not gzip", [("content-encoding", "gzip")])


def hangs_up(handler: Handler) -> None:
    """Drop the connection before an answer."""
    handler.hang_up()


class Answers:
    """An operator who has a list of answers, and then is gone."""

    by: Literal["operator", "script"] = "operator"

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)

    def pause(self, progress: Progress, sleep: Callable[[float], None]) -> str | None:
        """Wait."""
        sleep(progress.pause)
        return None

    def ask(
        self, question: str, text: str, *, timeout: float | None = None, progress: Progress | None = None
    ) -> str | None:
        """Give the next answer."""
        if not self._answers:
            raise EndOfInput
        return self._answers.pop(0)

    def paste(self, question: str, text: str, peek: Callable[[], str] | None = None) -> str:
        """Give the next answer."""
        return self.ask(question, text) or ""

    def tell(self, text: str) -> None:
        """Listen."""


class Opens:
    """A browser that is always there."""

    by: Literal["operator", "script"] = "operator"

    def open(self, url: str) -> bool:
        """Open it."""
        return True


class Books(NoLedger):
    """A ledger with one row."""

    def rows(self, sql: str, order_id: str) -> LedgerReading:
        """Return the row."""
        row: dict[str, JSON] = {"order_id": order_id, "amount_cents": 450}
        return LedgerReading([row | {"error_message": "asked by someone@example.test"}])


def ports(*answers: str) -> Ports:
    """Return a real network and clock, and a person with these answers."""
    return Ports(httpx.HTTPTransport(), Answers(*answers), Opens(), Books(), SystemClock(), SystemIds("01"))


META: dict[str, Any] = {
    "started": {"environment": "rehearsal"},
    "unattended": False,
    "ledger": "pasted",
    "browser": "operator",
}
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


def written(secret: str) -> list[bytes]:
    """Return the ways in which a file could still hold a secret."""
    forms = [secret.encode(), quote(secret, safe="").encode(), json.dumps(secret)[1:-1].encode()]
    return [*forms, base64.b64encode(secret.encode()).rstrip(b"="), secret.encode().hex().encode()]
