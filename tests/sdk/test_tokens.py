"""The login: renewed before it ends, once for however many calls, and never sent elsewhere."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import veza
from veza.testing import FakeBackend, Reply, connect, connect_async

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[..., Any]

CROWD = 100


def operations(backend: FakeBackend) -> list[str | None]:
    return [one.operation for one in backend.sent]


def test_the_first_call_that_needs_it_logs_in(ask: Ask, backend: FakeBackend) -> None:
    assert ask(lambda v: v.auth.me()).id == "user-1"
    assert operations(backend) == ["login", "getMe"]
    assert backend.sent[1].headers["authorization"] == "Bearer access-1"


def test_a_token_that_is_given_is_used(ask: Ask, backend: FakeBackend) -> None:
    backend.issue()
    ask(lambda v: v.auth.me(), access_token="access-1")
    assert operations(backend) == ["getMe"]


def test_the_login_is_renewed_before_it_ends(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend)
    face.call(client, lambda v: v.auth.me())
    backend.clock.advance(900 - 31)
    face.call(client, lambda v: v.auth.me())
    backend.clock.advance(2)
    face.call(client, lambda v: v.auth.me())
    assert operations(backend) == ["login", "getMe", "getMe", "refreshToken", "getMe"]


@pytest.mark.parametrize("seconds", [0, 1, 2, 10])
def test_a_short_login_is_trusted_as_it_says(face: Any, seconds: int) -> None:
    backend = face.backend(expires_in=seconds)
    backend.script("getMe", *[Reply(data={"id": 1, "username": "u", "email": "e", "role": "user"})] * 2)
    client = face.connect(backend)
    face.call(client, lambda v: v.auth.me())
    backend.clock.advance(seconds * 0.9)
    face.call(client, lambda v: v.auth.me())
    assert operations(backend) == ["login", "getMe", "refreshToken", "getMe"]


def test_a_401_renews_the_login_once_and_repeats_the_call_once(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend)
    order_id = face.call(client, lambda v: v.orders.create(["11"])).order.id
    backend.revoke_access()
    backend.sent.clear()
    order = face.call(client, lambda v: v.orders.get(order_id))
    assert operations(backend) == ["getOrder", "refreshToken", "getOrder"]
    assert order.response_info.retry_count == 1


def test_a_401_does_not_use_up_a_retry(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend, max_retries=1)
    face.call(client, lambda v: v.auth.me())
    backend.revoke_access()
    backend.script("getMe", Reply(status=401), Reply(status=503))
    assert face.call(client, lambda v: v.auth.me()).response_info.retry_count == 2


def test_a_write_is_repeated_after_a_401_since_it_was_refused(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend)
    face.call(client, lambda v: v.auth.me())
    backend.revoke_access()
    face.call(client, lambda v: v.orders.create(["11"]))
    assert (backend.count("createOrder"), len(backend.shop.orders)) == (2, 1)


def test_a_second_401_is_final(ask: Ask, backend: FakeBackend) -> None:
    backend.script("getMe", *[Reply(status=401, json={"success": False, "error": "no"})] * 5)
    with pytest.raises(veza.AuthenticationError) as caught:
        ask(lambda v: v.auth.me())
    assert (backend.count("getMe"), caught.value.attempts, caught.value.path) == (2, 2, "/auth/me")


def test_a_revoked_refresh_token_leads_to_one_new_login(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend)
    face.call(client, lambda v: v.auth.me())
    backend.revoke_access()
    backend.revoke_refresh()
    backend.sent.clear()
    face.call(client, lambda v: v.auth.me())
    assert operations(backend) == ["getMe", "refreshToken", "login", "getMe"]


def test_without_credentials_a_revoked_refresh_token_is_the_end(ask: Ask, backend: FakeBackend) -> None:
    with pytest.raises(veza.AuthenticationError) as caught:
        ask(lambda v: v.auth.me(), access_token="old", refresh_token="gone")
    assert caught.value.path == "/auth/refresh"
    assert operations(backend) == ["getMe", "refreshToken"]


def test_without_anything_the_backend_says_so(ask: Ask, backend: FakeBackend) -> None:
    with pytest.raises(veza.AuthenticationError):
        ask(lambda v: v.auth.me(), access_token=None)
    assert operations(backend) == ["getMe"]
    assert "authorization" not in backend.sent[0].headers


def test_wrong_credentials_are_tried_once(ask: Ask, backend: FakeBackend) -> None:
    with pytest.raises(veza.AuthenticationError) as caught:
        ask(lambda v: v.auth.me(), email="a@veza.test", password="wrong")
    assert (operations(backend), caught.value.path) == (["login"], "/auth/login")


def test_a_login_is_not_sent_again_in_doubt_since_logins_are_counted(ask: Ask, backend: FakeBackend) -> None:
    backend.script("login", Reply(breaks="read_timeout"))
    with pytest.raises(veza.APITimeoutError):
        ask(lambda v: v.auth.me())
    assert operations(backend) == ["login"]


def test_rotated_refresh_tokens_are_followed(face: Any) -> None:
    backend = face.backend(rotate=True)
    client = face.connect(backend)
    for _ in range(4):
        face.call(client, lambda v: v.auth.me())
        backend.revoke_access()
    assert [one.body for one in backend.sent if one.operation == "refreshToken"] == [
        {"refresh_token": f"refresh-{number}"} for number in (1, 2, 3)
    ]


def test_a_token_that_no_header_can_carry_is_an_invalid_response(ask: Ask, backend: FakeBackend) -> None:
    login = {"access_token": "a\r\nX: y", "refresh_token": "r", "token_type": "Bearer", "expires_in": 9}
    user = {"id": 1, "username": "u", "email": "e", "role": "user"}
    backend.script("login", Reply(data=login | {"user": user}))
    with pytest.raises(veza.InvalidResponseError):
        ask(lambda v: v.auth.me())


def test_a_crowd_of_threads_causes_one_renewal_and_one_repeat_each() -> None:
    backend = FakeBackend()
    client = connect(backend)
    client.auth.me()
    backend.revoke_access()
    backend.sent.clear()
    barrier = threading.Barrier(CROWD)

    def call(_: int) -> str:
        barrier.wait()
        return client.auth.me().id

    with ThreadPoolExecutor(CROWD) as pool:
        assert set(pool.map(call, range(CROWD))) == {"user-1"}
    assert backend.count("refreshToken") == 1
    assert backend.count("login") == 0
    assert backend.count("getMe") <= 2 * CROWD


@pytest.mark.parametrize("cancelled", [0, 1, CROWD // 2])
def test_a_crowd_of_tasks_causes_one_renewal_and_cancelling_the_leader_strands_nobody(cancelled: int) -> None:
    async def scene() -> tuple[FakeBackend, list[Any]]:
        backend = FakeBackend()
        renewing, go_on = asyncio.Event(), asyncio.Event()

        async def answer(request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("/auth/refresh"):
                renewing.set()
                await go_on.wait()
            await asyncio.sleep(0)
            reply = backend.receive(request.method, str(request.url), request.headers, request.content)
            return httpx.Response(reply.status, headers=dict(reply.headers), content=reply.content())

        client = veza.AsyncVeza(
            "http://veza.test", email=backend.email, password=backend.password,
            http_client=httpx.AsyncClient(transport=httpx.MockTransport(answer)),
        )  # fmt: skip
        await client.auth.me()
        backend.revoke_access()
        backend.sent.clear()
        tasks = [asyncio.ensure_future(client.auth.me()) for _ in range(CROWD)]
        await renewing.wait()
        for task in tasks[:cancelled]:
            task.cancel()
        go_on.set()
        return backend, await asyncio.gather(*tasks, return_exceptions=True)

    backend, results = asyncio.run(scene())
    assert [type(one) for one in results[:cancelled]] == [asyncio.CancelledError] * cancelled
    assert [one.id for one in results[cancelled:]] == ["user-1"] * (CROWD - cancelled)
    assert backend.count("refreshToken") == 1
    assert backend.count("getMe") == 2 * CROWD - cancelled


def test_a_crowd_shares_the_failure_of_its_renewal() -> None:
    backend = FakeBackend()
    client = connect(backend, max_retries=0)
    client.auth.me()
    backend.revoke_access()
    barrier = threading.Barrier(8)
    held = threading.Event()

    def call(_: int) -> veza.VezaError:
        barrier.wait()
        with pytest.raises(veza.VezaError) as caught:
            client.auth.me()
        held.set()
        return caught.value

    backend.script("refreshToken", *[Reply(status=503)] * 8)
    with ThreadPoolExecutor(8) as pool:
        errors = list(pool.map(call, range(8)))
    assert {type(error) for error in errors} == {veza.InternalServerError}
    assert {error.path for error in errors} == {"/auth/refresh"}
    assert len({id(error) for error in errors}) == len(errors)


def test_an_interrupted_leader_hands_over() -> None:
    backend = FakeBackend()
    renewing, go_on = threading.Event(), threading.Event()
    first = threading.Event()

    class HangUp(BaseException):
        pass

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/auth/login") and not first.is_set():
            first.set()
            renewing.set()
            go_on.wait()
            raise HangUp
        reply = backend.receive(request.method, str(request.url), request.headers, request.content)
        return httpx.Response(reply.status, headers=dict(reply.headers), content=reply.content())

    client = veza.Veza(
        "http://veza.test", email=backend.email, password=backend.password,
        http_client=httpx.Client(transport=httpx.MockTransport(answer)),
    )  # fmt: skip
    with ThreadPoolExecutor(4) as pool:
        leader = pool.submit(client.auth.me)
        renewing.wait()
        followers = [pool.submit(client.auth.me) for _ in range(3)]
        go_on.set()
        assert isinstance(leader.exception(), HangUp)
        assert {one.result().id for one in followers} == {"user-1"}
    assert backend.count("login") == 1


def test_redirects_are_not_followed_and_the_token_stays_at_home() -> None:
    hosts = []

    def answer(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(307, headers={"Location": "http://elsewhere.test/api/v1/auth/me"})

    http = httpx.Client(transport=httpx.MockTransport(answer), follow_redirects=True)
    client = veza.Veza("http://veza.test", access_token="token", http_client=http)
    with pytest.raises(veza.APIStatusError) as caught:
        client.auth.me()
    assert (caught.value.status_code, hosts) == (307, ["veza.test"])


def test_the_login_of_the_injected_client_is_not_mixed_in() -> None:
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(dict(request.headers))
        return httpx.Response(200, json={"status": "healthy"}, headers={"Set-Cookie": "session=of-one-account"})

    http = httpx.Client(transport=httpx.MockTransport(answer), auth=("user", "pass"), headers={"X-Gate": "open"})
    one = veza.Veza("http://veza.test", access_token="first", http_client=http)
    two = veza.Veza("http://veza.test", access_token="second", http_client=http)
    for client in (one, two, one):
        client.request("GET", "/health")
    assert [headers["authorization"] for headers in seen] == ["Bearer first", "Bearer second", "Bearer first"]
    assert {headers["x-gate"] for headers in seen} == {"open"}
    assert not any("cookie" in headers for headers in seen)


def test_a_token_provider_serves_several_replicas_by_one_login() -> None:
    backend = FakeBackend()
    issued: list[str] = []

    def provide(rejected: str | None) -> str:
        if not issued or issued[-1] == rejected:
            issued.append(backend.issue()["access_token"])
        return issued[-1]

    replicas = [connect(backend, token_provider=provide) for _ in range(3)]
    for replica in replicas:
        replica.auth.me()
    backend.revoke_access()
    for replica in replicas:
        replica.auth.me()
    assert issued == ["access-1", "access-2"]
    assert backend.count("login") == backend.count("refreshToken") == 0


def test_an_asynchronous_token_provider() -> None:
    backend = FakeBackend()

    async def scene() -> str:
        async def provide(rejected: str | None) -> str:
            assert rejected is None
            return str(backend.issue()["access_token"])

        return (await connect_async(backend, token_provider=provide).auth.me()).id

    assert asyncio.run(scene()) == "user-1"


def test_one_client_serves_several_event_loops_one_after_the_other() -> None:
    backend = FakeBackend()
    client = connect_async(backend)

    async def scene() -> str:
        return (await client.auth.me()).id

    for _ in range(3):
        assert asyncio.run(scene()) == "user-1"
        backend.revoke_access()
    assert backend.count("refreshToken") == 2
