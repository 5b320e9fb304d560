"""An order whose answer was lost, beside orders that the account's owner made or paid elsewhere."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from veza.testing import Reply
from veza_e2e.journal import timestamp
from veza_e2e.journal.events import CallIntended, StepPaused

if TYPE_CHECKING:
    from runner.conftest import Walk


def doubting(walk: Walk) -> None:
    """The answer to the request for the order is lost, and the request too."""
    walk.goes_through()
    walk.begin()
    walk.backend.script("createOrder", *[Reply(breaks="read")] * 6)


def order_of(walk: Walk, name: str, status: str, *, seconds: float) -> dict[str, Any]:
    """An order of the chosen product that appears elsewhere, made so many seconds from now."""
    product = next(iter(walk.backend.shop.products))
    walk.backend.shop.create("user-1", [{"product_id": product}])
    _, order = walk.backend.shop.orders.popitem()
    if status == "completed":
        walk.backend.shop.orders[order["id"]] = order
        walk.backend.shop.pay(order["id"])
        del walk.backend.shop.orders[order["id"]]
    made = walk.clock.now() + timedelta(seconds=seconds)
    order |= {"id": name, "created_at": made.isoformat()}
    walk.backend.shop.orders[name] = order
    return order


@pytest.mark.parametrize("answer", ["y", "n"])
def test_an_order_that_was_paid_elsewhere_is_this_sessions_only_by_the_operators_word(walk: Walk, answer: str) -> None:
    doubting(walk)
    assert walk.go_on().money.state == "at risk"
    walk.clock.sleep(300)
    order_of(walk, "paid-1", "completed", seconds=-290)
    walk.person.always = {**walk.person.always, "paid_elsewhere": answer, "refund": ""}
    walk.resume()
    summary = walk.go_on()
    assert any("Order paid-1, made at" in one for one in walk.person.asked), (
        walk.person.asked,
        summary.money.sentence,
        summary.steps,
    )
    if answer == "y":
        assert (summary.order_id, summary.money.state) == ("paid-1", "charged")
        assert "back 0.00 EUR, open 5.00 EUR" in summary.money.sentence
        assert walk.page.opened == [], "what was paid is not paid again"
    else:
        assert (summary.outcome, summary.order_id, summary.money.state) == ("incomplete", None, "at risk")
        assert "paid-1, paid for something else by the operator's word" in summary.step("order").observed
    assert walk.backend.count("createOrder") == 1


def test_an_order_from_well_before_the_request_is_not_taken_while_the_own_one_may_still_come(walk: Walk) -> None:
    doubting(walk)
    order_of(walk, "older", "pending_payment", seconds=-60)
    assert walk.go_on().order_id is None
    (paused,) = walk.events(StepPaused)
    assert paused.finding == "order_in_doubt"
    asked = [
        line.at for line in walk.lines if isinstance(e := line.event, CallIntended) and e.operation == "createOrder"
    ]
    until = timestamp(datetime.fromisoformat(asked[-1]) + timedelta(minutes=5))
    assert paused.todo == f"Resume after {until}: until then the backend may still be making it."
    walk.clock.sleep(300)
    order_of(walk, "own", "pending_payment", seconds=-280)
    walk.resume()
    assert walk.go_on().step("order").finding == "several_orders"
    assert walk.page.opened == []


@pytest.mark.parametrize("seconds", [-9, 0, 9])
def test_an_order_that_was_made_at_the_time_of_the_request_is_taken_at_once(walk: Walk, seconds: float) -> None:
    doubting(walk)
    order_of(walk, "own", "pending_payment", seconds=seconds)
    assert walk.go_on().order_id == "own"


def test_two_orders_that_were_paid_for_this_session_are_refunded_and_not_cancelled(walk: Walk) -> None:
    doubting(walk)
    walk.go_on()
    walk.clock.sleep(300)
    for name in ("paid-1", "paid-2"):
        order_of(walk, name, "completed", seconds=-290)
    walk.person.always = {**walk.person.always, "paid_elsewhere": "y"}
    walk.resume()
    step = walk.go_on().step("order")
    assert (step.finding, str(step.observed).rpartition(": ")[2]) == ("several_orders", "paid-2, paid-1")
    assert str(step.todo) == (
        "At the processor's dashboard refund what is not being refunded; look again with `resume`."
    )
    walk.resume()
    summary = walk.go_on()
    assert summary.money.sentence == "charged 10.00 EUR, back 0.00 EUR, open 10.00 EUR"
    for name in ("paid-1", "paid-2"):
        walk.backend.shop.refund(name, None)
        walk.backend.shop.settle_refund(name)
    walk.resume()
    assert walk.go_on().money.sentence == "charged 10.00 EUR, back 10.00 EUR"
