"""The checkout page as a script meets it: without JavaScript."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rehearsal.conftest import Backend

DECLINED = "4000000000000002"
CHALLENGED = "4000 0038 0000 0446"
GOOD = {"attempt": "0", "card_number": "4111111111111111", "expiry": "12/39", "cvc": "123"}


def test_the_page_says_who_gets_how_much(shop: Backend) -> None:
    shop.faults("vat_added=10")
    answer = shop.http.get(shop.order()["checkout_url"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    for text in ("5.50 EUR", "0.50 EUR", "Nadia Rehearsal", "Payment test beat", '<html lang="en">', "15 min 00 s"):
        assert text in answer.text or text == "15 min 00 s"
    assert "14 min" in answer.text or "15 min" in answer.text


def test_a_hostile_title_is_text(shop: Backend) -> None:
    page = shop.http.get(shop.order(1)["checkout_url"])
    assert "<script>alert" not in page.text
    assert '<script>alert(1)</script> | "x" \n# y' in unescape(page.text)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_page_loads_nothing_from_elsewhere(shop: Backend) -> None:
    page = shop.http.get(shop.order()["checkout_url"]).text
    assert "http" not in page.replace(shop.base_url, "")
    for name, kind in (("checkout.css", "text/css"), ("checkout.js", "text/javascript")):
        asset = shop.http.get(f"/hyperswitch/assets/{name}")
        assert (asset.status_code, asset.headers["content-type"]) == (200, f"{kind}; charset=utf-8")
        assert "http" not in asset.text
    assert shop.http.get("/hyperswitch/assets/layout.html.j2").status_code == 404
    assert shop.http.get("/hyperswitch/assets/..%2f__main__.py").status_code == 404


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"card_number": ""}, "Enter the card number."),
        ({"card_number": "4242424242424241"}, "This is not a card number; check its digits."),
        ({"card_number": "<b>"}, "This is not a card number; check its digits."),
        ({"expiry": "13/39"}, "The month goes from 01 to 12."),
        ({"expiry": "tomorrow"}, "Enter the expiry date as MM/YY."),
        ({"expiry": "01/20"}, "This card has expired."),
        ({"cvc": "12"}, "Enter the 3 or 4 digits of the security code."),
    ],
)
def test_a_form_that_is_not_filled_in_right_is_shown_again(shop: Backend, change: dict[str, str], message: str) -> None:
    url = shop.order()["checkout_url"]
    answer = shop.http.post(url, data={**GOOD, **change})
    assert (answer.status_code, message in unescape(answer.text)) == (200, True)
    assert "4111111111111111" not in answer.text
    assert shop.state(url) == "open"


@pytest.mark.parametrize(
    "expiry", [{"expiry": "12/39"}, {"expiry": "12 / 2039"}, {"exp_month": "12", "exp_year": "2039"}]
)
def test_a_date_is_read_as_people_write_it(shop: Backend, expiry: dict[str, str]) -> None:
    form = {name: value for name, value in GOOD.items() if name != "expiry"}
    answer = shop.http.post(shop.order()["checkout_url"], data=form | expiry)
    assert answer.status_code == 303
    assert shop.books()["charges"] == 1


def test_a_decline_can_be_tried_again(shop: Backend) -> None:
    placed = shop.order()
    url, order_id = placed["checkout_url"], placed["order"]["id"]
    assert shop.submit(url, DECLINED).headers["location"] == url
    assert shop.state(url) == "declined"
    page = unescape(shop.http.get(url).text)
    assert "The card was declined by its bank." in page
    assert "2 attempts are left" in page
    order = shop.read(order_id)
    assert (order["status"], order["payment_status"]) == ("pending_payment", "failed")
    assert shop.payment(order["payment_id"])["manual_retry_allowed"] is True
    shop.submit(url)
    assert shop.read(order_id)["status"] == "completed"
    assert shop.books()["charges"] == 1


def test_the_third_decline_is_the_last(shop: Backend) -> None:
    placed = shop.order()
    url, order_id = placed["checkout_url"], placed["order"]["id"]
    for card in (DECLINED, "5555555555554444", DECLINED):
        shop.submit(url, card)
    assert shop.state(url) == "failed"
    order = shop.read(order_id)
    assert (order["status"], order["payment_status"]) == ("failed", "failed")
    assert shop.http.post(url, data={**GOOD, "attempt": "3"}).headers["location"] == url
    assert shop.books()["charges"] == 0


def test_a_card_that_is_no_test_card_is_refused(shop: Backend) -> None:
    placed = shop.order()
    shop.submit(placed["checkout_url"], "5555555555554444")
    assert shop.payment(placed["order"]["payment_id"])["error_code"] == "DC_04"


@pytest.mark.parametrize(("outcome", "status"), [("complete", "completed"), ("reject", "pending_payment")])
def test_a_challenge_is_completed_or_rejected(shop: Backend, outcome: str, status: str) -> None:
    placed = shop.order()
    url, order_id = placed["checkout_url"], placed["order"]["id"]
    shop.submit(url, CHALLENGED)
    assert shop.state(url) == "challenge"
    assert shop.read(order_id)["payment_status"] == "requires_customer_action"
    shop.answer_challenge(url, outcome)
    assert shop.read(order_id)["status"] == status
    assert shop.state(url) == ("paid" if outcome == "complete" else "declined")
    if outcome == "reject":
        shop.submit(url)
    assert shop.books()["charges"] == 1


def test_a_page_that_is_sent_twice_charges_once(shop: Backend) -> None:
    url = shop.order()["checkout_url"]
    answers = [shop.http.post(url, data=GOOD) for _ in range(2)]
    assert [answer.headers["location"].partition("?")[0] for answer in answers] == [shop.base_url + "/shop/return"] * 2
    books = shop.books()
    assert (books["charges"], books["licenses"]["active"]) == (1, 1)


def test_an_old_page_is_shown_anew_instead_of_charged(shop: Backend) -> None:
    url = shop.order()["checkout_url"]
    shop.submit(url, DECLINED)
    assert shop.http.post(url, data=GOOD).headers["location"] == url
    assert shop.http.post(url, data={}).headers["location"] == url
    assert shop.books()["charges"] == 0


def test_a_bank_is_asked_only_where_a_card_was_given(shop: Backend) -> None:
    url = shop.order()["checkout_url"]
    for outcome in ("complete", "reject", "else"):
        assert shop.http.post(url + "/3ds", data={"outcome": outcome}).headers["location"] == url
    assert shop.state(url) == "open"
    assert shop.books()["charges"] == 0


def test_what_was_paid_stays_paid(shop: Backend) -> None:
    placed = shop.order()
    url = placed["checkout_url"]
    shop.submit(url)
    shop.http.post(url + "/cancel")
    shop.http.post(url + "/3ds", data={"outcome": "reject"})
    shop.settle(16 * 60)
    assert shop.state(url) == "paid"
    assert shop.payment(placed["order"]["payment_id"])["status"] == "succeeded"


def test_a_buyer_may_give_up(shop: Backend) -> None:
    placed = shop.order()
    back = shop.http.post(placed["checkout_url"] + "/cancel").headers["location"]
    page = shop.http.get(back).text
    assert "Payment not received" in page
    assert "<code>cancelled</code>" in page
    assert shop.read(placed["order"]["id"])["status"] == "cancelled"
    assert shop.state(placed["checkout_url"]) == "cancelled"


def test_an_expired_page_takes_no_card(shop: Backend) -> None:
    url = shop.order()["checkout_url"]
    shop.settle(16 * 60)
    assert shop.http.post(url, data=GOOD).headers["location"] == url
    assert shop.state(url) == "expired"
    assert shop.books()["charges"] == 0


def test_a_link_to_nothing_says_so(shop: Backend) -> None:
    payment_id = shop.order()["order"]["payment_id"]
    for path in ("merchant_veza/pay_none", f"other/{payment_id}", "merchant_veza/%00", "merchant_veza/%ff"):
        page = shop.http.get(f"/hyperswitch/payment_link/{path}")
        assert (page.status_code, "No such payment" in page.text) == (404, True)
    for action in ("", "/3ds", "/cancel"):
        assert shop.http.post(f"/hyperswitch/payment_link/merchant_veza/pay_none{action}").status_code == 404


def test_the_return_page_believes_the_processor_alone(shop: Backend) -> None:
    order = shop.order()["order"]
    page = shop.http.get(f"/shop/return?payment_id={order['payment_id']}&status=succeeded").text
    assert "Payment not received" in page
    assert shop.read(order["id"])["status"] == "pending_payment"
    assert "Payment not received" in shop.http.get("/shop/return?payment_id=%00").text
