"""What a shared login keeps in its store, whatever the store is."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import pytest

import veza
from veza.testing import FakeBackend, Reply, connect, connect_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractContextManager
    from pathlib import Path

WRONG = "not-the-password"


class Memory:
    """A store as a user would write one, without a lock; it notes what is done with it."""

    def __init__(self, lease: float | None = None, *, lost: str | None = None) -> None:
        self.text: str | None = None
        self.done: list[str] = []
        self._lease = lease
        self._lost = lost

    def lock(self) -> AbstractContextManager[float | None]:
        self.done.append("lock")
        return nullcontext(self._lease)

    def read(self) -> str | None:
        return self.text

    def write(self, text: str) -> None:
        self.done.append("write")
        if self._lost is not None:
            self.text = self._lost
            raise veza.LeaseEndedError("gone")
        self.text = text


class AsyncMemory:
    """The same for tasks."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[float | None]:
        with self._memory.lock() as lease:
            yield lease

    async def read(self) -> str | None:
        await asyncio.sleep(0)
        return self._memory.read()

    async def write(self, text: str) -> None:
        self._memory.write(text)


def replica(face: Any, backend: FakeBackend, memory: Memory, **options: Any) -> Any:
    """Return a client that shares its login through the memory, as a process of its own would."""
    own = face.connect(backend, **({"email": backend.email, "password": backend.password} | options))
    store: Any = AsyncMemory(memory) if face.is_async else memory
    login = veza.AsyncSharedLogin(own, store) if face.is_async else veza.SharedLogin(own, store)
    return face.connect(backend, token_provider=login)


def me(client: Any) -> Any:
    return client.auth.me()


def refused(face: Any, client: Any) -> veza.APIStatusError:
    with pytest.raises(veza.APIStatusError) as caught:
        face.call(client, me)
    return caught.value


def test_a_token_that_is_there_is_read_without_the_lock(face: Any, backend: FakeBackend) -> None:
    memory = Memory()
    for _ in range(3):
        face.call(replica(face, backend, memory), me)
    assert memory.done == ["lock", "write"]
    assert backend.count("login") == 1


def test_a_wrong_password_is_sent_once_by_however_many_replicas(face: Any, backend: FakeBackend) -> None:
    memory = Memory()
    first = refused(face, replica(face, backend, memory, password=WRONG))
    later = [refused(face, replica(face, backend, memory, password=WRONG)) for _ in range(5)]
    assert (first.attempts, backend.count("login"), memory.done.count("lock")) == (1, 1, 1)
    assert {(type(one), one.attempts, one.request_id) for one in later} == {
        (veza.AuthenticationError, 0, first.request_id)
    }
    assert memory.text is not None
    assert WRONG not in memory.text
    assert WRONG not in repr(later)


def test_a_wrong_password_does_not_stop_replicas_that_have_the_right_one(face: Any, backend: FakeBackend) -> None:
    memory = Memory()
    wrong = replica(face, backend, memory, password=WRONG)
    refused(face, wrong)
    face.call(replica(face, backend, memory), me)
    backend.clock.advance(2)
    assert face.call(wrong, me).id == "user-1"
    backend.revoke_access()
    backend.revoke_refresh()
    refused(face, replica(face, backend, memory, password=WRONG))
    assert backend.count("login") == 2


def test_a_wrong_password_is_tried_again_by_a_replica_that_starts_later(face: Any, backend: FakeBackend) -> None:
    memory = Memory()
    refused(face, replica(face, backend, memory, password=WRONG))
    backend.clock.advance(899)
    refused(face, replica(face, backend, memory, password=WRONG))
    assert backend.count("login") == 1
    backend.clock.advance(2)
    refused(face, replica(face, backend, memory, password=WRONG))
    assert backend.count("login") == 2


def test_a_replica_whose_password_was_refused_does_not_ask_the_store_each_time(face: Any, backend: FakeBackend) -> None:
    memory = Memory()
    client = replica(face, backend, memory, password=WRONG)
    refused(face, client)
    backend.clock.advance(1000)
    for _ in range(5):
        refused(face, client)
    assert (backend.count("login"), memory.done.count("lock")) == (1, 2)


@pytest.mark.parametrize(
    ("status", "headers", "waits"),
    [(423, {"Retry-After": "120"}, 120), (429, {"Retry-After": "900"}, 900), (423, {}, 900)],
)
def test_a_refusal_holds_for_all_until_its_time(
    face: Any, backend: FakeBackend, status: int, headers: dict[str, str], waits: float
) -> None:
    memory = Memory()
    backend.script("login", Reply(status=status, headers=headers))
    refused(face, replica(face, backend, memory))
    backend.clock.advance(waits - 1)
    again = refused(face, replica(face, backend, memory))
    assert (again.status_code, backend.count("login")) == (status, 1)
    assert again.retry_after == pytest.approx(1)
    backend.clock.advance(1)
    assert face.call(replica(face, backend, memory), me).id == "user-1"


def test_a_limit_that_outlasts_the_lease_is_told_as_what_it_is(face: Any, backend: FakeBackend) -> None:
    memory = Memory(lease=30)
    backend.script("login", Reply(status=429, headers={"Retry-After": "40"}))
    assert isinstance(refused(face, replica(face, backend, memory)), veza.RateLimitError)
    assert refused(face, replica(face, backend, memory)).retry_after == pytest.approx(40)
    assert backend.count("login") == 1


def test_a_login_does_not_outlast_the_lease(face: Any, backend: FakeBackend) -> None:
    memory = Memory(lease=20)
    face.call(replica(face, backend, memory), me)
    backend.clock.advance(1000)
    backend.revoke_refresh()
    slow = veza.Hooks(request=lambda _: backend.clock.advance(20))
    with pytest.raises(veza.APITimeoutError, match="make the lease longer"):
        face.call(replica(face, backend, memory, hooks=slow), me)
    assert (backend.count("login"), backend.count("refreshToken")) == (1, 1)


def test_what_a_later_holder_wrote_is_used(face: Any, backend: FakeBackend) -> None:
    backend.issue()
    later = json.dumps({"email": backend.email, "access_token": "access-1", "refresh_token": "refresh-1"})
    memory = Memory(lost=later)
    face.call(replica(face, backend, memory), me)
    assert [one.headers.get("authorization") for one in backend.sent if one.operation == "getMe"] == ["Bearer access-1"]
    assert memory.text == later


def test_a_token_is_used_though_the_lock_was_lost_if_there_is_no_other(face: Any, backend: FakeBackend) -> None:
    empty = json.dumps({"access_token": None, "refresh_token": None})
    assert face.call(replica(face, backend, Memory(lost=empty)), me).id == "user-1"


def test_a_token_that_ended_unused_is_renewed_before_it_is_tried(face: Any, backend: FakeBackend) -> None:
    memory = Memory()
    idle = replica(face, backend, memory)
    face.call(idle, me)
    backend.clock.advance(1000)
    face.call(replica(face, backend, memory), me)
    backend.clock.advance(1000)
    backend.revoke_access()
    assert face.call(idle, me).id == "user-1"
    assert (backend.count("login"), backend.count("refreshToken")) == (1, 2)


def test_the_login_of_another_account_is_not_used(face: Any, backend: FakeBackend) -> None:
    memory = Memory()
    face.call(replica(face, backend, memory), me)
    with pytest.raises(veza.InvalidRequestError, match="another account"):
        face.call(replica(face, backend, memory, email="other@veza.test"), me)


def test_threads_are_kept_apart_though_the_store_keeps_nobody_out() -> None:
    backend = FakeBackend()
    login = veza.SharedLogin(connect(backend), Memory())
    clients = [connect(backend, token_provider=login) for _ in range(8)]
    start = threading.Barrier(8)

    def use(client: veza.Veza) -> str:
        start.wait(60)
        return client.auth.me().id

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(use, clients)) == {"user-1"}
        backend.revoke_access()
        assert set(pool.map(use, clients)) == {"user-1"}
    assert (backend.count("login"), backend.count("refreshToken")) == (1, 1)


def test_tasks_are_kept_apart_though_the_store_keeps_nobody_out() -> None:
    backend = FakeBackend()

    async def scene() -> list[str]:
        login = veza.AsyncSharedLogin(connect_async(backend), AsyncMemory(Memory()))
        clients = [connect_async(backend, token_provider=login) for _ in range(8)]
        found = [one.id for one in await asyncio.gather(*(client.auth.me() for client in clients))]
        backend.revoke_access()
        return found + [one.id for one in await asyncio.gather(*(client.auth.me() for client in clients))]

    assert set(asyncio.run(scene())) == {"user-1"}
    assert (backend.count("login"), backend.count("refreshToken")) == (1, 1)


def test_tasks_and_threads_share_a_file(tmp_path: Path) -> None:
    backend = FakeBackend()
    threads = veza.FileTokenStore(tmp_path / "login")
    login = veza.AsyncSharedLogin(connect_async(backend), veza.AsyncFileTokenStore(tmp_path / "login"))

    async def scene() -> str:
        return (await connect_async(backend, token_provider=login).auth.me()).id

    async def held() -> str:
        client = connect_async(backend, token_provider=login)
        with threads.lock():
            with pytest.raises(veza.DeadlineExceededError):
                await client.auth.me(deadline=0.1)
            assert backend.sent == []
        return (await client.auth.me()).id

    assert (asyncio.run(held()), asyncio.run(scene())) == ("user-1", "user-1")
    assert connect(backend, token_provider=veza.SharedLogin(connect(backend), threads)).auth.me().id == "user-1"
    assert backend.count("login") == 1
