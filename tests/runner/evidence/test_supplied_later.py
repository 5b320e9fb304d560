"""What people supply after a session: equal where it agrees with the order, and different by the right rule."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from amount import share
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_session import ORDER, PAYMENT, SESSION, Script

from veza_e2e.canonical import JSON
from veza_e2e.evidence import Summary, summarise
from veza_e2e.journal import timestamp
from veza_e2e.journal.addenda import Addendum, Dashboard, RowsSupplied
from veza_e2e.journal.events import StepFinished, StepSkipped, StepStarted
from veza_e2e.journal.story import Story

LATER = "2026-05-10T09:00:00.000Z"
NET = 450
"""What the script's seller is transferred; the platform keeps 50."""


def session(total: int, tax: int, *, rows: bool) -> Script:
    """A session that nobody checked with a key; without `rows` its step 7 was skipped."""
    script = Script()
    script.total, script.tax = total, tax
    script.start().login().products().place().pay().completed(processor=False).license()
    if rows:
        script.transfers()
    else:
        script.say(StepStarted(step="transfers"), StepSkipped(step="transfers", reason="no psql here"))
    script.refund().say(StepStarted(step="revoked"))
    script.call("revoked", "getOrder", script.refunded_order())
    script.call("revoked", "listMyLicenses", [script.license_row("revoked")])
    return script.done("revoked", "refunded", order_status="refunded", refund_status="succeeded").end()


def parts(draw: st.DrawFn, amount: int) -> list[int]:
    cuts = draw(st.sets(st.integers(1, amount - 1), max_size=2)) if amount > 1 else set[int]()
    return [after - before for before, after in itertools.pairwise([0, *sorted(cuts), amount])]


def ended(script: Script, *said: Dashboard | RowsSupplied) -> Summary:
    count, last = len(script.lines), script.lines[-1].hash
    numbered: list[Addendum] = [
        replace(one, number=number, seq=count + number, session_hash=last) for number, one in enumerate(said, 1)
    ]
    return summarise(script.lines, numbered)


def rules(summary: Summary, status: str) -> set[str]:
    return {one.id for one in summary.reconciliation if one.status == status}


def read(**figures: Any) -> Dashboard:
    members: dict[str, Any] = {"payment_id": PAYMENT, "currency": "EUR", **figures}
    return Dashboard(session=SESSION, session_hash="a" * 64, number=1, seq=1, at=LATER, by="A. Person", **members)


@st.composite
def dashboards(draw: st.DrawFn) -> tuple[int, list[Dashboard]]:
    """A total, and what a person reads of it: the charge, the refunds, the reversal."""
    total = draw(st.integers(2, 10**6))
    refunds = [read(refund_id=f"r{n}", refunded_cents=part) for n, part in enumerate(parts(draw, total))]
    return total, [read(charged_cents=total), *refunds, read(payment_id=None, reversed_cents=NET)]


@dataclass(frozen=True)
class Otherwise:
    """Which of the readings is told otherwise, how, and which rules must differ."""

    at: int
    change: Callable[[Dashboard, int], Dashboard]
    rules: set[str]


READ_OTHERWISE = {
    "charge": Otherwise(0, lambda one, by: replace(one, charged_cents=(one.charged_cents or 0) + by), {"R1", "R4"}),
    "currency of the charge": Otherwise(0, lambda one, _: replace(one, currency="USD"), {"R1", "R4"}),
    "another payment": Otherwise(0, lambda one, _: replace(one, payment_id="pay_other"), {"R1"}),
    "refund": Otherwise(1, lambda one, by: replace(one, refunded_cents=(one.refunded_cents or 0) + by), {"R4"}),
    "payment of a refund": Otherwise(1, lambda one, _: replace(one, payment_id="pay_other"), {"R6"}),
    "reversal": Otherwise(-1, lambda one, by: replace(one, reversed_cents=(one.reversed_cents or 0) + by), {"R5"}),
    "currency of the reversal": Otherwise(-1, lambda one, _: replace(one, currency="USD"), {"R5"}),
}


@settings(max_examples=share(40))
@given(said=dashboards())
def test_a_dashboard_that_agrees_is_equal(said: tuple[int, Sequence[Dashboard]]) -> None:
    total, readings = said
    summary = ended(session(total, 0, rows=True), *readings)
    assert {"R1", "R4", "R5", "R6"} <= rules(summary, "equal")
    assert rules(summary, "differs") == set()


@pytest.mark.parametrize("name", READ_OTHERWISE)
@settings(max_examples=share(15))
@given(said=dashboards(), by=st.sampled_from([1, -1]))
def test_one_figure_read_otherwise_differs_by_its_rule(
    name: str, said: tuple[int, Sequence[Dashboard]], by: int
) -> None:
    total, readings = said
    other, changed = READ_OTHERWISE[name], list(readings)
    changed[other.at] = other.change(changed[other.at], by)
    assert rules(ended(session(total, 0, rows=True), *changed), "differs") == other.rules


@pytest.mark.parametrize("name", ["charge", "refund", "reversal"])
def test_a_later_reading_corrects_an_earlier_one(name: str) -> None:
    other = READ_OTHERWISE[name]
    right = [
        read(charged_cents=500),
        read(refund_id="r0", refunded_cents=500),
        read(payment_id=None, reversed_cents=NET),
    ]
    wrong = other.change(right[other.at], 1)
    corrected = ended(session(500, 0, rows=True), wrong, *right)
    assert rules(corrected, "differs") == set()
    spoiled = ended(session(500, 0, rows=True), *right, wrong)
    assert rules(spoiled, "differs") == other.rules


def test_each_equality_names_the_last_events_that_told_its_sides() -> None:
    script = session(500, 0, rows=True)
    wrong = [
        read(charged_cents=499), read(refund_id="r0", refunded_cents=499), read(payment_id=None, reversed_cents=NET - 1)
    ]  # fmt: skip
    right = [
        read(charged_cents=500), read(refund_id="r0", refunded_cents=500), read(payment_id=None, reversed_cents=NET)
    ]  # fmt: skip
    told = {one.id: one.evidence for one in ended(script, *wrong, *right).reconciliation}
    (*_, order) = [line.seq for line in script.lines if getattr(line.event, "operation", "") == "getOrder"]
    (booked,) = [
        line.seq for line in script.lines if isinstance(e := line.event, StepFinished) and e.step == "transfers"
    ]
    charge, refund, reversal = (len(script.lines) + number for number in (4, 5, 6))
    expected = {"R1": (order, charge), "R4": (charge, refund), "R5": (booked, reversal), "R6": (order, refund)}
    assert {name: told[name] for name in expected} == expected


def test_what_a_person_read_otherwise_stands_against_a_comparison_that_was_equal() -> None:
    script = Script().start().until("revoked").end()
    assert "R1" in rules(ended(script, read(charged_cents=500)), "equal")
    assert "R1" in rules(ended(script, read(charged_cents=499)), "differs")


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, int, list[dict[str, JSON]]]:
    """A total, its tax, and the rows that explain the rest, reversed since."""
    net, tax = draw(st.integers(1, 10**6)), draw(st.integers(0, 10**5))
    rows: list[dict[str, JSON]] = []
    shares = parts(draw, net)
    for number, part in enumerate(shares, 1):
        fee = draw(st.integers(0, part))
        rows.append(
            {
                "order_id": ORDER, "transfer_id": f"t{number}", "stripe_transfer_id": f"tr_{number}", "seller_id": "7",
                "amount_cents": part - fee, "platform_fee_cents": fee, "currency": "EUR", "transfer_currency": "EUR",
                "status": "reversed", "reversed_amount_cents": part - fee, "row_count": len(shares),
                "stripe_reversal_id": f"trr_{number}",
            }
        )  # fmt: skip
    return net + tax, tax, rows


def supplied(rows: Sequence[Mapping[str, JSON]]) -> RowsSupplied:
    return RowsSupplied(
        session=SESSION, session_hash="a" * 64, number=1, seq=1, at=LATER, source="pasted", sql="", rows=tuple(rows)
    )


def added(row: dict[str, JSON], by: int, *names: str) -> dict[str, JSON]:
    return row | {name: value + by for name in names if isinstance(value := row[name], int)}


ROW_OTHERWISE: Mapping[str, tuple[Callable[[dict[str, JSON]], dict[str, JSON]], set[str]]] = {
    "more transferred": (lambda row: added(row, 1, "amount_cents", "reversed_amount_cents"), {"R2"}),
    "another fee": (lambda row: added(row, 1, "platform_fee_cents"), {"R2"}),
    "less reversed": (lambda row: added(row, 1, "amount_cents"), {"R2", "R5"}),
}


@settings(max_examples=share(40))
@given(said=tables())
def test_rows_that_agree_are_equal(said: tuple[int, int, list[dict[str, JSON]]]) -> None:
    total, tax, rows = said
    summary = ended(session(total, tax, rows=False), supplied(rows))
    assert {"R2", "R5"} <= rules(summary, "equal")
    assert summary.item("transfer_booked").status == "met"


@pytest.mark.parametrize("name", ROW_OTHERWISE)
@settings(max_examples=share(15))
@given(said=tables(), data=st.data())
def test_one_figure_in_the_rows_differs_by_its_rule(
    name: str, said: tuple[int, int, list[dict[str, JSON]]], data: st.DataObject
) -> None:
    total, tax, rows = said
    change, expected = ROW_OTHERWISE[name]
    at = data.draw(st.integers(0, len(rows) - 1))
    rows[at] = change(rows[at])
    assert rules(ended(session(total, tax, rows=False), supplied(rows)), "differs") == expected


ROW: Mapping[str, JSON] = {
    "order_id": ORDER, "transfer_id": "t1", "stripe_transfer_id": "tr_1", "seller_id": "7", "amount_cents": 450,
    "platform_fee_cents": 50, "currency": "EUR", "transfer_currency": "EUR", "status": "reversed",
    "reversed_amount_cents": 450, "row_count": 1,
}  # fmt: skip
NO_ROW: Mapping[str, JSON] = {**dict.fromkeys(ROW), "order_id": ORDER, "row_count": 1}
SOON = "2026-05-04T10:00:00.000Z"


@pytest.mark.parametrize(
    ("row", "at", "status", "reason"),
    [
        (ROW, LATER, "met", "R2 equal: 5.00 EUR"),
        ({**ROW, "seller_id": "8"}, LATER, "not_met", "is booked to seller 8, the product's seller is 7"),
        (NO_ROW, SOON, "pending", "seller_transfers has no row for order"),
        (NO_ROW, LATER, "not_met", "after more than 24 hours"),
        ({**ROW, "status": "pending"}, SOON, "pending", "transfer t1 is 'pending'"),
        ({**ROW, "status": "pending"}, LATER, "not_met", "'pending', after more than 24 hours"),
        ({**ROW, "seller_id": None}, LATER, "not_checked", "the rows do not tell seller, number and every part of"),
        ({**ROW, "row_count": None}, LATER, "not_checked", "the rows do not tell seller, number and every part of"),
        ({**ROW, "platform_fee_cents": None}, LATER, "not_checked", "the rows do not tell seller, number and every"),
        ({**ROW, "row_count": 2}, LATER, "not_checked", "1 row was read, and row_count says that there are others"),
    ],
)
def test_what_supplied_rows_say_of_the_booking(row: Mapping[str, JSON], at: str, status: str, reason: str) -> None:
    item = ended(session(500, 0, rows=False), replace(supplied([row]), at=at)).item("transfer_booked")
    assert (item.status, reason in item.reason) == (status, True), item.reason


@pytest.mark.parametrize(("early", "status"), [(1, "pending"), (0, "not_met")])
def test_supplied_rows_are_late_for_a_day_from_the_completion(early: int, status: str) -> None:
    script = session(500, 0, rows=False)
    (done,) = [e.at for e in script.lines if isinstance(e.event, StepFinished) and e.event.step == "completed"]
    at = timestamp(datetime.fromisoformat(done) + timedelta(hours=24, milliseconds=-early))
    assert ended(script, replace(supplied([NO_ROW]), at=at)).item("transfer_booked").status == status


@pytest.mark.parametrize("member", ["order_id", "currency", "total_cents"])
def test_rows_of_an_order_that_the_journal_does_not_wholly_tell_are_not_judged(member: str) -> None:
    script = Script().start().until("completed")
    placed = Story(script.lines).result("order")
    script.done("order", "told by another version", **{**placed, member: None})
    summary = ended(script, supplied([ROW]))
    assert (summary.item("transfer_booked").status, rules(summary, "equal") & {"R2", "R5"}) == ("not_checked", set())
