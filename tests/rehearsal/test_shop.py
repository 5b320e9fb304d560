"""Products, orders, licenses, refunds and seller transfers, through the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehearsal.conftest import Backend, Child


def test_the_list_begins_with_the_test_product_and_the_hostile_one(shop: Backend) -> None:
    first, second, *rest = shop.products()
    assert (first["price_cents"], first["currency"], first["status"]) == (500, "EUR", "active")
    assert second["title"] == '<script>alert(1)</script> | "x" \n# y'
    assert len(rest) == 23
    assert {product["currency"] for product in rest} == {"EUR", "USD"}
    assert max(product["price_cents"] for product in rest) > 1000


def test_pages_join_up_to_the_whole_list(shop: Backend) -> None:
    pages = [
        shop.api("GET", "/marketplace/products", params={"page": page, "limit": 10}).json() for page in (1, 2, 3, 4)
    ]
    assert [len(page["data"]) for page in pages] == [10, 10, 5, 0]
    assert [product for page in pages for product in page["data"]] == shop.products()
    assert pages[2]["meta"] == {"page": 3, "per_page": 10, "total": 25, "total_pages": 3}


def test_what_cannot_be_ordered_is_not_listed_but_answers_by_its_id(shop: Backend, unlisted: list[str]) -> None:
    withdrawn, unpayable = unlisted
    assert not {withdrawn, unpayable} & {product["id"] for product in shop.products()}
    assert shop.api("GET", f"/marketplace/products/{withdrawn}").json()["data"]["status"] == "inactive"
    for product, code in ((withdrawn, "PRODUCT_UNAVAILABLE"), (unpayable, "SELLER_NOT_ONBOARDED")):
        answer = shop.api("POST", "/orders", json={"items": [{"product_id": product}]})
        assert (answer.status_code, answer.json()["error_code"]) == (422, code)
    assert shop.books()["orders"] == 0


def test_an_order_is_completed_by_the_webhook_alone(run: Callable[..., Child]) -> None:
    shop = run("webhook_delay=5")
    shop.login()
    placed = shop.order()
    back = shop.submit(placed["checkout_url"]).headers["location"]
    page = shop.http.get(back)
    assert (page.status_code, "Payment received" in page.text) == (200, True)
    assert shop.read(placed["order"]["id"])["status"] == "pending_payment"
    shop.settle(6)
    assert shop.read(placed["order"]["id"])["status"] == "completed"


def test_the_books_of_a_whole_payment(shop: Backend) -> None:
    placed = shop.order()
    order = placed["order"]
    assert (order["status"], order["payment_status"]) == ("pending_payment", "requires_payment_method")
    assert "completed_at" not in order
    shop.submit(placed["checkout_url"])
    completed = shop.read(order["id"])
    assert (completed["status"], completed["payment_status"]) == ("completed", "succeeded")
    (license_,) = shop.api("GET", "/licenses/mine", params={"order_id": order["id"]}).json()["data"]
    assert (license_["status"], license_["product_id"]) == ("active", order["items"][0]["product_id"])
    refund = shop.refund(order["id"])
    assert refund.status_code == 202
    assert refund.json()["data"]["refund"]["status"] == "pending"
    assert refund.json()["data"]["order"]["status"] == "refund_pending"
    shop.settle()
    refunded = shop.read(order["id"])
    assert (refunded["status"], refunded["refunded_amount_cents"]) == ("refunded", 500)
    (revoked,) = shop.api("GET", "/licenses/mine").json()["data"]
    assert (revoked["status"], revoked["revoked_at"][-1]) == ("revoked", "Z")
    books = shop.books(order["id"])
    transfer = books.pop("transfers")[0]
    assert books == {
        "orders": 1,
        "payments": 1,
        "charges": 1,
        "refunds": 1,
        "licenses": {"active": 0, "revoked": 1},
    }
    assert (transfer["amount_cents"], transfer["platform_fee_cents"], transfer["currency"]) == (450, 50, "EUR")
    assert (transfer["status"], transfer["reversed_amount_cents"], transfer["attempts"]) == ("reversed", 450, 1)
    assert list(transfer) == [
        "id",
        "order_id",
        "seller_id",
        "stripe_transfer_id",
        "stripe_account_id",
        "amount_cents",
        "platform_fee_cents",
        "currency",
        "status",
        "reversed_amount_cents",
        "stripe_reversal_id",
        "reversed_at",
        "error_message",
        "attempts",
        "created_at",
        "updated_at",
    ]


def test_the_books_of_one_order_leave_out_the_others(shop: Backend) -> None:
    first, _ = shop.paid(0), shop.order(1)
    assert shop.books()["orders"] == 2
    assert (shop.books(first)["orders"], shop.books(first)["payments"]) == (1, 1)
    assert shop.books("no such order")["payments"] == 0


def test_a_refund_of_a_part_takes_a_part_back(shop: Backend) -> None:
    order = shop.paid()
    assert shop.refund(order, amount_cents=501).json()["error_code"] == "PAYMENT_FAILED"
    assert shop.refund(order, amount_cents=200).json()["data"]["refund"]["amount_cents"] == 200
    shop.settle()
    assert shop.read(order)["refunded_amount_cents"] == 200
    (transfer,) = shop.books()["transfers"]
    assert (transfer["status"], transfer["reversed_amount_cents"]) == ("partially_reversed", 180)


def test_a_refund_is_asked_for_once_after_completion_and_within_two_weeks(shop: Backend) -> None:
    pending = shop.order(3)["order"]["id"]
    assert shop.refund(pending).json()["error_code"] == "ORDER_INVALID_STATE"
    order, late = shop.paid(0), shop.paid(1)
    assert shop.refund(order).status_code == 202
    assert shop.refund(order).json()["error_code"] == "REFUND_ALREADY_REQUESTED"
    shop.later(14 * 24 * 3600 + 1)
    refused = shop.refund(late)
    assert (refused.status_code, refused.json()["error_code"]) == (422, "REFUND_WINDOW_EXPIRED")
    assert shop.books()["refunds"] == 1


def test_a_product_is_bought_once_until_it_is_refunded(shop: Backend) -> None:
    order = shop.paid()
    body = {"items": [{"product_id": shop.products()[0]["id"]}]}
    refused = shop.api("POST", "/orders", json=body)
    assert (refused.status_code, refused.json()["error_code"]) == (409, "ORDER_ALREADY_OWNED")
    shop.refunded(order)
    assert shop.api("POST", "/orders", json=body).status_code == 201


def test_an_order_of_several_products_pays_each_seller(shop: Backend) -> None:
    products = shop.products()
    items = [{"product_id": products[place]["id"], "license_type": "extended"} for place in (0, 1, 2)]
    placed = shop.api("POST", "/orders", json={"items": items}).json()["data"]
    assert placed["order"]["total_amount_cents"] == 500 + 450 + 4900
    shop.submit(placed["checkout_url"])
    assert shop.books()["licenses"]["active"] == 3
    transfers = {row["seller_id"]: row["amount_cents"] for row in shop.books()["transfers"]}
    assert transfers == {products[0]["seller_id"]: 4860, products[1]["seller_id"]: 405}


@pytest.mark.parametrize(("places", "status"), [((0, 0), 409), ((0, 3), 409)])
def test_an_order_names_each_product_once_and_in_one_currency(
    shop: Backend, places: tuple[int, ...], status: int
) -> None:
    items = [{"product_id": shop.products()[place]["id"]} for place in places]
    assert shop.api("POST", "/orders", json={"items": items}).status_code == status
    assert shop.books()["orders"] == 0


def test_orders_are_listed_newest_first_and_by_status(shop: Backend) -> None:
    first, second = shop.paid(0), shop.order(1)["order"]["id"]
    listed = shop.api("GET", "/orders").json()
    assert [order["id"] for order in listed["data"]] == [second, first]
    assert listed["meta"]["total"] == 2
    completed = shop.api("GET", "/orders", params={"status": "completed"}).json()
    assert [order["id"] for order in completed["data"]] == [first]


def test_an_order_is_its_buyers_alone(shop: Backend) -> None:
    order = shop.paid()
    shop.login("listener@veza.test")
    for answer in (shop.api("GET", f"/orders/{order}"), shop.refund(order)):
        assert (answer.status_code, answer.json()) == (403, {"success": False, "message": "Not your order"})
    assert shop.api("GET", "/orders").json()["data"] == []
    assert shop.api("GET", "/licenses/mine").json()["data"] == []
    assert shop.order()["order"]["status"] == "pending_payment"


def test_the_same_key_is_carried_out_once(shop: Backend) -> None:
    product, other = (shop.products()[place]["id"] for place in (0, 1))
    headers = {"Idempotency-Key": "order-1"}

    def place(wanted: str) -> tuple[int, dict[str, object]]:
        answer = shop.api("POST", "/orders", json={"items": [{"product_id": wanted}]}, headers=headers)
        return answer.status_code, answer.json()

    created, first = place(product)
    repeated, again = place(product)
    assert (created, repeated, again) == (201, 200, first)
    refused, why = place(other)
    assert (refused, why["error_code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert shop.books()["orders"] == 1
    shop.later(24 * 3600 - 60)
    assert place(product)[0] == 200
    shop.later(61)
    assert place(product)[0] == 201


def test_a_refund_with_the_same_key_is_asked_for_once(shop: Backend) -> None:
    order = shop.paid()

    def ask() -> tuple[int, dict[str, object]]:
        path = f"/orders/{order}/refund"
        answer = shop.api("POST", path, json={"reason": "x"}, headers={"Idempotency-Key": "refund-1"})
        return answer.status_code, answer.json()

    first, second = ask(), ask()
    assert (first[0], second[0], second[1]) == (202, 200, first[1])
    assert shop.books()["refunds"] == 1


def test_a_key_belongs_to_its_user_and_operation(shop: Backend) -> None:
    mine = shop.order(key="k")["order"]["id"]
    shop.login("listener@veza.test")
    assert shop.order(key="k")["order"]["id"] != mine
    assert shop.books()["orders"] == 2


def test_a_refused_order_does_not_use_its_key_up(shop: Backend) -> None:
    shop.faults("hyperswitch_disabled")
    body = {"items": [{"product_id": shop.products()[0]["id"]}]}
    assert shop.api("POST", "/orders", json=body, headers={"Idempotency-Key": "k"}).status_code == 503
    shop.faults()
    assert shop.api("POST", "/orders", json=body, headers={"Idempotency-Key": "k"}).status_code == 201


def test_what_does_not_exist_is_named(shop: Backend) -> None:
    answers = {
        "ORDER_NOT_FOUND": shop.api("GET", "/orders/999"),
        "PRODUCT_NOT_FOUND": shop.api("POST", "/orders", json={"items": [{"product_id": "999"}]}),
        "RESOURCE_NOT_FOUND": shop.api(
            "POST", "/orders", json={"items": [{"product_id": shop.products()[0]["id"], "license_type": "none"}]}
        ),
    }
    for code, answer in answers.items():
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (404, code)
        assert error["request_id"] == answer.headers["X-Request-ID"]
