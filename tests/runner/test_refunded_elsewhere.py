"""A refund that somebody asked for without the walkthrough is looked at, and never asked for a second time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from veza_e2e.evidence import summarise
from veza_e2e.journal.events import WALKTHROUGH, StepFailed, StepFinished
from veza_e2e.ports.protocols import EndOfInput

if TYPE_CHECKING:
    from runner.conftest import Walk

    from veza_e2e.evidence import Summary

ORDER = "7d3f0e5e-93f5-4c1c-8d3a-0e0d3a1b2c3d"


def left_before_the_refund(walk: Walk) -> None:
    walk.goes_through()
    always = dict(walk.person.always)
    walk.person.always = {name: answer for name, answer in always.items() if name != "refund"}
    walk.begin()
    with pytest.raises(EndOfInput):
        walk.go_on()
    walk.person.always = always


def refunded_by_somebody(walk: Walk, **told: Any) -> None:
    """As the backend's own console does it."""
    shop = walk.backend.shop
    type(shop).refund(shop, ORDER, None)
    if told:
        shop.settle_refund(ORDER)
        shop.order(ORDER).update(told)


def gone_on(walk: Walk) -> Summary:
    walk.resume()
    summary = walk.go_on()
    assert walk.writes("requestRefund") == 0
    return summary


def test_a_refund_that_is_pending_is_waited_for(walk: Walk) -> None:
    left_before_the_refund(walk)
    refunded_by_somebody(walk)
    assert gone_on(walk).waiting_for == "refund"
    walk.backend.shop.settle_refund(ORDER)
    assert gone_on(walk).outcome == "passed"


def test_a_refund_that_only_the_processor_has_and_calls_pending_is_waited_for(walk: Walk) -> None:
    walk.processes()
    left_before_the_refund(walk)
    pending = {"refund_id": "r", "payment_id": "pay-1", "status": "pending", "amount": 500, "currency": "EUR"}
    walk.payments_tell(lambda data: data.update(refunds=[pending]))
    assert gone_on(walk).waiting_for == "refund"


@pytest.mark.parametrize("refund_status", [None, "succeeded"])
def test_a_refund_that_came_back_is_on_record_as_such(walk: Walk, refund_status: str | None) -> None:
    left_before_the_refund(walk)
    refunded_by_somebody(walk, refund_status=refund_status)
    assert gone_on(walk).outcome == "passed"
    (refund,) = [event.result for event in walk.events(StepFinished) if event.step == "refund"]
    assert (refund["status"], refund["amount_cents"]) == ("succeeded", 500)


def test_a_refund_that_is_known_to_be_done_is_still_looked_at_after_a_kill_though_a_step_failed(walk: Walk) -> None:
    walk.goes_through()
    walk.ledger.held = lambda: [walk.transfer(status="failed", error_message="no account")]
    walk.begin()
    assert walk.go_on().step("transfers").status == "failed"
    refunded_by_somebody(walk, refund_status="succeeded")
    gone_on(walk)
    (asked,) = [line.seq for line in walk.lines if isinstance(e := line.event, StepFinished) and e.step == "refund"]
    walk.resume(upto=asked)
    assert summarise(walk.lines[:asked]).step("revoked").status == "pending"
    assert walk.go_on().step("revoked").status == "passed"


def test_a_completed_order_that_calls_its_refund_done_is_no_refusal(walk: Walk) -> None:
    left_before_the_refund(walk)
    refunded_by_somebody(walk, status="completed", refund_status="succeeded")
    summary = gone_on(walk)
    (failed,) = walk.events(StepFailed)
    assert (failed.step, failed.finding, summary.outcome) == ("revoked", "unknown_status", "failed")
    assert "refund nothing that came back already" in failed.todo


@pytest.mark.parametrize(("walkthrough", "transfer"), [(WALKTHROUGH, "met"), ("1", "not_met")])
def test_rows_that_a_refund_took_back_before_they_were_read_are_right(
    walk: Walk, walkthrough: str, transfer: str
) -> None:
    walk.started["walkthrough"] = walkthrough
    walk.goes_through()
    pay = walk.page.act

    def refunded_at_once(url: str) -> bool:
        paid = pay(url)
        refunded_by_somebody(walk, status="completed", refund_status="succeeded")
        (license_,) = walk.backend.shop.licenses.values()
        license_.update(status="active", revoked_at=None)
        return paid

    walk.page.act = refunded_at_once
    walk.ledger.held = lambda: [walk.transfer(status="reversed", reversed_amount_cents=450, stripe_reversal_id="trr_1")]
    walk.begin()
    assert walk.go_on().item("transfer_booked").status == transfer
    assert walk.writes("requestRefund") == 0


@pytest.mark.parametrize(("back", "status"), [(None, ""), (500, "succeeded"), (500, "pending")])
def test_what_came_back_is_never_advised_to_be_refunded(walk: Walk, back: int | None, status: str) -> None:
    walk.goes_through()
    walk.processes()
    refund = {"refund_id": "r", "payment_id": "pay-1", "status": status, "amount": back, "currency": "EUR"}
    walk.payments_tell(lambda data: data.update(refunds=[refund] if back else []))
    walk.ledger.held = lambda: [walk.transfer(status="reversed")]
    walk.begin()
    walk.go_on()
    (todo,) = [event.todo for event in walk.events(StepFailed) if event.step == "transfers"]
    advised = ", refund nothing that came back already," if back else " to refund,"
    assert todo == f"Resume{advised} and report the finding to the backend's makers."
