"""The pytest fixtures of `veza.testing`. Loaded by pytest itself; loads the SDK only where a fixture is used.

A test fails if it leaves a scripted reply of its `veza_backend` unused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from veza._async.client import AsyncVeza
    from veza._sync.client import Veza
    from veza.testing._backend import FakeBackend

_BACKEND: pytest.StashKey[FakeBackend] = pytest.StashKey()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that passed so far and left a scripted reply unused."""
    result = yield
    if backend := item.stash.get(_BACKEND, None):
        try:
            backend.check_scripts()
        except AssertionError as error:
            pytest.fail(f"{type(error).__name__}: {error}", pytrace=False)
    return result


@pytest.fixture
def veza_backend(request: pytest.FixtureRequest) -> FakeBackend:
    """A Veza backend in memory, with one account and one product."""
    from veza.testing._backend import FakeBackend  # noqa: PLC0415  (pytest loads this module in every project)

    backend = request.node.stash[_BACKEND] = FakeBackend()
    return backend


@pytest.fixture
def veza_client(veza_backend: FakeBackend) -> Veza:
    """A client of `veza_backend` whose waits are over at once."""
    from veza.testing._connect import connect  # noqa: PLC0415  (as above)

    return connect(veza_backend)


@pytest.fixture
def async_veza_client(veza_backend: FakeBackend) -> AsyncVeza:
    """An asynchronous client of `veza_backend` whose waits are over at once."""
    from veza.testing._connect import connect_async  # noqa: PLC0415  (as above)

    return connect_async(veza_backend)


@pytest.fixture
def veza_server(veza_backend: FakeBackend) -> Iterator[str]:
    """The base URL of `veza_backend`, served on loopback."""
    from veza.testing._connect import serve  # noqa: PLC0415  (as above)

    with serve(veza_backend) as url:
        yield url
