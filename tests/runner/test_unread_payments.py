"""A payment that cannot be read hides no other, is said by its id, and lets nothing be called settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from veza_e2e.canonical import JSON
from veza_e2e.evidence import Summary
from veza_e2e.journal.events import WALKTHROUGH, StepPaused

if TYPE_CHECKING:
    from runner.conftest import Walk

ORDER = "7d3f0e5e-93f5-4c1c-8d3a-0e0d3a1b2c3d"
BUYER = "cus_1"


def payment(name: str, **more: JSON) -> dict[str, JSON]:
    return {
        "payment_id": name, "status": "succeeded", "amount": 500, "amount_received": 500, "currency": "EUR",
        "customer_id": BUYER, "metadata": {"order_id": ORDER}, **more,
    }  # fmt: skip


class Retried:
    """The processor lists a second payment of the order, and answers in its own way when that is asked for."""

    def __init__(self, walk: Walk, answer: httpx.Response, **named: Any) -> None:
        walk.processes(customer_id=BUYER, metadata={"order_id": ORDER}, **named)
        tell = walk.processor
        assert tell is not None
        self.answer = answer
        self.asked = 0

        def handle(request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("/payments/list") and walk.page.opened:
                return httpx.Response(200, json={"data": [payment("second"), *tell(request).json()["data"]]})
            if request.url.path.endswith("/payments/second"):
                self.asked += 1
                return self.answer
            return tell(request)

        walk.processor = handle


def rules(summary: Summary) -> dict[str, str]:
    return {one.id: one.status for one in summary.reconciliation}


@pytest.fixture
def walk(walk: Walk) -> Walk:
    walk.goes_through()
    return walk


UNREADABLE = {
    "not found": httpx.Response(404, json={"error": {"code": "HE_02"}}),
    "not JSON": httpx.Response(200, content=b"<html>"),
    "no amount": httpx.Response(200, json={"payment_id": "second", "status": "succeeded", "currency": "EUR"}),
}


@pytest.mark.parametrize("how", UNREADABLE)
def test_one_that_cannot_be_read_is_said_by_its_id_and_settles_nothing(walk: Walk, how: str) -> None:
    Retried(walk, UNREADABLE[how])
    walk.begin()
    summary = walk.go_on()
    told = [text for text in walk.person.told if "payment second" in text]
    assert len(told) == 1, "it is said, and said once"
    assert str(summary.money.state) == "unknown"
    assert (rules(summary)["R1"], rules(summary)["R4"]) == ("not_checked", "not_checked")
    assert summary.item("refund_completed").status != "met"
    assert [one.amount for one in summary.money.figures("refunded") if one.by == "processor"], "the other one counts"


def test_the_account_names_the_payment_that_nobody_told(walk: Walk) -> None:
    Retried(walk, UNREADABLE["not found"])
    walk.begin()
    money = walk.go_on().money
    assert money.sentence.endswith("; the processor did not tell payment second")
    assert (money.refund_open, money.settled, money.at_stake) == (None, False, None)


def test_what_the_others_received_too_much_is_a_difference_all_the_same(walk: Walk) -> None:
    Retried(walk, UNREADABLE["not found"], amount_received=700)
    walk.begin()
    summary = walk.go_on()
    assert summary.step("completed").finding == "amount_differs"
    assert rules(summary)["R1"] == "differs"


def test_what_the_others_received_too_little_is_no_difference_before_it_is_told(walk: Walk) -> None:
    Retried(walk, UNREADABLE["not found"])
    tell = walk.processor
    assert tell is not None

    def part(request: httpx.Request) -> httpx.Response:
        told = tell(request)
        if request.url.path.endswith("/payments/pay-1") and walk.page.opened:
            first = told.json()
            refunds = [{**one, "amount": 300} for one in first["refunds"]]
            return httpx.Response(200, json={**first, "amount_received": 300, "refunds": refunds})
        return told

    walk.processor = part
    walk.begin()
    summary = walk.go_on()
    assert {one.status for one in summary.steps} == {"passed"}
    assert (rules(summary)["R1"], str(summary.money.state)) == ("not_checked", "unknown")


def test_one_that_may_be_told_in_a_moment_is_asked_for_again(walk: Walk) -> None:
    retried = Retried(walk, httpx.Response(503))
    sleep = walk.clock.sleep

    def later(seconds: float) -> None:
        retried.answer = httpx.Response(200, json=payment("second", status="failed", amount_received=0))
        sleep(seconds)

    walk.clock.sleep = later  # type: ignore[method-assign]  # the processor recovers while it is waited for
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, rules(summary)["R1"], rules(summary)["R4"]) == ("passed", "equal", "equal")
    assert str(summary.money.state) == "returned"


def test_an_order_that_failed_beside_a_payment_that_cannot_be_read_is_no_decline(walk: Walk) -> None:
    Retried(walk, UNREADABLE["not found"], status="failed", amount_received=0)

    def fail(_: str) -> bool:
        walk.backend.shop.order(ORDER)["status"] = "failed"
        return True

    walk.page.act = fail
    walk.begin()
    summary = walk.go_on()
    (paused,) = walk.events(StepPaused)
    assert (summary.outcome, paused.finding) == ("incomplete", "payment_unknown")
    assert "how payment second stands" in paused.observed
    assert str(summary.money.state) in {"at risk", "unknown"}


def test_a_refund_is_not_asked_for_on_top_of_one_while_a_payment_cannot_be_read(walk: Walk) -> None:
    back: JSON = {
        "refund_id": "r", "payment_id": "pay_1", "status": "succeeded", "amount": 500, "currency": "EUR"
    }  # fmt: skip
    Retried(walk, UNREADABLE["not found"], refunds=[back])
    walk.begin()
    summary = walk.go_on()
    assert summary.step("refund").finding == "refund_in_doubt"
    assert "payment second" in summary.step("refund").observed
    assert walk.writes("requestRefund") == 0


def test_a_payment_that_names_no_buyer_leaves_the_list_unread_and_that_is_said(walk: Walk) -> None:
    walk.processes(customer_id=None)
    walk.begin()
    summary = walk.go_on()
    assert summary.outcome == "passed"
    assert "names no buyer" in summary.step("completed").observed
    (said,) = [text for text in walk.person.told if "other payments was not seen" in text]
    assert "names no buyer" in said


@pytest.mark.parametrize(("version", "asked"), [("1", {"pay-1"}), (WALKTHROUGH, {"pay-1", "pay-2"})])
def test_a_recording_of_the_first_walkthrough_asks_for_the_payment_of_the_new_order_only(
    walking: type[Walk], version: str, asked: set[str]
) -> None:
    walk = walking(started={"walkthrough": version})
    walk.goes_through()
    walk.processes()
    tell, pay, seen = walk.processor, walk.page.act, set[str]()
    assert tell is not None

    def answer(request: httpx.Request) -> httpx.Response:
        if walk.page.opened and "/payments/pay" in request.url.path:
            seen.add(request.url.path.rpartition("/")[2])
        return tell(request)

    def replaced(url: str) -> bool:
        paid = pay(url)
        walk.backend.shop.order(walk.only_order())["payment_id"] = "pay-2"
        return paid

    walk.processor, walk.page.act = answer, replaced
    walk.begin()
    walk.go_on()
    assert seen == asked
