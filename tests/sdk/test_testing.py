"""The backend for users' tests answers as the contract says, whatever is asked of it."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import httpx
import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from surroundings import PATIENCE

import veza
from veza.testing import (
    BASE_URL,
    AsyncFakeClock,
    FakeBackend,
    FakeClock,
    Reply,
    UnusedScriptError,
    connect,
    connect_async,
    transport,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONTRACT = json.loads(files("veza").joinpath("openapi.json").read_text(encoding="utf-8"))

PATHS = [
    "/health", "/orders", "/orders/1", "/orders/1/refund", "/auth/login", "/auth/refresh", "/auth/me",
    "/marketplace/products", "/marketplace/products/11", "/licenses/mine", "/none",
]  # fmt: skip


def schema_of(operation: str, status: int) -> Any:
    for item in CONTRACT["paths"].values():
        for one in item.values():
            if isinstance(one, dict) and one.get("operationId") == operation:
                response = one["responses"][str(status)]
                while "$ref" in response:
                    target = CONTRACT
                    for part in response["$ref"].removeprefix("#/").split("/"):
                        target = target[part]
                    response = target
                schema = response["content"]["application/json"]["schema"]
                return {**schema, "components": CONTRACT["components"]}
    raise AssertionError(operation)


def check(backend: FakeBackend, response: httpx.Response) -> None:
    operation = backend.sent[-1].operation
    body = response.json()
    if operation is None or (response.status_code == 400 and backend.sent[-1].query):
        assert (body["success"], response.status_code in {400, 404, 405}) == (False, True)
        return
    jsonschema_rs.validator_for(schema_of(operation, response.status_code)).validate(body)
    assert response.headers["x-request-id"]


def test_a_whole_life_keeps_to_the_contract() -> None:
    backend = FakeBackend(rotate=True)

    def checked(request: httpx.Request) -> httpx.Response:
        reply = backend.receive(request.method, str(request.url), request.headers, request.content)
        response = httpx.Response(reply.status, headers=dict(reply.headers), content=reply.content())
        check(backend, response)
        return response

    http = httpx.Client(transport=httpx.MockTransport(checked))
    client = veza.Veza(BASE_URL, email=backend.email, password=backend.password, http_client=http)
    client.system.health()
    client.system.status()
    client.auth.login()
    client.auth.refresh()
    client.auth.me()
    client.products.list()
    order = client.orders.create(["11"], idempotency_key="k").order
    client.orders.create(["11"], idempotency_key="k")
    backend.shop.pay(order.id)
    client.orders.get(order.id)
    client.licenses.mine()
    client.orders.refund(order.id, reason="x", idempotency_key="r")
    client.orders.refund(order.id, reason="x", idempotency_key="r")
    backend.shop.settle_refund(order.id)
    client.orders.get(order.id)
    client.orders.list()
    client.licenses.mine()
    mistakes = (
        lambda: client.orders.get("none"),
        lambda: client.products.get("none"),
        lambda: client.orders.create(["none"]),
        lambda: client.orders.create(["12"], idempotency_key="k"),
        lambda: client.orders.refund(order.id, reason="x"),
    )
    for mistake in mistakes:
        with pytest.raises(veza.APIStatusError):
            mistake()
    client.auth.logout()
    assert {one.operation for one in backend.sent} == {"getProduct", *(
        one["operationId"] for item in CONTRACT["paths"].values() for one in item.values() if "operationId" in one
    )}  # fmt: skip


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=st.sampled_from(PATHS),
    query=st.dictionaries(st.sampled_from(["page", "limit", "status", "x"]), st.text(max_size=4), max_size=2),
    body=st.binary(max_size=20) | st.recursive(
        st.none() | st.integers() | st.text(max_size=4),
        lambda inner: st.dictionaries(
            st.sampled_from(["items", "product_id", "email", "password", "reason", "refresh_token", "amount_cents"]),
            inner | st.lists(inner, max_size=2), max_size=3,
        ),
    ).map(lambda value: json.dumps(value).encode()),
)  # fmt: skip
def test_nothing_makes_it_fail(method: str, path: str, query: dict[str, str], body: bytes) -> None:
    backend = FakeBackend()
    http = httpx.Client(transport=transport(backend))
    token = backend.issue()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    response = http.request(method, f"{BASE_URL}/api/v1{path}", params=query, content=body, headers=headers)
    check(backend, response)


def test_requests_are_checked_against_the_contract() -> None:
    http = httpx.Client(transport=transport(FakeBackend()))
    for url in ("marketplace/products?limit=0", "marketplace/products?limit=x", "marketplace/products?page=0.5"):
        assert http.get(f"{BASE_URL}/api/v1/{url}").json()["error_code"] == "VALIDATION_ERROR"
    assert http.delete(f"{BASE_URL}/api/v1/health").status_code == 405


def test_an_expired_token_is_refused_by_name() -> None:
    backend = FakeBackend(expires_in=10)
    token = backend.issue()["access_token"]
    backend.clock.advance(10)
    with pytest.raises(veza.AuthenticationError) as caught:
        connect(backend, access_token=token).auth.me()
    assert caught.value.code == "AUTH_TOKEN_EXPIRED"


def test_an_unknown_operation_cannot_be_scripted() -> None:
    with pytest.raises(ValueError, match="getNothing"):
        FakeBackend().script("getNothing", Reply())


def test_any_operation_can_be_scripted() -> None:
    backend = FakeBackend()
    backend.script("*", Reply(status=503))
    assert connect(backend, clock=backend.clock).system.health().response_info.retry_count == 1  # type: ignore[union-attr]


@pytest.mark.parametrize("clock", [FakeClock(), AsyncFakeClock()])
def test_a_clock_shows_what_a_test_says(clock: FakeClock | AsyncFakeClock) -> None:
    before = clock.now()
    clock.advance(61)
    assert (clock.now() - before).total_seconds() == clock.monotonic() == 61


def test_the_fixtures_belong_together(veza_backend: FakeBackend, veza_client: veza.Veza, veza_server: str) -> None:
    veza_client.system.health()
    with veza.Veza(veza_server) as other:
        other.system.health()
    assert veza_backend.count("getHealth") == 2


@pytest.mark.parametrize("clock", [FakeClock, AsyncFakeClock])
def test_no_client_of_a_backend_waits_in_real_time(clock: Callable[[], FakeClock | AsyncFakeClock]) -> None:
    backend = FakeBackend(clock=clock())
    order = connect(backend).orders.create(["11"]).order.id
    with pytest.raises(veza.DeadlineExceededError):
        connect(backend).orders.wait_until_completed(order, deadline=7 * 60, interval=60)
    assert backend.clock.monotonic() == sum(backend.clock.sleeps) == 6 * 60
    with pytest.raises(veza.DeadlineExceededError):
        asyncio.run(_wait(connect_async(backend), order))
    assert backend.clock.monotonic() == sum(backend.clock.sleeps) == 12 * 60


def test_the_fixtures_wait_on_one_clock(
    veza_backend: FakeBackend, veza_client: veza.Veza, async_veza_client: veza.AsyncVeza
) -> None:
    order = veza_client.orders.create(["11"]).order.id
    with pytest.raises(veza.DeadlineExceededError):
        veza_client.orders.wait_until_completed(order, deadline=7 * 60, interval=60)
    with pytest.raises(veza.DeadlineExceededError):
        asyncio.run(_wait(async_veza_client, order))
    assert veza_backend.clock.monotonic() == sum(veza_backend.clock.sleeps) == 12 * 60


async def _wait(client: veza.AsyncVeza, order: str) -> veza.Order:
    return await client.orders.wait_until_completed(order, deadline=7 * 60, interval=60)


def test_an_asynchronous_wait_lets_other_tasks_go_on(
    async_veza_client: veza.AsyncVeza, veza_backend: FakeBackend
) -> None:
    async def scene() -> veza.Order:
        order = (await async_veza_client.orders.create(["11"])).order.id
        waiting = asyncio.create_task(_wait(async_veza_client, order))
        for _ in range(3):
            await asyncio.sleep(0)
        veza_backend.shop.pay(order)
        return await waiting

    assert asyncio.run(scene()).status == "completed"


def test_a_client_on_a_clock_of_its_own_keeps_it() -> None:
    backend, clock = FakeBackend(), FakeClock()
    backend.script("getHealth", Reply(status=503))
    connect(backend, clock=clock, jitter=lambda: 1.0).system.health()
    assert (len(clock.sleeps), backend.clock.sleeps) == (1, [])


def test_a_scripted_reply_that_no_call_asked_for_is_an_error_by_name() -> None:
    def block() -> None:
        with FakeBackend() as backend:
            backend.script("getOrder", Reply(status=503), Reply(status=503), Reply(breaks="read"))
            backend.script("getHealth", Reply(status=503))
            connect(backend).system.health()

    with pytest.raises(UnusedScriptError, match=r": 2 of getOrder \(503\), getOrder \(read\) \("):
        block()


def test_what_failed_in_the_block_hides_nothing() -> None:
    backend = FakeBackend()
    backend.script("getOrder", Reply(status=503))
    with pytest.raises(LookupError), backend:
        raise LookupError


def test_an_optional_script_may_stay_unused() -> None:
    with FakeBackend() as backend:
        backend.script("*", Reply(status=503), optional=True)


SUITE = """
import pytest
from veza.testing import Reply

def test_unused(veza_client, veza_backend):
    veza_backend.script("getOrder", Reply(status=503))

@pytest.fixture
def scripted(veza_backend):
    veza_backend.script("login", Reply(status=401))

def test_unused_of_a_fixture(scripted):
    pass

def test_used(veza_client, veza_backend):
    veza_backend.script("getHealth", Reply(status=503))
    veza_client.system.health()

def test_optional(veza_backend):
    veza_backend.script("getOrder", Reply(status=503), optional=True)

def test_fails_of_itself(veza_backend):
    veza_backend.script("getOrder", Reply(status=503))
    assert 1 == 2

@pytest.mark.xfail
def test_expected_to_fail(veza_backend):
    veza_backend.script("getOrder", Reply(status=503))
    assert 1 == 2
"""


@pytest.mark.process
def test_a_test_that_leaves_a_script_unused_fails_by_name(tmp_path: Path) -> None:
    (tmp_path / "test_shop.py").write_text(SUITE, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-rA",
        "-p",
        "no:schemathesis",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=PATIENCE, cwd=tmp_path)
    outcome = {name: result for result, name in re.findall(r"^([A-Z]+) \S+::test_(\w+)", done.stdout, re.MULTILINE)}
    assert outcome == {
        "unused": "FAILED", "unused_of_a_fixture": "FAILED", "used": "PASSED", "optional": "PASSED",
        "fails_of_itself": "FAILED", "expected_to_fail": "XFAIL",
    }  # fmt: skip
    assert "\nUnusedScriptError: scripted, but never asked for: getOrder (503) (allow it" in done.stdout


async def _me(client: veza.AsyncVeza) -> str:
    return (await client.auth.me()).id


def test_the_async_fixture(async_veza_client: veza.AsyncVeza) -> None:
    assert asyncio.run(_me(async_veza_client)) == "user-1"
