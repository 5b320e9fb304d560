"""The switches for what goes wrong with money: several payments, lags, lost refunds, taxes, disputes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from rehearsal.conftest import Backend

    Faulty = Callable[..., Backend]

DAY = 24 * 3600
KEY = {"api-key": "snd_rehearsal"}


def counts(shop: Backend) -> tuple[int, int, int, int]:
    """Orders, payments, charges and refunds."""
    books = shop.books()
    return books["orders"], books["payments"], books["charges"], books["refunds"]


def listed(shop: Backend, **query: str) -> list[dict[str, Any]]:
    """The processor's payments, newest first, each as it is read by its id."""
    answer = shop.http.get("/hyperswitch/payments/list", params=query, headers=KEY)
    assert answer.status_code == 200, answer.text
    assert answer.json()["size"] == len(answer.json()["data"])
    return [shop.payment(payment["payment_id"]) for payment in answer.json()["data"]]


def test_a_retry_makes_a_second_payment_that_the_order_names(faulty: Faulty) -> None:
    shop = faulty("second_payment")
    placed = shop.order()
    assert "status=succeeded" in shop.submit(placed["checkout_url"]).headers["location"]
    order = shop.read(placed["order"]["id"])
    assert (order["status"], order["payment_status"]) == ("completed", "succeeded")
    second, first = listed(shop, customer_id=order["buyer_id"])
    assert (first["payment_id"], second["payment_id"]) == (placed["order"]["payment_id"], order["payment_id"])
    assert (first["status"], first["amount_received"], first["error_code"]) == ("failed", 0, "DC_01")
    assert (second["status"], second["amount_received"]) == ("succeeded", 500)
    assert {payment["metadata"]["order_id"] for payment in (first, second)} == {order["id"]}
    assert counts(shop) == (1, 2, 1, 0)
    assert shop.refunded(order["id"])["status"] == "refunded"
    assert [row["status"] for row in shop.payment(order["payment_id"])["refunds"]] == ["succeeded"]


def test_a_retry_may_open_a_challenge(faulty: Faulty) -> None:
    shop = faulty("second_payment", "three_ds")
    placed = shop.order()
    url = shop.submit(placed["checkout_url"]).headers["location"]
    assert url != placed["checkout_url"]
    shop.answer_challenge(url, "complete")
    order = shop.read(placed["order"]["id"])
    assert order["status"] == "completed"
    assert url.endswith(order["payment_id"])


def test_a_retry_makes_one_more_payment_at_most(faulty: Faulty) -> None:
    shop = faulty("second_payment", "three_ds")
    placed = shop.order()
    url = shop.submit(placed["checkout_url"]).headers["location"]
    shop.answer_challenge(url, "reject")
    assert shop.submit(url).headers["location"] == url
    assert counts(shop) == (1, 2, 0, 0)


def test_a_declined_card_makes_no_second_payment(faulty: Faulty) -> None:
    shop = faulty("second_payment")
    placed = shop.order()
    shop.submit(placed["checkout_url"], "4000 0000 0000 0002")
    assert shop.state(placed["checkout_url"]) == "declined"
    assert counts(shop) == (1, 1, 0, 0)


@pytest.mark.parametrize("more", [(), ("three_ds",)])
def test_a_card_may_be_charged_twice(faulty: Faulty, more: tuple[str, ...]) -> None:
    shop = faulty("double_capture", *more)
    placed = shop.order()
    shop.submit(placed["checkout_url"])
    if more:
        shop.answer_challenge(placed["checkout_url"], "complete")
        shop.http.post(f"{placed['checkout_url']}/3ds", data={"outcome": "complete"})
    order = shop.read(placed["order"]["id"])
    assert (order["status"], order["payment_id"]) == ("completed", placed["order"]["payment_id"])
    twin, named = listed(shop)
    assert named["payment_id"] == order["payment_id"]
    assert [payment["amount_received"] for payment in (twin, named)] == [500, 500]
    assert twin["metadata"] == named["metadata"] == {"order_id": order["id"]}
    assert counts(shop) == (1, 2, 2, 0)
    assert shop.refunded(order["id"])["refunded_amount_cents"] == 500
    assert (shop.payment(twin["payment_id"])["refunds"], counts(shop)) == (None, (1, 2, 2, 1))
    assert len(shop.books()["transfers"]) == 1


STATUSES = ["conflicted", "failed", "partially_captured", "review", "asleep"]


@pytest.mark.parametrize("status", STATUSES)
def test_the_processor_may_report_another_status(faulty: Faulty, status: str) -> None:
    shop = faulty(f"processor_status={status}")
    placed = shop.order()
    assert shop.payment(placed["order"]["payment_id"])["status"] == "requires_payment_method"
    shop.submit(placed["checkout_url"])
    order = shop.read(placed["order"]["id"])
    assert (order["status"], order["payment_status"]) == ("completed", "succeeded")
    payment = shop.payment(order["payment_id"])
    assert (payment["status"], payment["amount"], payment["amount_received"]) == (status, 500, 500)
    (line,) = shop.http.get("/hyperswitch/payments/list", headers=KEY).json()["data"]
    assert line["status"] == status


@pytest.mark.parametrize("status", ["processing", "requires_capture"])
def test_the_processor_may_have_received_nothing_for_a_completed_order(faulty: Faulty, status: str) -> None:
    shop = faulty(f"processor_status={status}")
    order = shop.read(shop.paid())
    payment = shop.payment(order["payment_id"])
    assert (order["status"], payment["status"]) == ("completed", status)
    assert (payment["amount"], payment["amount_received"], payment["amount_capturable"]) == (500, 0, 500)


def test_the_processor_may_refuse_every_key(faulty: Faulty) -> None:
    shop = faulty()
    payment_id = shop.read(shop.paid())["payment_id"]
    shop.faults("processor_key_rejected")
    for path in (f"payments/{payment_id}", "payments/list", "refunds/none"):
        answer = shop.http.get(f"/hyperswitch/{path}", headers=KEY)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "IR_01")
    assert shop.http.post("/hyperswitch/refunds", json={"payment_id": payment_id}, headers=KEY).status_code == 401
    assert shop.read(shop.paid(1))["status"] == "completed", "the checkout needs no key"


@pytest.mark.parametrize("key", [None, "k"])
def test_the_backend_may_lose_a_refund_that_happened(faulty: Faulty, key: str | None) -> None:
    shop = faulty("refund_lost_at_backend")
    order_id = shop.paid()

    def ask() -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        return shop.api("POST", f"/orders/{order_id}/refund", json={"reason": "test"}, headers=headers)

    assert ask().status_code == 500
    shop.settle()
    order = shop.read(order_id)
    assert (order["status"], order.get("refund_id"), order.get("refund_status")) == ("completed", None, None)
    (refund,) = shop.payment(order["payment_id"])["refunds"]
    assert (refund["status"], refund["amount"]) == ("succeeded", 500)
    assert shop.books()["licenses"] == {"active": 1, "revoked": 0}
    again = ask()
    assert (again.status_code, again.json()["error_code"]) == (422, "PAYMENT_FAILED")
    assert counts(shop) == (1, 1, 1, 1)


def test_the_processors_refund_may_lag_behind_the_orders(faulty: Faulty) -> None:
    shop = faulty("processor_refund_lag=60")
    order = shop.refunded(shop.paid())
    assert (order["status"], order["refund_status"]) == ("refunded", "succeeded")

    def reported() -> list[str]:
        read = shop.http.get(f"/hyperswitch/refunds/{order['refund_id']}", headers=KEY).json()
        return [read["status"], *(row["status"] for row in shop.payment(order["payment_id"])["refunds"])]

    assert reported() == ["pending", "pending"]
    shop.settle(61)
    assert reported() == ["succeeded", "succeeded"]


def transfers(shop: Backend) -> list[tuple[str, int]]:
    return [(row["status"], row["reversed_amount_cents"]) for row in shop.books()["transfers"]]


def test_a_transfer_may_be_booked_late(faulty: Faulty) -> None:
    shop = faulty("transfer_late=60")
    order_id = shop.paid()
    assert (shop.read(order_id)["status"], transfers(shop)) == ("completed", [])
    shop.settle(59)
    assert transfers(shop) == []
    shop.settle(1.1)
    assert transfers(shop) == [("completed", 0)]
    assert shop.books()["transfers"][0]["created_at"] > shop.read(order_id)["completed_at"]
    shop.refunded(order_id)
    assert transfers(shop) == [("reversed", 450)]


def test_a_transfer_that_is_booked_after_the_refund_is_reversed_at_once(faulty: Faulty) -> None:
    shop = faulty("transfer_late=60")
    shop.refunded(shop.paid())
    assert transfers(shop) == []
    shop.settle(61)
    assert transfers(shop) == [("reversed", 450)]


def test_a_transfer_may_be_reversed_late(faulty: Faulty) -> None:
    shop = faulty("reversal_late=3600")
    order = shop.refunded(shop.paid())
    assert (order["status"], transfers(shop)) == ("refunded", [("completed", 0)])
    shop.faults()
    shop.later(3599)
    assert transfers(shop) == [("completed", 0)]
    shop.later(2)
    assert transfers(shop) == [("reversed", 450)]
    (row,) = shop.books()["transfers"]
    assert row["reversed_at"] == row["updated_at"] > order["refunded_at"]
    assert row["stripe_reversal_id"].startswith("trr_")


def test_a_refund_that_failed_meanwhile_reverses_nothing(faulty: Faulty) -> None:
    shop = faulty("reversal_late=3600", "refund_fails_late=60")
    order = shop.refunded(shop.paid())
    shop.later(61)
    assert shop.read(order["id"])["status"] == "refund_failed"
    shop.settle(3600)
    assert transfers(shop) == [("completed", 0)]


def until(holds: Callable[[], bool]) -> None:
    """Wait for what the backend does by itself, well before it would look again anyway (after 60 s)."""
    limit = time.monotonic() + 40
    while not holds():
        assert time.monotonic() < limit


def test_what_is_due_later_comes_by_itself(faulty: Faulty) -> None:
    shop = faulty("async_method=0.2", "transfer_late=0.2", "reversal_late=0.2", "dispute_after_refund=0.2")
    order_id = shop.paid()
    until(lambda: shop.read(order_id)["status"] == "completed")
    until(lambda: transfers(shop) == [("completed", 0)])
    assert shop.refund(order_id).status_code == 202
    until(lambda: transfers(shop) == [("reversed", 450)])
    assert shop.read(order_id)["status"] == "refunded"
    until(lambda: shop.api("GET", "/orders").json()["data"][0]["status"] == "disputed")


def test_a_lost_refund_ends_by_itself(faulty: Faulty) -> None:
    shop = faulty("refund_lost_at_backend")
    order_id = shop.paid()
    payment_id = shop.read(order_id)["payment_id"]
    assert shop.refund(order_id).status_code == 500
    until(lambda: [row["status"] for row in shop.payment(payment_id)["refunds"]] == ["succeeded"])


def test_a_row_has_every_column_of_seller_transfers(faulty: Faulty) -> None:
    shop = faulty()
    shop.refunded(shop.paid())
    (row,) = shop.books()["transfers"]
    assert row.keys() == {
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
    }
    assert [name for name, value in row.items() if value is None] == ["error_message"]


def test_a_late_transfer_outlives_a_restart(run: Callable[..., Any]) -> None:
    first = run("transfer_late=60")
    first.login()
    first.paid()
    first.kill()
    second = run("transfer_late=60")
    assert transfers(second) == []
    second.settle(60)
    assert transfers(second) == [("completed", 0)]


def test_a_part_of_a_refund_may_never_be_told(faulty: Faulty) -> None:
    shop = faulty("partial_refund_untold=30")
    order_id = shop.paid()
    accepted = shop.refund(order_id).json()["data"]["refund"]
    assert (accepted["status"], accepted["amount_cents"]) == ("pending", 500), "what was asked for"
    shop.settle()
    order = shop.read(order_id)
    assert (order["status"], order["refund_status"]) == ("refunded", "succeeded")
    assert "refunded_amount_cents" not in order
    (refund,) = shop.payment(order["payment_id"])["refunds"]
    assert (refund["status"], refund["amount"]) == ("succeeded", 470)
    assert transfers(shop) == [("reversed", 450)]


@pytest.mark.parametrize(("percent", "tax"), [("19", 80), ("20", 83), ("0", 0), ("5.5", 26)])
def test_tax_may_be_included_in_the_list_price(faulty: Faulty, percent: str, tax: int) -> None:
    shop = faulty(f"tax_inclusive={percent}")
    order = shop.read(shop.paid())
    assert (order["total_amount_cents"], order["tax_amount_cents"]) == (500, tax)
    assert order["items"][0]["price_cents"] == 500
    (transfer,) = shop.books()["transfers"]
    assert transfer["amount_cents"] + transfer["platform_fee_cents"] == 500 - tax


def test_included_tax_is_taken_from_each_seller_to_the_cent(faulty: Faulty) -> None:
    shop = faulty("tax_inclusive=19", "vat_added=10")
    body = {"items": [{"product_id": shop.products()[place]["id"]} for place in (0, 1, 4)]}
    placed = shop.api("POST", "/orders", json=body).json()["data"]
    shop.submit(placed["checkout_url"])
    order = shop.read(placed["order"]["id"])
    rows = shop.books()["transfers"]
    assert len(rows) == 2
    paid_out = sum(row["amount_cents"] + row["platform_fee_cents"] for row in rows)
    assert order["total_amount_cents"] - order["tax_amount_cents"] == paid_out


def test_the_processor_may_charge_a_surcharge(faulty: Faulty) -> None:
    shop = faulty("net_amount=19")
    order = shop.read(shop.paid())
    payment = shop.payment(order["payment_id"])
    assert (order["status"], order["total_amount_cents"]) == ("completed", 500)
    assert (payment["amount"], payment["net_amount"], payment["amount_received"]) == (500, 519, 519)
    assert shop.refunded(order["id"])["refunded_amount_cents"] == 500
    assert shop.payment(order["payment_id"])["refunds"][0]["amount"] == 500
    assert transfers(shop) == [("reversed", 450)]


def test_a_transfer_may_go_to_another_seller(faulty: Faulty) -> None:
    shop = faulty()
    shop.paid()
    shop.faults("wrong_seller")
    shop.paid(1)
    right, wrong = shop.books()["transfers"]
    sellers = [product["seller_id"] for product in shop.products()[:2]]
    assert sellers[0] != sellers[1]
    assert [right["seller_id"], wrong["seller_id"]] == [sellers[0], sellers[0]]
    assert wrong["stripe_account_id"] == right["stripe_account_id"]


def test_a_payment_may_settle_days_later(faulty: Faulty) -> None:
    shop = faulty(f"async_method={3 * DAY}")
    placed = shop.order()
    shop.submit(placed["checkout_url"], "4000 0000 0000 0002")
    back = shop.submit(placed["checkout_url"]).headers["location"]
    assert "/shop/return?" in back
    assert (shop.state(back), shop.state(placed["checkout_url"])) == ("processing", "processing")
    order_id = placed["order"]["id"]
    assert shop.read(order_id)["status"] == "pending_payment"
    shop.later(3 * DAY - 60)
    order = shop.read(order_id)
    assert (order["status"], order["payment_status"]) == ("pending_payment", "processing")
    payment = shop.payment(order["payment_id"])
    assert (payment["status"], payment["amount_received"], counts(shop)) == ("processing", 0, (1, 1, 0, 0))
    assert payment["error_code"] is None
    shop.later(61)
    assert (shop.read(order_id)["status"], shop.payment(order["payment_id"])["amount_received"]) == ("completed", 500)
    assert shop.state(back) == "paid"


@pytest.mark.parametrize(("switch", "seconds"), [("dispute_after_refund", 2), ("dispute_after_refund=3600", 3600)])
def test_a_refund_may_be_disputed_after_it_was_seen(faulty: Faulty, switch: str, seconds: int) -> None:
    shop = faulty(switch)
    order_id = shop.paid()
    assert shop.refund(order_id).status_code == 202
    shop.later(10 * DAY)
    refunded = shop.read(order_id)
    assert (refunded["status"], shop.payment(refunded["payment_id"])["disputes"]) == ("refunded", None)
    shop.later(seconds + 0.01)
    order = shop.read(order_id)
    assert (order["status"], order["refund_status"], order["refunded_amount_cents"]) == ("disputed", "succeeded", 500)
    payment = shop.payment(order["payment_id"])
    assert [(one["dispute_status"], one["amount"]) for one in payment["disputes"]] == [("dispute_opened", "500")]
    assert [row["status"] for row in payment["refunds"]] == ["succeeded"]
    assert shop.books()["licenses"] == {"active": 0, "revoked": 1}
    assert shop.refund(order_id).status_code == 409


def test_a_refund_is_disputed_once(faulty: Faulty) -> None:
    shop = faulty()
    order_id = shop.paid()
    payment_id = shop.refunded(order_id)["payment_id"]
    shop.faults("dispute_after_refund=0", "webhook_delay=3600")
    seen = []
    for _ in range(2):
        assert shop.read(order_id)["status"] == "refunded", "the shop has not heard of the dispute yet"
        shop.settle(1)
        seen.append([dispute["dispute_id"] for dispute in shop.payment(payment_id)["disputes"]])
    assert len(seen[0]) == 1
    assert seen[0] == seen[1]
