"""A refund is asked for again only after it was seen to fail, and never while it may have been carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from veza.testing import Reply
from veza_e2e.engine.reread import look_at, news
from veza_e2e.engine.session import open_stage
from veza_e2e.evidence import summarise
from veza_e2e.evidence.due import still_open
from veza_e2e.journal import MemorySink
from veza_e2e.journal.events import CallIntended, StepFailed, StepPaused
from veza_e2e.journal.readings import DashboardRead

if TYPE_CHECKING:
    from runner.conftest import Walk

ORDER = "7d3f0e5e-93f5-4c1c-8d3a-0e0d3a1b2c3d"


def findings(walk: Walk) -> list[str]:
    return [str(event.finding) for event in walk.events(StepFailed, StepPaused)]


def failing(walk: Walk, times: int, **told: Any) -> None:
    """Let the first refunds fail, as the backend tells them."""
    refund, left = walk.backend.shop.refund, [times]

    def odd(order_id: str, amount_cents: int | None) -> dict[str, Any]:
        answer = refund(order_id, amount_cents)
        if left[0]:
            left[0] -= 1
            walk.backend.shop.order(ORDER).update({"status": "completed", "refund_status": "failed", **told})
        return answer

    walk.backend.shop.refund = odd  # type: ignore[method-assign]  # the fake's refunds do not fail


@pytest.mark.parametrize("told", [{}, {"refund_id": None}, {"status": "refund_failed"}])
@pytest.mark.parametrize("keys", [True, False])
def test_a_refund_that_failed_is_asked_for_again_with_another_key(
    walk: Walk, told: dict[str, Any], *, keys: bool
) -> None:
    walk.started = {"idempotency": keys}
    walk.goes_through()
    failing(walk, 1, refunded_amount_cents=None, **told)
    if told.get("status") == "refund_failed":
        refund = walk.backend.shop.refund

        def again(order_id: str, amount_cents: int | None) -> dict[str, Any]:
            walk.backend.shop.order(ORDER)["status"] = "completed"  # this backend takes a second request
            return refund(order_id, amount_cents)

        walk.backend.shop.refund = again  # type: ignore[method-assign]  # as above
    walk.begin()
    assert walk.go_on().outcome == "failed"
    assert findings(walk) == ["refund_failed"]
    walk.resume()
    summary = walk.go_on()
    assert (summary.money.state, summary.money.refunded_cents) == ("returned", 500)
    asked = [event.idempotency_key for event in walk.events(CallIntended) if event.operation == "requestRefund"]
    assert len(asked) == len(set(asked)) == 2


def test_the_whole_that_an_order_tells_beside_a_refund_that_failed_is_what_was_asked_for(walk: Walk) -> None:
    walk.goes_through()
    failing(walk, 1, refunded_amount_cents=500)
    walk.begin()
    assert walk.go_on().outcome == "failed"
    walk.resume()
    assert (walk.go_on().money.refunded_cents, walk.writes("requestRefund")) == (500, 2)


def test_a_refund_that_succeeded_is_not_asked_for_again(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    walk.begin()
    walk.backend.script("listMyLicenses", Reply(data=[]))
    walk.go_on()
    for _ in range(2):
        walk.resume()
        walk.go_on()
    assert walk.writes("requestRefund") == 1


def test_without_a_witness_a_refund_in_doubt_is_not_sent_again_until_a_person_has_looked(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    walk.backend.script("requestRefund", *[Reply(status=500)] * 6)
    assert walk.go_on().outcome == "incomplete"
    sent = walk.writes("requestRefund")
    walk.backend._scripts.clear()
    walk.resume()
    assert walk.go_on().outcome == "incomplete"
    assert (walk.writes("requestRefund"), findings(walk)[-1]) == (sent, "refund_in_doubt")
    walk.stage.journal.append(DashboardRead(by="A. Person", currency="EUR", payment_id="pay-1", charged_cents=500))
    walk.resume()
    assert walk.go_on().outcome == "incomplete", "that says nothing of a refund"
    for too_early in (True, False):
        walk.stage.journal.append(DashboardRead(by="A. Person", currency="EUR", refunded_cents=0))
        walk.resume()
        walk.go_on()
        assert (walk.backend.shop.order(ORDER)["status"] == "refunded") is not too_early
        walk.clock.sleep(300)
    assert walk.writes("requestRefund") == sent + 1


def test_a_refund_in_doubt_is_not_sent_again_while_somebody_may_be_at_it_nor_without_a_question(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    walk.begin()
    walk.backend.script("requestRefund", *[Reply(status=500)] * 6)
    assert walk.go_on().outcome == "incomplete"
    sent = walk.writes("requestRefund")
    walk.backend._scripts.clear()
    walk.clock.sleep(290)
    walk.resume()
    assert walk.go_on().outcome == "incomplete"
    assert (walk.writes("requestRefund"), findings(walk)[-1]) == (sent, "refund_in_doubt")
    walk.clock.sleep(10)
    walk.person.always = {**walk.person.always, "refund": "n"}
    walk.resume()
    assert (walk.go_on().refund_open, walk.writes("requestRefund")) == (True, sent)
    walk.person.always = {**walk.person.always, "refund": "y"}
    walk.resume()
    assert (walk.go_on().money.refunded_cents, walk.writes("requestRefund")) == (500, sent + 1)


def test_with_its_key_a_refund_in_doubt_needs_no_witness(walk: Walk) -> None:
    walk.started = {"idempotency": True}
    walk.goes_through()
    walk.begin()
    walk.backend.script("requestRefund", *[Reply(status=500)] * 6)
    walk.go_on()
    walk.backend._scripts.clear()
    walk.resume()
    assert walk.go_on().money.refunded_cents == 500
    asked = {event.idempotency_key for event in walk.events(CallIntended) if event.operation == "requestRefund"}
    assert len(asked) == 1


def test_what_a_second_payment_holds_is_not_asked_of_the_backend(walk: Walk) -> None:
    walk.goes_through()
    walk.processes(customer_id="cus", metadata={"order_id": ORDER})
    tell = walk.processor
    second: dict[str, Any] = {
        "payment_id": "second", "status": "succeeded", "amount": 500, "amount_received": 500, "currency": "EUR",
        "metadata": {"order_id": ORDER},
    }  # fmt: skip

    def answer(request: httpx.Request) -> httpx.Response:
        assert tell is not None
        if request.url.path.endswith("/payments/list") and walk.page.opened:
            return httpx.Response(200, json={"data": [second, *tell(request).json()["data"]]})
        return httpx.Response(200, json=second) if request.url.path.endswith("/second") else tell(request)

    walk.processor = answer
    walk.begin()
    assert walk.go_on().money.charged_cents == 1000
    walk.resume()
    walk.go_on()
    question = f"Refund 5.00 EUR of order {ORDER}? Payment second holds 5.00 EUR more: not this refund."
    assert question in walk.person.asked[-1]
    asked = len(walk.person.asked)
    walk.resume()
    summary = walk.go_on()
    assert (walk.writes("requestRefund"), walk.person.asked[asked:]) == (1, [])
    assert "which the backend cannot refund" in summary.money.sentence
    back = {"refund_id": "by_hand", "payment_id": "second", "status": "succeeded", "amount": 500, "currency": "EUR"}
    second["refunds"] = [back]
    walk.resume()
    summary = walk.go_on()
    assert (summary.outcome, summary.money.state, summary.money.refunded_cents) == ("failed", "returned", 1000)


def test_a_processor_that_falls_silent_after_it_said_pending_is_waited_for(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    tell, silent = walk.processor, [False]
    assert tell is not None

    def answer(request: httpx.Request) -> httpx.Response:
        told = tell(request)
        data = told.json()
        if silent[0]:
            return httpx.Response(503)
        for one in data.get("refunds", []):
            one["status"] = "pending"
        return httpx.Response(told.status_code, json=data)

    walk.processor = answer
    walk.begin()
    assert walk.go_on().outcome == "incomplete"
    silent[0] = True
    walk.resume()
    summary = walk.go_on()
    assert (summary.outcome, summary.waiting_for, findings(walk)[-1]) == ("incomplete", "refund", "refund_pending")


def test_a_payment_of_another_order_is_an_error_by_name(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    walk.payments_tell(lambda payment: payment.update(metadata={"order_id": "another-order"}))
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, findings(walk)) == ("failed", ["other_order"])
    assert "another-order" in walk.events(StepFailed)[0].observed
    assert summary.money.refund_open, "the refund stays reachable"


def test_another_reference_of_the_shop_is_no_other_order(walk: Walk) -> None:
    walk.goes_through()
    walk.processes(merchant_order_reference_id="2026-0001")
    walk.begin()
    assert walk.go_on().outcome == "passed"


def test_what_the_processor_says_after_the_end_counts_though_the_order_cannot_be_read(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    walk.begin()
    assert walk.go_on().outcome == "passed"
    tell = walk.processor
    assert tell is not None

    def answer(request: httpx.Request) -> httpx.Response:
        data = tell(request).json()
        for one in data.get("refunds", ()):
            one["status"] = "failed"
        return httpx.Response(200, json=data)

    walk.processor = answer
    lines = list(walk.lines)
    walk.backend.script("getOrder", *[Reply(status=403)] * 3)
    stage = open_stage(walk.parts(), MemorySink(), idempotency=False)
    looked = look_at(stage.api, stage.processor, summarise(lines))
    found = news(looked, summarise(lines), lines, (), walk.clock.now())
    assert found is not None
    assert "could not be read" in found.observed
    after = summarise(lines, (found,)).money
    assert after.state == "unknown"
    assert "the processor says charged 5.00 EUR, back 0.00 EUR" in after.sentence
    assert "the backend says charged 5.00 EUR, back 5.00 EUR" in after.sentence


def test_an_order_that_was_paid_though_step_3_failed_is_refunded_at_the_dashboard(walk: Walk) -> None:
    walk.goes_through()
    create = walk.backend.shop.create

    def twice(buyer: str, items: list[dict[str, Any]]) -> dict[str, Any]:
        create(buyer, items)
        walk.backend.shop.orders["other"] = {**walk.backend.shop.orders[ORDER], "id": "other"}
        return {"order": dict(walk.backend.shop.orders[ORDER]), "checkout_url": "https://pay.veza.test/x"}

    walk.backend.shop.create = twice  # type: ignore[method-assign]  # a backend that makes two of one request
    walk.begin()
    walk.backend.script("createOrder", *[Reply(breaks="read", carried_out=True)] * 3)
    walk.go_on()
    assert findings(walk) == ["several_orders"]
    walk.backend.shop.pay(ORDER)
    walk.resume()
    summary = walk.go_on()
    assert summary.money.moved
    assert "refund it at the processor's dashboard" in str(still_open(summary))


@pytest.mark.parametrize(("status", "tries"), [(429, 3), (503, 3), (401, 1), (404, 1)])
def test_a_processor_that_may_answer_in_a_moment_is_asked_again(walk: Walk, status: int, tries: int) -> None:
    walk.goes_through()
    walk.processes()
    tell, asked = walk.processor, [0]
    assert tell is not None

    def answer(request: httpx.Request) -> httpx.Response:
        if walk.backend.shop.orders and walk.backend.shop.order(ORDER)["status"] == "completed":
            asked[0] += 1
            if asked[0] < 3:
                return httpx.Response(status)
        return tell(request)

    walk.processor = answer
    walk.begin()
    summary = walk.go_on()
    r1 = next(one.status for one in summary.reconciliation if one.id == "R1")
    assert r1 == ("equal" if tries == 3 else "not_checked")
    assert summary.outcome == "passed"


@pytest.mark.parametrize(("status", "read"), [(200, True), (403, False), (500, False), (None, False)])
def test_what_the_processor_received_is_not_compared_without_its_list_of_payments(
    walk: Walk,
    status: int | None,
    read: bool,
) -> None:
    walk.goes_through()
    walk.processes(customer_id=None if status is None else "cus")
    tell = walk.processor
    assert tell is not None

    def answer(request: httpx.Request) -> httpx.Response:
        listed = request.url.path.endswith("/payments/list")
        return httpx.Response(status, json={"data": []}) if listed and status not in {None, 200} else tell(request)

    walk.processor = answer
    walk.begin()
    summary = walk.go_on()
    compared = {one.id: one.status for one in summary.reconciliation}
    assert (compared["R1"], compared["R4"]) == (("equal", "equal") if read else ("not_checked", "not_checked"))
    assert summary.item("amount_matches").status == ("met" if read else "not_checked")
    assert summary.outcome == "passed", "what was not looked at changes the decision only"
    assert ("whether there are other payments was not seen" in summary.money.sentence) is not read


def test_a_purchase_that_the_operator_keeps_is_said_to_be_kept_by_them(walk: Walk) -> None:
    walk.goes_through()
    walk.person.always = {**walk.person.always, "refund": "n"}
    walk.begin()
    assert walk.go_on().step("refund").observed.startswith("the operator kept the purchase")
