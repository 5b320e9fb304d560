"""A page is offered only while order and processor still say what the operator agreed to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from veza.testing import Reply
from veza_e2e.journal.events import StepFailed, StepPaused
from veza_e2e.journal.readings import OrderNamed, PageOffered
from veza_e2e.ports.protocols import Left
from veza_e2e.steps.pay import OPENED_BEFORE

if TYPE_CHECKING:
    from runner.conftest import Walk

CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "beyond the limit": ({"total_amount_cents": 2500}, "over_limit"),
    "within the limit": ({"total_amount_cents": 700}, "total_differs"),
    "less": ({"total_amount_cents": 400}, "total_differs"),
    "another currency": ({"currency": "USD"}, "currency_differs"),
}


def asked_for(walk: Walk) -> list[str]:
    return [text for text in walk.person.asked if "Type the amount" in text or "Pay on that page" in text]


@pytest.fixture
def walk(walk: Walk) -> Walk:
    walk.goes_through()
    walk.page.act = lambda _: True
    return walk


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("change", CHANGES)
def test_an_order_that_changed_after_it_was_placed_is_not_offered(walk: Walk, change: str, *, live: bool) -> None:
    changed, finding = CHANGES[change]
    walk.started |= {"live_requested": live, "environment": "prod" if live else "staging"}
    create = walk.backend.shop.create

    def later(buyer: str, items: list[dict[str, Any]]) -> dict[str, Any]:
        placed = create(buyer, items)
        walk.backend.shop.order(walk.only_order()).update(changed)
        return placed

    walk.backend.shop.create = later  # type: ignore[method-assign]  # a backend that changes its mind
    walk.begin()
    assert walk.go_on().outcome == ("refused" if finding == "over_limit" else "failed")
    (failed,) = walk.events(StepFailed)
    assert (failed.step, failed.finding) == ("pay", finding)
    assert "was 5.00 EUR" in failed.observed
    assert not walk.page.opened
    assert not walk.events(PageOffered)
    assert not asked_for(walk)


@pytest.mark.parametrize("change", CHANGES)
def test_one_that_was_offered_before_is_not_offered_again_and_can_still_be_refunded(walk: Walk, change: str) -> None:
    changed, finding = CHANGES[change]
    finding = finding.replace("over_limit", "total_differs")  # not refused: it may have been paid
    walk.person.always = {**walk.person.always, "paid": "q"}
    walk.begin()
    with pytest.raises(Left):
        walk.go_on()
    order = walk.backend.shop.order(walk.only_order())
    order.update(changed)
    opened, asked = len(walk.page.opened), len(walk.person.asked)
    walk.resume()
    assert walk.go_on().outcome == "incomplete"
    (paused,) = walk.events(StepPaused)
    assert (paused.step, paused.finding, paused.waiting_for) == ("pay", finding, "operator")
    assert (len(walk.page.opened), walk.person.asked[asked:]) == (opened, [])
    walk.backend.shop.pay(order["id"])
    walk.resume()
    assert walk.go_on().step("completed").finding == "amount_differs"
    walk.resume()
    walk.go_on()
    assert walk.writes("requestRefund") == 1


def test_an_order_that_changes_while_the_page_is_open_ends_the_prompt(walk: Walk) -> None:
    def change() -> str | None:
        walk.backend.shop.order(walk.only_order())["total_amount_cents"] = 2500
        return None

    walk.person.always = {name: answer for name, answer in walk.person.always.items() if name != "paid"}
    walk.person.answers = [change, "r"]
    walk.begin()
    walk.go_on()
    (paused,) = walk.events(StepPaused)
    assert (paused.step, paused.finding) == ("pay", "total_differs")
    assert "the limit is 10.00 EUR" in paused.observed
    assert walk.person.answers == ["r"]
    assert len(walk.page.opened) == 1


@pytest.mark.parametrize(
    ("told", "stake"),
    [({"net_amount": 2500}, "25.00 EUR"), ({"amount": 540}, "5.40 EUR"), ({"currency": "USD"}, "None")],
)
def test_what_the_processor_asks_is_compared_before_the_page_is_offered_again(
    walk: Walk, told: dict[str, Any], stake: str
) -> None:
    walk.processes()
    walk.started["poll_timeout_ms"] = 1000
    walk.begin()
    walk.go_on()
    walk.processes(**told)
    opened = len(walk.page.opened)
    walk.resume()
    summary = walk.go_on()
    assert (summary.outcome, summary.step("completed").finding) == ("incomplete", "amount_differs")
    assert "the processor asks" in summary.step("completed").observed
    assert str(summary.money.at_stake) == stake, "what may be charged is what is given up"
    assert len(walk.page.opened) == opened


@pytest.mark.parametrize("where", ["paid", "completed"])
def test_r_opens_no_page_that_takes_another_amount(walk: Walk, where: str) -> None:
    walk.processes(net_amount=540)
    walk.started["poll_timeout_ms"] = 10_000
    walk.person.always = {name: answer for name, answer in walk.person.always.items() if name != "paid"}
    walk.person.answers = ["s", "r"] if where == "paid" else [""]
    walk.person.keys = ["r"]
    walk.begin()
    summary = walk.go_on()
    step = summary.step("pay" if where == "paid" else "completed")
    assert (summary.outcome, step.finding) == ("incomplete", "amount_differs")
    assert len(walk.page.opened) == 1


def test_a_page_whose_payment_names_another_order_is_not_offered_again(walk: Walk) -> None:
    walk.processes()
    walk.payments_tell(lambda payment: payment.update(metadata={"order_id": "another-order"}))
    walk.started["poll_timeout_ms"] = 1000
    walk.begin()
    walk.go_on()
    walk.resume()
    assert walk.go_on().step("completed").finding == "other_order"
    assert len(walk.page.opened) == 1


def test_an_order_that_was_found_again_and_named_is_looked_at_again_though_no_page_was_opened(walk: Walk) -> None:
    walk.processes(from_the_start=True, net_amount=540)
    walk.begin()
    walk.backend.script("createOrder", *[Reply(breaks="read", carried_out=True)] * 3)
    walk.go_on()
    assert [event.order_id for event in walk.events(OrderNamed)] == [walk.only_order()]
    (paused,) = walk.events(StepPaused)
    assert (paused.step, paused.finding, walk.page.opened) == ("pay", "amount_differs", [])


def test_a_recording_of_the_first_version_is_offered_as_it_was(walk: Walk) -> None:
    walk.started["walkthrough"] = "1"
    create = walk.backend.shop.create

    def later(buyer: str, items: list[dict[str, Any]]) -> dict[str, Any]:
        placed = create(buyer, items)
        walk.backend.shop.order(walk.only_order())["total_amount_cents"] = 2500
        return placed

    walk.backend.shop.create = later  # type: ignore[method-assign]  # a backend that changes its mind
    walk.begin()
    walk.go_on()
    assert len(walk.page.opened) == 1


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("told", [{"amount": 2500}, {"net_amount": 2500}, {"currency": "USD"}])
def test_what_the_processor_asks_is_compared_before_the_page_is_offered_first(
    walk: Walk, told: dict[str, Any], *, live: bool
) -> None:
    walk.processes(from_the_start=True, **told)
    walk.started |= {"live_requested": live, "environment": "prod"}
    walk.begin()
    summary = walk.go_on()
    assert (summary.step("pay").status, summary.step("pay").finding) == ("failed", "amount_differs")
    assert "the processor asks" in str(summary.step("pay").observed)
    assert (walk.page.opened, asked_for(walk)) == ([], [])


def test_a_payment_that_the_processor_has_already_is_not_paid_once_more(walk: Walk) -> None:
    walk.processes(from_the_start=True, status="succeeded", amount_received=500)
    walk.begin()
    walk.go_on()
    assert walk.page.opened == []
    assert "Not opened: the processor says succeeded. Do not pay a second time." in walk.person.told


@pytest.mark.parametrize("status", [404, 403, 500])
def test_a_processor_that_does_not_tell_the_payment_yet_keeps_no_page_closed(walk: Walk, status: int) -> None:
    walk.processes()
    tell = walk.processor
    assert tell is not None
    walk.processor = lambda request: tell(request) if walk.page.opened else httpx.Response(status)
    walk.begin()
    walk.go_on()
    assert (len(walk.page.opened), len(asked_for(walk))) == (1, 1)


def test_a_page_whose_payment_is_of_another_order_is_not_offered(walk: Walk) -> None:
    walk.processes(from_the_start=True, metadata={"order_id": "another"})
    walk.begin()
    summary = walk.go_on()
    assert (summary.step("pay").status, summary.step("pay").finding) == ("failed", "other_order")
    assert (walk.page.opened, asked_for(walk)) == ([], [])


def test_after_a_refused_card_the_page_is_offered_again(walk: Walk) -> None:
    walk.processes(status="failed", error_message="card_declined")
    walk.person.always = {name: answer for name, answer in walk.person.always.items() if name != "paid"}
    walk.person.answers = ["r", "q"]
    walk.begin()
    with pytest.raises(Left):
        walk.go_on()
    walk.person.answers = ["", "q"]
    walk.resume()
    with pytest.raises(Left):
        walk.go_on()
    assert "The processor says that the order is not paid yet (failed)." in walk.person.told
    assert len(walk.page.opened) == 4, "at first, at r, at the resume, and since it was not paid"
    assert not [one for one in walk.person.told if "second time" in one]


@pytest.mark.parametrize("key", [True, False])
def test_who_opens_a_page_once_more_is_told_that_it_may_be_paid(walk: Walk, *, key: bool) -> None:
    if key:
        walk.processes()
        tell = walk.processor
        assert tell is not None
        walk.processor = lambda request: httpx.Response(503) if walk.page.opened else tell(request)
    walk.person.always = {name: answer for name, answer in walk.person.always.items() if name != "paid"}
    walk.person.answers = ["q"]
    walk.begin()
    with pytest.raises(Left):
        walk.go_on()
    assert OPENED_BEFORE not in walk.person.told
    walk.person.answers = ["q"]
    walk.resume()
    with pytest.raises(Left):
        walk.go_on()
    assert OPENED_BEFORE in walk.person.told
