"""The pytest fixtures of `veza.testing`. Loaded by pytest itself; loads the SDK only where a fixture is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from veza._async.client import AsyncVeza
    from veza._sync.client import Veza
    from veza.testing._backend import FakeBackend


@pytest.fixture
def veza_backend() -> FakeBackend:
    """A Veza backend in memory, with one account and one product."""
    from veza.testing._backend import FakeBackend  # noqa: PLC0415  (pytest loads this module in every project)

    return FakeBackend()


@pytest.fixture
def veza_client(veza_backend: FakeBackend) -> Veza:
    """A client of `veza_backend` whose waits are over at once."""
    from veza.testing._connect import connect  # noqa: PLC0415  (as above)

    return connect(veza_backend, clock=veza_backend.clock)


@pytest.fixture
def async_veza_client(veza_backend: FakeBackend) -> AsyncVeza:
    """An asynchronous client of `veza_backend`."""
    from veza.testing._connect import connect_async  # noqa: PLC0415  (as above)

    return connect_async(veza_backend)


@pytest.fixture
def veza_server(veza_backend: FakeBackend) -> Iterator[str]:
    """The base URL of `veza_backend`, served on loopback."""
    from veza.testing._connect import serve  # noqa: PLC0415  (as above)

    with serve(veza_backend) as url:
        yield url
