"""What is said of the money is what was seen, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from veza_e2e.journal.events import StepFailed, StepPaused

if TYPE_CHECKING:
    from runner.conftest import Walk


@pytest.mark.parametrize("status", ["processing", "requires_capture"])
def test_a_payment_of_which_nothing_was_received_is_not_called_a_charge(walk: Walk, status: str) -> None:
    walk.goes_through()
    walk.processes(status=status, amount_received=0)
    walk.page.act = lambda _: True
    walk.begin()
    summary = walk.go_on()
    (paused,) = walk.events(StepPaused)
    assert paused.finding == "payment_processing"
    assert "was charged" not in paused.meaning + paused.observed
    assert (summary.outcome, summary.money.charged_cents) == ("incomplete", None)


def test_a_payment_that_was_received_is(walk: Walk) -> None:
    walk.goes_through()
    walk.processes(status="succeeded", amount_received=500)
    walk.page.act = lambda _: True
    walk.begin()
    summary = walk.go_on()
    (paused,) = walk.events(StepPaused)
    assert (paused.finding, summary.money.charged_cents) == ("paid_not_completed", 500)
    assert "Charged 5.00 EUR, back 0.00 EUR, open 5.00 EUR" in paused.meaning


@pytest.mark.parametrize(
    ("status", "finding"), [("failed", "declined"), ("expired", "not_paid"), ("cancelled", "not_paid")]
)
@pytest.mark.parametrize("asked", [False, True])
def test_that_nothing_was_charged_is_the_orders_word_where_the_processor_was_not_asked(
    walk: Walk, status: str, finding: str, *, asked: bool
) -> None:
    walk.goes_through()
    if asked:
        walk.processes()

    def ended(_: str) -> bool:
        walk.backend.shop.set_status(walk.only_order(), status)
        return True

    walk.page.act = ended
    walk.begin()
    walk.go_on()
    (failed,) = walk.events(StepFailed)
    assert failed.finding == finding
    assert ("the processor was not checked" in failed.meaning) is not asked


def test_another_payment_than_the_orders_is_not_compared(walk: Walk) -> None:
    walk.goes_through()
    walk.processes(payment_id="somebody-elses", amount_received=1)
    walk.begin()
    summary = walk.go_on()
    assert summary.outcome == "passed"
    assert next(row.status for row in summary.reconciliation if row.id == "R1") == "not_checked"
