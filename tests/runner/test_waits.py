"""A person who waits is told how it stands, and r, s and q work in every wait."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import pytest

from veza.testing import Reply
from veza_e2e.journal.events import BrowserOpened, SessionInterrupted
from veza_e2e.ports.protocols import Left

if TYPE_CHECKING:
    from runner.conftest import Walk


def completion(walk: Walk) -> None:
    """The person pays only when the page is opened again."""
    pay, opened = walk.page.act, list[str]()

    def act(url: str) -> bool:
        opened.append(url)
        return pay(url) if len(opened) > 1 else True

    walk.page.act = act


def license_(walk: Walk) -> None:
    walk.backend.script("listMyLicenses", Reply(data=[]), Reply(data=[]))


def payment(walk: Walk) -> None:
    walk.backend.script("getOrder", *[Reply(breaks="connect")] * 9)  # the client tries each read three times


def refund(walk: Walk) -> None:
    """The refund takes its time."""
    walk.backend.shop.refund = partial(type(walk.backend.shop).refund, walk.backend.shop)  # type: ignore[method-assign]


WAITS: dict[str, tuple[Callable[[Walk], None], str]] = {
    "payment": (payment, "reading the order before it is paid"),
    "completion": (completion, "waiting for the order to complete"),
    "license": (license_, "waiting for the license"),
    "refund": (refund, "waiting for the refund"),
}


@pytest.mark.parametrize("wait", WAITS)
def test_s_and_q_work_in_every_wait(walk: Walk, wait: str) -> None:
    walk.goes_through()
    walk.processes()
    delay, what = WAITS[wait]
    walk.begin()
    delay(walk)
    walk.person.keys = ["s", "q"]
    with pytest.raises(Left):
        walk.go_on()
    assert [one.what for one in walk.person.waited if one.what == what]
    says = ("order 7d3f0e5e-93f5-4c1c-8d3a-0e0d3a1b2c3d is ", "The backend does not answer now")
    assert [text for text in walk.person.told if text.startswith(says)]
    (left,) = walk.events(SessionInterrupted)
    assert left.reason == "left"
    walk.person.keys = []
    if wait == "refund":
        walk.backend.shop.settle_refund(walk.only_order())
    walk.resume()
    assert walk.go_on().outcome == "passed"


def test_r_opens_the_page_again_while_the_order_can_be_paid(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    completion(walk)
    walk.person.keys = ["r"]
    assert walk.go_on().outcome == "passed"
    assert len(walk.page.opened) == len(walk.events(BrowserOpened)) == 2


@pytest.mark.parametrize(
    ("status", "received"), [("succeeded", 500), ("processing", 0), ("requires_payment_method", 200)]
)
def test_r_opens_no_page_while_the_processor_says_that_it_was_paid(walk: Walk, status: str, received: int) -> None:
    walk.goes_through()
    walk.processes(status=status, amount_received=received)
    walk.begin()
    completion(walk)
    walk.person.keys = ["r", "q"]
    with pytest.raises(Left):
        walk.go_on()
    assert len(walk.page.opened) == 1
    assert f"Not opened: the processor says {status}. Do not pay a second time." in walk.person.told


def test_r_at_the_checkout_opens_no_page_either_once_the_processor_said_that_it_was_paid(walk: Walk) -> None:
    walk.goes_through()
    walk.processes(status="processing")
    walk.page.act = lambda _: True
    walk.person.always = {name: answer for name, answer in walk.person.always.items() if name != "paid"}
    walk.person.answers = ["r", "s", "r", "q"]
    walk.begin()
    with pytest.raises(Left):
        walk.go_on()
    assert len(walk.page.opened) == 2, "at first, and while nothing was known"
    assert walk.person.told[-1] == "Not opened: the processor says processing. Do not pay a second time."


def test_r_opens_no_page_once_the_order_is_paid(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    license_(walk)
    walk.person.keys = ["r"]
    assert walk.go_on().outcome == "passed"
    assert len(walk.page.opened) == 1
    assert "There is no page to open: nothing is left to pay." in walk.person.told


def test_in_a_resumed_live_run_r_first_asks_for_the_amount(walk: Walk) -> None:
    walk.goes_through()
    walk.started |= {"live_requested": True, "environment": "prod"}
    walk.person.always = {**walk.person.always, "amount": "5.00 EUR", "refund": "refund"}
    walk.begin()
    completion(walk)
    walk.person.keys = ["q"]
    with pytest.raises(Left):
        walk.go_on()
    asked = len(walk.person.asked)
    walk.resume()
    walk.person.keys = ["r"]
    assert walk.go_on().outcome == "passed"
    assert sum("Type the amount" in text for text in walk.person.asked[asked:]) == 1


def test_a_wait_tells_what_each_witness_says_and_when_the_link_expires(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    walk.begin()
    completion(walk)
    walk.person.keys = ["s", "r"]
    walk.go_on()
    first, second, *_ = [one for one in walk.person.waited if one.what == "waiting for the order to complete"]
    assert first.said == ("backend: pending_payment", "processor: requires_payment_method")
    assert (first.limit, first.keys) == (60.0, "r = open the checkout page, s = status, q = leave")
    assert second.link is not None
    assert 0 < second.link <= 15 * 60


def test_a_backend_that_does_not_answer_in_a_wait_is_told(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    payment(walk)
    walk.go_on()
    wait, *_ = [one for one in walk.person.waited if one.what == "reading the order before it is paid"]
    assert wait.said == ("backend: no answer", "processor: not asked, there is no key")
