"""An error says why, and where; what no transport raised passes as it is; hooks and logs tell of each attempt."""

from __future__ import annotations

import importlib
import logging
import pickle
import socket
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sdk.keepalive import kept_alive

import veza
from veza.testing import FakeBackend, Reply, transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Ask = Callable[..., Any]


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of loopback where nobody listens, and nobody will."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where somebody listens, and never answers."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        yield held.getsockname()[1]


def failure(face: Any, url: str, *, options: Any = None, http: Any = None) -> veza.APIConnectionError:
    """Return the error of a call of a client over real sockets."""
    module = importlib.import_module(face.family)
    kind, veza_kind = (module.AsyncClient, veza.AsyncVeza) if face.is_async else (module.Client, veza.Veza)
    client: Any = veza_kind(url, http_client=lambda: kind(**(http or {})), max_retries=0, **(options or {}))
    try:
        with pytest.raises(veza.APIConnectionError) as caught:
            face.call(client, lambda v: v.system.status())
    finally:
        face.call(client, lambda v: v.aclose() if face.is_async else v.close())
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.reason, again.host, again.port) == (caught.value.reason, caught.value.host, caught.value.port)
    return caught.value


def test_a_refused_port(face: Any, closed_port: int) -> None:
    error = failure(face, f"http://127.0.0.1:{closed_port}")
    assert (error.reason, error.host, error.port) == ("refused", "127.0.0.1", closed_port)
    assert error.message.startswith(f"no connection: 127.0.0.1:{closed_port} refused it")


def test_a_refused_port_of_an_ipv6_address(face: Any, closed_port: int) -> None:
    assert f" [::1]:{closed_port} " in failure(face, f"http://[::1]:{closed_port}").message


def test_a_name_that_cannot_be_resolved(face: Any) -> None:
    error = failure(face, "https://veza.invalid")
    assert (error.reason, error.host, error.port) == ("dns", "veza.invalid", 443)
    assert "veza.invalid:443 cannot be resolved" in error.message


def test_https_on_a_port_that_speaks_http(face: Any) -> None:
    with kept_alive() as kept:
        error = failure(face, kept.url.replace("http:", "https:"))
    assert (error.reason, error.host) == ("tls", "127.0.0.1")
    assert "is it an https address?" in error.message


def test_a_dead_proxy(face: Any, closed_port: int) -> None:
    error = failure(face, "http://veza.test", http={"proxy": f"http://127.0.0.1:{closed_port}"})
    assert (error.reason, error.host, error.port) == ("proxy", "127.0.0.1", closed_port)
    assert f"the proxy 127.0.0.1:{closed_port} refused it" in error.message


def test_the_phase_of_a_timeout(face: Any, silent_port: int) -> None:
    error = failure(face, f"http://127.0.0.1:{silent_port}", options={"timeout": 0.05})
    assert isinstance(error, veza.APITimeoutError)
    assert (error.reason, error.host, error.port) == ("read_timeout", "127.0.0.1", silent_port)


def test_where_a_redirect_points_to(ask: Ask, backend: FakeBackend) -> None:
    location = "https://user:pass@gate.test/login?token=t#part"
    backend.script("getStatus", Reply(status=307, body=b"", headers={"Location": location}))
    with pytest.raises(veza.APIStatusError) as caught:
        ask(lambda v: v.system.status())
    assert caught.value.location == "https://gate.test/login"
    assert caught.value.message == "the backend answered 307 and points to https://gate.test/login"


def test_what_came_in_the_place_of_json(ask: Ask, backend: FakeBackend) -> None:
    page = Reply(body=b"<html>", headers={"Content-Type": "Text/HTML; charset=utf-8"})
    backend.script("getStatus", *[page] * 3)
    with pytest.raises(veza.InvalidResponseError) as caught:
        ask(lambda v: v.system.status())
    assert (caught.value.content_type, caught.value.message) == (
        "text/html", "the response is not JSON but text/html",
    )  # fmt: skip
    cut = Reply(body=b'{"success": tr', headers={"Content-Type": "application/json"})
    backend.script("getStatus", *[cut] * 3)
    with pytest.raises(veza.InvalidResponseError) as caught:
        ask(lambda v: v.system.status())
    assert (caught.value.content_type, caught.value.message) == ("application/json", "the response is not JSON")
    backend.script("getStatus", Reply(status=502, body=page.body, headers=page.headers))
    with pytest.raises(veza.InternalServerError) as failed:
        ask(lambda v: v.system.status(), max_retries=0)
    assert failed.value.content_type == "text/html"


def hooked(face: Any, backend: FakeBackend, kind: str, hook: Callable[..., Any]) -> Any:
    """Return a client with an event hook of httpx's own."""
    module = importlib.import_module(face.family)

    async def awaited(thing: Any) -> None:
        hook(thing)

    http_kind, veza_kind = (module.AsyncClient, veza.AsyncVeza) if face.is_async else (module.Client, veza.Veza)
    hooks = {kind: [awaited if face.is_async else hook]}
    return veza_kind(
        "http://veza.test", http_client=http_kind(transport=transport(backend, face.family), event_hooks=hooks)
    )


@pytest.mark.parametrize("kind", ["request", "response"])
@pytest.mark.parametrize("bug", [ValueError, RuntimeError, OSError, TimeoutError, LookupError])
def test_a_bug_in_an_event_hook_passes_with_its_traceback(
    face: Any, backend: FakeBackend, kind: str, bug: type[Exception]
) -> None:
    def hook(_: Any) -> None:
        raise bug("of a hook")

    client = hooked(face, backend, kind, hook)
    with pytest.raises(bug, match="of a hook") as caught:
        face.call(client, lambda v: v.system.status())
    assert caught.traceback[-1].name == "hook"


def test_an_event_hook_that_cannot_reach_its_own_server_does_not_send_the_order_again(
    face: Any, backend: FakeBackend, closed_port: int
) -> None:
    module = importlib.import_module(face.family)

    def report(_: Any) -> None:
        module.get(f"http://127.0.0.1:{closed_port}/metrics")

    client = hooked(face, backend, "response", report)
    with pytest.raises(module.ConnectError):
        face.call(client, lambda v: v.request("POST", "/orders", json={"items": [{"product_id": "11"}]}, auth=False))
    assert backend.count("createOrder") == 1


def test_a_tracer_around_the_sending_of_a_request_hides_no_failure(face: Any, closed_port: int) -> None:
    module = importlib.import_module(face.family)
    kind, veza_kind = (module.AsyncClient, veza.AsyncVeza) if face.is_async else (module.Client, veza.Veza)

    class Traced(kind):  # type: ignore[misc,valid-type]  # of either family
        def _send_single_request(self, request: Any) -> Any:
            send = super()._send_single_request

            async def awaited() -> Any:
                return await send(request)

            return awaited() if face.is_async else send(request)

    client = veza_kind(f"http://127.0.0.1:{closed_port}", http_client=Traced(), max_retries=0)
    with pytest.raises(veza.APIConnectionError) as caught:
        face.call(client, lambda v: v.system.status())
    assert caught.value.reason == "refused"


def test_a_status_that_an_event_hook_raises_passes(face: Any, backend: FakeBackend) -> None:
    backend.script("getStatus", Reply(status=409))
    client = hooked(face, backend, "response", lambda response: response.raise_for_status())
    with pytest.raises(importlib.import_module(face.family).HTTPStatusError):
        face.call(client, lambda v: v.system.status())


def test_a_client_that_sends_in_its_own_way_may_fail_in_its_own_way() -> None:
    class Mine(httpx.Client):
        def send(self, *_: Any, **__: Any) -> Any:
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        veza.Veza("http://veza.test", http_client=Mine()).system.status()


def test_hooks_are_told_of_each_attempt(face: Any, backend: FakeBackend) -> None:
    told: list[tuple[str, Any]] = []
    hooks = veza.Hooks(*(lambda one, kind=kind: told.append((kind, one)) for kind in ("request", "response", "retry")))
    client = face.connect(backend, hooks=hooks)
    backend.script("getMe", Reply(status=503), Reply(breaks="read"))
    face.call(client, lambda v: v.auth.me())
    assert [(kind, one.operation, one.number, one.status_code) for kind, one in told] == [
        ("request", "login", 1, None),
        ("response", "login", 1, 200),
        ("request", "getMe", 1, None),
        ("response", "getMe", 1, 503),
        ("retry", "getMe", 1, 503),
        ("request", "getMe", 2, None),
        ("response", "getMe", 2, None),
        ("retry", "getMe", 2, None),
        ("request", "getMe", 3, None),
        ("response", "getMe", 3, 200),
    ]
    assert [one.delay for kind, one in told if kind == "retry"] == [0.5, 1.0]


def test_a_hook_that_would_have_to_be_awaited_is_refused() -> None:
    async def hook(_: veza.Attempt) -> None:
        """Nobody would await it."""

    for name in ("request", "response", "retry"):
        with pytest.raises(veza.InvalidRequestError, match="plain function"):
            veza.Hooks(**{name: hook})


def test_hooks_are_told_how_long_an_attempt_took(face: Any, backend: FakeBackend) -> None:
    took: list[float] = []
    hooks = veza.Hooks(lambda _: backend.clock.advance(5), lambda attempt: took.append(attempt.seconds))
    receive = backend.receive

    class Slow(FakeBackend):
        def receive(self, *request: Any) -> Reply:
            self.clock.advance(3)
            return receive(*request)

    client = face.connect(Slow(clock=backend.clock), hooks=hooks)
    face.call(client, lambda v: v.system.status())
    assert took == [3]


def test_what_a_hook_raises_passes(face: Any, backend: FakeBackend) -> None:
    def hook(_: veza.Attempt) -> None:
        raise LookupError("of a hook")

    for hooks in (veza.Hooks(request=hook), veza.Hooks(response=hook)):
        with pytest.raises(LookupError):
            face.ask(backend, lambda v: v.system.status(), hooks=hooks)


def test_log_records_carry_their_facts_by_name(
    face: Any, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.script("getStatus", Reply(breaks="connect"), Reply(status=503))
    with caplog.at_level(logging.DEBUG, logger="veza"):
        face.ask(backend, lambda v: v.system.status())
    facts = [
        {name.removeprefix("veza_"): value for name, value in vars(one).items() if name.startswith("veza_")}
        for one in caplog.records
        if one.name == "veza"
    ]
    call = {"operation": "getStatus", "method": "GET", "path": "/status"}
    nobody = {"status_code": None, "request_id": None}
    assert facts == [
        call | nobody | {"attempt": 1, "reason": "connect"},
        call | nobody | {"attempt": 1, "delay": 0.5},
        call | {"attempt": 2, "status_code": 503, "request_id": "req-2"},
        call | {"attempt": 2, "status_code": 503, "request_id": "req-2", "delay": 1.0},
        call | {"attempt": 3, "status_code": 200, "request_id": "req-3"},
    ]
