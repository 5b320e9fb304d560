"""What a call, a client and an environment may say beside the arguments of an operation."""

from __future__ import annotations

import inspect
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import veza
from veza._async.options import AsyncClientOptions
from veza._sync.options import ClientOptions
from veza.testing import FakeBackend, Reply, connect, connect_async

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[..., Any]

CALLS: dict[str, Callable[..., Any]] = {
    "getHealth": lambda v, **o: v.system.health(**o),
    "getStatus": lambda v, **o: v.system.status(**o),
    "login": lambda v, **o: v.auth.login(**o),
    "getMe": lambda v, **o: v.auth.me(**o),
    "refreshToken": lambda v, **o: v.auth.refresh("refresh-1", **o),
    "listProducts": lambda v, **o: v.products.list(**o),
    "getProduct": lambda v, **o: v.products.get("11", **o),
    "createOrder": lambda v, **o: v.orders.create(["11"], **o),
    "getOrder": lambda v, **o: v.orders.get("order-1", **o),
    "listOrders": lambda v, **o: v.orders.list(**o),
    "requestRefund": lambda v, **o: v.orders.refund("order-1", reason="r", **o),
    "listMyLicenses": lambda v, **o: v.licenses.mine(**o),
    "logout": lambda v, **o: v.auth.logout(**o),
}


def test_every_operation_takes_headers_and_a_timeout_of_its_own(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend)
    for operation, use in CALLS.items():
        if operation == "requestRefund":
            backend.shop.pay("order-1")
        result = face.call(client, lambda v, use=use: use(v, extra_headers={"X-Trace": use.__name__}, timeout=5))
        assert (backend.sent[-1].operation, backend.sent[-1].headers["x-trace"]) == (operation, use.__name__)
        assert result is not None or operation == "logout"


def test_a_wait_passes_them_on(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend)
    order = face.call(client, CALLS["createOrder"]).order
    backend.shop.pay(order.id)
    face.call(client, lambda v: v.orders.wait_until_completed(order.id, deadline=9, extra_headers={"X-Trace": "w"}))
    assert (backend.sent[-1].operation, backend.sent[-1].headers["x-trace"]) == ("getOrder", "w")


def test_the_timeout_of_a_call_is_that_of_its_request() -> None:
    seen: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"]["read"])
        return httpx.Response(200, json={"status": "healthy"})

    client = veza.Veza("http://veza.test", http_client=httpx.Client(transport=httpx.MockTransport(answer)), timeout=9)
    client.system.health(timeout=3)
    client.request("GET", "/health", timeout=4)
    client.system.health()
    assert seen == [3, 4, 9]


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer x"}, {"idempotency-key": "k"}, {"Host": "h"}, {"Content-Length": "0"}, {"X\n": "y"},
        {"X": "a\r\nY: b"}, {"X": 5}, {"": "x"}, {"X": "ü"}, {"Idempotency_Key": "k"}, {b"X": "y"}, [("X", "y")],
    ],
)  # fmt: skip
def test_headers_that_the_sdk_writes_and_malformed_ones_are_refused(
    ask: Ask, backend: FakeBackend, headers: Any
) -> None:
    with pytest.raises(veza.InvalidRequestError, match="header"):
        ask(lambda v: v.orders.get("1", extra_headers=headers))
    with pytest.raises(veza.InvalidRequestError, match="header"):
        ask(lambda v: v.request("GET", "/orders", headers=headers))
    assert backend.sent == []


@pytest.mark.parametrize("key", ["", "a\r\nX: y", "ü", " k", "k" * 256, 5])
def test_a_key_that_no_backend_takes_is_refused(ask: Ask, backend: FakeBackend, key: Any) -> None:
    backend.script("createOrder", *[Reply(status=503)] * 3)
    with pytest.raises(veza.InvalidRequestError, match="idempotency_key"):
        ask(lambda v: v.request("POST", "/orders", json={"items": []}, idempotency_key=key), idempotency=True)
    assert backend.sent == []


def test_a_misspelt_option_is_refused(ask: Ask) -> None:
    with pytest.raises(TypeError, match="time_out"):
        ask(lambda v: v.system.health(time_out=3))


def test_a_result_keeps_the_body_that_it_was_read_from_if_asked_to(face: Any, backend: FakeBackend) -> None:
    body = b'{"success": true, "data": {"environment": "test", "services": {}, "new": 1}}'
    backend.script("getStatus", *[Reply(body=body)] * 2)
    client = face.connect(backend, keep_content=True)
    status = face.call(client, lambda v: v.system.status())
    assert (status.environment, status.response_info.content) == ("test", body)
    assert pickle.loads(pickle.dumps(status.response_info)).content is None
    assert face.call(client, lambda v: v.products.list()).response_info.content.startswith(b"{")
    assert face.call(client, lambda v: v.auth.login()).response_info.content is None
    other = client.with_options(keep_content=False)
    assert face.call(other, lambda v: v.system.status()).response_info.content is None


def test_the_application_is_named_beside_the_sdk(face: Any, backend: FakeBackend) -> None:
    face.ask(backend, lambda v: v.system.health(), app_info="shop/1.2")
    assert backend.sent[-1].headers["user-agent"] == f"veza-python/{veza.__version__} shop/1.2"
    for name in ("", "a\nb", "x" * 201, "ü"):
        with pytest.raises(veza.InvalidRequestError):
            face.connect(backend, app_info=name)


@pytest.mark.parametrize("wait", [float("nan"), -1, None, "60", True])
def test_a_longest_wait_that_is_no_number_is_refused(wait: Any) -> None:
    with pytest.raises(veza.InvalidRequestError, match="max_retry_after"):
        connect(FakeBackend(), max_retry_after=wait)
    if wait is not None:  # which leaves it as it is
        with pytest.raises(veza.InvalidRequestError, match="max_retry_after"):
            connect(FakeBackend()).with_options(max_retry_after=wait)


@pytest.mark.parametrize(
    "url", ["http://veza.test\n", " http://veza.test", "http://veza .test", "http://veza.test/\x00"]
)
def test_a_url_with_spaces_or_unprintable_characters_is_refused(url: str) -> None:
    for kind in (veza.Veza, veza.AsyncVeza):
        with pytest.raises(veza.InvalidRequestError, match="base_url"):
            kind(url)


@pytest.mark.parametrize("kind", [veza.Veza, veza.AsyncVeza])
@pytest.mark.parametrize(
    ("name", "value"),
    [("ALL_PROXY", "socks://127.0.0.1:1"), ("SSL_CERT_FILE", "/no/such/file")],
)
def test_an_environment_that_httpx_cannot_use_is_said(
    kind: Any, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(veza.InvalidRequestError, match=name):
        kind("http://veza.test")


@pytest.mark.parametrize("kind", [veza.Veza, veza.AsyncVeza])
def test_a_client_by_the_environment(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VEZA_URL", "VEZA_ACCESS_TOKEN", "OPERATOR_EMAIL", "OPERATOR_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(veza.InvalidRequestError, match="VEZA_URL"):
        kind.from_env()
    monkeypatch.setenv("VEZA_URL", "http://veza.test")
    monkeypatch.setenv("OPERATOR_EMAIL", "o@veza.test")
    monkeypatch.setenv("OPERATOR_PASSWORD", "p")
    session = kind.from_env(timeout=3)._engine.session
    assert (session.email, session.password, session.access) == ("o@veza.test", veza.Secret("p"), None)
    monkeypatch.setenv("VEZA_ACCESS_TOKEN", "t")
    assert kind.from_env()._engine.session.access == veza.Secret("t")
    session = kind.from_env(access_token="mine")._engine.session
    assert (session.email, session.access) == (None, veza.Secret("mine"))
    assert kind.from_env(access_token=None, password=None)._engine.session.access == veza.Secret("t")
    assert repr(kind.from_env()).endswith("of http://veza.test>")
    monkeypatch.setenv("OPERATOR_PASSWORD", "of the environment")
    with pytest.raises(veza.InvalidRequestError) as caught:
        kind.from_env(timeout=-1)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    assert "timeout" in (text := "".join(shown))
    assert "of the environment" not in text


@pytest.mark.parametrize(("kind", "options"), [(veza.Veza, ClientOptions), (veza.AsyncVeza, AsyncClientOptions)])
def test_the_options_are_those_of_the_constructor(kind: Any, options: Any) -> None:
    arguments = inspect.signature(kind).parameters.values()
    wanted = {one.name: one.annotation for one in arguments if one.name != "base_url"}
    assert {name: hint.__forward_arg__ for name, hint in options.__annotations__.items()} == wanted


def test_the_helpers_for_tests_take_the_same_options() -> None:
    backend = FakeBackend()
    assert connect(backend, app_info="shop").system.health().status == "healthy"
    assert connect_async(backend, app_info="shop") is not None
