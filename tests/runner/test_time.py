"""What time does to a session: limits of logins, tokens, links that run out, a clock that is set back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from veza.testing import Reply
from veza_e2e.journal.events import BrowserOpened, CallIntended, StepFailed, StepPaused
from veza_e2e.ports.protocols import EndOfInput, Left

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.conftest import Walk

    from veza_e2e.ports.progress import Progress

ORDER = "7d3f0e5e-93f5-4c1c-8d3a-0e0d3a1b2c3d"
LIMITED = Reply(status=429, headers={"Retry-After": "600"})


def test_a_login_that_is_not_allowed_yet_is_waited_out(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    walk.backend.script("login", LIMITED)
    assert walk.go_on().outcome == "passed"
    assert 600 in walk.clock.sleeps
    assert any("no further request for 600 s" in told for told in walk.person.told)
    assert walk.writes("login") == 2


def test_a_login_that_is_not_allowed_yet_is_waited_out_before_the_refund_too(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    walk.person.always = {"product": "1", "paid": ""}
    with pytest.raises(EndOfInput):
        walk.go_on()
    walk.person.always = {"refund": "y"}
    walk.backend.revoke_access()
    walk.backend.revoke_refresh()
    walk.backend.script("login", LIMITED)
    walk.resume()
    assert walk.go_on().outcome == "passed"
    assert walk.writes("requestRefund") == 1
    assert 600 in walk.clock.sleeps


@pytest.mark.parametrize("unattended", [False, True])
def test_a_limit_that_does_not_end_is_left_to_resume(walk: Walk, unattended: bool) -> None:
    walk.goes_through()
    walk.started = {"unattended": unattended}
    walk.begin()
    walk.backend.script("login", *[LIMITED] * 9)
    assert walk.go_on().outcome == "incomplete"
    assert {event.finding for event in walk.events(StepPaused)} == {"rate_limited"}
    assert walk.writes("login") == (1 if unattended else 4)


@pytest.mark.parametrize(("seconds", "outcome"), [(1200, "passed"), (1201, "incomplete")])
def test_at_most_twenty_minutes_are_waited_out(walk: Walk, seconds: int, outcome: str) -> None:
    walk.goes_through()
    walk.begin()
    walk.backend.script("login", Reply(status=429, headers={"Retry-After": str(seconds)}))
    assert walk.go_on().outcome == outcome
    assert (seconds in walk.clock.sleeps) == (outcome == "passed")


def test_who_asks_how_a_rate_limit_stands_is_told_how_long_it_still_lasts(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    walk.clock.advance(50)
    walk.backend.script("login", Reply(status=429, headers={"Retry-After": "600"}))
    pause, later = walk.person.pause, [200, 500]

    def after_a_while(progress: Progress, sleep: Callable[[float], None]) -> str | None:
        if progress.limit == 600 and later:
            sleep(later.pop(0))
            walk.person.keys = ["s"]
        return pause(progress, sleep)

    walk.person.pause = after_a_while  # type: ignore[method-assign]  # a key that is typed late
    assert walk.go_on().outcome == "passed"
    limit = [(one.elapsed, one.pause) for one in walk.person.waited if one.what.endswith("the backend's rate limit")]
    assert limit == [(0, 600), (200, 400), (600, 0)]


def test_a_refresh_token_that_a_login_elsewhere_revoked_leads_to_one_new_login(walk: Walk) -> None:
    walk.goes_through()

    def elsewhere(_: str) -> bool:
        walk.backend.revoke_access()
        walk.backend.revoke_refresh()
        walk.backend.shop.pay(walk.only_order())
        return True

    walk.page.act = elsewhere
    walk.begin()
    assert walk.go_on().outcome == "passed"
    assert walk.writes("login") == 2


def test_the_login_is_renewed_while_the_operator_pays(walk: Walk) -> None:
    walk.goes_through()

    def slowly(_: str) -> bool:
        walk.clock.advance(14 * 60)
        walk.backend.revoke_access()
        walk.backend.shop.pay(walk.only_order())
        return True

    walk.page.act = slowly
    walk.begin()
    assert walk.go_on().outcome == "passed"
    assert (walk.writes("login"), walk.writes("refreshToken")) == (1, 1)


def test_a_link_that_ran_out_while_the_page_was_open_is_said_once(walk: Walk) -> None:
    walk.begin()
    walk.person.answers = ["1", *[None] * 80, "q"]
    with pytest.raises(Left):
        walk.go_on()
    said = [told for told in walk.person.told if "more than 15 minutes old" in told]
    assert len(said) == 1
    assert walk.clock.monotonic() > 15 * 60


def test_a_link_that_ran_out_before_a_resume_is_said_as_it_is_offered(walk: Walk) -> None:
    walk.begin()
    walk.person.answers = ["1", "q"]
    with pytest.raises(Left):
        walk.go_on()
    walk.clock.advance(16 * 60)
    walk.person.answers = ["q"]
    walk.resume()
    with pytest.raises(Left):
        walk.go_on()
    assert any("more than 15 minutes old" in told for told in walk.person.told)


@pytest.mark.parametrize("status", ["expired", "cancelled"])
def test_a_link_that_the_processor_calls_dead_is_not_offered_again(walk: Walk, status: str) -> None:
    walk.processes(status=status)
    walk.begin()
    walk.person.answers = ["1", "q"]
    with pytest.raises(Left):
        walk.go_on()
    walk.clock.advance(16 * 60)
    walk.resume()
    summary = walk.go_on()
    (failed,) = walk.events(StepFailed)
    assert (failed.step, failed.finding) == ("pay", "not_paid")
    assert len(walk.events(BrowserOpened)) == 1
    assert (summary.outcome, summary.money.charged_cents) == ("failed", 0)


def test_a_link_that_dies_while_the_operator_looks_at_it_ends_the_wait(walk: Walk) -> None:
    walk.processes(status="expired")
    walk.begin()
    walk.person.answers = ["1", *[None] * 80]
    walk.go_on()
    assert [event.finding for event in walk.events(StepFailed)] == ["not_paid"]


@pytest.mark.parametrize("keys", [True, False])
def test_a_clock_that_is_set_back_a_day_is_said_and_charges_nothing_twice(walk: Walk, keys: bool) -> None:
    walk.started = {"idempotency": keys}
    walk.goes_through()
    walk.person.always = {"product": "1", "paid": ""}
    walk.begin()
    walk.backend.script("requestRefund", Reply(breaks="read", carried_out=True))
    with pytest.raises(EndOfInput):
        walk.go_on()
    assert not any("clock" in told for told in walk.person.told)
    walk.clock.advance(-86_400)
    walk.person.always = {"refund": "y"}
    walk.resume()
    summary = walk.go_on()
    assert any("clock was set back" in told for told in walk.person.told)
    assert (summary.outcome, summary.money.refunded_cents) == ("passed", 500)
    assert walk.writes("createOrder") == 1
    sent = {event.idempotency_key for event in walk.events(CallIntended) if event.operation == "requestRefund"}
    assert len(sent) == 1
    assert walk.backend.shop.orders[ORDER]["refunded_amount_cents"] == 500
