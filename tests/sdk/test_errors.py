"""Only our errors leave the client, each says what it should, and none holds a secret."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import ssl
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import veza
import veza.errors
from veza.testing import FakeBackend, Reply, connect

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[..., Any]

CLASSES = {
    400: veza.BadRequestError,
    401: veza.AuthenticationError,
    403: veza.PermissionDeniedError,
    404: veza.NotFoundError,
    409: veza.ConflictError,
    422: veza.UnprocessableEntityError,
    423: veza.LockedError,
    429: veza.RateLimitError,
    500: veza.InternalServerError,
    503: veza.InternalServerError,
    599: veza.InternalServerError,
    402: veza.APIStatusError,
    302: veza.APIStatusError,
}
FIELDS = (
    "message", "status_code", "code", "details", "request_id", "method", "path", "attempts", "retry_after",
    "idempotency_key",
)  # fmt: skip
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def test_each_status_has_its_class(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend, max_retries=0)
    found = {}
    for status in CLASSES:
        backend.script("getStatus", Reply(status=status, json={"success": False, "error": "why"}))
        with pytest.raises(veza.APIStatusError) as caught:
            face.call(client, lambda v: v.system.status())
        assert (caught.value.status_code, caught.value.message) == (status, "why")
        found[status] = type(caught.value)
    assert found == CLASSES


def test_the_four_error_shapes_are_read(face: Any, backend: FakeBackend, subtests: pytest.Subtests) -> None:
    client = face.connect(backend)
    shapes: tuple[tuple[Any, str | None, str, Any], ...] = (
        ({"success": False, "error": "text"}, None, "text", None),
        ({"success": False, "message": "m", "error_code": "C", "details": {"a": 1}}, "C", "m", {"a": 1}),
        ({"error": {"code": "C", "message": "m", "details": [1], "request_id": "r"}}, "C", "m", [1]),
        ({"success": False, "message": "m"}, None, "m", None),
        ({}, None, "the backend answered 404", None),
        ([], None, "the backend answered 404", None),
        ({"error": {"code": 5, "message": None}}, None, "the backend answered 404", None),
    )
    for number, (body, code, message, details) in enumerate(shapes, start=1):
        backend.script("getStatus", Reply(status=404, json=body))
        with subtests.test(body=body):
            with pytest.raises(veza.NotFoundError) as caught:
                face.call(client, lambda v: v.system.status())
            error = caught.value
            assert (error.code, error.message, error.details) == (code, message, details)
            assert (error.request_id, error.method, error.path) == (f"req-{number}", "GET", "/status")
            assert error.attempts == 1


def test_the_request_id_of_the_body_serves_where_the_header_is_missing() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(404, json={"error": {"code": "C", "message": "m", "request_id": "r-9"}})

    client = veza.Veza("http://veza.test", http_client=httpx.Client(transport=httpx.MockTransport(answer)))
    with pytest.raises(veza.NotFoundError) as caught:
        client.system.status()
    assert caught.value.request_id == "r-9"
    assert str(caught.value) == "m (GET /status, C, request r-9)"


def test_an_answer_of_another_form_is_an_invalid_response(
    face: Any, backend: FakeBackend, subtests: pytest.Subtests
) -> None:
    client = face.connect(backend, max_retries=0)
    for number, body in enumerate((
        b"", b"   ", b"<html>ok</html>", b'{"success": true, "data"', b"\xff\xfe", b"null", b"[]", b"5", b'"x"', b"{}",
        b'{"success": true}', b'{"success": true, "data": null}', b'{"success": true, "data": []}',
        b'{"success": false, "data": {"environment": "x", "services": {}}}', b'{"success": 1, "data": {}}',
        b'{"success": true, "data": {"environment": 5, "services": {}}}',
        b'{"environment": NaN}', b"[" * 100_000, b'{"a":' * 100_000, b"9" * 10_000,
        b'{"success": true, "data": {"environment": "x", "services": {"a": 1}}}',
    ), start=1):  # fmt: skip
        backend.script("getStatus", Reply(body=body))
        with subtests.test(body=body[:80]):
            with pytest.raises(veza.InvalidResponseError) as caught:
                face.call(client, lambda v: v.system.status())
            assert (caught.value.status_code, caught.value.request_id) == (200, f"req-{number}")


@example("getHealth", 200, b"no gzip", {"Content-Encoding": "gzip"})
@example("createOrder", 503, b"no gzip", {"Content-Encoding": "gzip"})
@example("getStatus", 429, b"{}", {"Retry-After": "Wed, 01 Apr 0000 10:00:00 GMT"})
@example("getOrder", 302, b"", {"Location": "http://["})
@example("getOrder", 404, b'{"message": "m", "details": [0.1, 1e5]}', {})
@example("login", 200, b'{"success": true, "data": {"a": "\\ud800"}}', {})
@example("login", 401, b'{"message": "\\ud800", "details": {"\\ud800": ["\\ud800"]}}', {})
@given(
    operation=st.sampled_from(["getHealth", "getStatus", "listProducts", "createOrder", "login", "getOrder"]),
    status=st.sampled_from([200, 201, 202, 204, 302, 400, 401, 404, 429, 500, 503]),
    body=st.binary(max_size=60) | json_values.map(lambda v: json.dumps(v).encode())
    | json_values.map(lambda v: json.dumps({"success": True, "data": v, "meta": v}).encode())
    | json_values.map(lambda v: json.dumps({"error": v, "message": v, "details": v, "code": v}).encode()),
    headers=st.dictionaries(
        st.sampled_from(["Retry-After", "X-Request-ID", "Content-Type", "Location", "Content-Encoding"]),
        st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20) | st.just("gzip"),
    ),
)  # fmt: skip
def test_nothing_but_our_errors_escapes(operation: str, status: int, body: bytes, headers: dict[str, str]) -> None:
    uses: dict[str, Callable[[Any], Any]] = {
        "getHealth": lambda v: v.system.health(),
        "getStatus": lambda v: v.system.status(),
        "listProducts": lambda v: v.products.list(),
        "createOrder": lambda v: v.orders.create(["11"]),
        "login": lambda v: v.auth.login(),
        "getOrder": lambda v: v.orders.get("1"),
    }
    backend = FakeBackend()
    backend.script(operation, *[Reply(status=status, body=body, headers=headers)] * 9)
    client = connect(backend, clock=backend.clock)
    try:
        result = uses[operation](client)
    except veza.VezaError as error:
        again = pickle.loads(pickle.dumps(error))
        assert repr(again) == repr(error)  # noqa: PT017  (either outcome is right)
    else:
        assert result is not None


def test_foreign_errors_are_translated(subtests: pytest.Subtests) -> None:
    for raised in (
        httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.PoolTimeout("x"), httpx.DecodingError("x"),
        httpx.RemoteProtocolError("x"), httpx.LocalProtocolError("x"), httpx.UnsupportedProtocol("x"),
        httpx.ProxyError("x"), httpx.WriteTimeout("x"), httpx.CloseError("x"), httpx.TooManyRedirects("x"),
        httpx.InvalidURL("x"), httpx.StreamClosed(), httpx.CookieConflict("x"), ssl.SSLError("x"), OSError("x"),
        TimeoutError("x"), RuntimeError("Event loop is closed"), UnicodeError("x"), EOFError("x"),
    ):  # fmt: skip

        def fail(_: httpx.Request, raised: Exception = raised) -> httpx.Response:
            raise raised

        http = httpx.Client(transport=httpx.MockTransport(fail))
        with subtests.test(raised=type(raised).__name__):
            with pytest.raises(veza.VezaError) as caught:
                veza.Veza("http://veza.test", http_client=http, max_retries=0).system.status()
            assert caught.value.__cause__ is None
            assert caught.value.__context__ is None
            assert type(raised).__name__ in caught.value.message


def test_a_programming_error_of_an_injected_transport_passes_unchanged() -> None:
    class MismatchError(Exception):
        pass

    def fail(_: httpx.Request) -> httpx.Response:
        raise MismatchError

    client = veza.Veza("http://veza.test", http_client=httpx.Client(transport=httpx.MockTransport(fail)))
    with pytest.raises(MismatchError):
        client.system.status()


def test_a_refused_certificate_is_not_tried_again() -> None:
    tried = []

    def fail(_: httpx.Request) -> httpx.Response:
        tried.append(_)
        raise httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]") from ssl.SSLCertVerificationError()

    client = veza.Veza("http://veza.test", http_client=httpx.Client(transport=httpx.MockTransport(fail)))
    with pytest.raises(veza.APIConnectionError, match="certificate"):
        client.system.status()
    assert len(tried) == 1


def test_a_closed_client_says_so() -> None:
    http = httpx.Client()
    http.close()
    with pytest.raises(veza.APIConnectionError):
        veza.Veza("http://127.0.0.1:9", http_client=http).system.status()


def test_a_tls_failure_on_loopback(veza_server: str) -> None:
    with (
        veza.Veza(veza_server.replace("http:", "https:"), max_retries=0) as client,
        pytest.raises(veza.APIConnectionError),
    ):
        client.system.status()


def test_an_unreachable_backend() -> None:
    with veza.Veza("http://127.0.0.1:9", max_retries=0) as client, pytest.raises(veza.APIConnectionError) as caught:
        client.system.status()
    assert (caught.value.attempts, caught.value.status_code, caught.value.path) == (1, None, "/status")


def test_a_dropped_connection_on_loopback(veza_backend: FakeBackend, veza_server: str) -> None:
    veza_backend.script("getStatus", Reply(breaks="disconnect"))
    with veza.Veza(veza_server, jitter=lambda: 1.0) as client:
        assert client.system.status().response_info.retry_count == 1  # type: ignore[union-attr]


def test_a_cancelled_refresh_is_begun_again_by_whoever_waits() -> None:
    async def scene() -> list[Any]:
        backend = FakeBackend()
        hold = asyncio.Event()

        async def answer(request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("/auth/login") and not hold.is_set():
                hold.set()
                renewal.append(asyncio.current_task())
                await asyncio.sleep(60)
            reply = backend.receive(request.method, str(request.url), request.headers, request.content)
            return httpx.Response(reply.status, headers=dict(reply.headers), content=reply.content())

        renewal: list[Any] = []
        http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        client = veza.AsyncVeza("http://veza.test", email=backend.email, password=backend.password, http_client=http)
        waiting = [asyncio.ensure_future(client.auth.me()) for _ in range(3)]
        await hold.wait()
        renewal[0].cancel()
        return await asyncio.gather(*waiting)

    assert [user.id for user in asyncio.run(scene())] == ["user-1"] * 3


def test_cancelling_a_call_cancels_it() -> None:
    async def scene() -> None:
        async def never(_: httpx.Request) -> httpx.Response:
            await asyncio.sleep(60)
            raise AssertionError

        http = httpx.AsyncClient(transport=httpx.MockTransport(never))
        async with asyncio.timeout(0.01):
            await veza.AsyncVeza("http://veza.test", http_client=http).system.status()

    with pytest.raises(TimeoutError):
        asyncio.run(scene())


@given(
    kind=st.sampled_from([getattr(veza, name) for name in veza.__all__ if name.endswith("Error")]),
    message=st.text(),
    status=st.none() | st.integers(100, 599),
    code=st.none() | st.text(),
    details=json_values,
    attempts=st.integers(0, 9),
    key=st.none() | st.text(),
)
def test_errors_survive_pickle_copy_and_deepcopy(  # noqa: PLR0917  (one error's fields)
    kind: type[veza.VezaError], message: str, status: int | None, code: str | None, details: Any, attempts: int,
    key: str | None,
) -> None:  # fmt: skip
    error = kind(
        message, status_code=status, code=code, details=details, request_id="r", method="GET", path="/orders/1",
        attempts=attempts, retry_after=1.5, idempotency_key=key,
    )  # fmt: skip
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is kind
        assert [getattr(again, name) for name in FIELDS] == [getattr(error, name) for name in FIELDS]
        assert (str(again), repr(again), again.args) == (str(error), repr(error), error.args)


def test_the_error_tree_is_the_documented_one() -> None:
    assert issubclass(veza.APITimeoutError, veza.APIConnectionError)
    for kind in set(CLASSES.values()):
        assert issubclass(kind, veza.APIStatusError)
    for name in (one for one in veza.__all__ if one.endswith("Error")):
        assert issubclass(getattr(veza, name), veza.VezaError)
        assert name in (veza.errors.__doc__ or "")
