"""An id is one path segment or it is refused; a path never leaves the API."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import veza
from veza._operation import segment
from veza.testing import FakeBackend, connect

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTILE = [
    "", ".", "..", "../x", "a/b", "?", "#", "%2e", "\n", "a\nb", "%2e%2e", "..%2f", "a\\b", "a?b=c", "a#b", "a b", " ",
    "\u2025", "\uff0e\uff0e", "\x00", "a\r\nHost: x", ";a", "a%00", "/", "//x", "@", "..;", "\ud800", "x" * 65,
]  # fmt: skip
TAKES_AN_ID: dict[str, Callable[[Any, str], Any]] = {
    "order": lambda v, value: v.orders.get(value),
    "product": lambda v, value: v.products.get(value),
    "refund": lambda v, value: v.orders.refund(value, reason="x"),
    "license": lambda v, value: v.licenses.mine(order_id=value),
}
CONTRACT = re.compile(r"[A-Za-z0-9_-]{1,64}")
ids = st.text(st.sampled_from(". /\\?#%;@:\n\r\x00\u2025\uff0eaZ09_-2eEfF"), max_size=8) | st.text(max_size=70)


def test_a_hostile_id_is_refused(face: Any, backend: FakeBackend, subtests: pytest.Subtests) -> None:
    client = face.connect(backend)
    for name, use in TAKES_AN_ID.items():
        for value in HOSTILE:
            with subtests.test(name, value=value), pytest.raises(veza.InvalidRequestError):
                face.call(client, lambda v, use=use, value=value: use(v, value))
    assert all(one.operation == "login" for one in backend.sent)


@given(value=ids)
def test_only_an_id_of_the_contract_is_sent_and_as_it_is(value: str) -> None:
    backend = FakeBackend()
    with suppress(veza.InvalidRequestError, veza.NotFoundError):
        connect(backend).products.get(value)
    expected = [f"/marketplace/products/{value}"] if CONTRACT.fullmatch(value) else []
    assert [one.path for one in backend.sent] == expected


@given(value=ids)
@example("a+b")
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


def test_a_path_stays_below_the_api(face: Any, backend: FakeBackend, subtests: pytest.Subtests) -> None:
    client = face.connect(backend)
    for path in (
        "", "orders", "//elsewhere.test/x", "http://elsewhere.test/", "/a/../b", "/..", "/%2e%2e/x", "/a/%2E%2E",
        "/a?b", "/a#b", "/a\n", "/a b", "/\\..\\x", "/%252e%252e/x", "/a\x00", "/\u00e9",
    ):  # fmt: skip
        with subtests.test(path=path), pytest.raises(veza.InvalidRequestError):
            face.call(client, lambda v, path=path: v.request("GET", path))
    assert backend.sent == []


def test_the_base_path_is_appended_once(subtests: pytest.Subtests) -> None:
    for base, expected in (
        ("http://veza.test", "http://veza.test/api/v1/health"),
        ("http://veza.test/", "http://veza.test/api/v1/health"),
        ("http://veza.test/api/v1", "http://veza.test/api/v1/health"),
        ("http://veza.test:8080/shop/", "http://veza.test:8080/shop/api/v1/health"),
        ("http://[::1]:80", "http://[::1]/api/v1/health"),
    ):
        seen: list[tuple[str, str]] = []

        def note(request: httpx.Request, seen: list[tuple[str, str]] = seen) -> httpx.Response:
            seen.append((str(request.url), request.headers["host"]))
            return httpx.Response(200, json={"status": "healthy"})

        with subtests.test(base=base):
            veza.Veza(base, http_client=httpx.Client(transport=httpx.MockTransport(note))).system.health()
            assert seen == [(expected, httpx.URL(expected).netloc.decode())]
