"""The four faces of the SDK: sync and async, over httpx and httpx2. A test that takes `face` runs on each."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from veza.testing import AsyncFakeClock, FakeBackend, FakeClock, connect, connect_async

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator


class Face:
    """One way to use the SDK, driven alike: `call(lambda client: ...)` awaits where there is something to await."""

    def __init__(self, family: Any, *, is_async: bool) -> None:
        self.family = family
        self.is_async = is_async
        self._runner = asyncio.Runner() if is_async else None

    def clock(self) -> Any:
        return AsyncFakeClock() if self.is_async else FakeClock()

    def backend(self, **options: Any) -> FakeBackend:
        return FakeBackend(clock=self.clock(), **options)

    def connect(self, backend: FakeBackend, **options: Any) -> Any:
        make = connect_async if self.is_async else connect
        return make(backend, self.family, **({"clock": backend.clock, "jitter": lambda: 0.0} | options))

    def run(self, value: Awaitable[Any]) -> Any:
        assert self._runner is not None

        async def awaited() -> Any:
            return await value

        return self._runner.run(awaited())

    def call(self, client: Any, use: Callable[[Any], Any]) -> Any:
        if self._runner is None:
            return use(client)

        async def used() -> Any:
            result = use(client)
            return await result if hasattr(result, "__await__") else result

        return self._runner.run(used())

    def ask(self, backend: FakeBackend, use: Callable[[Any], Any], **options: Any) -> Any:
        """Use a new client of the backend."""
        return self.call(self.connect(backend, **options), use)

    def collect(self, client: Any, use: Callable[[Any], Any]) -> list[Any]:
        """Return everything that iterating the result gives."""
        if self._runner is None:
            return list(use(client))

        async def collected() -> list[Any]:
            return [item async for item in use(client)]

        return self._runner.run(collected())

    def close(self) -> None:
        if self._runner is not None:
            self._runner.close()


@pytest.fixture(params=["httpx", "httpx-async", "httpx2", "httpx2-async"])
def face(request: pytest.FixtureRequest) -> Iterator[Face]:
    family, _, is_async = request.param.partition("-")
    one = Face(family, is_async=bool(is_async))
    yield one
    one.close()


@pytest.fixture
def backend(face: Face) -> FakeBackend:
    return face.backend()


@pytest.fixture
def ask(face: Face, backend: FakeBackend) -> Callable[..., Any]:
    """Use a client of the backend: `ask(lambda veza: veza.orders.get("x"), max_retries=0)`."""

    return partial(face.ask, backend)
