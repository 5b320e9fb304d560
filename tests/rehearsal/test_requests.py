"""Every answer's headers, and every request's form."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehearsal.conftest import Backend, Child

JSON = {"Content-Type": "application/json"}
ITEM = b'{"product_id": "1"}'


def test_every_answer_is_marked_and_has_a_request_id_and_a_date(shop: Backend) -> None:
    paths = ["/api/v1/health", "/api/v1/orders/999", "/nothing", "/rehearsal/books", "/shop/return", "/hyperswitch/x"]
    for path in paths:
        headers = shop.http.get(path, headers={"X-Request-ID": "mine-1.2_3"}).headers
        assert (headers["X-Veza-Rehearsal"], headers["X-Request-ID"]) == ("1", "mine-1.2_3")
        assert headers["Date"].endswith("GMT")
    assert shop.http.delete("/api/v1/health").headers["X-Veza-Rehearsal"] == "1"
    made = [
        shop.api("GET", "/health", headers=[("X-Request-ID", wish.encode())]).headers["X-Request-ID"]
        for wish in ("", "a b", "é")
    ]
    assert len(set(made)) == 3
    assert all(request_id.startswith("req_") for request_id in made)


def test_what_is_not_http_is_marked_too(shop: Backend) -> None:
    with socket.create_connection(("127.0.0.1", shop.port)) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        answer = connection.recv(4096).decode()
    assert answer.startswith("HTTP/1.1 400 ")
    assert "X-Veza-Rehearsal: 1\r\n" in answer


@pytest.mark.parametrize("environment", ["sandbox", "live"])
def test_the_environment_is_what_was_asked_for_and_the_mark_stays(run: Callable[..., Child], environment: str) -> None:
    answer = run(f"--environment={environment}").api("GET", "/status")
    data = answer.json()["data"]
    assert (data["environment"], data["services"]["hyperswitch"]["mode"]) == (environment, environment)
    assert answer.headers["X-Veza-Rehearsal"] == "1"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v1/orders", "GET, HEAD, POST"),
        ("TRACE", "/api/v1/auth/login", "POST"),
        ("OPTIONS", "/api/v1/health", "GET, HEAD"),
        ("PUT", "/rehearsal/books", "GET, HEAD"),
    ],
)
def test_other_methods_are_refused_in_an_envelope(shop: Backend, method: str, path: str, allowed: str) -> None:
    answer = shop.http.request(method, path)
    assert (answer.status_code, answer.json()["success"]) == (405, False)
    assert ", ".join(sorted(answer.headers["Allow"].split(", "))) == allowed


def test_unknown_paths_are_refused_in_an_envelope(shop: Backend) -> None:
    for path in ("/", "/api/v1", "/api/v1/", "/api/v1/health/", "/api/v1/orders/a%2Fb", "/api/v2/health"):
        answer = shop.http.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"{}",
        b'{"items": []}',
        b'{"items": [%s]}' % b", ".join([ITEM] * 51),
        b'{"items": [{}]}',
        b'{"items": [{"product_id": 1.5}]}',
        b'{"items": [{"product_id": ""}]}',
        b'{"items": [{"product_id": "a/b"}]}',
        b'{"items": [{"product_id": "\\u0000"}]}',
        b'{"items": [{"product_id": "%s"}]}' % (b"x" * 65),
        b'{"items": [{"product_id": null}]}',
        b'{"items": [%s], "items": [%s]}' % (ITEM, ITEM),
        b'{"items": [{"product_id": "\xff"}]}',
        b'{"items": NaN}',
        b'{"items": 1e999}',
        b'{"items": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"items": [%s]}' % ITEM + b" " * (1 << 20),
    ],
)
def test_a_body_that_is_not_as_documented_is_refused(shop: Backend, body: bytes) -> None:
    answer = shop.api("POST", "/orders", content=body, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["error_code"].startswith("VALIDATION_")
    assert shop.books()["orders"] == 0


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_body_is_json_and_says_so(shop: Backend, kind: str | None) -> None:
    body = json.dumps({"items": [{"product_id": shop.products()[0]["id"]}]})
    answer = shop.api("POST", "/orders", content=body, headers={"Content-Type": kind} if kind else {})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "VALIDATION_CONTENT_TYPE")


@pytest.mark.parametrize(
    "query",
    [
        *("page=0", "page=x", "page=1.0", "page=", "page=01", "page=1000001", "page=" + "9" * 5000, "page=1&page=2"),
        *("limit=101", "limit=-1", "limit=true", "status=paid", "status=", "status=COMPLETED"),
    ],
)
def test_a_query_that_is_not_as_documented_is_refused(shop: Backend, query: str) -> None:
    answer = shop.api("GET", f"/orders?{query}")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "ü", "a,b"])
def test_a_key_that_is_not_as_documented_is_refused(shop: Backend, key: str) -> None:
    body = {"items": [{"product_id": shop.products()[0]["id"]}]}
    answer = shop.api("POST", "/orders", json=body, headers=[("Idempotency-Key", key.encode())])
    assert answer.status_code == 400
    assert shop.books()["orders"] == 0


@pytest.mark.parametrize("amount", ["0", "-1", "1.5", "1e999", "true", '"5"', "9" * 400, "null"])
def test_an_amount_that_is_no_number_of_cents_is_refused(shop: Backend, amount: str) -> None:
    order = shop.paid()
    body = f'{{"reason": "x", "amount_cents": {amount}}}'
    answer = shop.api("POST", f"/orders/{order}/refund", content=body, headers=JSON)
    assert answer.status_code in {400, 422}
    assert shop.books()["refunds"] == 0


def test_strange_but_valid_texts_are_kept(shop: Backend) -> None:
    order = shop.paid()
    answer = shop.api(
        "POST", f"/orders/{order}/refund", content=b'{"reason": "\\u0000 \\ud800 \xf0\x9f\x8e\xb5"}', headers=JSON
    )
    assert answer.status_code == 202
    (refund,) = shop.payment(shop.read(order)["payment_id"])["refunds"]
    assert refund["reason"] == "\x00 \ud800 🎵"


def test_a_refused_value_is_not_repeated(shop: Backend) -> None:
    answer = shop.api("POST", "/auth/login", json={"email": "x", "password": "do not repeat me" * 100})
    assert answer.status_code == 400
    assert "repeat me" not in answer.text


def test_the_log_has_a_line_for_each_request_and_no_query(shop: Backend) -> None:
    shop.api("GET", "/orders?page=7", headers={"X-Request-ID": "seven"})
    shop.http.head("/api/v1/health")
    seven, head = shop.lines()[-2:]
    assert (seven["path"], seven["status"], seven["request_id"]) == ("/api/v1/orders", 200, "seven")
    assert (head["method"], head["status"]) == ("HEAD", 200)
