"""contract samples: answers as several backends may send them, and files that are none, through the command line."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from amount import share
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import sync_playwright

from veza_contract.bindings import by_operation

from .conftest import CONTRACT, Done, Rehearsal

Command = Callable[..., Done]
AT = "2026-04-01T10:00:00Z"
ORDER: dict[str, Any] = {
    "id": 42, "buyer_id": 7, "status": "completed", "total_amount_cents": 500, "currency": "EUR", "created_at": AT,
    "items": [{"product_id": 3, "price_cents": 500}], "updated_at": "2026-04-01T12:00:00.123456789+02:00",
}  # fmt: skip
PRODUCT: dict[str, Any] = {
    "id": 3, "title": "Loop", "seller_id": 9, "price_cents": 500, "currency": "EUR", "status": "active",
    "license_types": ["basic"],
}  # fmt: skip
ENVIRONMENT = '[env.staging]\nbase_url = "https://x.test"\nexpected_environment = ["staging"]\n'
META = {"page": 1, "per_page": 20, "total": 1, "total_pages": 1}
TABLE = """
                              Table "billing.seller_payouts"
        Column         |           Type           | Collation | Nullable |      Default
-----------------------+--------------------------+-----------+----------+-------------------
 id                    | uuid                     |           | not null | gen_random_uuid()
 order_id              | uuid                     |           | not null |
 seller_id             | bigint                   |           | not null |
 stripe_transfer_id    | character varying(255)   |           |          |
 transfer_amount_cents | bigint                   |           | not null |
 commission            | numeric(10,2)            |           | not null |
 currency              | character(3)             |           | not null |
 state                 | payout_state             |           | not null |
 failure_reason        | text                     |           |          |
 created_at            | timestamp with time zone |           | not null | now()
Indexes:
    "seller_payouts_pkey" PRIMARY KEY, btree (id)
Foreign-key constraints:
    "of_order" FOREIGN KEY (order_id) REFERENCES shop.orders(id)
"""


def enveloped(data: Any, **beside: Any) -> dict[str, Any]:
    return {"success": True, "data": data, **beside}


def without(value: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: one for name, one in value.items() if name not in names}


@pytest.fixture
def samples(veza_e2e: Command, tmp_path: Path) -> Callable[..., Done]:
    """Write files and have them read; give the items as `status message` below each file's name."""

    def run(held: Mapping[str, Any], *words: str) -> Done:
        folder = tmp_path / "samples"
        folder.mkdir(exist_ok=True)
        for name, content in held.items():
            text = content if isinstance(content, bytes | str) else json.dumps(content)
            (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return veza_e2e("--json", "contract", "samples", "samples", *words)

    return run


def told(done: Done, *, of: str = "") -> list[str]:
    return [f"{item['status']} {item['message']}" for item in done.document["items"] if of in item["name"]]


def har(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"log": {"version": "1.2", "creator": {"name": "by hand", "version": "1"}, "entries": list(entries)}}


def entry(method: str, url: str, status: int, value: Any = None, **content: Any) -> dict[str, Any]:
    text = {} if value is None else {"text": json.dumps(value)}
    body = {"size": 0, "mimeType": "application/json; charset=utf-8", **text, **content}
    return {"request": {"method": method, "url": url}, "response": {"status": status, "content": body}}


@pytest.fixture
def examples() -> dict[str, Any]:
    """The contract's own examples of a success, by operation."""
    document = json.loads(CONTRACT.read_text(encoding="utf-8"))
    operations = [one for item in document["paths"].values() for one in item.values() if "operationId" in one]
    return {
        operation["operationId"]: next(iter(answer["content"]["application/json"]["examples"].values()))["value"]
        for operation in operations
        for status, answer in operation["responses"].items()
        if status.startswith("2") and "examples" in answer["content"]["application/json"]
    }


def test_the_contracts_own_examples_are_read(samples: Callable[..., Done], examples: dict[str, Any]) -> None:
    assert len(examples) == len(by_operation())
    done = samples({f"{name}.json": value for name, value in examples.items()})
    assert done.code == 0
    assert {line.split()[0] for line in told(done)} <= {"ok", "drift"}


def test_an_answer_is_told_by_its_shape_where_its_name_tells_nothing(
    samples: Callable[..., Done], examples: dict[str, Any]
) -> None:
    done = samples({f"{number}.json": value for number, value in enumerate(examples.values())})
    by_shape = {}
    for number, name in enumerate(examples):
        first = told(done, of=f"/{number}.json")[0]
        by_shape[name] = first.split(" of ")[1].split(",")[0] if first.startswith("ok ") else "asked"
    # An answer without members, and an empty list, are like each other.
    assert by_shape == {name: "asked" if name in {"logout", "listOrders"} else name for name in examples}


CASES: dict[str, tuple[str, Any, list[str]]] = {
    "integer ids, nanoseconds, left-out members": ("getOrder.json", enveloped(ORDER), []),
    "a decimal, written as a number": (
        "getOrder.json", enveloped(without(ORDER, "total_amount_cents") | {"total_amount": 4.99}),
        ["drift getOrder data.total_amount: a decimal; the SDK reads it exactly, as total_amount_cents"],
    ),
    "a price that may be either unit": (
        "get-product.json", enveloped(without(PRODUCT, "price_cents") | {"price": 5}),
        [("break getProduct data.price: a whole number: it may be minor units: check; the SDK reads it as major units"
         " → sdk/veza/openapi.yaml (price or price_cents)")],
    ),
    "a price without its currency": (
        "get-product.json", enveloped(without(PRODUCT, "price_cents", "currency") | {"price": 4.99}),
        [("break getProduct data.price_cents: missing, and the SDK needs it: `price` (a decimal number)"
         " is there, without a `currency` beside it"),
         "break getProduct data.currency: missing, and the SDK needs it"],
    ),
    "Go's sql.NullString": (
        "GET_marketplace_products_3.json", enveloped(PRODUCT | {"title": {"String": "Loop", "Valid": True}}),
        [("break getProduct data.title: an object of Go's sql.Null kind (String, Valid); the SDK reads a text"
         " → sdk/veza/models/products.py, sdk/veza/openapi.yaml (schemas.Product.title)")],
    ),
    "members in CamelCase": (
        "list_products.json", enveloped([{"ID": 3, "Title": "x", **without(PRODUCT, "id", "title")}], meta=META),
        ["break listProducts data[].id: missing, and the SDK needs it: is it `ID` (a whole number)?",
         "break listProducts data[].title: missing, and the SDK needs it: is it `Title` (a text)?"],
    ),
    "a bare list": (
        "listMyLicenses.json", [],
        ["drift listMyLicenses envelope: a bare list, not in `success` and `data`; the SDK reads that too"],
    ),
    "a bare page": (
        "listOrders.json", [ORDER],
        ["break listOrders meta: missing: where the page stands is not told → sdk/veza/_wire.py, ",
         "drift listOrders envelope: a bare list, not in `success` and `data`; the SDK reads that too"],
    ),
    "another envelope": (
        "POST_orders.json", {"result": {"order": ORDER, "checkout_url": "https://pay.veza.test/p"}},
        [("break createOrder envelope: another envelope: the answer stands under `result`, and not under `data`"
         " → sdk/veza/_wire.py (unwrap)")],
    ),
    "a client secret": (
        "createOrder.json", enveloped({"order": ORDER, "client_secret": "pi_1_secret_2", "payment_id": "pay_1"}),
        [("break createOrder data.checkout_url: missing; a client secret is given in its place: say where the page is"
         " → veza-e2e.toml ([env.staging] checkout_page)")],
    ),
    "a status that nobody knows": (
        "getOrder.json", enveloped(ORDER | {"status": "paid", "colour": 7}),
        ["break getOrder data.status: 'paid', a value that the SDK does not know → sdk/veza/models/orders.py",
         "beyond getOrder data.colour: a whole number that the SDK does not know"],
    ),
    "two amounts that are not the same": (
        "getOrder.json", enveloped(ORDER | {"total_amount": "4.99"}),
        [("break getOrder data.total_amount: the amount in major units is not the amount in minor units beside it"
         " → sdk/veza/models/_amounts.py")],
    ),
    "an amount that is too fine, where nothing needs it": (
        "getOrder.json", enveloped(without(ORDER, "status") | {"tax_amount": 0.123}),
        ["break getOrder data.status: missing",
         "break getOrder data.tax_amount: a decimal number: an amount that the SDK cannot read exactly"],
    ),
    "states in other words": (
        "getStatus.json", enveloped({
            "environment": "staging",
            "services": {"hyperswitch": {"status": "operational"}, "redis": "ok", "s3": "tired"},
        }),
        ["break getStatus data.services.s3: 'tired', a value that the SDK does not know → sdk/veza/models/system.py",
         "drift getStatus data.services.hyperswitch.status: 'operational', which the SDK reads as 'healthy'",
         "drift getStatus data.services.redis: 'ok', which the SDK reads as 'healthy'"],
    ),
    "a success that says that it failed": (
        "getOrder.txt", 'HTTP/1.1 200 OK\r\nDate: now\r\n\r\n{"success": false, "error": "no"}',
        ["break getOrder answer: the response has a success status and says that it failed → sdk/veza/_wire.py"],
    ),
    "a redirect, after a proxy's head": (
        "getOrder.txt", "HTTP/1.1 200 Connection established\r\n\r\nHTTP/2 301 \r\nlocation: /x\r\n\r\n",
        [("break getOrder 301: a redirect, which the SDK never follows: take the address that it leads to"
         " → veza-e2e.toml ([env.staging] base_url)")],
    ),
    "an error in a shape of ours": (
        "getOrder.txt", 'HTTP/1.1 404 Not Found\r\n\r\n{"success": false, "error": "no such order"}', [],
    ),
    "a path that is not there": (
        "getStatus.txt", "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n\r\n404 page not found",
        ["break getStatus 404: is not JSON, so it seems that there is no GET /api/v1/status → sdk/veza/openapi.yaml"],
    ),
    "a proxy's page": (
        "getOrder.txt", "HTTP/1.1 502 Bad Gateway\r\n\r\n<html>",
        ["drift getOrder 502: is not JSON: the SDK's error tells the status and not the backend's words"],
    ),
    "an answer that is a page": (
        "getOrder.txt", "HTTP/1.1 200 OK\r\n\r\n<html>", ["break getOrder answer: the response is not JSON"],
    ),
    "an error in another shape": (
        "getOrder.txt", 'HTTP/1.1 404 Not Found\r\n\r\n{"status": "error", "msg": "no such order"}',
        [("drift getOrder 404: in no shape of an error that the SDK reads (status, msg): its words are lost"
         " → sdk/veza/_wire.py")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_difference_is_told_with_its_place_and_its_file(samples: Callable[..., Done], case: str) -> None:
    name, content, expected = CASES[case]
    done = samples({name: content})
    first, *rest = told(done)
    breaks = any(line.startswith("break") for line in expected)
    assert (first.split()[0], done.code) == (("differs", 5) if breaks else ("ok", 0))
    assert len(rest) == len(expected), rest
    for line, start in zip(rest, expected, strict=True):
        assert line.startswith(start)


def test_a_checkout_page_that_is_configured_mends_a_client_secret(
    samples: Callable[..., Done], veza_e2e: Command, tmp_path: Path
) -> None:
    name, content, _ = CASES["a client secret"]
    assert samples({name: content}).code == 5
    page = 'checkout_page = "https://pay.veza.test/?client_secret={client_secret}"\n'
    (tmp_path / "veza-e2e.toml").write_text(ENVIRONMENT + page, encoding="utf-8")
    assert veza_e2e("--env", "staging", "contract", "samples", "samples").code == 0


def test_all_differences_are_told_at_once_and_each_one_once(samples: Callable[..., Done]) -> None:
    item = without(PRODUCT, "seller_id", "title") | {"price_cents": "5"}
    done = samples({"getOrder.json": enveloped(without(ORDER, "status")), "listProducts.json": enveloped([item] * 300)})
    assert [line.split(": ")[0] for line in told(done) if line.startswith("break")] == [
        "break getOrder data.status", "break listProducts data[].title", "break listProducts data[].seller_id",
        "break listProducts data[].price_cents",
    ]  # fmt: skip


def test_a_file_that_is_named_after_the_thing_is_told_by_name_and_shape(samples: Callable[..., Done]) -> None:
    other = {
        "id": "a",
        "user_id": 1,
        "status": "completed",
        "total": "5.00",
        "currency": "EUR",
        "items": [],
        "created_at": AT,
    }
    done = samples({
        "order.json": enveloped(other), "order 2.json": enveloped({"order": other, "checkout_url": "https://x.test/"}),
        "me.json": enveloped({"id": 1, "email": "someone@veza.test", "first_name": {"String": "", "Valid": False}}),
        "status.json": {"colour": 1},
    })  # fmt: skip
    taken = {
        Path(item["name"]).name: item["message"] for item in done.document["items"] if "an answer" in item["message"]
    }
    assert {name: message.split()[3] for name, message in taken.items()} == {
        "order.json": "getOrder,", "order 2.json": "createOrder,", "me.json": "getMe,",
    }  # fmt: skip


def test_nothing_is_guessed_between_two(samples: Callable[..., Done]) -> None:
    done = samples({"a.json": enveloped([]), "login-and-logout.json": enveloped({}), "b.json": {"x": 1}})
    assert done.code == 2
    assert [line.split()[0] for line in told(done)] == ["unread"] * 3
    assert "an empty list fits listProducts and " in told(done, of="a.json")[0]
    assert "say which, --as OP=FILE" in told(done, of="a.json")[0]
    assert "its name fits login and logout" in told(done, of="login-and-logout")[0]
    assert "neither its name nor its shape" in told(done, of="b.json")[0]
    assert done.document["error"]["message"] == "3 of the files could not be judged"
    done = samples({}, "--as", "listMyLicenses=samples/a.json")
    assert told(done, of="a.json") == ["ok an answer of listMyLicenses, as you say"]


@pytest.mark.parametrize(
    "words",
    [(), ("--as", "x"), ("nowhere", "--as", "getOrders=x.json"), ("nowhere", "--map", "getOrder=x"), ("nowhere",)],
)
def test_a_command_that_names_nothing_to_read_is_refused(veza_e2e: Command, words: tuple[str, ...]) -> None:
    done = veza_e2e("--json", "contract", "samples", *words)
    assert done.code == 2
    assert done.document["error"]["message"]


DEEP = '{"a":' * 5000 + "1" + "}" * 5000
HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty.json": (b" \n", "is empty"),
    "nan.json": (b'{"a": NaN}', "is not JSON: it holds NaN"),
    "deep.json": (DEEP.encode(), "nested"),
    "deeper.json": (b"[" * 150 + b"]" * 150, "is nested deeper than 100 levels"),
    "digits.json": (b'{"a": ' + b"9" * 5000 + b"}", "a number of too many digits"),
    "latin-1.json": ('{"a": "é"}'.encode("latin-1"), "is not UTF-8, at byte 8"),
    "utf-16.json": ('{"a": 1}'.encode("utf-16"), "is UTF-16, as Windows PowerShell writes it: save it as UTF-8"),
    "cut.json": (b'{"a": [1, 2', "is not JSON: "),
    "two.json": (b'{"a": 1} {"b": 2}', "is not JSON: more than one answer; save one a file, line 1 column 10"),
    "expanded.txt": (b"-[ RECORD 1 ]--\nColumn | id\nType | uuid\n", r"is psql's expanded form: say \x off first"),
    "verbose.txt": (b"> GET / HTTP/1.1\n< HTTP/1.1 200 OK\n<\n{}", "is curl -v, which mixes all"),
    "page.json": (b"<!doctype html><title>502</title>", "is no JSON, no HAR"),
    "bytes.har": (bytes(range(128)), "is no JSON, no HAR"),
    "entries.har": (b'{"log": {"entries": {}}}', "`log.entries` is not a list"),
    "entry.har": (b'{"log": {"entries": [7, {"request": {}}]}}', "entry 1 is not as HAR 1.2 has it; entry 2"),
    "gone.txt": (b'Did not find any relation named "seller_transfers".', "psql knows no such table"),
}


def test_a_damaged_file_is_named_and_hides_no_other_verdict(samples: Callable[..., Done]) -> None:
    files = {name: content for name, (content, _) in HOSTILE.items()}
    done = samples(files | {"getOrder.json": enveloped(ORDER), "README.md": "x", "readme.txt": "hello", ".x.json": "{"})
    assert done.code == 2
    assert told(done, of="getOrder.json") == ["ok an answer of getOrder, by its file's name"]
    for name, (_, message) in HOSTILE.items():
        (line,) = told(done, of=f"/{name}")
        if name in {"page.json", "bytes.har"}:
            assert line.startswith("note left out: ")
        else:
            assert line.startswith("unread ")
        assert message in line
    done = samples({"getOrder.json": enveloped(ORDER | {"status": "paid"})})
    assert done.code == 5


def test_a_byte_order_mark_is_no_harm_and_a_member_twice_is_told(samples: Callable[..., Done]) -> None:
    text = json.dumps(enveloped(ORDER)).replace('"id": 42', '"id": 41, "id": 42')
    assert told(samples({"getOrder.json": "\ufeff" + text})) == [
        "ok an answer of getOrder, by its file's name",
        "note 1 members stand there twice; the SDK reads the last of each",
    ]


def test_ten_megabytes_are_read(samples: Callable[..., Done]) -> None:
    products = [PRODUCT | {"id": number, "title": "x" * 200} for number in range(30_000)]
    done = samples({"listProducts.json": enveloped([*products, PRODUCT | {"status": "hidden"}], meta=META)})
    assert [line.split(": ")[0] for line in told(done)][1:] == ["break listProducts data[].status"]


@pytest.mark.parametrize(
    "marker",
    ["zq7Wk2PmXr9Lt4VbH3sD8fGjK1nC6xYe", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl", "someone@home.example",
     "two words 7", "7f1d0a52-6f0e-4c3e-9a53-0d9b1c2e4f60"],
)  # fmt: skip
def test_no_value_is_printed_nor_a_name_that_may_be_one(samples: Callable[..., Done], marker: str) -> None:
    data = dict.fromkeys(ORDER, marker) | {"items": [{"product_id": marker, "price_cents": marker}], marker: 1}
    login = {"access_token": 5, "refresh_token": [marker], "user": {"email": marker, marker: {marker: marker}}}
    address = f"https://x.test/api/v1/{quote(marker)}/orders/{quote(marker)}?token={quote(marker)}"
    done = samples({
        "getOrder.json": enveloped(data), "login.json": enveloped(login),
        "bare.har": har(entry("GET", address, 200, data)),
        "error.txt": f"HTTP/1.1 400 x\n\n{json.dumps({marker: 1})}", "getHealth.json": {"status": marker, marker: 1},
        "getStatus.json": enveloped({"environment": marker, "services": {marker: {"status": marker}}}),
    })  # fmt: skip
    assert done.code == 5
    assert "(an odd name)" in done.out
    assert marker not in done.out + done.err


def test_a_har_is_read_by_its_requests(samples: Callable[..., Done]) -> None:
    good, base = enveloped(ORDER), "https://staging.veza.test/shop/api/v1"
    text = base64.b64encode(json.dumps(enveloped(ORDER | {"status": "paid"})).encode()).decode()
    held = har(
        entry("GET", f"{base}/orders/42?fields=all", 200, good), entry("GET", f"{base}/orders/42", 200, good),
        entry("GET", f"{base}/orders/42", 200, text=text, encoding="base64"),
        entry("GET", f"{base}/status", 0), entry("POST", f"{base}/auth/logout", 204),
        entry("OPTIONS", f"{base}/orders", 204),
        entry("GET", "https://cdn.veza.test/app.js", 200, mimeType="text/javascript"),
        entry("POST", f"{base}/marketplace/orders", 201, enveloped({"order": ORDER, "checkout_url": "https://x.test/"})),
        entry("GET", "https://api.veza.test/api/licenses/mine", 200, enveloped([])),
        entry("GET", f"{base}/orders/42", 200, text="no base64!", encoding="base64"),
    )  # fmt: skip
    done = samples({"walk.har": held})
    assert done.code == 5
    assert told(done) == [
        "differs 3 answers (200) of getOrder, by GET /orders/{order_id}",
        (
            "break getOrder data.status: 'paid', a value that the SDK does not know → sdk/veza/models/orders.py"
            " (in 1 of 3 answers)"
        ),
        "note 1 of 1 answers of getStatus are not in the file: save the HAR with its contents",
        "ok an answer (204) of logout, by POST /auth/logout",
        "drift logout 204: the contract lists 200; the SDK reads it all the same",
        "differs an answer (200) of listMyLicenses, by GET /licenses/mine",
        "break listMyLicenses base path: the base path is /api, ours /api/v1 → sdk/veza/openapi.yaml (servers)",
        (
            "note 3 other requests were left out; with JSON: POST /shop/api/v1/marketplace/orders. If one is ours,"
            ' say so: --map OP="METHOD /path"'
        ),
        "unread entry 10 is not as HAR 1.2 has it",
    ]
    done = samples({}, "--map", "createOrder=POST /marketplace/orders")
    assert "break createOrder path: theirs is POST /marketplace/orders, ours POST /orders" in "\n".join(told(done))
    assert "createOrder" in "\n".join(told(samples({}))), "the map is kept"


@pytest.mark.process
@pytest.mark.real_clock
@pytest.mark.parametrize("faults", [(), ("dialect_2025",)])
def test_what_a_browser_saved_of_the_rehearsal_backend_does_not_differ(
    veza_e2e: Command, rehearsal: Callable[..., Rehearsal], tmp_path: Path, faults: tuple[str, ...]
) -> None:
    backend = rehearsal(*faults)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(record_har_path=tmp_path / "walk.har")
        page = context.new_page()
        page.goto(f"{backend.base_url}/api/v1/status")
        asked = "async path => (await fetch(path, {headers: {authorization: 'Bearer ' + token}})).text()"
        for path in ("health", "marketplace/products", "orders", "licenses/mine", "auth/me"):
            page.evaluate(asked.replace("token", json.dumps(backend.token())), f"/api/v1/{path}")
        context.close()
        browser.close()
    done = veza_e2e("--json", "contract", "samples", "walk.har")
    assert done.code == 0, done.out
    asked_for = [line.split(" of ")[1].split(",")[0] for line in told(done) if line.startswith("ok")]
    assert set(asked_for) == {"getStatus", "getHealth", "listProducts", "listOrders", "listMyLicenses", "getMe"}


MAPPING = """\
[env.staging.ledger]
table = "seller_payouts"
schema = "billing"
amount_cents = "transfer_amount_cents"       # bigint: is it this column?
platform_fee_cents = "commission"            # numeric(10,2): is it this column?
status = "state"                             # payout_state: is it this column?
reversed_amount_cents = false                # the table has no such column: what it would say stays unknown
stripe_reversal_id = false                   # the table has no such column: what it would say stays unknown
error_message = "failure_reason"             # text: is it this column?
major_units = ["platform_fee_cents"]

[env.staging.ledger.orders]
schema = "shop"
"""


def test_a_table_with_other_names_gets_the_lines_to_paste(
    samples: Callable[..., Done], veza_e2e: Command, tmp_path: Path
) -> None:
    done = samples({"d.txt": TABLE})
    assert done.code == 5
    *_, mapping = done.document["items"]
    assert (mapping["name"], mapping["status"]) == ("env.staging.ledger", "mapping")
    assert mapping["message"] + "\n" == MAPPING
    assert MAPPING in veza_e2e("contract", "samples", "samples").out
    (tmp_path / "veza-e2e.toml").write_text(ENVIRONMENT + MAPPING, encoding="utf-8")
    done = veza_e2e("--env", "staging", "--json", "contract", "samples", "samples")
    assert done.code == 0
    assert told(done)[0] == "ok billing.seller_payouts, taken for seller_transfers"


def test_two_columns_that_are_as_likely_are_both_named_and_neither_is_chosen(samples: Callable[..., Done]) -> None:
    two = TABLE.replace(
        " transfer_amount_cents | bigint", " net_amount_cents | bigint |||\n gross_amount_cents | bigint"
    )
    lines = told(samples({"d.txt": two}))
    assert any("amount_cents: is it net_amount_cents or gross_amount_cents?" in line
               or "amount_cents: is it gross_amount_cents or net_amount_cents?" in line for line in lines)  # fmt: skip
    assert '# amount_cents = "…"' in lines[-1]


def test_an_amount_is_no_guess_for_what_is_reversed_of_it(samples: Callable[..., Done]) -> None:
    two = TABLE.replace(" transfer_amount_cents | bigint", " amount_cents | bigint |||\n amount | bigint")
    *_, mapping = told(samples({"d.txt": two}))
    assert "reversed_amount_cents = false" in mapping


@pytest.mark.parametrize("type_", ["numeric(12,2)", "numeric", "double precision", "real", "money"])
def test_an_amount_that_is_no_whole_number_is_told(samples: Callable[..., Done], type_: str) -> None:
    done = samples({"d.txt": TABLE.replace("transfer_amount_cents | bigint", f"amount_cents | {type_}")})
    (line,) = [
        line for line in told(done) if "seller_transfers amount_cents: amount_cents is" in line and "break" in line
    ]
    assert f"amount_cents is {type_}: amounts such as 5.00, it seems" in line
    assert line.endswith('[env.staging.ledger] major_units = ["amount_cents"]')


def test_a_table_that_is_none_of_ours_is_asked_about(samples: Callable[..., Done]) -> None:
    other = 'Table "public.tracks"\n Column | Type\n--------+------\n title | text\n'
    done = samples({"d.txt": other})
    assert done.code == 2
    assert told(done)[0].startswith(
        "unread public.tracks: neither its name nor its columns tell which table of ours it is"
    )
    done = samples(
        {"d.txt": other, "j.json": enveloped(ORDER)}, "--as", "getOrder=samples/d.txt", "--as", "orders=samples/j.json"
    )
    assert told(done, of="d.txt") == ["unread is psql's description of a table, and no answer of getOrder"]
    assert told(done, of="j.json") == [r"unread is JSON, and no \d of orders"]


NAMES = sorted(
    {"success", "data", "error", "meta", "message", "order", "price", "amount", "currency", "log", *ORDER, *PRODUCT}
)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["EUR", "completed", AT, "5.00", "\ud800", 10**30, math.inf, ORDER, PRODUCT]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), inner, max_size=6),
    max_leaves=12,
)  # fmt: skip
STEMS = ["getOrder", "listProducts", "createOrder", "login", "logout", "getStatus", "getHealth", "listMyLicenses", "x"]


@settings(max_examples=share(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(STEMS), VALUE), min_size=1, max_size=6),
    st.sampled_from(["", "HTTP/1.1 200\n\n"]),
)
def test_any_json_gets_a_verdict(samples: Callable[..., Done], held: list[tuple[str, Any]], head: str) -> None:
    texts = {f"{stem}.{number}.json": head + json.dumps(value) for number, (stem, value) in enumerate(held)}
    entries = [entry("GET", "https://x.test/api/v1/orders/1", 200, value) for _, value in held]
    done = samples({f"{number}.json": "x" for number in range(6)} | texts | {"a.har": json.dumps(har(*entries))})
    assert done.code in {2, 5}


@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from([*TABLE.split("\n"), "a|b", "|", "Column|Type"]), max_size=20).map("\n".join)
)
@settings(max_examples=share(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_gets_a_verdict(samples: Callable[..., Done], text: str) -> None:
    assert samples({"d.txt": text.encode("utf-8", "replace")}).code in {0, 2, 5}
