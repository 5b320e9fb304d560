"""An answer is compared with its question; what cannot be a list of items is refused before anything is sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import veza
from veza.testing import FakeBackend, Reply, connect

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[..., Any]

ORDER = {
    "id": "order-2", "buyer_id": "7", "status": "completed", "total_amount_cents": 500, "currency": "EUR",
    "items": [{"product_id": "12", "license_type": "standard", "price_cents": 500}],
    "created_at": "2026-04-01T10:00:00Z",
}  # fmt: skip
LICENSE = {
    "id": "l-1", "order_id": "order-2", "product_id": "12", "status": "active", "granted_at": "2026-04-01T10:00:00Z",
}  # fmt: skip
CHECKOUT = {"order": ORDER, "checkout_url": "https://pay.veza.test/2"}


def refund(amount: int) -> dict[str, Any]:
    return {"refund": {"id": "r", "status": "pending", "amount_cents": amount}, "order": ORDER | {"id": "order-1"}}


OTHERS: dict[str, tuple[str, Any, Callable[[Any], Any], str]] = {
    "order": ("getOrder", ORDER, lambda v: v.orders.get("order-1"), "asked for order order-1, got order-2"),
    "waiting": (
        "getOrder", ORDER, lambda v: v.orders.wait_until_completed("order-1", deadline=9), "order-1, got order-2",
    ),
    "product": (
        "getProduct",
        {"id": "12", "title": "t", "seller_id": "3", "price_cents": 5, "currency": "EUR", "status": "active"},
        lambda v: v.products.get("11"), "asked for product 11, got 12",
    ),
    "products of an order": (
        "createOrder", CHECKOUT, lambda v: v.orders.create(items=["11"]), "asked for products 11, got 12",
    ),
    "one product of two": (
        "createOrder", CHECKOUT, lambda v: v.orders.create(items=["11", "12"]),
        "asked for products 11, 12, got 12",
    ),
    "license of an order": (
        "createOrder", CHECKOUT,
        lambda v: v.orders.create(items=[{"product_id": "12", "license_type": "exclusive"}]),
        "asked for license_type of 12 exclusive, got standard",
    ),
    "refund of another order": (
        "requestRefund", refund(500), lambda v: v.orders.refund("order-9", reason="r"), "order-9, got order-1",
    ),
    "amount of a refund": (
        "requestRefund", refund(500), lambda v: v.orders.refund("order-1", reason="r", amount_cents=200),
        "asked for amount_cents 200, got 500",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_an_answer_about_something_else_is_refused(ask: Ask, backend: FakeBackend, name: str) -> None:
    operation, data, use, said = OTHERS[name]
    backend.script(operation, Reply(data=data))
    with pytest.raises(veza.InvalidResponseError, match=f"the answer is about something else: .*{said}") as caught:
        ask(use)
    assert (caught.value.status_code, backend.count(operation)) == (200, 1)
    assert caught.value.request_id


def test_an_order_that_does_not_tell_its_items_answers_the_question(ask: Ask, backend: FakeBackend) -> None:
    backend.script("createOrder", Reply(status=201, data=CHECKOUT | {"order": ORDER | {"items": None}}))
    assert ask(lambda v: v.orders.create(items=["11"])).order.items == ()


def test_licenses_of_other_orders_are_left_out_even_if_the_backend_ignores_the_filter(
    ask: Ask, backend: FakeBackend
) -> None:
    backend.script("listMyLicenses", *[Reply(data=[LICENSE, LICENSE | {"id": "l-2", "order_id": "order-1"}])] * 2)
    assert [one.id for one in ask(lambda v: v.licenses.mine(order_id="order-1"))] == ["l-2"]
    assert ask(lambda v: v.licenses.mine(order_id="order-3")) == ()


def test_all_licenses_may_be_asked_for(ask: Ask, backend: FakeBackend) -> None:
    backend.script("listMyLicenses", Reply(data=[LICENSE]))
    assert len(ask(lambda v: v.licenses.mine())) == 1


@pytest.mark.parametrize(
    ("items", "kind"),
    [
        ("15", "str"), (b"15", "bytes"), (bytearray(b"15"), "bytearray"), ({"product_id": "15"}, "dict"),
        (15, "int"), (None, "NoneType"), ([15], "int"), ([b"15"], "bytes"), ([("product_id", "15")], "tuple"),
    ],
)  # fmt: skip
def test_what_is_no_list_of_items_is_refused_before_anything_is_sent(
    ask: Ask, backend: FakeBackend, items: Any, kind: str
) -> None:
    with pytest.raises(TypeError, match=rf"is of type {kind}: pass a list of product ids") as caught:
        ask(lambda v: v.orders.create(items))
    assert isinstance(caught.value, veza.InvalidRequestError)
    assert backend.sent == []


@pytest.mark.parametrize("items", [[], (), iter(())])
def test_no_items_are_refused_before_anything_is_sent(ask: Ask, backend: FakeBackend, items: Any) -> None:
    with pytest.raises(veza.InvalidRequestError, match="items is empty: pass at least one product id"):
        ask(lambda v: v.orders.create(items))
    assert backend.sent == []


def test_an_integer_id_is_sent_back_as_an_integer() -> None:
    backend = FakeBackend()
    client = connect(backend)
    product = {"id": 15, "title": "t", "seller_id": 3, "price_cents": 5, "currency": "EUR", "status": "active"}
    meta = {"page": 1, "per_page": 20, "total": 1, "total_pages": 1}
    backend.script("listProducts", Reply(json={"data": [product], "meta": meta}))
    (read,) = client.products.list()
    assert (read.id, isinstance(read.id, str), f"{read.id}") == ("15", True, "15")
    wanted: list[Any] = [[read.id], [{"product_id": read.id}], [veza.IntegerId("15")], [{"product_id": 15}]]
    for items in wanted:
        backend.script("createOrder", Reply(status=201, data=CHECKOUT | {"order": ORDER | {"items": None}}))
        client.orders.create(items=items)
        assert backend.sent[-1].body == {"items": [{"product_id": 15}]}
    backend.script("createOrder", Reply(status=201, data=CHECKOUT | {"order": ORDER | {"items": None}}))
    client.orders.create(items=["15"])
    assert backend.sent[-1].body == {"items": [{"product_id": "15"}]}


def test_an_integer_id_in_a_path_is_its_digits() -> None:
    backend = FakeBackend()
    backend.script("getOrder", Reply(data=ORDER | {"id": 2**63}))
    read = connect(backend).orders.get(veza.IntegerId(2**63))
    assert backend.sent[-1].path == f"/orders/{2**63}"
    assert json.loads(read.model_dump_json())["id"] == str(2**63)


@pytest.mark.parametrize("text", ["", "order-1", "1.0", "01", " 1", "1e3", "٣"])
def test_an_integer_id_is_made_of_an_integer_only(text: str) -> None:
    with pytest.raises(ValueError, match="IntegerId"):
        veza.IntegerId(text)


@pytest.mark.parametrize(("payment", "shown"), [(7, "7"), (0, "0"), ("pay_7", "pay_7")])
def test_a_checkout_page_is_made_of_an_integer_too(payment: object, shown: str) -> None:
    backend = FakeBackend()
    data = {"order": ORDER | {"items": None}, "client_secret": "s", "payment_id": payment}
    backend.script("createOrder", Reply(status=201, data=data))
    client = connect(backend, checkout_page="https://pay.veza.test/{payment_id}?secret={client_secret}")
    assert client.orders.create(["12"]).checkout_url == f"https://pay.veza.test/{shown}?secret=s"


def test_an_id_that_is_a_uuid_is_the_same_in_small_letters(backend: FakeBackend) -> None:
    order = "8F14E45F-CEEA-467F-9D0B-4242424242AA"
    license_ = {
        "id": "1", "order_id": order.lower(), "product_id": "11", "status": "active",
        "granted_at": "2026-04-01T10:00:00Z",
    }  # fmt: skip
    backend.script("listMyLicenses", Reply(data=[license_]))
    assert connect(backend).licenses.mine(order_id=order)[0].order_id == order.lower()


def test_an_answer_that_is_nested_too_deep_is_unreadable(backend: FakeBackend) -> None:
    deep = '{"success": true, "data": {"id": "11", "amount": 1, "x": ' + "[" * 900 + "]" * 900 + "}}"
    backend.script("getProduct", Reply(body=deep.encode()))
    with pytest.raises(veza.InvalidResponseError):
        connect(backend, max_retries=0).products.get("11")
