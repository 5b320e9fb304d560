"""What is said of a finding: the amount, the moment and the place that count."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from veza.testing import Reply
from veza_e2e.engine.start import tools
from veza_e2e.engine.supply import PasteError, RowsSkipped, supply
from veza_e2e.journal import timestamp
from veza_e2e.journal.events import Asked, CallIntended, StepFailed, StepFinished, StepPaused
from veza_e2e.journal.readings import RowsRead
from veza_e2e.ports.protocols import EndOfInput, Left
from veza_e2e.ports.seller_transfers import COLUMNS
from veza_e2e.steps.pasting import parsed

if TYPE_CHECKING:
    from runner.conftest import Walk

ORDER = "7d3f0e5e-93f5-4c1c-8d3a-0e0d3a1b2c3d"
LOST = Reply(breaks="read")


def test_a_defect_is_named_by_the_place_at_which_it_came_up(walk: Walk) -> None:
    def broken(_: str) -> bool:
        raise KeyError("a secret")

    walk.goes_through()
    walk.page.act = broken
    walk.begin()
    walk.go_on(defect=True)
    (failed,) = walk.events(StepFailed)
    place = f"{Path(__file__).name}:{broken.__code__.co_firstlineno + 1}"
    assert failed.observed == f"this program cannot deal with what it was given: KeyError at {place}"


def test_a_refund_in_doubt_says_until_when_somebody_may_be_at_it(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    walk.begin()
    walk.backend.script("requestRefund", *[Reply(status=500)] * 6)
    walk.go_on()
    walk.backend._scripts.clear()
    *_, last = [
        datetime.fromisoformat(line.at)
        for line in walk.lines
        if isinstance(line.event, CallIntended) and line.event.operation == "requestRefund"
    ]
    walk.resume()
    walk.go_on()
    paused = walk.events(StepPaused)[-1]
    assert paused.observed.endswith(f"may still be asked for it until {timestamp(last + timedelta(minutes=5))}")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"refunded_amount_cents": 250}, "2.50 EUR"),
        ({"refunded_amount_cents": None, "currency": "USD"}, "an amount in USD"),
    ],
)
def test_what_the_order_says_came_back_is_said_as_far_as_it_is_told(
    walk: Walk, told: dict[str, Any], said: str
) -> None:
    walk.goes_through()
    refund = walk.backend.shop.refund

    def other(order_id: str, amount_cents: int | None) -> dict[str, Any]:
        answer = refund(order_id, amount_cents)
        walk.backend.shop.order(order_id).update(told)
        return answer

    walk.backend.shop.refund = other  # type: ignore[method-assign]  # the fake pays back what was charged
    walk.begin()
    walk.go_on()
    failed = walk.events(StepFailed)[-1]
    assert (failed.step, failed.finding) == ("revoked", "refund_differs")
    assert failed.observed == f"the order says that {said} came back of 5.00 EUR"


def test_a_charge_that_step_5_could_not_compare_is_compared_after_the_refund(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    tell = walk.processor
    assert tell is not None

    def less(data: dict[str, Any]) -> None:
        data.update(amount=300, amount_received=300)
        for one in data["refunds"]:
            one["amount"] = 300

    def answer(request: httpx.Request) -> httpx.Response:
        return tell(request) if walk.backend.count("requestRefund") else httpx.Response(401, json={})

    walk.processor = answer
    walk.payments_tell(lambda data: less(data) if "refunds" in data else None)
    walk.begin()
    walk.go_on()
    failed = walk.events(StepFailed)[-1]
    assert (failed.step, failed.finding) == ("revoked", "amount_differs")
    assert "the order's total is 5.00 EUR, the processor received 3.00 EUR" in failed.observed


def test_an_order_that_nobody_saw_paid_is_missing_a_day_after_its_page_expired(walk: Walk) -> None:
    walk.goes_through()
    walk.page.act = lambda _: True
    walk.begin()
    assert walk.go_on().waiting_for == "completion"
    assert walk.events(StepPaused)[-1].finding == "not_completed"
    last = walk.stage.summary().money.late_after
    walk.clock.advance((last - walk.clock.now()).total_seconds() - 120)
    walk.resume()
    assert walk.go_on().waiting_for == "completion"
    walk.clock.advance((last - walk.clock.now()).total_seconds() - 60)
    walk.resume()
    assert walk.go_on().outcome == "failed"
    assert walk.clock.now() == last
    assert walk.events(StepFailed)[-1].observed.endswith("24 hours after the page expired")


def test_an_order_that_moves_on_by_itself_ends_the_question_whether_it_was_paid(walk: Walk) -> None:
    walk.goes_through()
    walk.page.act = lambda _: True
    walk.person.always = {name: answer for name, answer in walk.person.always.items() if name != "paid"}

    def silent() -> None:
        walk.backend.script("getOrder", *[LOST] * 3)

    def paid() -> None:
        walk.backend.shop.pay(ORDER)

    walk.person.answers = [None, silent, paid]
    walk.begin()
    assert walk.go_on().outcome == "passed"
    said = [one.said[0] for one in walk.person.waited if one.what == "waiting for the payment" and one.said]
    assert "backend: pending_payment" in said
    assert "backend: no answer" in said
    (pay,) = [event.result for event in walk.events(StepFinished) if event.step == "pay"]
    assert (pay["how"], pay["payment_status"]) == ("status", "succeeded")


@pytest.mark.parametrize(
    ("told", "finding"),
    [
        ({"status": "requires_customer_action"}, "challenge_open"),
        ({"status": "requires_payment_method"}, "not_paid"),
        ({"status": "requires_payment_method", "error_message": "insufficient funds"}, "declined"),
    ],
)
def test_why_an_order_is_still_pending_is_said_by_the_processor(walk: Walk, told: dict[str, Any], finding: str) -> None:
    walk.goes_through()
    walk.processes(amount_received=0, **told)
    walk.page.act = lambda _: True
    walk.begin()
    assert walk.go_on().waiting_for == "operator"
    assert walk.events(StepPaused)[-1].finding == finding


def test_an_order_that_was_found_again_is_said_to_be_so_even_if_it_expired(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    walk.backend.script("createOrder", Reply(breaks="read", carried_out=True))
    walk.backend.script("listOrders", *[LOST] * 3)
    assert walk.go_on().outcome == "incomplete"
    walk.backend.shop.set_status(ORDER, "expired")
    walk.resume()
    walk.go_on()
    (order,) = [event for event in walk.events(StepFinished) if event.step == "order"]
    assert order.result["adopted"] is True
    assert order.observed.endswith(", found again after its answer was lost")
    assert walk.page.opened == []


@pytest.mark.parametrize(("paid", "said"), [(True, "Paid with a test card."), (False, "could not be used: open the")])
def test_whether_the_test_card_was_used_is_said(walk: Walk, said: str, *, paid: bool) -> None:
    walk.goes_through()
    walk.page.act = lambda _: True
    status = {"environment": "test", "services": {"hyperswitch": "ok"}}
    walk.backend.script("getStatus", Reply(data=status, headers={"X-Veza-Rehearsal": "1"}))
    walk.person.always = {name: answer for name, answer in walk.person.always.items() if name != "paid"}
    walk.person.answers = ["p", "q"]
    stage = walk.begin()
    stage.parts = replace(stage.parts, ports=replace(stage.parts.ports, till=lambda _: paid))
    with pytest.raises(Left):
        walk.go_on()
    assert any(said in text for text in walk.person.told)


def test_rows_that_are_supplied_are_recorded_though_they_are_those_of_the_step(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    assert walk.go_on().outcome == "passed"
    before = len(walk.events(RowsRead))
    assert supply(walk.stage, None).booking.status == "booked"
    assert len(walk.events(RowsRead)) == before + 1


def test_rows_that_cannot_be_read_are_asked_for_with_the_reason_and_by_what_they_are_to_show(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    assert walk.go_on().outcome == "passed"
    walk.ledger.held, walk.ledger.reason = None, "the database refuses the password"
    walk.person.answers = ["skip", "none here"]
    with pytest.raises(RowsSkipped, match="none here"):
        supply(walk.stage, None)
    asked = [event for event in walk.events(Asked) if event.question in {"transfers", "reversals"}]
    assert [event.question for event in asked] == ["reversals"]
    assert asked[0].text.startswith("The database refuses the password.\n")


def test_the_versions_of_the_tools_are_told() -> None:
    assert all(told[0].isdecimal() and told.count(".") >= 1 for told in tools().values()), tools()


def test_rows_that_are_late_are_missing_a_day_after_the_completion(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    walk.go_on()
    walk.ledger.held = lambda: [walk.transfer(status="pending", stripe_transfer_id=None)]
    (done,) = [e.at for e in walk.lines if isinstance(e.event, StepFinished) and e.event.step == "completed"]
    day_later = datetime.fromisoformat(done) + timedelta(hours=24)
    walk.clock.advance((day_later - walk.clock.now()).total_seconds() - 1)
    assert supply(walk.stage, None).booking.status == "late"
    walk.clock.advance(1)
    booking = supply(walk.stage, None).booking
    assert (booking.status, booking.problem) == ("wrong", "transfer t is 'pending', after more than 24 hours")


def test_of_a_paste_about_other_orders_eighty_letters_are_shown() -> None:
    row = dict.fromkeys(COLUMNS, "") | {"order_id": "6" * 79 + "78", "total_amount_cents": "500", "row_count": "1"}
    pasted = f"{','.join(row)}\n{','.join(row.values())}\n"
    with pytest.raises(PasteError, match=f"it is about order {'6' * 79}7, not {ORDER}"):
        parsed(pasted, ORDER, COLUMNS)


def test_where_nothing_is_odd_only_the_page_and_the_payment_are_told_also_by_a_later_process(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    answers, walk.person.always = walk.person.always, {"product": "1", "paid": ""}
    walk.begin()
    with pytest.raises(EndOfInput):
        walk.go_on()
    page = "The checkout page is at pay.veza.test: https://pay.veza.test/payment_link/veza/pay-1"
    assert walk.person.told == [page, "The processor says: payment pay-1 is succeeded, received 5.00 EUR."]
    walk.person.told.clear()
    walk.person.always = answers
    walk.resume()
    assert (walk.go_on().outcome, walk.person.told) == ("passed", [])
    assert [text.split("\n")[0] for text in walk.person.asked] == [
        "Products of at most 10.00 EUR:",
        "Pay on that page. Enter = paid, r = open it again, s = status, q = leave",
        *[f"Refund 5.00 EUR of order {ORDER}? [y/N]"] * 2,
    ]
