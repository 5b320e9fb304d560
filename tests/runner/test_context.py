"""Waiting: how often, how long, and what is claimed when it is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from veza import APIConnectionError, InternalServerError, NotFoundError, RateLimitError, VezaError
from veza.testing import Reply
from veza_e2e.engine.walk import options
from veza_e2e.journal.events import PreflightFinished, StepFailed, StepPaused
from veza_e2e.steps.context import Context, TimedOut, Waiting

if TYPE_CHECKING:
    from runner.conftest import Walk


def context(walk: Walk, *, loopback: bool = False) -> Context:
    walk.started = {"loopback": loopback}
    stage = walk.begin()
    gate = walk.events(PreflightFinished)[0]
    ports = stage.parts.ports
    return Context(
        journal=stage.journal, recorder=stage.recorder, api=stage.api, operator=ports.operator, browser=ports.browser,
        ledger=ports.ledger, clock=ports.clock, ids=ports.ids, processor=None,
        options=options(stage.started, gate, "2", resumed=False),
    )  # fmt: skip


def test_the_limits_of_a_session_are_those_that_it_began_with(walk: Walk) -> None:
    walk.started = {"poll_timeout_ms": 90_500, "grace_ms": 1_250}
    stage = walk.begin()
    (gate,) = walk.events(PreflightFinished)
    given = options(stage.started, gate, "2", resumed=True)
    assert (given.poll_timeout, given.grace, given.walkthrough, given.resumed) == (90.5, 1.25, 2, True)
    assert options(stage.started, gate, "a later one", resumed=False).walkthrough == 2


def failing(*errors: VezaError | int, times: list[float], at: Callable[[], float]) -> Callable[[], int]:
    """Read what is given in turn, the last one for ever."""
    left = list(errors)

    def read() -> int:
        times.append(at())
        value = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(value, VezaError):
            raise value
        return value

    return read


def test_a_remote_backend_is_read_at_most_20_times_in_any_minute(walk: Walk) -> None:
    one, times = context(walk), list[float]()
    with pytest.raises(TimedOut):
        one.wait(failing(0, times=times, at=walk.clock.monotonic), bool, timeout=1800)
    assert max(sum(start <= t < start + 60 for t in times) for start in times) <= 20
    assert times[0] == 0, "the first read is at once"
    assert len(times) > 100


@pytest.mark.parametrize("since", [0.261, 60.261, 1e6 + 0.1, 12345.678])
def test_a_wait_ends_even_if_what_is_left_of_it_is_too_short_for_the_clock(walk: Walk, since: float) -> None:
    one, times = context(walk), list[float]()
    began, slept = walk.clock.monotonic(), [0.0]

    def coarse() -> float:
        return round(since + slept[0], 3)

    walk.clock.monotonic = lambda: began + coarse()  # type: ignore[method-assign]
    walk.clock.sleep = lambda seconds: slept.append(slept.pop() + round(seconds, 6))  # type: ignore[method-assign]

    def read() -> int:
        times.append(walk.clock.monotonic())
        assert len(times) < 100, "it waits for ever"
        return 0

    with pytest.raises(TimedOut):
        one.wait(read, bool, timeout=60)
    assert times[-1] - times[0] == pytest.approx(60, abs=0.01)


PACES: dict[str, tuple[int, list[float]]] = {
    "remote": (120, [3, 6, 10, 16, 25, 37, 52, 67, 82, 97, 112, 120]),
    "remote, up to the end of a pause": (37, [3, 6, 10, 16, 25, 37]),
    "loopback": (5, [0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.6, 3.6, 4.6, 5]),
}
"""For how long each is read, and when after the first read."""


@pytest.mark.parametrize("where", PACES)
def test_it_is_read_ever_more_slowly_up_to_every_15_seconds_or_on_loopback_every_second(walk: Walk, where: str) -> None:
    one, times = context(walk, loopback=where == "loopback"), list[float]()
    timeout, expected = PACES[where]
    with pytest.raises(TimedOut):
        one.wait(failing(0, times=times, at=walk.clock.monotonic), bool, timeout=timeout)
    assert times == pytest.approx([0, *expected])


def test_what_settles_ends_the_wait_at_once(walk: Walk) -> None:
    one, times = context(walk), list[float]()
    assert one.wait(failing(0, 0, 7, times=times, at=walk.clock.monotonic), bool, timeout=60) == 7
    assert len(times) == 3


def test_retry_after_is_honoured_between_reads(walk: Walk) -> None:
    one, times = context(walk), list[float]()
    limited = RateLimitError("slow down", status_code=429, retry_after=40.0)
    assert one.wait(failing(limited, 7, times=times, at=walk.clock.monotonic), bool, timeout=1800) == 7
    assert times == [0, 40]


def test_retry_after_is_honoured_even_where_the_time_runs_out_before_it_ends(walk: Walk) -> None:
    one, times = context(walk), list[float]()
    limited = RateLimitError("slow down", status_code=429, retry_after=500.0)
    with pytest.raises(RateLimitError):
        one.wait(failing(limited, times=times, at=walk.clock.monotonic), bool, timeout=60)
    assert times == [0]


@pytest.mark.parametrize("asleep", ["while the answer is on its way", "in the pause"])
def test_after_a_long_sleep_of_the_machine_it_is_read_once_more_before_the_time_is_over(
    walk: Walk, asleep: str
) -> None:
    one, reads = context(walk), list[float]()
    pause = walk.clock.sleep

    def read() -> int:
        reads.append(walk.clock.monotonic())
        if len(reads) == 2 and asleep != "in the pause":
            walk.clock.advance(8 * 3600)
        return 7 if len(reads) == 3 else 0

    def slept(seconds: float) -> None:
        pause(seconds)
        if len(reads) == 2 and asleep == "in the pause":
            walk.clock.advance(8 * 3600)

    walk.clock.sleep = slept  # type: ignore[method-assign]  # the machine sleeps in our sleep
    assert one.wait(read, bool, timeout=60) == 7


@pytest.mark.parametrize(("answers_in", "pauses"), [(0, [0.5]), (0.5, []), (0.75, [])])
def test_an_operator_waits_for_the_time_that_is_left_and_no_longer(
    walk: Walk, answers_in: float, pauses: list[float]
) -> None:
    one = context(walk)

    def read() -> int:
        walk.clock.sleep(answers_in)
        return 0

    with pytest.raises(TimedOut):
        one.wait(read, bool, timeout=0.5, waiting=Waiting("waiting", "", str))
    assert [told.pause for told in walk.person.waited] == pauses


def test_no_time_is_slept_where_none_is_left(walk: Walk) -> None:
    one = context(walk)

    def read() -> int:
        walk.clock.advance(0.5)
        return 0

    with pytest.raises(TimedOut):
        one.wait(read, bool, timeout=0.5)
    assert walk.clock.sleeps == []


@pytest.mark.parametrize("error", [APIConnectionError("gone"), InternalServerError("broken", status_code=500)])
def test_a_wait_whose_last_read_failed_says_so_and_not_that_nothing_settled(walk: Walk, error: VezaError) -> None:
    one, times = context(walk), list[float]()
    with pytest.raises(type(error)):
        one.wait(failing(0, error, times=times, at=walk.clock.monotonic), bool, timeout=60)
    assert times[-1] == 60


def test_a_read_that_fails_for_good_ends_the_wait(walk: Walk) -> None:
    one, times = context(walk), list[float]()
    with pytest.raises(NotFoundError):
        one.wait(
            failing(NotFoundError("none", status_code=404), times=times, at=walk.clock.monotonic), bool, timeout=60
        )
    assert len(times) == 1


def test_a_backend_that_is_gone_while_the_license_is_looked_for_is_no_missing_license(walk: Walk) -> None:
    walk.begin()

    def paid(_: str) -> bool:
        walk.backend.shop.pay(walk.only_order())
        walk.backend.script("listMyLicenses", *[Reply(breaks="connect")] * 200)
        return True

    walk.goes_through()
    walk.page.act = paid
    summary = walk.go_on()
    assert summary.outcome == "incomplete"
    assert [event.finding for event in walk.events(StepFailed, StepPaused)] == ["no_answer", "no_answer"]
    assert summary.step("refund").status == "passed", "what cannot be read bars no refund"


def test_a_backend_that_goes_away_before_the_page_is_offered_can_be_resumed(walk: Walk) -> None:
    walk.begin()
    walk.backend.script("getOrder", *[Reply(breaks="connect")] * 200)
    walk.person.answers = ["1", ""]
    assert walk.go_on().outcome == "incomplete"
    assert walk.page.opened == []
