"""contract test on a backend that proves nothing, or means no good: it says so, ends in time, and harms nobody."""

from __future__ import annotations

import http.server
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from surroundings import PATIENCE, environment

from veza_contract import live
from veza_e2e.redaction import Redactor

from .conftest import Done

pytestmark = [pytest.mark.process, pytest.mark.timeout(900)]
Command = Callable[..., Done]
QUICK = ("--examples", "1")
STATUS = {"success": True, "data": {"environment": "staging", "services": {}}}
UNAUTHORIZED = json.dumps({"success": False, "error": "expired"}).encode()


@dataclass
class Hostile:
    """A backend that gives one answer to everything but /status; what it was asked for is in `asked`."""

    code: int = 200
    body: bytes = b"{}"
    media: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    status: dict[str, Any] = field(default_factory=lambda: STATUS)
    drips: bool = False
    names_requests: bool = True
    asked: list[tuple[str, str]] = field(default_factory=list)
    several: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        self.asked.append((handler.command, handler.path))
        if len(self.asked) > 20:
            self.several.set()
        handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        is_status = handler.path.endswith("/api/v1/status")
        body = json.dumps(self.status).encode() if is_status else self.body
        handler.send_response(200 if is_status else self.code)
        handler.send_header("Content-Type", "application/json" if is_status else self.media)
        if self.names_requests:
            handler.send_header("X-Request-ID", "r")
        for name, value in self.headers.items() if not is_status else ():
            handler.send_header(name, value)
        if self.drips and not is_status:
            handler.end_headers()
            while not self.over.wait(0.05):
                handler.wfile.write(b" ")
                handler.wfile.flush()
            return
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)


@contextmanager
def serving(hostile: Hostile) -> Iterator[Hostile]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def __getattr__(self, name: str) -> Callable[[], None]:
            if name.startswith("do_"):
                return lambda: hostile.answer(self)
            raise AttributeError(name)

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:  # the other side has gone
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            hostile.url = f"http://127.0.0.1:{server.server_port}"
            yield hostile
        finally:
            hostile.over.set()
            server.shutdown()
            thread.join()


def _items(done: Done) -> dict[str, tuple[str, str]]:
    return {item["name"]: (item["status"], item["message"]) for item in done.document["items"]}


@pytest.mark.parametrize("code", [401, 429])
def test_the_same_refusal_throughout_shows_nothing(veza_e2e: Command, code: int) -> None:
    with serving(Hostile(code, UNAUTHORIZED, headers={"Retry-After": "0"})) as hostile:
        done = veza_e2e("--json", "contract", "test", "--base-url", hostile.url, *QUICK, token="t-expired")
    assert done.code == 4
    items = _items(done)
    assert items["GET /orders"][0] == "not shown"
    assert f"{code} (" in items["GET /orders"][1]
    assert [name for name, (status, _) in items.items() if status == "proven"] == ["GET /status"]


def test_pages_in_place_of_answers_fail(veza_e2e: Command) -> None:
    with serving(Hostile(body=b"<!doctype html><title>Log in</title>", media="text/html")) as hostile:
        done = veza_e2e("--json", "contract", "test", "--base-url", hostile.url, *QUICK)
    assert done.code == 5
    assert _items(done)["GET /marketplace/products"][0] == "failed"


def test_what_the_sdk_tolerates_is_proven_and_said(veza_e2e: Command) -> None:
    page = b'{"success": true, "data": null, "meta": {}}'
    with serving(Hostile(body=page, names_requests=False)) as hostile:
        done = veza_e2e("--json", "contract", "test", "--base-url", hostile.url, *QUICK)
    status, message = _items(done)["GET /marketplace/products"]
    assert status == "proven"
    assert "the SDK tolerates: Missing required response headers" in message
    assert _items(done)["GET /marketplace/products/{product_id}"][0] == "failed"


def test_a_redirect_is_not_followed(veza_e2e: Command) -> None:
    with serving(Hostile()) as other, serving(Hostile(302, headers={"Location": other.url})) as hostile:
        done = veza_e2e("--json", "contract", "test", "--base-url", hostile.url, *QUICK, token="t-redirected")
    assert done.code == 5
    assert other.asked == []
    assert _items(done)["GET /orders"][0] == "failed"


def test_a_body_without_end_is_given_up(veza_e2e: Command) -> None:
    with serving(Hostile(body=b" " * (6 * 2**20))) as hostile:
        done = veza_e2e("--json", "contract", "test", "--base-url", hostile.url, *QUICK)
    assert done.code == 5
    status, message = _items(done)["GET /health"]
    assert status in {"failed", "error"}
    assert "larger than 5 MiB" in message


def test_a_run_has_an_end_where_the_answers_have_none(tmp_path: Path) -> None:
    plan = live.Plan(
        "", environment=environment(), redaction=lambda secrets: Redactor(secrets).text, deadline=8, slowest=0.2
    )
    with serving(Hostile(drips=True)) as hostile:
        outcome = live.check(replace(plan, base_url=hostile.url), tmp_path)
    assert outcome.cut.startswith("it was not over after 8 s")
    assert not outcome.proven
    assert not [one for one in outcome.found if one.status == "proven" and one.name != "GET /status"]


@pytest.mark.parametrize(
    ("called", "services"),
    [
        ("prod-eu", {"hyperswitch": {"status": "healthy", "mode": "live"}}),
        ("staging", {"stripe": {"status": "healthy", "mode": "live"}}),
        ("staging", {"stripe": {"status": "healthy", "mode": "hybrid"}}),
        ("canary", {}),
        (None, {}),
    ],
)
def test_writes_are_refused_unless_everything_says_test(
    veza_e2e: Command, called: str | None, services: dict[str, Any]
) -> None:
    status = {"success": True, "data": {"environment": called, "services": services}}
    with serving(Hostile(status=status)) as hostile:
        done = veza_e2e("--json", "contract", "test", "--base-url", hostile.url, "--write", token="t-write")
    assert done.code == 3
    assert hostile.asked == [("GET", "/api/v1/status")]


def test_an_interrupted_run_keeps_what_it_found(tmp_path: Path) -> None:
    with serving(Hostile(401, UNAUTHORIZED)) as hostile:
        words = ["--json", "contract", "test", "--base-url", hostile.url, "--rate-limit", "40/min"]
        with subprocess.Popen(
            [sys.executable, "-m", "veza_e2e", *words], cwd=tmp_path, env=environment() | {"HOME": str(tmp_path)},
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8",
        ) as child:  # fmt: skip
            for _ in range(round(PATIENCE * 10)):
                if hostile.several.wait(0.1) or child.poll() is not None:
                    break
            assert hostile.several.is_set(), "it asks no more" if child.poll() is None else child.communicate()
            child.send_signal(signal.SIGINT)
            out, _ = child.communicate(timeout=PATIENCE)
    assert child.returncode == 130
    items = {item["name"]: item for item in json.loads(out)["items"]}
    assert "interrupted" in items["the run"]["message"]
    assert "401 (" in items["GET /health"]["message"] or items["GET /status"]["status"] == "proven"
    reports = {path.name: path.stat().st_size for path in (tmp_path / "build/contract-test").iterdir()}
    assert reports["answers.jsonl"]
    assert all(reports.values()), reports
