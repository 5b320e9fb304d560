"""For the tests of programs that use `veza`: a backend in memory, scripted answers, clocks that do not wait.

The pytest plugin of this package gives the fixtures `veza_backend`, `veza_client`, `async_veza_client` and
`veza_server`. A test that leaves a scripted reply of `veza_backend` unused fails.
"""

from veza.testing._accounts import EMAIL, PASSWORD
from veza.testing._backend import FakeBackend, UnusedScriptError
from veza.testing._clock import AsyncFakeClock, FakeClock
from veza.testing._connect import BASE_URL, connect, connect_async, serve, transport
from veza.testing._reply import Reply, Sent
from veza.testing._shop import Shop

__all__ = [
    "BASE_URL",
    "EMAIL",
    "PASSWORD",
    "AsyncFakeClock",
    "FakeBackend",
    "FakeClock",
    "Reply",
    "Sent",
    "Shop",
    "UnusedScriptError",
    "connect",
    "connect_async",
    "serve",
    "transport",
]
