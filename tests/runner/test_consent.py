"""A live run that cannot end in a GO is agreed to in so many words, or left."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from veza_e2e.engine.consent import agreed
from veza_e2e.journal.events import Answered, Asked, PreflightFinished

if TYPE_CHECKING:
    from runner.conftest import Walk


@pytest.mark.parametrize(("answer", "goes_on"), [(" Charge  anyway", True), ("q", False)])
def test_it_is_asked_until_it_is_agreed_to_or_left_and_how_long_that_took_is_on_record(
    walk: Walk, answer: str, goes_on: bool
) -> None:
    def late() -> str:
        walk.clock.sleep(2)
        return answer

    walk.started |= {"live_requested": True}
    stage = walk.begin()
    (gate,) = walk.events(PreflightFinished)
    walk.person.answers = ["yes", late]
    assert agreed(stage, replace(gate, live=True)) is goes_on
    assert walk.person.asked[1].startswith("'yes' is neither of them.")
    (asked,), (answered,) = walk.events(Asked), walk.events(Answered)
    assert asked.question == answered.question == "charge_anyway"
    assert (answered.answer, answered.waited_ms) == (" ".join(answer.lower().split()), 2000)


@pytest.mark.parametrize(("live", "requested"), [(True, False), (False, True)])
def test_nothing_is_asked_where_no_card_is_charged(walk: Walk, live: bool, requested: bool) -> None:
    walk.started |= {"live_requested": requested}
    stage = walk.begin()
    (gate,) = walk.events(PreflightFinished)
    assert agreed(stage, replace(gate, live=live))
    assert not walk.person.asked
