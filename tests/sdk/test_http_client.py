"""Whose client it is, who closes it, what is shared."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import gzip
import importlib
import warnings
from typing import Any

import httpx
import httpx2
import pytest

import veza
from veza.testing import FakeBackend, Reply, connect, transport


def test_an_injected_client_is_never_closed(face: Any, backend: FakeBackend) -> None:
    module = importlib.import_module(face.family)
    if face.is_async:
        http = module.AsyncClient(transport=transport(backend, face.family))

        async def scene() -> None:
            async with veza.AsyncVeza("http://veza.test", http_client=http) as client:
                await client.system.health()
            await client.aclose()
            assert (await client.system.health()).status == "healthy"

        face.run(scene())
    else:
        http = module.Client(transport=transport(backend, face.family))
        with veza.Veza("http://veza.test", http_client=http) as client:
            client.system.health()
        client.close()
        assert client.system.health().status == "healthy"
    assert not http.is_closed


def test_a_client_of_its_own_is_closed(veza_server: str) -> None:
    with veza.Veza(veza_server) as client:
        assert client.system.health().status == "healthy"
    with pytest.raises(veza.APIConnectionError):
        assert client.system.health().status == "healthy"

    async def scene() -> None:
        async with veza.AsyncVeza(veza_server) as client:
            await client.system.health()
        with pytest.raises(veza.APIConnectionError):
            await client.system.health()

    asyncio.run(scene())


def test_nothing_runs_when_a_client_is_collected(veza_server: str) -> None:
    def scene() -> None:
        client = veza.Veza(veza_server)
        assert client.system.health().status == "healthy"
        client.close()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scene()
        gc.collect()
    for kind in (veza.Veza, veza.AsyncVeza):
        assert not any("__del__" in one.__dict__ for one in kind.__mro__)


def test_with_options_shares_connections_login_and_clock(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend)
    face.call(client, lambda v: v.auth.me())
    other = client.with_options(max_retries=0, timeout=3, idempotency=True, deadline=7, max_retry_after=1)
    face.call(other, lambda v: v.auth.me())
    assert [one.operation for one in backend.sent] == ["login", "getMe", "getMe"]
    face.call(other, lambda v: v.orders.create(["11"]))
    assert "idempotency-key" in backend.sent[-1].headers
    backend.script("getStatus", Reply(status=503))
    with pytest.raises(veza.InternalServerError):
        face.call(other, lambda v: v.system.status())
    backend.script("getStatus", Reply(status=503))
    assert face.call(client, lambda v: v.system.status()).response_info.retry_count == 1


def test_closing_a_client_with_other_options_leaves_the_first_open(veza_server: str) -> None:
    with veza.Veza(veza_server) as client:
        with client.with_options(timeout=3) as other:
            other.system.health()
        assert client.system.health().status == "healthy"


def test_the_default_headers_and_query_of_the_injected_client_are_sent(face: Any, backend: FakeBackend) -> None:
    module = importlib.import_module(face.family)
    kind, veza_kind = (module.AsyncClient, veza.AsyncVeza) if face.is_async else (module.Client, veza.Veza)
    http = kind(
        transport=transport(backend, face.family), headers={"X-Gate": "open", "User-Agent": "shop/1"},
        params={"tenant": "a b"},
    )  # fmt: skip
    client: Any = veza_kind("http://veza.test", http_client=http)
    backend.script("listProducts", Reply(json={"data": [], "meta": []}))
    with pytest.raises(veza.InvalidResponseError):
        face.call(client, lambda v: v.products.list(page=2))
    (sent,) = backend.sent
    assert (sent.headers["x-gate"], sent.headers["user-agent"]) == ("open", "shop/1")
    assert dict(sent.query) == {"page": "2", "tenant": "a b"}


def test_requests_are_what_any_inspector_expects() -> None:
    seen: list[httpx.Request] = []

    def note(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"success": True})

    client = veza.Veza(
        "http://veza.test", access_token="t", http_client=httpx.Client(transport=httpx.MockTransport(note))
    )
    client.request("POST", "/a", json={"a": 1})
    client.request("POST", "/a")
    client.request("DELETE", "/a")
    client.request("GET", "/a")
    assert [one.content for one in seen] == [b'{"a": 1}', b"", b"", b""]
    assert [one.headers.get("content-length") for one in seen] == ["8", "0", "0", None]
    assert [one.headers.get("content-type") for one in seen] == ["application/json", None, None, None]
    for one in seen:
        assert one.headers["host"] == "veza.test"
        assert one.headers["accept"] == "application/json"
        assert one.headers["user-agent"].startswith("veza-python/")


def test_bodies_travel_over_real_sockets(veza_backend: FakeBackend, veza_server: str) -> None:
    for module in (httpx, httpx2):
        http: Any = module.Client()
        with (
            http,
            veza.Veza(veza_server, email=veza_backend.email, password=veza_backend.password, http_client=http) as v,
        ):
            assert v.orders.create(["11"]).order.total == veza.Money(500, "EUR")


@pytest.mark.parametrize("thing", [object(), "client", veza.VezaError("x")])
def test_a_client_of_another_library_is_refused(thing: Any) -> None:
    with pytest.raises(TypeError, match="httpx"):
        veza.Veza("http://veza.test", http_client=thing)


def test_a_subclass_of_a_client_is_of_its_family() -> None:
    class Mine(httpx2.Client):
        pass

    backend = FakeBackend()
    client = veza.Veza("http://veza.test", http_client=Mine(transport=transport(backend, "httpx2")))
    assert client.system.health().status == "healthy"


def test_a_huge_answer_is_refused() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Endless())

    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            while True:
                yield b" " * 2**20

    client = veza.Veza("http://veza.test", http_client=httpx.Client(transport=httpx.MockTransport(answer)))
    with pytest.raises(veza.InvalidResponseError, match="too large"):
        assert client.system.health().status == "healthy"


@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip,deflate"])
def test_an_answer_that_is_compressed_twice_is_refused(encoding: str) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        body = gzip.compress(gzip.compress(b" " * 2**20))
        return httpx.Response(200, headers={"Content-Encoding": encoding}, stream=httpx.ByteStream(body))

    client = veza.Veza(
        "http://veza.test", http_client=httpx.Client(transport=httpx.MockTransport(answer)), max_retries=0
    )
    with pytest.raises(veza.InvalidResponseError, match="compressed twice"):
        client.system.health()


@pytest.mark.parametrize("encoding", ["br", "ZSTD"])
def test_what_may_grow_without_bound_is_neither_asked_for_nor_decompressed(encoding: str) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["accept-encoding"])
        return httpx.Response(200, headers={"Content-Encoding": encoding}, stream=httpx.ByteStream(b"32 KB of zeros"))

    http = httpx.Client(transport=httpx.MockTransport(answer), headers={"Accept-Encoding": "gzip, deflate, br, zstd"})
    with pytest.raises(veza.InvalidResponseError, match=f"compressed by {encoding.lower()}"):
        veza.Veza("http://veza.test", http_client=http, max_retries=0).system.health()
    assert asked == ["gzip, deflate"]


def test_a_trickling_answer_ends_at_the_deadline() -> None:
    backend = FakeBackend()

    class Trickle(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            while True:
                backend.clock.advance(1)
                yield b" "

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Trickle())

    http = httpx.Client(transport=httpx.MockTransport(answer))
    client = veza.Veza("http://veza.test", http_client=http, clock=connect(backend, clock=backend.clock)._engine.clock)
    with pytest.raises(veza.DeadlineExceededError):
        client.system.health(deadline=5)
    assert backend.clock.monotonic() == 5


def test_headers_that_trickle_in_end_at_the_deadline() -> None:
    async def scene() -> None:
        ended = asyncio.Event()

        async def trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\n")
            with contextlib.suppress(ConnectionError):
                while True:
                    writer.write(b"X: y\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.01)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            ended.set()

        server = await asyncio.start_server(trickle, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, veza.AsyncVeza(f"http://127.0.0.1:{port}", max_retries=0) as client:
            with pytest.raises(veza.DeadlineExceededError):
                await client.system.health(deadline=0.2)
            await ended.wait()

    asyncio.run(scene())
