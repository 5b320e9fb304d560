"""Each fault switch, seen from outside."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx
import pytest
from surroundings import PATIENCE

from veza_rehearsal import FAULTS, parse_fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehearsal.conftest import Backend, Child

    Run = Callable[..., Child]
    Faulty = Callable[..., Backend]

DAY = 24 * 3600


def test_a_late_webhook_completes_the_order_when_it_comes(faulty: Faulty) -> None:
    shop = faulty("webhook_delay=60")
    order = shop.paid()
    assert shop.read(order)["status"] == "pending_payment"
    assert shop.books()["charges"] == 1
    shop.settle(61)
    assert shop.read(order)["status"] == "completed"


def test_a_late_webhook_comes_by_itself(faulty: Faulty) -> None:
    shop = faulty("webhook_delay=0.3")
    order = shop.paid()
    limit = time.monotonic() + PATIENCE
    while shop.read(order)["status"] == "pending_payment":
        assert time.monotonic() < limit
    assert shop.read(order)["status"] == "completed"


def test_a_lost_webhook_never_comes_though_the_card_was_charged(faulty: Faulty) -> None:
    shop = faulty("webhook_lost")
    order = shop.paid()
    shop.faults()
    shop.later(2 * DAY)
    assert shop.read(order)["status"] == "pending_payment"
    assert shop.books()["charges"] == 1
    assert shop.payment(shop.read(order)["payment_id"])["status"] == "succeeded"


@pytest.mark.parametrize("switch", ["webhook_duplicate", "webhook_out_of_order"])
def test_repeated_and_reordered_webhooks_change_nothing(faulty: Faulty, switch: str) -> None:
    shop = faulty(switch)
    order = shop.paid()
    assert shop.read(order)["status"] == "completed"
    assert shop.read(order)["payment_status"] == "succeeded"
    refunded = shop.refunded(order)
    assert (refunded["status"], refunded["refund_status"]) == ("refunded", "succeeded")
    books = shop.books()
    assert books["licenses"] == {"active": 0, "revoked": 1}
    assert [row["status"] for row in books["transfers"]] == ["reversed"]
    deliveries = [line["path"] for line in shop.lines()].count("/webhooks/hyperswitch")
    assert deliveries == 4


def test_a_forged_webhook_is_refused_and_changes_nothing(faulty: Faulty) -> None:
    shop = faulty("webhook_bad_signature")
    order = shop.paid()
    assert shop.read(order)["status"] == "pending_payment"
    assert [line["status"] for line in shop.lines() if line["path"] == "/webhooks/hyperswitch"] == [401]
    shop.faults()
    shop.settle(60)
    assert shop.read(order)["status"] == "completed"


def test_a_link_may_expire_at_once(faulty: Faulty) -> None:
    shop = faulty("checkout_expired")
    placed = shop.order()
    assert shop.state(placed["checkout_url"]) == "expired"
    order = shop.read(placed["order"]["id"])
    assert (order["status"], order["payment_status"]) == ("expired", "expired")
    assert shop.books()["charges"] == 0


def test_a_link_expires_after_fifteen_minutes(faulty: Faulty) -> None:
    shop = faulty()
    placed = shop.order()
    shop.later(14 * 60)
    assert shop.state(placed["checkout_url"]) == "open"
    shop.later(61)
    assert shop.state(placed["checkout_url"]) == "expired"
    assert shop.read(placed["order"]["id"])["status"] == "expired"


def test_a_crash_at_completion_leaves_the_order_pending_until_it_is_mended(faulty: Faulty) -> None:
    shop = faulty("order_completion_crash")
    order = shop.paid()
    assert shop.read(order)["status"] == "pending_payment"
    shop.later(DAY / 2)
    assert shop.read(order)["status"] == "pending_payment"
    shop.faults()
    shop.later(DAY / 2)
    assert shop.read(order)["status"] == "completed"
    assert shop.books()["licenses"]["active"] == 1


def test_a_webhook_is_given_up_after_sixteen_retries_within_about_a_day(faulty: Faulty) -> None:
    shop = faulty("order_completion_crash")
    order = shop.paid()
    for _ in range(20):
        shop.settle(28_800)
    tried = [line["path"] for line in shop.lines()].count("/webhooks/hyperswitch")
    assert tried == 17
    shop.faults()
    shop.later(10 * DAY)
    assert shop.read(order)["status"] == "pending_payment"


def test_a_license_may_be_missing(faulty: Faulty) -> None:
    shop = faulty("license_not_granted")
    order = shop.paid()
    assert shop.read(order)["status"] == "completed"
    assert shop.api("GET", "/licenses/mine").json()["data"] == []


def test_a_part_of_the_amount_may_be_captured(faulty: Faulty) -> None:
    shop = faulty("partial_capture")
    order = shop.read(shop.paid())
    payment = shop.payment(order["payment_id"])
    assert (order["status"], order["payment_status"]) == ("completed", "partially_captured")
    assert (payment["amount"], payment["amount_received"]) == (500, 250)
    assert shop.refunded(order["id"])["refunded_amount_cents"] == 250


def test_a_refund_stays_pending_until_the_switch_goes_or_three_days_pass(faulty: Faulty) -> None:
    shop = faulty("refund_pending")
    first, second = shop.paid(0), shop.paid(1)
    assert shop.refunded(first)["status"] == "refund_pending"
    shop.later(3 * DAY - 60)
    assert shop.read(first)["status"] == "refund_pending"
    assert shop.refunded(second)["status"] == "refund_pending"
    shop.later(120)
    assert (shop.read(first)["status"], shop.read(second)["status"]) == ("refunded", "refund_pending")
    shop.faults()
    assert shop.read(second)["status"] == "refunded"


def test_a_refused_refund_leaves_the_order_completed(faulty: Faulty) -> None:
    shop = faulty("refund_fails")
    order = shop.paid()
    read = shop.refunded(order)
    assert (read["status"], read["refund_status"]) == ("completed", "failed")
    assert shop.books()["refunds"] == 0
    assert shop.books()["licenses"]["active"] == 1
    shop.faults()
    assert shop.refunded(order)["status"] == "refunded"
    assert shop.books()["refunds"] == 1


@pytest.mark.parametrize(("switch", "seconds"), [("refund_fails_late", 2), ("refund_fails_late=3600", 3600)])
def test_a_refund_may_fail_after_it_was_seen_to_succeed(faulty: Faulty, switch: str, seconds: int) -> None:
    shop = faulty(switch)
    order = shop.paid()
    assert shop.refund(order).status_code == 202
    shop.later(10 * DAY)
    assert shop.read(order)["status"] == "refunded"
    shop.later(seconds + 0.01)
    read = shop.read(order)
    assert (read["status"], read["refund_status"]) == ("refund_failed", "failed")
    assert shop.books()["refunds"] == 0


def test_a_license_may_outlive_its_refund(faulty: Faulty) -> None:
    shop = faulty("license_not_revoked")
    assert shop.refunded(shop.paid())["status"] == "refunded"
    assert shop.books()["licenses"] == {"active": 1, "revoked": 0}


def test_a_transfer_may_be_missing(faulty: Faulty) -> None:
    shop = faulty("transfer_missing")
    assert shop.read(shop.paid())["status"] == "completed"
    assert shop.books()["transfers"] == []


@pytest.mark.parametrize("switch", ["transfer_not_reversed", "seller_balance_low"])
def test_a_transfer_may_not_be_taken_back(faulty: Faulty, switch: str) -> None:
    shop = faulty(switch)
    assert shop.refunded(shop.paid())["status"] == "refunded"
    (transfer,) = shop.books()["transfers"]
    assert (transfer["status"], transfer["reversed_amount_cents"]) == ("completed", 0)
    low = switch == "seller_balance_low"
    assert (transfer["error_message"] is not None, transfer["attempts"]) == (low, 2 if low else 1)


def test_the_order_may_be_made_out_in_another_currency(faulty: Faulty) -> None:
    shop = faulty("currency_mismatch")
    order = shop.order()["order"]
    assert (shop.products()[0]["currency"], order["currency"]) == ("EUR", "USD")
    assert shop.payment(order["payment_id"])["currency"] == "USD"


def test_vat_comes_on_top_of_the_price(faulty: Faulty) -> None:
    shop = faulty("vat_added=19")
    order = shop.order()["order"]
    assert (order["total_amount_cents"], order["tax_amount_cents"]) == (595, 95)
    shop.submit(shop.payment(order["payment_id"])["payment_link"]["link"])
    (transfer,) = shop.books()["transfers"]
    assert transfer["amount_cents"] + transfer["platform_fee_cents"] == 500


@pytest.mark.parametrize(("percent", "tax"), [("1.1", 6), ("1.05", 5), ("1.3", 7), ("0", 0)])
def test_vat_is_rounded_half_up_to_the_cent(faulty: Faulty, percent: str, tax: int) -> None:
    shop = faulty(f"vat_added={percent}")
    assert shop.order()["order"]["tax_amount_cents"] == tax


def test_access_tokens_last_as_long_as_they_say(faulty: Faulty) -> None:
    shop = faulty("jwt_ttl=30")
    assert shop.login()["expires_in"] == 30
    shop.settle(29)
    assert shop.api("GET", "/auth/me").status_code == 200
    shop.settle(1)
    answer = shop.api("GET", "/auth/me")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "AUTH_TOKEN_EXPIRED")


def test_any_card_may_be_challenged(faulty: Faulty) -> None:
    shop = faulty("three_ds")
    placed = shop.order()
    url = placed["checkout_url"]
    assert shop.submit(url).headers["location"] == url
    order = shop.read(placed["order"]["id"])
    assert (order["status"], order["payment_status"]) == ("pending_payment", "requires_customer_action")
    assert shop.answer_challenge(url, "complete").headers["location"].startswith(shop.base_url + "/shop/return?")
    assert shop.read(order["id"])["status"] == "completed"


def test_a_challenge_may_be_abandoned(faulty: Faulty) -> None:
    shop = faulty("three_ds_abandon")
    placed = shop.order()
    shop.submit(placed["checkout_url"])
    assert shop.state(placed["checkout_url"]) == "challenge_stuck"
    shop.http.post(placed["checkout_url"] + "/3ds", data={"outcome": "complete"})
    assert shop.read(placed["order"]["id"])["payment_status"] == "requires_customer_action"
    assert shop.books()["charges"] == 0
    shop.later(15 * 60 + 1)
    assert shop.read(placed["order"]["id"])["status"] == "expired"


@pytest.mark.parametrize(("environment", "mode"), [("sandbox", "live"), ("live", "sandbox")])
def test_the_processor_may_be_in_the_other_mode(run: Run, environment: str, mode: str) -> None:
    shop = run(f"--environment={environment}", "processor_mode_mismatch")
    status = shop.api("GET", "/status").json()["data"]
    assert (status["environment"], status["services"]["hyperswitch"]["mode"]) == (environment, mode)


def test_a_disabled_processor_takes_no_orders(faulty: Faulty) -> None:
    shop = faulty("hyperswitch_disabled")
    assert shop.api("GET", "/status").json()["data"]["services"]["hyperswitch"]["status"] == "disabled"
    answer = shop.api("POST", "/orders", json={"items": [{"product_id": shop.products()[0]["id"]}]})
    assert (answer.status_code, answer.json()["error_code"]) == (503, "PAYMENT_PROVIDER_DISABLED")
    assert shop.books()["orders"] == 0


def test_the_rate_limit_says_when_to_come_back(faulty: Faulty) -> None:
    shop = faulty("rate_limit=3")
    assert [shop.api("GET", "/health").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = shop.api("GET", "/health")
    wait = int(refused.headers["Retry-After"])
    assert 1 <= wait <= 20
    assert (refused.headers["X-RateLimit-Limit"], refused.headers["X-RateLimit-Remaining"]) == ("3", "0")
    now = parsedate_to_datetime(refused.headers["Date"]).timestamp()
    assert 0 <= int(refused.headers["X-RateLimit-Reset"]) - now <= 21
    shop.settle(wait)
    assert shop.api("GET", "/health").status_code == 200


def test_the_fourth_login_in_fifteen_minutes_waits(fresh: Backend) -> None:
    shop = fresh
    shop.faults("login_limit=3")
    for _ in range(3):
        shop.login()
    body = {"email": "operator@veza.test", "password": "correct horse battery staple"}
    refused = shop.api("POST", "/auth/login", json=body)
    assert (refused.status_code, refused.json()["error_code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert 890 <= int(refused.headers["Retry-After"]) <= 900
    shop.settle(int(refused.headers["Retry-After"]))
    shop.login()


def test_wrong_passwords_lock_the_account(faulty: Faulty) -> None:
    shop = faulty("account_lock=2")
    body = {"email": "operator@veza.test", "password": "wrong"}
    statuses = [shop.api("POST", "/auth/login", json=body).status_code for _ in range(3)]
    assert statuses == [401, 401, 423]
    shop.settle(15 * 60)
    shop.login()


def test_server_errors_do_nothing_and_then_end(faulty: Faulty) -> None:
    shop = faulty()
    product = shop.products()[0]["id"]
    shop.faults("server_error=2@createOrder")
    body = {"items": [{"product_id": product}]}
    assert [shop.api("POST", "/orders", json=body).status_code for _ in range(3)] == [500, 500, 201]
    assert shop.books()["orders"] == 1


def test_dropped_connections_do_nothing(faulty: Faulty) -> None:
    shop = faulty("drop_connection=1")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        shop.api("GET", "/health")
    assert shop.api("GET", "/health").status_code == 200


def test_an_answer_may_be_dropped_after_the_commit(faulty: Faulty) -> None:
    shop = faulty()
    product = shop.products()[0]["id"]
    shop.faults("drop_after_commit=2")
    body = {"items": [{"product_id": product}]}
    assert shop.api("POST", "/orders", json=body).status_code == 201
    with pytest.raises(httpx.RemoteProtocolError):
        shop.api("POST", "/orders", json=body)
    assert shop.books()["orders"] == 2
    assert shop.api("POST", "/orders", json=body).status_code == 201


def test_a_dropped_refund_is_carried_out(faulty: Faulty) -> None:
    shop = faulty("drop_after_commit=1@requestRefund")
    order = shop.paid()
    with pytest.raises(httpx.RemoteProtocolError):
        shop.refund(order)
    shop.settle()
    assert shop.read(order)["status"] == "refunded"


def test_a_slow_request_waits_before_it_is_carried_out(faulty: Faulty) -> None:
    shop = faulty()
    body = {"items": [{"product_id": shop.products()[0]["id"]}]}
    shop.faults("slow=3600")
    with pytest.raises(httpx.ReadTimeout):
        shop.api("POST", "/orders", json=body, timeout=0.5)
    shop.faults("slow=0.01")
    assert shop.api("GET", "/health").status_code == 200
    assert shop.books()["orders"] == 0


def test_garbage_is_no_json_though_the_order_was_placed(faulty: Faulty) -> None:
    shop = faulty()
    product = shop.products()[0]["id"]
    shop.faults("garbage=1@createOrder")
    answer = shop.api("POST", "/orders", json={"items": [{"product_id": product}]})
    assert (answer.status_code, answer.headers["content-type"]) == (201, "application/json")
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        answer.json()
    assert shop.books()["orders"] == 1


def test_a_dispute_is_seen_instead_of_the_completion(faulty: Faulty) -> None:
    shop = faulty("dispute_opened")
    order = shop.read(shop.paid())
    assert order["status"] == "disputed"
    assert order["completed_at"]
    assert shop.books()["licenses"]["active"] == 1
    assert shop.payment(order["payment_id"])["disputes"][0]["dispute_status"] == "dispute_opened"
    assert shop.refund(order["id"]).json()["error_code"] == "ORDER_INVALID_STATE"


def test_keys_may_be_ignored(faulty: Faulty) -> None:
    shop = faulty("no_idempotency")
    assert shop.order(key="k")["order"]["id"] != shop.order(key="k")["order"]["id"]
    assert shop.books()["orders"] == 2


def test_switches_work_together(faulty: Faulty) -> None:
    shop = faulty("vat_added=10", "three_ds", "webhook_duplicate", "license_not_revoked")
    placed = shop.order()
    shop.submit(placed["checkout_url"])
    shop.answer_challenge(placed["checkout_url"], "complete")
    order = shop.refunded(placed["order"]["id"])
    assert (order["status"], order["total_amount_cents"]) == ("refunded", 550)
    assert shop.books()["licenses"] == {"active": 1, "revoked": 0}


def test_counts_and_switches_outlive_a_restart(run: Run) -> None:
    first = run("server_error=2", "slow=0.01")
    assert first.api("GET", "/health").status_code == 500
    first.kill()
    second = run("server_error=2", "slow=0.01")
    assert [second.api("GET", "/health").status_code for _ in range(2)] == [500, 200]
    second.faults("garbage=5")
    second.kill()
    third = run("server_error=2", "slow=0.01")
    assert third.http.get("/rehearsal/faults").json() == {"faults": [{"fault": "garbage=5", "remaining": 5}]}
    third.kill()
    assert run("jwt_ttl=5").http.get("/rehearsal/faults").json() == {"faults": [{"fault": "jwt_ttl=5"}]}


WRONG = (
    "nonsense",
    "",
    "webhook_delay",
    "webhook_lost=1",
    "server_error=0",
    "server_error=1.5",
    "server_error=1@",
    "server_error=1@get health",
    "slow=x",
    "slow=-1",
    "slow=1@getHealth",
    "three_ds=",
    "processor_status",
    "processor_status=",
    "processor_status=3",
    "processor_status=Failed",
    "processor_status=failed@getOrder",
    "processor_status=a.b",
    f"processor_status={'a' * 65}",
    "net_amount",
    "net_amount=0",
    "net_amount=1.5",
    "transfer_late=soon",
    "jwt_ttl=99999999",
)


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_switch_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(ValueError, match="fault switch") as caught:
        parse_fault(text)
    assert text in str(caught.value)


def test_a_wrong_switch_is_refused_at_run_time_and_nothing_changes(faulty: Faulty) -> None:
    shop = faulty("slow=0.01")
    bodies: list[object] = [{"faults": ["nonsense"]}, {"faults": "slow=1"}, [], {}, {"faults": [1]}]
    for body in bodies:
        assert shop.http.post("/rehearsal/faults", json=body).status_code == 400
    assert shop.http.get("/rehearsal/faults").json() == {"faults": [{"fault": "slow=0.01"}]}


def test_every_switch_reads_back_as_it_is_typed() -> None:
    for name, switch in FAULTS.items():
        argument = {"none": "", "optional seconds": "", "status": "=conflicted"}.get(switch.argument, "=3")
        text = f"{name}{argument}"
        assert str(parse_fault(text)) == text
        assert switch.description.endswith(".")
