"""Due days by the TARGET2 calendar."""

from __future__ import annotations

from datetime import date

import pytest
from scripted_session import ORDER, PAYMENT, Script

from veza_e2e.canonical import JSON
from veza_e2e.evidence import summarise
from veza_e2e.evidence.due import add_business_days, due, is_business_day, still_open
from veza_e2e.journal.events import SessionAbandoned, StepName


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        (date(2026, 12, 22), 5, date(2026, 12, 30)),
        (date(2026, 12, 22), 7, date(2027, 1, 4)),
        (date(2026, 4, 2), 1, date(2026, 4, 7)),
        (date(2026, 4, 30), 1, date(2026, 5, 4)),
        (date(2026, 5, 2), 1, date(2026, 5, 4)),
        (date(2026, 5, 4), 0, date(2026, 5, 4)),
    ],
)
def test_business_days_after_a_day(day: date, count: int, expected: date) -> None:
    assert add_business_days(day, count) == expected


@pytest.mark.parametrize(
    "day",
    [
        date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 1), date(2026, 12, 25), date(2025, 12, 26), date(2027, 1, 1),
        date(2027, 3, 26), date(2027, 3, 29), date(2026, 11, 21), date(2026, 11, 22),
    ],
)  # fmt: skip
def test_target2_is_closed(day: date) -> None:
    assert not is_business_day(day)


@pytest.mark.parametrize("day", [date(2026, 5, 14), date(2026, 7, 14), date(2026, 10, 3 + 2), date(2026, 12, 24)])
def test_target2_is_open_on_national_holidays(day: date) -> None:
    assert is_business_day(day)


@pytest.mark.parametrize(
    ("today", "state"),
    [
        (date(2026, 12, 29), "not due yet"),
        (date(2026, 12, 30), "due"),
        (date(2027, 1, 4), "due"),
        (date(2027, 1, 5), "late"),
        (date(2027, 1, 7), "late"),
        (date(2027, 1, 8), "OVERDUE"),
    ],
)
def test_a_refund_of_22_december_is_due_at_the_turn_of_the_year(today: date, state: str) -> None:
    assert due(date(2026, 12, 22)).state(today) == state


@pytest.mark.parametrize(
    ("step", "todo"),
    [
        ("completed", "open 5.00 EUR: refund the payment at the processor's dashboard, then record it"),
        ("pay", "the card may be charged: record what comes back"),
    ],
)
def test_who_gave_a_session_up_is_told_to_refund_only_a_charge_that_was_seen(step: StepName, todo: str) -> None:
    script = Script().start(live=True, rehearsal=False).until(step).say(SessionAbandoned(reason="wrong product"))
    said = str(still_open(summarise(script.lines)))
    assert said.startswith("abandoned, ")
    assert todo in said


def test_who_gave_a_session_up_is_not_told_to_refund_what_is_being_refunded() -> None:
    script = Script().start(live=True, rehearsal=False).until("completed").say(SessionAbandoned(reason="wrong product"))
    refund: dict[str, JSON] = {
        "refund_id": "r",
        "payment_id": PAYMENT,
        "status": "pending",
        "amount": 500,
        "currency": "EUR",
    }
    script.call("completed", "payment", {**script.payment(), "refunds": [refund]}, processor=True)
    said = str(still_open(summarise(script.lines)))
    assert "refund nothing on top of it; record what comes back" in said


@pytest.mark.parametrize(
    ("live", "step", "told"), [(True, "pay", True), (False, "pay", False), (False, "license", True)]
)
def test_a_dispute_is_to_be_answered_where_money_may_be_lost(*, live: bool, step: StepName, told: bool) -> None:
    script = Script().start(live=live, rehearsal=not live).until(step)
    disputed = {**script.payment(), "disputes": [{"dispute_status": "dispute_opened"}]}
    if step == "pay":
        disputed |= {"status": "processing", "amount_received": 0}
    script.call("completed", "payment", disputed | {"metadata": {"order_id": ORDER}}, processor=True)
    said = str(still_open(summarise(script.lines)))
    assert ("answer the dispute at the processor's dashboard" in said) is told
