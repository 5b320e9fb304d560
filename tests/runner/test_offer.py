"""The checkout page is offered by the live rules, and that it is offered is on record before anything acts on it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veza.testing import EMAIL, Reply
from veza_e2e.engine.session import open_stage
from veza_e2e.journal.events import WALKTHROUGH, Answered, Asked, BrowserOpened, SessionResumed, StepFailed
from veza_e2e.journal.readings import PageOffered
from veza_e2e.ports.protocols import EndOfInput, Left
from veza_e2e.ports.screen import WIDEST, columns, framed
from veza_e2e.steps.checkout_page import RAN_OUT

if TYPE_CHECKING:
    from runner.conftest import Walk

HOSTILE = "<b>夜のドライブ</b>\x1b[2J\u202e " + "🎵 long " * 40


def goes_live(walk: Walk) -> None:
    walk.goes_through()
    walk.started |= {"live_requested": True, "environment": "prod"}
    walk.person.always = {**walk.person.always, "amount": "5.00 EUR", "refund": "refund"}


def test_the_page_is_on_record_before_a_browser_acts_on_it(walk: Walk) -> None:
    walk.goes_through()
    seen: list[PageOffered] = []
    pay = walk.page.act

    def act(url: str) -> bool:
        seen.extend(walk.events(PageOffered))
        assert not walk.events(BrowserOpened)
        return pay(url)

    walk.page.act = act
    walk.begin()
    assert walk.go_on().outcome == "passed"
    (offered,) = seen
    assert (offered.step, offered.order_id) == ("pay", walk.only_order())


def test_the_box_stands_right_above_the_prompt_and_is_shown_once(walk: Walk) -> None:
    goes_live(walk)
    walk.person.always = {name: answer for name, answer in walk.person.always.items() if name != "amount"}
    walk.person.answers = ["5.00", "4.99 EUR", "5.00 eur"]
    walk.begin()
    assert walk.go_on().outcome == "passed"
    shown = [text for text in walk.person.asked if "Type the amount" in text]
    assert [text.count("+---") for text in shown] == [2, 0, 0]
    *box, prompt = shown[0].split("\n")
    assert prompt == "Your card will be charged 5.00 EUR. Type the amount and currency to go on"
    assert all(columns(line) <= WIDEST for line in box)
    (asked,) = [event for event in walk.events(Asked) if event.question == "amount"]
    assert asked.text == shown[0], "what was shown is on record"


def test_the_box_says_where_what_how_much_and_for_which_session(walk: Walk) -> None:
    goes_live(walk)
    walk.begin()
    walk.go_on()
    (shown,) = [text for text in walk.person.asked if "Type the amount" in text]
    assert [" ".join(line.strip("|").split()) for line in shown.split("\n")[1:-2]] == [
        "--live WAS GIVEN, BUT THE BACKEND IS NOT LIVE: TEST", "FUNDS", "environment prod", "product Test beat",
        "amount 5.00 EUR", "host pay.veza.test", f"session {walk.ids.session(walk.clock.now())}",
    ]  # fmt: skip


def test_a_process_that_offers_the_page_twice_asks_once(walk: Walk) -> None:
    goes_live(walk)
    walk.processes(status="requires_payment_method", amount_received=0)
    walk.page.act = lambda _: True
    walk.started["poll_timeout_ms"] = 1000
    walk.begin()
    walk.go_on()
    (placed,) = [line.seq for line in walk.lines if isinstance(line.event, PageOffered)]
    asked = len(walk.person.asked)
    lines = list(walk.stage.journal.lines)[: placed - 1]
    walk.stage = open_stage(walk.parts(), walk.sink, idempotency=False, lines=lines)
    walk.stage.journal.append(SessionResumed(tools={}, walkthrough=WALKTHROUGH))
    walk.go_on()
    assert [event.step for event in walk.events(PageOffered)] == ["pay", "completed"]
    assert sum("Type the amount" in text for text in walk.person.asked[asked:]) == 1


def test_a_terminal_gives_wide_letters_two_columns_and_combining_ones_none() -> None:
    assert [columns(text) for text in ("e\u0301", "\u591c", "\U0001f3b5", "ab", "")] == [1, 2, 2, 2, 0]


def test_a_hostile_product_cannot_break_the_box(walk: Walk) -> None:
    goes_live(walk)
    for product in walk.backend.shop.products.values():
        product["title"] = HOSTILE
    walk.begin()
    walk.go_on()
    (asked,) = [event for event in walk.events(Asked) if event.question == "amount"]
    *box, _ = asked.text.split("\n")
    (width,) = {columns(line) for line in box}
    assert width <= WIDEST
    assert {line[0] + line[-1] for line in box} == {"++", "||"}
    assert "\x1b" not in asked.text
    assert "5.00 EUR" in asked.text


@given(st.lists(st.one_of(st.text(), st.tuples(st.just("host"), st.text())), min_size=1))
def test_a_frame_is_whole_whatever_is_in_it(lines: list[str | tuple[str, str]]) -> None:
    first, *body, last = framed(lines).split("\n")
    assert first == last
    assert {columns(line) for line in (first, *body)} == {columns(first)}
    assert columns(first) <= WIDEST


def test_nothing_of_a_long_host_is_left_out() -> None:
    host = "checkout.example.com." + "a" * 150 + ".attacker.example"
    said = framed([("host", host)])
    assert "".join(line.strip("| ").removeprefix("host").strip() for line in said.split("\n")[1:-1]) == host


def test_a_page_elsewhere_is_not_offered(walk: Walk) -> None:
    goes_live(walk)
    walk.started["checkout_hosts"] = ("elsewhere.test",)
    walk.begin()
    assert walk.go_on().outcome == "failed"
    (failed,) = walk.events(StepFailed)
    assert (failed.step, failed.finding) == ("pay", "unexpected_checkout")
    assert "checkout_hosts" not in failed.todo, "no hint names a setting that would let the charge through"
    assert not walk.events(PageOffered)
    assert not [text for text in walk.person.asked if "Type the amount" in text]
    assert not walk.page.opened


@pytest.mark.parametrize(
    "page", ["ftp://api.veza.test/pay", "http://pay.veza.test/pay", "https:///pay", "javascript:pay()"]
)
def test_a_page_that_is_no_secure_web_page_is_not_offered(walk: Walk, page: str) -> None:
    walk.goes_through()
    create = walk.backend.shop.create
    walk.backend.shop.create = lambda *given: {**create(*given), "checkout_url": page}  # type: ignore[method-assign]  # its page
    walk.begin()
    assert walk.go_on().outcome == "failed"
    (failed,) = walk.events(StepFailed)
    assert (failed.step, failed.finding) == ("pay", "unexpected_checkout")
    assert not walk.page.opened


@pytest.mark.parametrize("version", ["1", "2"])
def test_at_enter_the_processor_is_asked_and_what_it_says_is_shown(walk: Walk, version: str) -> None:
    walk.goes_through()
    walk.processes()
    walk.started["walkthrough"] = version
    walk.begin()
    walk.go_on()
    told = [text for text in walk.person.told if text.startswith("The processor says")]
    assert len(told) == (version == "2"), "a recording of version 1 knows no such call"
    assert all("is succeeded, received 5.00 EUR" in text for text in told)


def test_a_processor_that_does_not_answer_at_enter_is_said(walk: Walk) -> None:
    walk.goes_through()
    walk.processes(status=None)
    walk.begin()
    walk.go_on()
    assert [text for text in walk.person.told if text.startswith("The processor did not tell the payment")]


@pytest.mark.parametrize("rehearsal", [True, False])
def test_p_is_known_on_the_rehearsal_backend_only(walk: Walk, *, rehearsal: bool) -> None:
    walk.goes_through()
    walk.page.act = lambda _: True
    if rehearsal:
        status = {"environment": "test", "services": {"hyperswitch": "ok"}}
        walk.backend.script("getStatus", Reply(data=status, headers={"X-Veza-Rehearsal": "1"}))
    walk.person.always = {name: answer for name, answer in walk.person.always.items() if name != "paid"}
    walk.person.answers = ["p", "q"]
    walk.begin()
    with pytest.raises(Left):
        walk.go_on()
    (asked,) = [event for event in walk.events(Asked) if event.question == "paid"]
    assert ("p = test card" in asked.text) is rehearsal
    assert ("'p' is not an answer: press Enter, or type r, s or q." in walk.person.told) is not rehearsal
    assert [event.answer for event in walk.events(Answered) if event.question == "paid"] == ["q"]


@pytest.mark.parametrize(
    "rest", ["pay", f"pay/{EMAIL}", "pay?session=12", "pay#session", "pay?session=***", f"pay?for={EMAIL}"]
)
def test_a_page_whose_address_is_not_on_record_is_not_opened_by_a_later_process(walk: Walk, rest: str) -> None:
    walk.goes_through()
    create, page = walk.backend.shop.create, f"https://pay.veza.test/{rest}"
    walk.backend.shop.create = lambda *given: {**create(*given), "checkout_url": page}  # type: ignore[method-assign]  # its page
    walk.page.act, walk.person.always = lambda _: True, {"product": "1"}
    walk.begin()
    for _ in range(2):
        with pytest.raises(EndOfInput):
            walk.go_on()
        walk.resume()
    said = [text for text in walk.person.told if "Its address holds what no record keeps" in text]
    assert (walk.page.opened, len(said)) == (([page, page], 0) if rest == "pay" else ([page], 1))


def test_an_address_that_only_the_recorded_answer_holds_is_not_taken_for_the_whole(walk: Walk) -> None:
    walk.goes_through()
    create = walk.backend.shop.create
    page = "https://pay.veza.test/pay?session=12"
    walk.backend.shop.create = lambda *given: {**create(*given), "checkout_url": page}  # type: ignore[method-assign]  # its page
    walk.page.act, walk.person.always = lambda _: True, {"product": "1"}
    walk.begin()
    with pytest.raises(EndOfInput):
        walk.go_on()
    answered = [line.seq for line in walk.lines if getattr(line.event, "operation", "") == "createOrder"][-1]
    walk.page.opened.clear()
    walk.resume(upto=answered)
    with pytest.raises(EndOfInput):
        walk.go_on()
    assert (walk.page.opened, walk.writes("createOrder")) == ([], 1)


@pytest.mark.parametrize(("rest", "said"), [("pay", 0), ("pay?session=12", 1)])
def test_where_no_browser_opens_an_address_that_is_not_shown_whole_is_to_be_found_at_the_shop(
    walk: Walk, rest: str, said: int
) -> None:
    walk.goes_through()
    create = walk.backend.shop.create
    page = f"https://pay.veza.test/{rest}"
    walk.backend.shop.create = lambda *given: {**create(*given), "checkout_url": page}  # type: ignore[method-assign]  # its page
    walk.page.act, walk.person.always = lambda _: False, {"product": "1"}
    walk.begin()
    with pytest.raises(EndOfInput):
        walk.go_on()
    assert sum("open the order's page from the shop" in text for text in walk.person.told) == said
    assert walk.page.opened == [page]


@pytest.mark.parametrize(("seconds", "told"), [(899, 0), (900, 1)])
def test_a_page_is_said_to_have_run_out_15_minutes_after_the_order_was_asked_for(
    walk: Walk, seconds: int, told: int
) -> None:
    walk.goes_through()
    walk.page.act, walk.person.always = lambda _: True, {"product": "1"}
    walk.begin()
    with pytest.raises(EndOfInput):
        walk.go_on()
    asked = next(line.at for line in walk.lines if getattr(line.event, "operation", "") == "createOrder")
    walk.clock.advance(seconds - (walk.clock.now() - datetime.fromisoformat(asked)).total_seconds())
    walk.resume()
    with pytest.raises(EndOfInput):
        walk.go_on()
    assert walk.person.told.count(RAN_OUT) == told
