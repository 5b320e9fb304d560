"""The Hyperswitch stub over HTTP, and its webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from rehearsal.conftest import Backend

KEY = {"api-key": "snd_rehearsal"}
NEW = {"amount": 1234, "currency": "EUR", "payment_link": True, "return_url": "https://shop.test/back?x=1"}
SIGNATURE = "X-Webhook-Signature-512"


def create(shop: Backend, **changes: object) -> httpx.Response:
    body = {name: value for name, value in {**NEW, **changes}.items() if value is not None}
    return shop.http.post("/hyperswitch/payments", json=body, headers=KEY)


def code(answer: httpx.Response) -> tuple[int, str]:
    error = answer.json()["error"]
    assert set(error) == {"type", "message", "code"}
    return answer.status_code, error["code"]


def test_a_payment_has_a_link_that_charges_it(shop: Backend) -> None:
    payment = create(shop, payment_id="mine").json()
    link = payment["payment_link"]["link"]
    assert link == f"{shop.base_url}/hyperswitch/payment_link/merchant_veza/mine"
    assert (payment["status"], payment["amount_received"], payment["payment_method"]) == (
        "requires_payment_method",
        0,
        None,
    )
    back = shop.submit(link).headers["location"]
    assert back == "https://shop.test/back?x=1&payment_id=mine&status=succeeded"
    paid = shop.payment("mine")
    assert (paid["status"], paid["amount_received"], paid["amount_capturable"]) == ("succeeded", 1234, 0)
    assert paid["payment_method_data"] == {"card": {"last4": "4242", "card_network": "Visa"}}


def test_a_refunded_payment_stays_succeeded(shop: Backend) -> None:
    shop.submit(create(shop, payment_id="mine").json()["payment_link"]["link"])
    body = {"payment_id": "mine", "refund_id": "back", "amount": 1000, "reason": "test"}
    refund = shop.http.post("/hyperswitch/refunds", json=body, headers=KEY).json()
    assert (refund["status"], refund["amount"], refund["reason"]) == ("pending", 1000, "test")
    shop.settle()
    assert shop.http.get("/hyperswitch/refunds/back", headers=KEY).json()["status"] == "succeeded"
    payment = shop.payment("mine")
    assert (payment["status"], [row["status"] for row in payment["refunds"]]) == ("succeeded", ["succeeded"])
    again = shop.http.post("/hyperswitch/refunds", json=body, headers=KEY)
    assert code(again) == (400, "HE_01")
    more = shop.http.post("/hyperswitch/refunds", json={"payment_id": "mine", "amount": 235}, headers=KEY)
    assert code(more) == (400, "IR_13")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"return_url": None}, (400, "IR_04")),
        ({"currency": None}, (400, "IR_04")),
        ({"confirm": True}, (400, "IR_07")),
        ({"payment_link": None}, (400, "IR_07")),
        ({"amount": 0}, (400, "IR_07")),
        ({"amount": 1.5}, (400, "IR_07")),
        ({"amount": True}, (400, "IR_07")),
        ({"payment_id": "a/b"}, (400, "IR_07")),
        ({"return_url": "javascript:alert(1)"}, (400, "IR_07")),
        ({"description": "\x00"}, (400, "IR_07")),
        ({"metadata": []}, (201, "")),
    ],
)
def test_a_payment_must_have_its_form(shop: Backend, changes: dict[str, object], expected: tuple[int, str]) -> None:
    answer = create(shop, **changes)
    assert (code(answer) if answer.status_code != 200 else (201, "")) == expected


def test_errors_have_hyperswitchs_shape(shop: Backend) -> None:
    create(shop, payment_id="mine")
    assert code(create(shop, payment_id="mine")) == (400, "HE_01")
    assert code(shop.http.get("/hyperswitch/payments/none", headers=KEY)) == (404, "HE_02")
    assert code(shop.http.get("/hyperswitch/refunds/none", headers=KEY)) == (404, "HE_02")
    assert code(shop.http.get("/hyperswitch/payments/mine")) == (401, "IR_01")
    assert code(shop.http.get("/hyperswitch/payments/mine", headers={"api-key": "snd_other"})) == (401, "IR_01")
    assert code(shop.http.post("/hyperswitch/payments", content=b"{", headers=KEY)) == (400, "IR_06")
    assert code(shop.http.post("/hyperswitch/payments", content=b"[]", headers=KEY)) == (400, "IR_06")
    unpaid = shop.http.post("/hyperswitch/refunds", json={"payment_id": "mine"}, headers=KEY)
    assert code(unpaid) == (400, "IR_14")


def ids(shop: Backend, **query: str) -> list[str]:
    answer = shop.http.get("/hyperswitch/payments/list", params=query, headers=KEY).json()
    assert answer["size"] == len(answer["data"])
    return [payment["payment_id"] for payment in answer["data"]]


def test_payments_are_listed_newest_first_by_customer_time_and_cursor(shop: Backend) -> None:
    for number in range(12):
        create(shop, payment_id=f"p{number}", customer_id="even" if number % 2 == 0 else "odd")
        shop.settle(1)
    newest = [f"p{number}" for number in range(11, -1, -1)]
    assert ids(shop) == newest[:10]
    assert ids(shop, limit="100") == newest
    assert ids(shop, limit="2", customer_id="even") == ["p10", "p8"]
    assert ids(shop, customer_id="nobody") == []
    fifth = shop.payment("p5")["created"]
    assert ids(shop, created_gte=fifth, customer_id="odd") == ["p11", "p9", "p7", "p5"]
    assert ids(shop, created_gt=fifth, customer_id="odd") == ["p11", "p9", "p7"]
    assert ids(shop, created_lte=fifth) == ["p5", "p4", "p3", "p2", "p1", "p0"]
    assert ids(shop, created_lt=fifth.removesuffix("Z")) == ["p4", "p3", "p2", "p1", "p0"]
    assert ids(shop, created=fifth) == ["p5"]
    assert ids(shop, starting_after="p2") == ["p1", "p0"]
    assert ids(shop, ending_before="p9") == ["p11", "p10"]


def test_a_list_leaves_out_what_hyperswitch_leaves_out_of_it(shop: Backend) -> None:
    order_id = shop.paid()
    order = shop.refunded(order_id)
    (line,) = shop.http.get("/hyperswitch/payments/list", headers=KEY).json()["data"]
    whole = shop.payment(order["payment_id"])
    assert whole["customer_id"] == line["customer_id"] == order["buyer_id"]
    assert whole["metadata"] == line["metadata"] == {"order_id": order_id}
    assert (line["status"], line["amount"], line["net_amount"]) == ("succeeded", 500, 500)
    assert (line["amount_received"], line["refunds"], line["disputes"]) == (None, None, None)
    assert (whole["amount_received"], len(whole["refunds"])) == (500, 1)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"limit": "0"}, "IR_06"),
        ({"limit": "101"}, "IR_06"),
        ({"limit": "ten"}, "IR_06"),
        ({"created_gte": "yesterday"}, "IR_06"),
        ({"order_id": "mine"}, "IR_06"),
        ({"customer_id": "\x00"}, "IR_07"),
    ],
)
def test_a_list_must_be_asked_for_in_its_form(shop: Backend, query: dict[str, str], expected: str) -> None:
    assert code(shop.http.get("/hyperswitch/payments/list", params=query, headers=KEY)) == (400, expected)


def test_a_payment_keeps_its_customer_and_metadata(shop: Backend) -> None:
    payment = create(shop, customer_id="c1", metadata={"order_id": "7", "note": "\x00"}).json()
    assert (payment["customer_id"], payment["metadata"]) == ("c1", {"order_id": "7", "note": "\x00"})
    assert create(shop).json()["metadata"] is None
    assert code(create(shop, customer_id="c 1")) == (400, "IR_07")


@pytest.fixture
def webhook(shop: Backend) -> Callable[..., httpx.Response]:
    """Sends the shop a webhook that is signed with the right key, which only its database holds."""
    with sqlite3.connect(shop.log.parent / "backend.db") as database:
        (key,) = database.execute("SELECT value FROM meta WHERE name = 'webhook_key'").fetchone()
    database.close()

    def send(event: dict[str, Any], **changes: str) -> httpx.Response:
        raw = json.dumps(event).encode()
        signature = hmac.new(key.encode(), raw, hashlib.sha512).hexdigest()
        return shop.http.post("/webhooks/hyperswitch", content=raw, headers={SIGNATURE: signature, **changes})

    return send


def paid_event(order: dict[str, Any], event_id: str, **changes: object) -> dict[str, Any]:
    payment = {
        "payment_id": order["payment_id"],
        "status": "succeeded",
        "amount": order["total_amount_cents"],
        "currency": order["currency"],
        "updated": "2030-01-01T00:00:00.000Z",
        "disputes": None,
        "manual_retry_allowed": None,
    }
    content = {"type": "payment_details", "object": payment | changes}
    return {"event_id": event_id, "event_type": "payment_succeeded", "content": content}


def test_a_right_webhook_completes_the_order_once(shop: Backend, webhook: Callable[..., httpx.Response]) -> None:
    order = shop.order()["order"]
    for _ in range(2):
        assert webhook(paid_event(order, "evt_1")).status_code == 200
    assert webhook(paid_event(order, "evt_2")).status_code == 200
    assert shop.read(order["id"])["status"] == "completed"
    assert (shop.books()["licenses"]["active"], len(shop.books()["transfers"])) == (1, 1)


@pytest.mark.parametrize("changes", [{"amount": 499}, {"amount": 501}, {"currency": "USD"}])
def test_another_amount_or_currency_completes_nothing(
    shop: Backend, webhook: Callable[..., httpx.Response], changes: dict[str, object]
) -> None:
    order = shop.order()["order"]
    assert webhook(paid_event(order, "evt_1", **changes)).status_code == 200
    read = shop.read(order["id"])
    assert (read["status"], read["payment_status"]) == ("pending_payment", "succeeded")
    assert shop.books()["licenses"]["active"] == 0


def test_an_older_state_changes_nothing(shop: Backend, webhook: Callable[..., httpx.Response]) -> None:
    order = shop.order()["order"]
    webhook(paid_event(order, "evt_1"))
    older = {"status": "failed", "updated": "2029-12-31T23:59:59.999Z", "manual_retry_allowed": False}
    webhook({**paid_event(order, "evt_2", **older), "event_type": "payment_failed"})
    read = shop.read(order["id"])
    assert (read["status"], read["payment_status"]) == ("completed", "succeeded")


@pytest.mark.parametrize("signature", ["", "0" * 128, "ü"])
def test_a_wrong_signature_is_refused(shop: Backend, webhook: Callable[..., httpx.Response], signature: str) -> None:
    order = shop.order()["order"]
    raw = json.dumps(paid_event(order, "evt_1")).encode()
    headers = [(SIGNATURE.encode(), signature.encode())]
    assert shop.http.post("/webhooks/hyperswitch", content=raw, headers=headers).status_code == 401
    assert shop.read(order["id"])["status"] == "pending_payment"
    assert webhook(paid_event(order, "evt_1")).status_code == 200
