"""A small server that answers as the public backend of July 2025 does: login, refresh, logout, me, health, limits.

Written from what its sources and its answers were seen to be (okinrev/veza-full-stack); nothing of the SDK or the
rehearsal backend is in it. Where it predates commerce, it answers with the empty pages that its own pagination makes.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    Answer: TypeAlias = tuple[int, Any, dict[str, str]]

USER = {"id": 7, "username": "operator", "email": "operator@veza.test", "role": "user"}
PROFILE = USER | {
    "first_name": {"String": "", "Valid": False},
    "avatar": {"String": "", "Valid": False},
    "last_login_at": {"Time": "0001-01-01T00:00:00Z", "Valid": False},
    "is_active": False,
}
ACCESS, REFRESH = "access-of-2025", "refresh-of-2025"
LOGIN = {"access_token": ACCESS, "refresh_token": REFRESH, "expires_in": 3600, "user": USER}
HEALTH = {"status": "ok", "timestamp": "2025-07-20T10:00:00.123456789Z", "version": "1"}
SERVICES = {"database": "healthy", "redis": "ok", "hyperswitch": "operational"}
EMPTY = {"success": True, "data": None, "meta": {"page": 1, "per_page": 20}}
UNAUTHORIZED = {"error": {"code": "AUTH_TOKEN_INVALID", "message": "Invalid token", "request_id": "r-1"}}
PUBLIC: dict[str, Any] = {
    "GET /health": HEALTH,
    "GET /api/v1/health": HEALTH,
    "GET /api/v1/status": {"success": True, "data": {"environment": "development", "services": SERVICES}},
    "GET /api/v1/marketplace/products": EMPTY,
    "POST /api/v1/auth/logout": {"success": True, "message": "Logged out"},
}
PROTECTED: dict[str, Any] = {
    "GET /api/v1/auth/me": {"success": True, "data": PROFILE},
    "GET /api/v1/orders": EMPTY,
    "GET /api/v1/licenses/mine": {"success": True},
}


@dataclass
class Of2025:
    """What the server knows, and what a test may change.

    Attributes:
        password: the account's password.
        limited: how many requests are answered by 429 before the next is let through.
        headers: whether a 429 has its headers: production's limiter sends them, development's does not.
        health: whether health is under the path of the contract; it was at `/health` in 2025.
        asked: method, path and body of each request.
    """

    password: str = "correct horse battery staple"
    limited: int = 0
    headers: bool = True
    health: bool = True
    asked: list[tuple[str, str, Any]] = field(default_factory=list)

    def answer(self, method: str, path: str, token: str, body: Any) -> Answer:
        if self.limited:
            self.limited -= 1
            limit = {"error": "Rate limit exceeded", "message": "IP limit", "retry_after_seconds": 0, "reset_time": 1}
            return 429, limit, {"Retry-After": "0", "X-RateLimit-Remaining": "0"} if self.headers else {}
        route = f"{method} {path.partition('?')[0]}"
        if route in PROTECTED:
            return (200, PROTECTED[route], {}) if token == f"Bearer {ACCESS}" else (401, UNAUTHORIZED, {})
        if route in PUBLIC and (self.health or route != "GET /api/v1/health"):
            return 200, PUBLIC[route], {}
        if route == "POST /api/v1/auth/login":
            return self._allowed(body["password"] == self.password, LOGIN, "Invalid credentials")
        if route == "POST /api/v1/auth/refresh":
            renewed = {"access_token": ACCESS, "expires_in": 3600}
            return self._allowed(body["refresh_token"] == REFRESH, renewed, "Invalid refresh token")
        return 404, "404 page not found", {}

    def _allowed(self, right: bool, data: Any, otherwise: str) -> Answer:
        return (
            (200, {"success": True, "data": data}, {}) if right else (401, {"success": False, "error": otherwise}, {})
        )


@contextmanager
def serving(backend: Of2025) -> Iterator[str]:
    """Serve it on loopback; give its base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(raw) if raw else None
            backend.asked.append((self.command, self.path, body))
            status, said, more = backend.answer(self.command, self.path, self.headers.get("Authorization", ""), body)
            plain = isinstance(said, str)
            content = said.encode() if plain else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if plain else "application/json; charset=utf-8")
            for name, value in {**more, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer  # noqa: N815  (the server's own names)

        def log_message(
            self,
            format: str,  # noqa: A002  (the server's own name)
            *args: object,
        ) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
