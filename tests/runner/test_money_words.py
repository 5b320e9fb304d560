"""Whatever processor and backend say of a payment: nothing is called uncharged that may be charged, nor the reverse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from veza import PaymentStatus
from veza.money import Money
from veza.testing import Reply
from veza_e2e.engine.abandon import MoneyMayBeOutError, give_up
from veza_e2e.journal.events import Asked, CallFinished, StepFailed, StepPaused
from veza_e2e.money.order_account import AccountState
from veza_e2e.ports.protocols import EndOfInput, Left

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.conftest import Walk

VOID = {"cancelled", "expired"}
STATUSES = (*map(str, PaymentStatus), "weird")
ORDERS = ("pending_payment", "failed", "cancelled", "expired")
BRIEFLY = {"poll_timeout_ms": 1_000}
"""For what does not change while it is waited for."""


def ends(walk: Walk, order: str, /, **payment: Any) -> None:
    """The page is opened, and then the order is as it is."""
    walk.goes_through()
    walk.processes(**payment)

    def act(_: str) -> bool:
        walk.backend.shop.set_status(walk.only_order(), order)
        return True

    walk.page.act = act
    walk.begin()
    walk.go_on()


@pytest.mark.parametrize("order", ORDERS)
def test_a_payment_of_which_nothing_was_received(
    walking: Callable[..., Walk], subtests: pytest.Subtests, order: str
) -> None:
    for status in STATUSES:
        with subtests.test(status=status):
            says_what_is_known_of_the_charge(walking(started=BRIEFLY), order, status, 0)


def test_a_payment_of_which_something_was_received(walking: Callable[..., Walk], subtests: pytest.Subtests) -> None:
    """The order's state makes no difference then: each state of the payment meets two of them."""
    for number, status in enumerate(STATUSES):
        for received, order in ((250, ORDERS[number % 4]), (500, ORDERS[(number + 1) % 4])):
            with subtests.test(status=status, received=received, order=order):
                says_what_is_known_of_the_charge(walking(started=BRIEFLY), order, status, received)


def says_what_is_known_of_the_charge(walk: Walk, order: str, status: str, received: int) -> None:
    ends(walk, order, status=status, amount_received=received)
    summary = walk.stage.summary()
    event = walk.events(StepFailed, StepPaused)[-1]
    said = f"{event.observed} {event.meaning}"
    account = summary.money
    over = status in VOID or (order != "pending_payment" and status == "failed")
    assert (account.state is AccountState.UNTOUCHED) == (over and not received)
    assert ("nothing was charged" in said.lower()) == (account.state is AccountState.UNTOUCHED)
    assert account.charged_cents == (received or (0 if account.state is AccountState.UNTOUCHED else None))
    assert account.may_be_out == (account.state not in {AccountState.UNTOUCHED, AccountState.RETURNED})


@pytest.mark.parametrize("status", ["cancelled", "expired", "requires_customer_action"])
def test_a_page_on_which_something_was_received_is_not_offered_again(walk: Walk, status: str) -> None:
    ends(walk, "pending_payment", status=status, amount_received=250)
    walk.clock.advance(16 * 60)
    walk.resume()
    walk.go_on()
    assert len(walk.page.opened) == 1
    assert walk.events(StepPaused)[-1].finding == "paid_not_completed"


@pytest.mark.parametrize("order", ["failed", "expired"])
def test_a_processor_that_was_asked_in_vain_is_not_one_that_was_not_asked(walk: Walk, order: str) -> None:
    ends(walk, order, status=None)
    (paused,) = walk.events(StepPaused)
    assert paused.finding == "payment_unknown"
    assert walk.stage.summary().money.charged_cents is None


def test_another_payments_answer_is_no_evidence(walk: Walk) -> None:
    ends(walk, "pending_payment", payment_id="pay_of_another", status="succeeded", amount_received=99_900)
    assert walk.stage.summary().money.charged_cents is None


def test_a_refund_made_at_the_processor_ends_an_order_that_never_completes(walk: Walk) -> None:
    ends(walk, "pending_payment", status="succeeded", amount_received=500)
    assert [event.finding for event in walk.events(StepPaused)] == ["paid_not_completed"]
    back = {"refund_id": "r", "payment_id": "pay-1", "status": "succeeded", "amount": 500, "currency": "EUR"}
    walk.processes(status="succeeded", amount_received=500, refunds=[back])
    walk.resume()
    summary = walk.go_on()
    assert (summary.outcome, summary.money.charged_cents, summary.money.refunded_cents) == ("failed", 500, 500)
    assert not summary.money.may_be_out


def test_so_it_does_after_24_hours(walk: Walk) -> None:
    ends(walk, "pending_payment", status="succeeded", amount_received=500)
    walk.clock.advance(25 * 3600)
    walk.resume()
    assert walk.go_on().money.may_be_out
    back = {"refund_id": "r", "payment_id": "pay-1", "status": "succeeded", "amount": 500, "currency": "EUR"}
    walk.processes(status="succeeded", amount_received=500, refunds=[back])
    walk.resume()
    assert not walk.go_on().money.may_be_out
    assert walk.events(StepFailed)[-1].finding == "refunded_elsewhere"


@pytest.mark.parametrize("status", ["failed", "expired", "cancelled"])
def test_a_failure_without_a_charge_stays_what_it_was_when_it_is_resumed(walk: Walk, status: str) -> None:
    ends(walk, status, status="failed")
    before = walk.events(StepFailed)
    walk.resume()
    summary = walk.go_on()
    assert walk.events(StepFailed) == before
    assert (summary.outcome, summary.money.charged_cents) == ("failed", 0)


def test_an_unknown_state_of_the_order_is_never_said_to_be_charged(walk: Walk) -> None:
    ends(walk, "brand_new", status="processing")
    walk.resume()
    walk.go_on()
    assert [event.finding for event in walk.events(StepFailed)] == ["unknown_status", "not_refundable"]
    assert all("charged 5.00" not in event.meaning.lower() for event in walk.events(StepFailed))


@pytest.mark.parametrize("status", ["pending", "requested", "review"])
def test_an_order_whose_refund_is_under_way_did_not_get_it_back(walk: Walk, status: str) -> None:
    walk.goes_through()
    settle = walk.backend.shop.settle_refund

    def half(order_id: str) -> bool:
        settle(order_id)
        walk.backend.shop.orders[order_id]["refund_status"] = status
        return True

    walk.backend.shop.settle_refund = half  # type: ignore[method-assign]  # the fake settles at once
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, summary.waiting_for) == ("incomplete", "refund")
    assert summary.money.refunded_cents == 0


@pytest.mark.parametrize("name", ["completed_at", "refunded_at"])
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"])
def test_moments_at_the_ends_of_time_bar_no_refund(walk: Walk, name: str, moment: str) -> None:
    walk.goes_through()
    settle, page = walk.backend.shop.settle_refund, walk.page.act

    def paid(url: str) -> bool:
        done = page(url)
        walk.backend.shop.orders[walk.only_order()][name] = moment
        return done

    def settled(order_id: str) -> bool:
        settle(order_id)
        walk.backend.shop.orders[order_id][name] = moment
        return True

    walk.page.act = paid
    walk.backend.shop.settle_refund = settled  # type: ignore[method-assign]  # a backend with an odd clock
    walk.begin()
    assert walk.go_on().outcome == "passed"


@pytest.mark.parametrize(
    "url", ["https://h:abc/", "https://h/\x00a", "https://\u0660.test/", "https://xn--zzzzzzzzzz--.test/", "https:///x"]
)
def test_an_address_that_is_none_is_never_opened(walk: Walk, url: str) -> None:
    walk.goes_through()
    create = walk.backend.shop.create
    walk.backend.shop.create = lambda *given: {**create(*given), "checkout_url": url}  # type: ignore[method-assign]
    walk.begin()
    summary = walk.go_on()
    assert walk.page.opened == []
    assert (summary.outcome, summary.money.state) == ("failed", "at risk")  # it can be paid from elsewhere
    assert walk.events(StepFailed)[0].finding == "unexpected_checkout"


def test_what_this_program_cannot_deal_with_bars_no_refund(walk: Walk) -> None:
    walk.goes_through()

    def broken(_: str, __: str) -> None:
        raise KeyError("a secret word")

    rows = walk.ledger.rows
    walk.ledger.rows = broken  # type: ignore[assignment,method-assign]  # rows that nobody foresaw
    walk.begin()
    walk.go_on(defect=True)
    (failed,) = walk.events(StepFailed)
    assert (failed.step, failed.finding) == ("transfers", "defect")
    assert "secret" not in failed.observed
    walk.ledger.rows = rows  # type: ignore[method-assign]
    walk.resume()
    assert walk.go_on(defect=True).money.refunded_cents == 500


def test_a_limit_of_requests_at_the_refund_is_no_second_question(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    walk.backend.script("requestRefund", Reply(status=429, headers={"Retry-After": "60"}))
    assert walk.go_on().outcome == "passed"
    assert [event.question for event in walk.events(Asked)].count("refund") == 1


def test_an_address_with_a_secret_is_not_opened_from_the_record(walk: Walk) -> None:
    walk.goes_through()
    create = walk.backend.shop.create
    page = "https://pay.veza.test/pay?client_secret=pay_1_secret_Zk29dLwq83Hs7bT"
    walk.backend.shop.create = lambda *given: {**create(*given), "checkout_url": page}  # type: ignore[method-assign]
    walk.begin()
    walk.go_on()
    assert walk.page.opened == [page]
    answered = next(
        line.seq
        for line in walk.lines
        if isinstance(line.event, CallFinished) and line.event.operation == "createOrder"
    )
    walk.backend.shop.set_status(walk.only_order(), "pending_payment")
    walk.resume(upto=answered)
    walk.person.always = {"paid": "q"}
    with pytest.raises(Left):
        walk.go_on()
    assert walk.page.opened == [page]


class TestAbandon:
    """Refused while money is or may be out; what nobody can tell is said."""

    def left(self, walk: Walk) -> None:
        walk.begin()
        walk.person.answers = ["1", "q"]
        with pytest.raises(Left):
            walk.go_on()

    def test_without_a_processor_a_day_has_to_pass(self, walk: Walk) -> None:
        told: list[str] = []
        self.left(walk)
        with pytest.raises(MoneyMayBeOutError, match="the card may be charged") as stop:
            give_up(walk.stage, None, told.append)
        assert '--accept-loss "5.00 EUR"' in stop.value.todo
        walk.clock.advance(16 * 60)
        with pytest.raises(MoneyMayBeOutError):
            give_up(walk.stage, None, told.append)
        assert told == []
        walk.clock.advance(24 * 3600)
        assert give_up(walk.stage, None, told.append) is None
        assert "24 hours ago" in told[0]

    def test_exactly_what_is_open_can_be_given_up(self, walk: Walk) -> None:
        self.left(walk)
        for wrong in (Money(499, "EUR"), Money(500, "USD"), Money(0, "EUR")):
            with pytest.raises(MoneyMayBeOutError, match="may be out"):
                give_up(walk.stage, wrong, print)
        assert give_up(walk.stage, Money(500, "EUR"), print) == Money(500, "EUR")

    def test_an_order_that_expired_is_no_risk(self, walk: Walk) -> None:
        self.left(walk)
        walk.backend.shop.set_status(walk.only_order(), "expired")
        assert give_up(walk.stage, None, print) is None

    @pytest.mark.parametrize("status", ["processing", "succeeded", "weird"])
    @pytest.mark.parametrize("order", ["pending_payment", "expired"])
    def test_the_processors_word_counts_whatever_the_order_says(self, walk: Walk, order: str, status: str) -> None:
        ends(walk, order, status=status, amount_received=500 if status == "succeeded" else 0)
        with pytest.raises(MoneyMayBeOutError, match="money is or may be out"):
            give_up(walk.stage, None, print)

    def test_what_came_back_is_not_out(self, walk: Walk) -> None:
        back = {"refund_id": "r", "payment_id": "pay-1", "status": "succeeded", "amount": 500, "currency": "EUR"}
        ends(walk, "pending_payment", status="succeeded", amount_received=500, refunds=[back])
        assert give_up(walk.stage, None, print) is None
        assert walk.stage.summary().money.refunded_cents == 500


def test_nobody_there_is_no_answer(walk: Walk) -> None:
    walk.goes_through()
    walk.person.always = {"product": "1"}
    walk.begin()
    with pytest.raises(EndOfInput):
        walk.go_on()
