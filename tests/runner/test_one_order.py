"""Of the orders that may be this session's one is paid, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from veza.testing import Reply
from veza_e2e.journal.events import StepFailed

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
