"""An id is one path segment or it is refused; a path never leaves the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import veza
from veza._operation import segment
from veza.testing import FakeBackend

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTILE = [
    "", ".", "..", "../x", "a/b", "?", "#", "%2e", "\n", "a\nb", "%2e%2e", "..%2f", "a\\b", "a?b=c", "a#b", "a b", " ",
    "\u2025", "\uff0e\uff0e", "\x00", "a\r\nHost: x", ";a", "a%00", "/", "//x", "@", "..;", "\ud800", "x" * 65,
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "use",
    [
        lambda v, value: v.orders.get(value),
        lambda v, value: v.products.get(value),
        lambda v, value: v.orders.refund(value, reason="x"),
        lambda v, value: v.licenses.mine(order_id=value),
    ],
    ids=["order", "product", "refund", "license"],
)
def test_a_hostile_id_is_refused(ask: Callable[..., Any], backend: FakeBackend, use: Any, value: str) -> None:
    with pytest.raises(veza.InvalidRequestError):
        ask(lambda v: use(v, value))
    assert all(one.operation == "login" for one in backend.sent)


@given(st.text(max_size=20))
def test_a_segment_stays_one_segment(value: str) -> None:
    try:
        one = segment(value, "id")
    except veza.InvalidRequestError:
        return
    url = httpx.URL(f"http://veza.test/a/{one}/b?q#f")
    assert url.raw_path.split(b"?")[0].decode().split("/") == ["", "a", one, "b"]
    assert unquote(one) == value
    assert one not in {"", ".", ".."}


@given(st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True))
def test_an_id_of_the_contract_travels_as_it_is(value: str) -> None:
    assert segment(value, "id") == value


@pytest.mark.parametrize(
    "path",
    [
        "", "orders", "//elsewhere.test/x", "http://elsewhere.test/", "/a/../b", "/..", "/%2e%2e/x", "/a/%2E%2E",
        "/a?b", "/a#b", "/a\n", "/a b", "/\\..\\x", "/%252e%252e/x", "/a\x00", "/\u00e9",
    ],
)  # fmt: skip
def test_a_path_stays_below_the_api(ask: Callable[..., Any], backend: FakeBackend, path: str) -> None:
    with pytest.raises(veza.InvalidRequestError):
        ask(lambda v: v.request("GET", path))
    assert backend.sent == []


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("http://veza.test", "http://veza.test/api/v1/health"),
        ("http://veza.test/", "http://veza.test/api/v1/health"),
        ("http://veza.test/api/v1", "http://veza.test/api/v1/health"),
        ("http://veza.test:8080/shop/", "http://veza.test:8080/shop/api/v1/health"),
        ("http://[::1]:80", "http://[::1]/api/v1/health"),
    ],
)
def test_the_base_path_is_appended_once(base: str, expected: str) -> None:
    seen = []

    def note(request: httpx.Request) -> httpx.Response:
        seen.append((str(request.url), request.headers["host"]))
        return httpx.Response(200, json={"status": "healthy"})

    veza.Veza(base, http_client=httpx.Client(transport=httpx.MockTransport(note))).system.health()
    assert [url for url, _ in seen] == [expected]
    assert seen[0][1] == httpx.URL(expected).netloc.decode()
