"""Secrets planted wherever a backend can put them are in no file and on no screen: raw, encoded or packed."""

from __future__ import annotations

import base64
import gzip
import json
import signal
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pexpect
import pytest
from front_door import Shell

PASSWORD = "open sesame & 7 <more> words"
ACCESS = "tok-access-q8Zr51LkPw0vXb7TgYhN"
REFRESH = "tok-refresh-m3Vc92UaQs6eJd4RfKi0"
COOKIE = "sess-5f0c8e21d7ab4493b6e0"
CSRF = "csrf-91ab77c0de4f5120aa"
CLIENT_SECRET = "pay_1_secret_Zk29dLwq83Hs7bT"
CARD = "5555555555554444"
API_KEY = "snd_planted_77ab13cd9f00e2"
DSN_PASSWORD = "dsn-pa55-Gh8"
DSN = f"postgresql://veza:{DSN_PASSWORD}@db.veza.test/veza"
USERINFO = "url-pa55-Jw3"
SECRETS = {
    "password": PASSWORD,
    "access token": ACCESS,
    "refresh token": REFRESH,
    "cookie": COOKIE,
    "CSRF token": CSRF,
    "client secret": CLIENT_SECRET,
    "card number": CARD,
    "API key": API_KEY,
    "DSN password": DSN_PASSWORD,
    "userinfo": USERINFO,
}
SURROGATE = "\ud83d lone"
PRODUCT = {
    "id": "11", "title": "Test beat", "seller_id": "3", "price_cents": 500, "currency": "EUR", "status": "active",
    "license_types": ["standard"],
}  # fmt: skip


def planted() -> dict[str, Any]:
    """Every secret, in every way that a backend may write one down."""
    everything = " ".join(SECRETS.values())
    return {
        "debug": f"Authorization: Bearer {ACCESS}; Cookie: session={COOKIE}; X-CSRF-Token: {CSRF}",
        "dsn": DSN,
        "callback": f"https://user:{USERINFO}@veza.test/?access_token={ACCESS}&password={quote_plus(PASSWORD)}",
        "nested": [{"deep": {"client_secret": CLIENT_SECRET, "card_number": CARD, "password": PASSWORD}}],
        "message": f"the password {PASSWORD} and the card {CARD} were refused",
        "encoded": base64.b64encode(everything.encode()).decode(),
        "packed": base64.b64encode(gzip.compress(everything.encode())).decode(),
        "json": json.dumps({"refresh_token": REFRESH, "api_key": API_KEY}),
        "form": f"password={quote(PASSWORD)}&refresh_token={REFRESH}",
        "surrogate": SURROGATE,
    }


def order() -> dict[str, Any]:
    return {
        "id": "41", "buyer_id": "7", "status": "pending_payment", "total_amount_cents": 500, "tax_amount_cents": 0,
        "currency": "EUR", "payment_id": "pay_1", "items": [{"product_id": "11", "price_cents": 500}],
        "created_at": "2026-04-01T10:00:00Z", "updated_at": "2026-04-01T10:00:00Z", **planted(),
    }  # fmt: skip


class Talkative(BaseHTTPRequestHandler):
    """A backend that tells all it knows."""

    protocol_version = "HTTP/1.1"
    broken = False
    odd: tuple[str, ...] = ()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].removeprefix("/api/v1")
        if path in self.odd:
            words = " ".join(SECRETS.values())
            services = {"hyperswitch": {"status": API_KEY, "mode": CLIENT_SECRET}}
            odd = {"environment": words, "version": words, "services": services, **planted()}
            self.say(500 if path == "/health" else 200, self.wrap(odd))
        elif path == "/health":
            self.say(200, {"status": "healthy", **planted()})
        elif path == "/status":
            services = {"hyperswitch": {"status": "healthy", "mode": "sandbox"}}
            self.say(200, self.wrap({"environment": "sandbox", "services": services, **planted()}), rehearsal=True)
        elif path == "/marketplace/products":
            meta = {"page": 1, "per_page": 100, "total": 1, "total_pages": 1}
            self.say(200, {**self.wrap([{**PRODUCT, **planted()}]), "meta": meta})
        elif path.startswith("/orders/") and not self.broken:
            self.say(200, self.wrap(order()))
        else:
            self.say(500, {"success": False, "error_code": "BROKEN", **planted()})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path.endswith("/auth/login"):
            user = {"id": "7", "username": "operator", "email": "operator@veza.test", "role": "user"}
            tokens = {"access_token": ACCESS, "refresh_token": REFRESH, "token_type": "Bearer", "expires_in": 900}
            self.say(200, self.wrap({**tokens, "user": user, **planted()}))
        else:
            url = f"http://{self.headers['host']}/pay?client_secret={CLIENT_SECRET}"
            self.say(201, self.wrap({"order": order(), "checkout_url": url, **planted()}))

    def wrap(self, data: object) -> dict[str, Any]:
        return {"success": True, "data": data}

    def say(self, status: int, body: object, *, rehearsal: bool = False) -> None:
        packed = gzip.compress(json.dumps(body).encode())
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(packed)))
        self.send_header("Set-Cookie", f"session={COOKIE}; Path=/")
        self.send_header("X-CSRF-Token", CSRF)
        self.send_header("X-Debug", f"Bearer {ACCESS} {API_KEY}")
        # An opaque word under an innocent name can be told from an id only once the login has named it.
        self.send_header("X-Request-ID", f"req-{REFRESH}" if self.headers.get("authorization") else "req-1")
        if rehearsal:
            self.send_header("X-Veza-Rehearsal", "1")
        self.end_headers()
        self.wfile.write(packed)


@contextmanager
def talkative(*, broken: bool, odd: tuple[str, ...] = ()) -> Iterator[str]:
    handler = type("Handler", (Talkative,), {"broken": broken, "odd": odd})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def forms(secret: str) -> set[bytes]:
    raw = secret.encode()
    found = {raw, quote(secret).encode(), quote_plus(secret).encode(), json.dumps(secret)[1:-1].encode()}
    for shift in range(3):  # base64 of the secret, wherever it stands in what was encoded
        whole = base64.b64encode(b"\0" * shift + raw)
        found.add(whole[(0, 4, 4)[shift] : -4])
    return found


def leaks(name: str, data: bytes) -> list[str]:
    """Name every secret in `data`, also in what is packed in it."""
    layers = [data]
    for start in range(len(data) - 2):
        if data[start : start + 2] == b"\x1f\x8b":
            try:
                layers.append(zlib.decompressobj(31).decompress(data[start:]))
            except zlib.error:
                continue
    return [
        f"{kind} in {name}"
        for layer in layers
        for kind, secret in SECRETS.items()
        if any(form in layer for form in forms(secret))
    ]


def everywhere(folder: Path, *screens: str) -> list[str]:
    found = [leak for n, screen in enumerate(screens) for leak in leaks(f"screen {n}", screen.encode())]
    for path in folder.rglob("*"):
        if path.is_file():
            found += leaks(str(path.relative_to(folder)), path.read_bytes())
    return found


ACCOUNT = {
    "OPERATOR_EMAIL": "operator@veza.test",
    "OPERATOR_PASSWORD": PASSWORD,
    "HYPERSWITCH_API_KEY": API_KEY,
    "VEZA_DATABASE_URL": DSN,
}


def test_the_search_finds_what_is_planted() -> None:
    everything = json.dumps(planted()).encode()
    assert {leak.partition(" in ")[0] for leak in leaks("x", everything)} == set(SECRETS)
    for kind, secret in SECRETS.items():
        for data in (
            secret.encode(),
            base64.b64encode(b"x" + secret.encode() + b"yyy"),
            gzip.compress(secret.encode()),
        ):
            assert f"{kind} in x" in leaks("x", data)


@pytest.mark.parametrize("broken", [False, True])
def test_nothing_planted_is_kept_or_shown(shell: Shell, *, broken: bool) -> None:
    with talkative(broken=broken) as base_url:
        shell.configure("local", base_url, reports="sandbox")
        with (shell.folder / "veza-e2e.toml").open("a", encoding="utf-8") as file:
            file.write('[limits]\npoll_timeout = "1s"\n')
        words = ("--env", "local", "--archive", "archive")
        first = shell(*words, "--json", "run", "--unattended", "--refund", env=ACCOUNT)
        assert first.code == 4, first.stderr
        again = shell(*words, "resume", env=ACCOUNT)
        shown = shell(*words, "sessions")
    assert list(shell.folder.rglob("journal.jsonl"))
    (shell.folder / "veza-e2e.toml").unlink()
    assert everywhere(shell.folder, first.stdout, first.stderr, again.stdout, again.stderr, shown.stdout) == []


@pytest.mark.process
def test_nothing_planted_is_shown_on_an_interrupt(shell: Shell) -> None:
    with talkative(broken=False) as base_url:
        shell.configure("local", base_url, reports="sandbox")
        terminal = shell.spawn("--env", "local", "--archive", "archive", "run", env=ACCOUNT)
        terminal.expect("Which one do you buy")
        screen = str(terminal.before)
        terminal.sendline("1")
        terminal.expect("Enter = paid")
        screen += str(terminal.before)
        terminal.kill(signal.SIGINT)
        terminal.expect(pexpect.EOF)
        screen += str(terminal.before)
        terminal.close()
    assert terminal.exitstatus == 130
    assert everywhere(shell.folder, screen) == []


@pytest.mark.parametrize("odd", [("/health",), ("/status",), ("/health", "/status")])
def test_the_gate_quotes_no_secret(shell: Shell, odd: tuple[str, ...]) -> None:
    with talkative(broken=False, odd=odd) as base_url:
        shell.configure("local", base_url, reports="sandbox")
        words = ("--env", "local", "--archive", "archive")
        screens = [
            shell(*words, *more, env=ACCOUNT)
            for more in (("preflight",), ("--json", "preflight"), ("--json", "run"), ("run", "--plan"))
        ]
    (shell.folder / "veza-e2e.toml").unlink()
    assert {done.code for done in screens} == {3}
    assert everywhere(shell.folder, *(done.stdout + done.stderr for done in screens)) == []


DEFECT = """
import os
import jinja2
from veza_e2e.cli.app import main
def broken(self, *arguments, **members):
    raise RuntimeError(os.environ["PLANTED"])
jinja2.Template.render = broken
raise SystemExit(main())
"""


@pytest.mark.process
def test_nothing_planted_is_shown_by_a_defect(shell: Shell) -> None:
    with talkative(broken=False) as base_url:
        shell.configure("local", base_url, reports="sandbox")
        with (shell.folder / "veza-e2e.toml").open("a", encoding="utf-8") as file:
            file.write('[limits]\npoll_timeout = "1s"\n')
        words = ("--env", "local", "--archive", "archive", "run", "--unattended", "--refund")
        planted_too = {**ACCOUNT, "PLANTED": " ".join(SECRETS.values())}
        done = subprocess.run(
            [sys.executable, "-c", DEFECT, *words], cwd=shell.folder, env=shell.environment(planted_too),
            capture_output=True, encoding="utf-8", check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert "a defect: RuntimeError at <string>" in done.stderr
    assert "in broken" in done.stderr
    assert everywhere(shell.folder, done.stdout, done.stderr) == []
