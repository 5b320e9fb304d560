"""A refused login is remembered and shared; a deadline bounds the way to a token as well."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import veza
from veza._call import Budget
from veza._flight import ThreadFlight
from veza.testing import FakeBackend, Reply, connect, connect_async

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Use = Callable[[Any], Any]

REFUSALS = {401: veza.AuthenticationError, 403: veza.PermissionDeniedError, 423: veza.LockedError}


def me(client: Any) -> Any:
    return client.auth.me()


def refused(face: Any, client: Any, use: Use = me) -> veza.APIStatusError:
    with pytest.raises(veza.APIStatusError) as caught:
        face.call(client, use)
    return caught.value


def test_a_wrong_password_is_sent_once_however_many_calls_are_made(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend, email=backend.email, password="wrong")
    first = refused(face, client)
    later = [refused(face, client, use) for use in (me, lambda v: v.auth.login(), lambda v: v.orders.get("1")) * 16]
    assert backend.count("login") == 1
    assert {(type(one), one.path, one.attempts) for one in later} == {(veza.AuthenticationError, "/auth/login", 0)}
    assert {one.request_id for one in later} == {first.request_id}
    assert "not sent again until the credentials change" in str(later[0])
    backend.clock.advance(1e6)
    refused(face, client)
    assert backend.count("login") == 1


def test_other_credentials_are_sent(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend, email=backend.email, password="wrong")
    refused(face, client)
    refused(face, client, lambda v: v.auth.login(backend.email, "wrong"))
    assert backend.count("login") == 2
    face.call(client, lambda v: v.auth.login(backend.email, backend.password))
    assert face.call(client, me).id == "user-1"
    backend.revoke_access()
    backend.revoke_refresh()
    assert face.call(client, me).id == "user-1"


@pytest.mark.parametrize(
    ("status", "headers", "waits"),
    [(423, {"Retry-After": "120"}, 120), (429, {"Retry-After": "900"}, 900), (423, {}, 900), (403, {}, 900)],
)
def test_a_refusal_holds_until_its_time(
    face: Any, backend: FakeBackend, status: int, headers: dict[str, str], waits: float
) -> None:
    client = face.connect(backend)
    backend.script("login", Reply(status=status, headers=headers))
    refused(face, client)
    backend.clock.advance(waits - 1)
    again = refused(face, client)
    assert (again.status_code, backend.count("login")) == (status, 1)
    assert again.retry_after == pytest.approx(1)
    backend.clock.advance(1)
    assert face.call(client, me).id == "user-1"
    assert backend.count("login") == 2


def test_a_refusal_of_other_credentials_does_not_let_the_clients_own_through(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend, email=backend.email, password="wrong")
    refused(face, client)
    refused(face, client, lambda v: v.auth.login(backend.email, "wrong too"))
    refused(face, client)
    assert backend.count("login") == 2


def test_a_refusal_holds_for_a_day_at_most(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend)
    backend.script("login", Reply(status=429, headers={"Retry-After": "1e300"}))
    refused(face, client)
    backend.clock.advance(86400)
    assert face.call(client, me).id == "user-1"


def test_a_refusal_that_is_remembered_keeps_nothing_of_its_callers(face: Any, backend: FakeBackend) -> None:
    class Cart:
        """What a caller has in hand."""

    def order() -> weakref.ref[Cart]:
        cart = Cart()
        refused(face, client)
        return weakref.ref(cart)

    client = face.connect(backend, email=backend.email, password="wrong")
    carts = [order(), order()]
    gc.collect()
    assert [cart() for cart in carts] == [None, None]


def test_tasks_that_log_in_at_once_share_a_refusal() -> None:
    backend = FakeBackend()

    async def answer(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        reply = backend.receive(request.method, str(request.url), request.headers, request.content)
        return httpx.Response(reply.status, headers=dict(reply.headers), content=reply.content())

    async def scene(password: str) -> list[Any]:
        http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        client = veza.AsyncVeza("http://veza.test", email=backend.email, password=password, http_client=http)
        return await asyncio.gather(*(client.auth.login() for _ in range(4)), return_exceptions=True)

    refusals = asyncio.run(scene("wrong"))
    assert {type(one) for one in refusals} == {veza.AuthenticationError}
    assert backend.count("login") == 1
    logins = asyncio.run(scene(backend.password))
    assert len({login.access_token.get_secret_value() for login in logins}) == 4  # each its own, as it asked


def test_a_limit_without_a_time_holds_for_a_minute(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend, max_retries=0)
    backend.script("login", Reply(status=429))
    assert isinstance(refused(face, client), veza.RateLimitError)
    assert refused(face, client).retry_after == pytest.approx(60)
    backend.clock.advance(60)
    assert face.call(client, me).id == "user-1"


def test_a_limit_that_a_deadline_cut_short_is_remembered(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend)
    backend.script("login", Reply(status=429, headers={"Retry-After": "30"}))
    with pytest.raises(veza.DeadlineExceededError):
        face.call(client, lambda v: v.auth.me(deadline=5))
    assert isinstance(refused(face, client), veza.RateLimitError)
    assert backend.count("login") == 1


def test_a_renewal_that_is_limited_is_not_sent_before_its_time(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend)
    face.call(client, me)
    backend.revoke_access()
    backend.script("refreshToken", Reply(status=429, headers={"Retry-After": "900"}))
    assert {refused(face, client).status_code for _ in range(5)} == {429}
    assert backend.count("refreshToken") == 1
    backend.clock.advance(900)
    assert face.call(client, me).id == "user-1"


def test_replicas_do_not_send_a_refused_login_again(tmp_path: Path) -> None:
    backend = FakeBackend()
    login = veza.SharedLogin(
        connect(backend, email=backend.email, password="wrong"), veza.FileTokenStore(tmp_path / "l")
    )
    for _ in range(5):
        with pytest.raises(veza.AuthenticationError):
            connect(backend, token_provider=login).auth.me()
    assert backend.count("login") == 1


def test_threads_share_whatever_a_token_provider_raises() -> None:
    asked: list[str] = []
    inside, go_on, waiting = threading.Event(), threading.Event(), threading.Barrier(8)

    def work() -> veza.Secret:
        asked.append("once")
        inside.set()
        go_on.wait()
        raise LookupError("sealed")

    class Waiting(Budget):
        def remaining(self) -> float | None:  # asked for by who has found another at work
            waiting.wait(60)
            return None

    flight = ThreadFlight(detached=True)
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(flight.run, work, Budget(time.monotonic, None))]
        inside.wait()
        calls += [pool.submit(flight.run, work, Waiting(time.monotonic, None)) for _ in range(7)]
        waiting.wait(60)
        go_on.set()
    assert {type(one.exception()) for one in calls} == {LookupError}
    assert asked == ["once"]


def test_tasks_share_whatever_a_token_provider_raises() -> None:
    asked: list[str | None] = []

    async def provide(rejected: str | None) -> str:
        asked.append(rejected)
        await asyncio.sleep(0)
        raise LookupError("sealed")

    async def scene() -> list[Any]:
        client = connect_async(FakeBackend(), token_provider=provide)
        return await asyncio.gather(*(client.auth.me() for _ in range(8)), return_exceptions=True)

    assert {type(one) for one in asyncio.run(scene())} == {LookupError}
    assert asked == [None]


def test_a_deadline_bounds_the_wait_for_a_lock_that_another_holds(tmp_path: Path) -> None:
    backend = FakeBackend()
    login = veza.SharedLogin(connect(backend), veza.FileTokenStore(tmp_path / "login"))
    client = connect(backend, token_provider=login)
    with veza.FileTokenStore(tmp_path / "login").lock():
        for _ in range(3):
            with pytest.raises(veza.DeadlineExceededError):
                client.auth.me(deadline=0.05)
        assert [one.name for one in threading.enumerate()].count("veza-login") == 1
    assert client.auth.me(deadline=60).id == "user-1"
    assert backend.count("login") == 1


def test_a_deadline_bounds_a_token_provider_that_awaits_for_ever() -> None:
    async def provide(_: str | None) -> str:
        await asyncio.Event().wait()
        return "never"

    async def scene() -> None:
        with pytest.raises(veza.DeadlineExceededError):
            await connect_async(FakeBackend(), token_provider=provide).auth.me(deadline=0.05)

    asyncio.run(scene())


def test_a_token_provider_whose_work_is_always_cancelled_ends_the_calls() -> None:
    asked: list[str | None] = []

    async def provide(rejected: str | None) -> str:
        asked.append(rejected)
        assert len(asked) < 50
        cancelled = asyncio.get_running_loop().create_future()
        cancelled.cancel()
        return str(await cancelled)

    async def scene() -> None:
        client = connect_async(FakeBackend(), token_provider=provide)
        calls = await asyncio.gather(*(client.auth.me() for _ in range(3)), return_exceptions=True)
        assert {type(one) for one in calls} == {asyncio.CancelledError}

    asyncio.run(scene())
    assert len(asked) <= 6


class EarlyLoop(asyncio.SelectorEventLoop):
    """A loop whose timers fire a little early, as uvloop's do, which counts whole milliseconds."""

    def call_at(self, when: float, *args: Any, **options: Any) -> asyncio.TimerHandle:  # type: ignore[override]
        return super().call_at(when - 0.02, *args, **options)


def test_a_deadline_that_a_loop_ends_early_is_a_deadline() -> None:
    class Stuck(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError(request)

    async def scene() -> None:
        client = veza.AsyncVeza("http://veza.test", http_client=httpx.AsyncClient(transport=Stuck()))
        with pytest.raises(veza.DeadlineExceededError):
            await client.system.health(deadline=0.05)

    with asyncio.Runner(loop_factory=EarlyLoop) as runner:
        runner.run(scene())


def test_what_a_provider_raises_comes_with_its_traceback() -> None:
    def provide(_: str | None) -> str:
        raise LookupError("sealed")

    client = connect(FakeBackend(), token_provider=provide)
    for deadline in (None, 60.0):
        with pytest.raises(LookupError) as caught:
            client.auth.me(deadline=deadline)
        assert caught.traceback[-1].name == "provide"
