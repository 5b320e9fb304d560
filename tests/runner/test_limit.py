"""What costs more than the limit is not bought; no live run is told of a setting that would let more be charged."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from veza.testing import Reply
from veza_e2e.journal.events import StepFailed

if TYPE_CHECKING:
    from runner.conftest import Walk


def priced(walk: Walk, cents: int) -> None:
    for product in walk.backend.shop.products.values():
        product["price_cents"] = cents


def nothing_cheap(walk: Walk) -> None:
    walk.begin()
    priced(walk, 1001)


def dear_product(walk: Walk) -> None:
    walk.started["product"] = next(iter(walk.backend.shop.products))
    nothing_cheap(walk)


def dear_order(walk: Walk) -> None:
    create = walk.backend.shop.create

    def taxed(buyer: str, items: list[dict[str, Any]]) -> dict[str, Any]:
        placed = create(buyer, items)
        order = walk.backend.shop.order(placed["order"]["id"])
        order.update(total_amount_cents=1001, tax_amount_cents=501)
        return {**placed, "order": dict(order)}

    walk.backend.shop.create = taxed  # type: ignore[method-assign]  # its prices
    walk.begin()


DEAR: dict[str, tuple[Callable[[Walk], None], str]] = {
    "every product": (nothing_cheap, "no_product"),
    "the named product": (dear_product, "over_limit"),
    "the order": (dear_order, "over_limit"),
}


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("case", DEAR)
def test_what_is_over_the_limit_is_refused_and_only_a_run_with_test_funds_may_raise_it(
    walk: Walk, case: str, *, live: bool
) -> None:
    walk.goes_through()
    if live:
        walk.started |= {"live_requested": True, "environment": "prod"}
    happens, finding = DEAR[case]
    happens(walk)
    walk.go_on()
    (failed,) = walk.events(StepFailed)
    assert failed.finding == finding
    assert ("--max-amount" in failed.todo) is not live
    assert walk.page.opened == []


@pytest.mark.parametrize("named", [False, True])
def test_what_costs_as_much_as_the_limit_is_bought(walk: Walk, *, named: bool) -> None:
    walk.goes_through()
    priced(walk, 1000)
    walk.ledger.held = lambda: [walk.transfer(total_amount_cents=1000, amount_cents=950, reversed_amount_cents=back())]

    def back() -> int:
        return 950 if walk.backend.shop.order(walk.only_order())["status"] == "refunded" else 0

    if named:
        walk.started["product"] = next(iter(walk.backend.shop.products))
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, summary.money.refunded_cents) == ("passed", 1000)


def test_the_product_that_was_named_is_bought_and_no_other(walk: Walk) -> None:
    walk.goes_through()
    ((first, product),) = walk.backend.shop.products.items()
    name = f"{first}2"
    walk.backend.shop.products[name] = {**product, "id": name}
    walk.started["product"] = name
    walk.begin()
    walk.go_on()
    (line,) = walk.backend.shop.order(walk.only_order())["items"]
    assert line["product_id"] == name


def test_a_product_that_the_list_does_not_hold_is_asked_for_by_its_name(walk: Walk) -> None:
    walk.goes_through()
    walk.started["product"] = next(iter(walk.backend.shop.products))
    walk.begin()
    walk.backend.script("listProducts", Reply(data=[]))
    assert walk.go_on().outcome == "passed"
