"""Of the orders that may be this session's one is paid, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from veza.testing import Reply
from veza_e2e.journal.events import StepFailed, StepPaused

if TYPE_CHECKING:
    from runner.conftest import Walk


def test_a_key_that_makes_another_order_than_the_one_that_was_found_leaves_both_unpaid(walk: Walk) -> None:
    walk.started = {"idempotency": True}
    walk.person.always = {"product": "1"}
    walk.begin()
    walk.backend.script("createOrder", *[Reply(breaks="read")] * 3, Reply(status=422))
    walk.backend.shop.create("user-1", [{"product_id": next(iter(walk.backend.shop.products))}])
    summary = walk.go_on()
    (failed,) = walk.events(StepFailed)
    assert (failed.finding, summary.outcome) == ("several_orders", "failed")
    assert "order-1, order-2" in failed.observed
    assert walk.page.opened == []


@pytest.mark.parametrize(
    ("version", "said"),
    [("1", "whether it exists was not told: "), ("2", "the account's orders could not be read: ")],
)
def test_orders_that_the_backend_does_not_list_leave_the_one_that_was_asked_for_in_doubt(
    walk: Walk, version: str, said: str
) -> None:
    walk.started["walkthrough"] = version
    walk.goes_through()
    walk.begin()
    walk.backend.script("createOrder", Reply(breaks="read"))
    walk.backend.script("listOrders", Reply(status=404))
    assert walk.go_on().waiting_for == "operator"
    paused = walk.events(StepPaused)[-1]
    assert paused.finding == "order_in_doubt"
    assert said in paused.observed, "a recording of version 1 says it in other words"
