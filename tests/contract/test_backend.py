"""c: `contract test` on a running backend. That the rehearsal backend holds: tests/rehearsal/test_schemathesis.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from surroundings import PATIENCE, environment

from veza import Veza
from veza_contract import live
from veza_e2e.redaction import Redactor

from .conftest import Done, Rehearsal

pytestmark = pytest.mark.timeout(900)

Start = Callable[..., Rehearsal]
Command = Callable[..., Done]


def planned(base_url: str, token: str | None = None, *, write: bool = False) -> live.Plan:
    return live.Plan(
        base_url, token, write, examples=2, environment=environment(), redaction=lambda secrets: Redactor(secrets).text
    )


QUICK = ("--examples", "2")


@pytest.mark.process
def test_a_read_only_test_sends_nothing_but_reads(rehearsal: Start, veza_e2e: Command, tmp_path: Path) -> None:
    backend = rehearsal()
    token = backend.token()
    with Veza(backend.base_url, access_token=token) as veza:
        order = veza.orders.create(items=[veza.products.list().data[0].id]).order.id
    # requests would send this login in the token's place.
    (tmp_path / ".netrc").write_text("default login ada password another\n", encoding="utf-8")
    done = veza_e2e("--json", "contract", "test", "--base-url", backend.base_url, *QUICK, token=token)
    assert done.code == 0, done.err
    assert done.document["ok"] is True
    assert {item["name"] for item in done.document["items"]} >= {"GET /orders", "GET /licenses/mine", "GET /auth/me"}
    tested = backend.requests()[3:]
    assert len(tested) > 30
    assert f"/api/v1/orders/{order}" in {request["path"] for request in tested}
    assert {item["status"] for item in done.document["items"]} == {"proven"}
    assert {request["method"] for request in tested} <= {"GET", "HEAD"}
    reports = [path for path in (tmp_path / "build").rglob("*") if path.is_file()]
    assert {path.name for path in reports} == {"junit.xml", "schemathesis.txt", "answers.jsonl"}
    assert not [path.name for path in reports if token in path.read_text(encoding="utf-8")]


def _without_methods_guard(settings: dict[str, Any]) -> dict[str, Any]:
    return {**settings, "phases": {"stateful": {"enabled": False}}}


@pytest.mark.process
@pytest.mark.parametrize("guard", ["settings", "hook"])
def test_each_guard_alone_keeps_writes_from_leaving(rehearsal: Start, tmp_path: Path, guard: str) -> None:
    backend = rehearsal()
    plan = planned(backend.base_url, backend.token())
    settings = live.configuration(plan, tmp_path)
    operations = live.selected(plan)
    hooks: str | None = None
    if guard == "hook":
        hooks, settings = live.READ_ONLY_HOOKS, _without_methods_guard(settings)
        operations = (*operations, "createOrder", "login")
    outcome = live.execute(plan, tmp_path, settings, hooks, operations)
    assert outcome.passed == (guard == "settings")
    tested = backend.requests()[1:]
    assert tested
    assert {request["method"] for request in tested} <= {"GET", "HEAD"}


@pytest.mark.process
def test_without_either_guard_other_methods_would_be_sent(rehearsal: Start, tmp_path: Path) -> None:
    backend = rehearsal()
    plan = planned(backend.base_url)
    settings = _without_methods_guard(live.configuration(plan, tmp_path))
    live.execute(plan, tmp_path, settings, None, live.selected(plan))
    assert {request["method"] for request in backend.requests()} - {"GET", "HEAD"}


@pytest.mark.process
def test_without_a_token_only_public_operations_are_tested(rehearsal: Start, veza_e2e: Command) -> None:
    backend = rehearsal()
    done = veza_e2e("--json", "contract", "test", "--base-url", backend.base_url, *QUICK)
    assert done.code == 0, done.err
    assert {item["name"] for item in done.document["items"]} == {
        "GET /health",
        "GET /status",
        "GET /marketplace/products",
        "GET /marketplace/products/{product_id}",
    }


@pytest.mark.process
def test_writes_are_tested_on_request_and_logins_never(rehearsal: Start, veza_e2e: Command) -> None:
    backend = rehearsal()
    token = backend.token()
    done = veza_e2e("contract", "test", "--base-url", backend.base_url, "--write", *QUICK, token=token)
    assert done.code == 4, done.out  # a refund needs a paid order: it is not shown, and said so
    assert [line.split(":")[0] for line in done.out.splitlines() if line.startswith("not shown")] == [
        "not shown  POST /orders/{order_id}/refund"
    ]
    tested = backend.requests()[1:]
    sent = {(request["method"], request["path"]) for request in tested}
    assert ("POST", "/api/v1/orders") in sent
    assert not [path for method, path in sent if method != "GET" and "/auth/" in path]


@pytest.mark.process
def test_the_login_is_refused_by_its_guard_too(rehearsal: Start, tmp_path: Path) -> None:
    backend = rehearsal()
    plan = planned(backend.base_url, write=True)
    settings = live.configuration(plan, tmp_path)
    outcome = live.execute(plan, tmp_path, settings, live.WRITING_HOOKS, tuple(live.LOGINS))
    assert not outcome.passed
    assert not [request for request in backend.requests() if request["path"].startswith("/api/v1/auth/")]


def test_writes_on_a_live_backend_are_refused(rehearsal: Start, veza_e2e: Command) -> None:
    backend = rehearsal(environment="live")
    done = veza_e2e("--json", "contract", "test", "--base-url", backend.base_url, "--write")
    assert done.code == 3
    assert "'live'" in done.document["error"]["message"]
    assert {(request["method"], request["path"]) for request in backend.requests()} == {("GET", "/api/v1/status")}


@pytest.mark.process
def test_an_answer_that_is_not_as_documented_is_named(rehearsal: Start, veza_e2e: Command) -> None:
    backend = rehearsal("garbage=40")
    done = veza_e2e("--json", "contract", "test", "--base-url", backend.base_url, *QUICK)
    assert done.code == 5
    assert done.document["ok"] is False
    failed = {item["name"]: item["message"] for item in done.document["items"] if item["status"] == "failed"}
    assert failed
    assert all("JSON" in message and "curl" not in message for message in failed.values()), failed


def test_an_unreachable_backend_and_bad_options_say_so(veza_e2e: Command) -> None:
    gone = veza_e2e("--json", "contract", "test", "--base-url", "http://127.0.0.1:9")
    assert gone.code == 3
    assert "cannot be reached" in gone.document["error"]["message"]
    for words in (
        ("--base-url", "http://staging.example.com"),
        ("--base-url", "ftp://127.0.0.1"),
        ("--base-url", "http://127.0.0.1:9", "--rate-limit", "fast"),
    ):
        assert veza_e2e("contract", "test", *words).code == 2


@pytest.mark.process
def test_writes_have_a_pace_of_their_own(rehearsal: Start, tmp_path: Path) -> None:
    backend = rehearsal()
    plan = replace(planned(backend.base_url, backend.token(), write=True), write_rate="2/h")
    for number, deadline in enumerate((6, 60, PATIENCE)):  # a slow machine comes to a write later
        outcome = live.check(replace(plan, deadline=deadline), tmp_path / str(number))
        posted = [request["path"] for request in backend.requests() if request["method"] == "POST"]
        if orders := posted.count("/api/v1/orders"):
            break
    assert 1 <= orders <= 2
    assert outcome.cut
