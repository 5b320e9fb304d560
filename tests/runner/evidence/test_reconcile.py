"""A later comparison counts where money was only late; what cannot change later stays different."""

from __future__ import annotations

from typing import Any, cast

import pytest
from scripted_session import Script

from veza_e2e.evidence import summarise
from veza_e2e.journal.readings import Compared

EUR5, PAID = "5.00 EUR", "5.00 EUR, received 5.00 EUR"


def status(rule: str, *compared: tuple[str, str]) -> str:
    """Return what becomes of a rule whose sides were compared one after the other."""
    script = Script().start().until("pay")
    for left, right in compared:
        step: Any = "order" if rule == "R3" else "completed"
        script.say(Compared(step=step, id=rule, equal=left == right, left=left, right=right, calls=()))
    (found,) = [one for one in summarise(script.lines).reconciliation if one.id == rule]
    return cast("str", found.status)


@pytest.mark.parametrize(
    ("rule", "first", "then"),
    [
        ("R1", (PAID, "5.00 EUR, received 0.00 EUR"), (PAID, PAID)),
        ("R4", (EUR5, "0.00 EUR"), (EUR5, EUR5)),
        ("R4", (EUR5, "4.70 EUR"), (EUR5, EUR5)),
        ("R5", ("4.50 EUR", "0.00 EUR"), ("4.50 EUR", "4.50 EUR")),
        ("R6", ("pay_1", "none"), ("pay_1", "pay_1")),
        ("R6", ("pay_1", "pay_2"), ("pay_1, pay_2", "pay_1, pay_2")),
    ],
)
def test_what_came_later_settles_it(rule: str, first: tuple[str, str], then: tuple[str, str]) -> None:
    assert status(rule, first) == "differs"
    assert status(rule, first, then) == "equal"
    assert status(rule, first, then, first) == "differs", "the latest counts"


@pytest.mark.parametrize(
    ("rule", "first", "then"),
    [
        ("R1", (PAID, "5.00 EUR, received 3.00 EUR"), (PAID, PAID)),
        ("R1", (PAID, "5.40 EUR, received not told"), (PAID, PAID)),
        ("R1", ("4.50 EUR, received 4.50 EUR", "4.50 EUR, received 0.00 EUR"), (PAID, PAID)),
        ("R2", (EUR5, "4.70 EUR"), (EUR5, EUR5)),
        ("R3", (EUR5, "4.70 EUR"), (EUR5, EUR5)),
        ("R5", ("4.00 EUR", "0.00 EUR"), ("4.50 EUR", "4.50 EUR")),
        ("R6", ("pay_1", "pay_2"), ("pay_1", "pay_1")),
    ],
)
def test_what_cannot_change_stays_different(rule: str, first: tuple[str, str], then: tuple[str, str]) -> None:
    assert status(rule, first, then) == "differs"


@pytest.mark.parametrize(
    ("rule", "sides"), [("R1", (PAID, "5.00 EUR, received not told")), ("R4", ("not told", "not told"))]
)
def test_an_amount_that_was_not_told_made_no_comparison(rule: str, sides: tuple[str, str]) -> None:
    assert status(rule, sides) == "not_checked"
