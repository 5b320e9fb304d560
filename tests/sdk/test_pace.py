"""A client that keeps a limit of its own on how often it asks."""

from __future__ import annotations

import asyncio
import math
import threading
from typing import TYPE_CHECKING, Any

import pytest

import veza
from veza.testing import AsyncFakeClock, FakeBackend, FakeClock, Reply, connect, connect_async

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[..., Any]


def test_requests_are_spread_evenly_logins_and_retries_included(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend, requests_per_second=4, max_retries=1)
    backend.script("getMe", Reply(status=503, headers={"Retry-After": "2"}))
    for _ in range(3):
        face.call(client, lambda v: v.auth.me())
    assert [call.operation for call in backend.sent] == ["login", *["getMe"] * 4]
    assert backend.clock.sleeps == [0.25, 2.0, 0.25, 0.25]


def test_who_asks_seldom_waits_for_nothing(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend, requests_per_second=0.5)
    for _ in range(3):
        face.call(client, lambda v: v.system.status())
        backend.clock.advance(2.0)
    assert backend.clock.sleeps == []


def test_clients_of_with_options_share_the_limit(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend, requests_per_second=2)
    face.call(client, lambda v: v.system.status())
    face.call(client, lambda v: v.with_options(timeout=9).system.status())
    assert backend.clock.sleeps == [0.5]


def test_a_turn_after_the_deadline_is_not_waited_for_and_not_taken(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend, requests_per_second=0.1)
    face.call(client, lambda v: v.system.status())
    for _ in range(3):
        with pytest.raises(veza.DeadlineExceededError, match="requests_per_second") as caught:
            face.call(client, lambda v: v.system.status(deadline=5))
        assert caught.value.attempts == 0
    face.call(client, lambda v: v.system.status())
    assert backend.clock.sleeps == [10.0]


def test_threads_share_the_limit() -> None:
    clock = FakeClock()
    backend = FakeBackend(clock=clock)
    client = connect(backend, requests_per_second=10, clock=clock)
    threads = [threading.Thread(target=client.system.status) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(backend.sent) == 8
    assert clock.monotonic() >= 0.7 - 1e-9


def test_tasks_share_the_limit() -> None:
    clock = AsyncFakeClock()
    backend = FakeBackend(clock=clock)

    async def scene() -> None:
        async with connect_async(backend, requests_per_second=10, clock=clock) as client:
            await asyncio.gather(*(client.system.status() for _ in range(8)))

    asyncio.run(scene())
    assert len(backend.sent) == 8
    assert clock.monotonic() == pytest.approx(0.7)


@pytest.mark.parametrize("wrong", [0, -1, math.inf, math.nan, True, "4"])
def test_a_limit_that_is_none_is_refused(face: Any, backend: FakeBackend, wrong: Any) -> None:
    with pytest.raises(veza.InvalidRequestError, match="requests_per_second"):
        face.connect(backend, requests_per_second=wrong)
