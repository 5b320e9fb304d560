"""Step 7 and the reading after the refund: what is asked, what is waited for, and that the refund stays reachable."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from veza_e2e.canonical import JSON
from veza_e2e.engine.supply import supply
from veza_e2e.evidence import Summary
from veza_e2e.journal.events import Answered, Asked, SessionResumed, StepFailed, StepFinished, StepPaused, StepSkipped
from veza_e2e.journal.readings import Compared, DashboardRead, RowsRead
from veza_e2e.journal.story import Story
from veza_e2e.ports.protocols import EndOfInput, Left
from veza_e2e.ports.seller_transfers import COLUMNS
from veza_e2e.report.booked import booked

if TYPE_CHECKING:
    from runner.conftest import Walk

ORDER = "7d3f0e5e-93f5-4c1c-8d3a-0e0d3a1b2c3d"


def printed(*rows: Mapping[str, JSON], columns: tuple[str, ...] = COLUMNS) -> str:
    """What `psql -X --csv` prints, with the number of rows in each."""
    out = io.StringIO()
    table = csv.DictWriter(out, columns, extrasaction="ignore")
    table.writeheader()
    table.writerows({**row, "row_count": len(rows)} for row in rows)
    return out.getvalue()


def by_hand(walk: Walk, **changes: str) -> None:
    """Without a connection: the operator pastes what is in the table."""
    walk.goes_through()
    walk.ledger.held = None
    walk.ledger.source = "pasted"
    walk.person.always = {**walk.person.always, "transfers_right": "y", "reversals_right": "y", **changes}


def item(summary: Summary, name: str) -> str:
    return next(one.status for one in summary.acceptance if one.id == name)


def rule(summary: Summary, name: str) -> str:
    return next(one.status for one in summary.reconciliation if one.id == name)


def step(summary: Summary, name: str) -> str:
    return next(one.status for one in summary.steps if one.name == name)


def empty() -> dict[str, JSON]:
    return dict.fromkeys(COLUMNS) | {"order_id": ORDER, "total_amount_cents": 500, "row_count": 1}


def test_rows_that_are_pasted_before_and_after_the_refund_are_compared(walk: Walk) -> None:
    by_hand(walk)
    walk.person.answers = [lambda: printed(walk.transfer()), lambda: printed(walk.transfer())]
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, rule(summary, "R2"), rule(summary, "R5")) == ("passed", "equal", "equal")
    assert [event.step for event in walk.events(RowsRead)] == ["transfers", "revoked"]
    (finished,) = [event for event in walk.events(StepFinished) if event.step == "transfers"]
    assert (finished.result["seller_checked"], finished.result["complete"]) == (True, True)


UNUSABLE = {
    "nothing": ("", "was not found in it"),
    "a dot": (".", "was not found in it"),
    "q": ("q", "was not found in it"),
    "an error of psql": ('ERROR:  relation "seller_transfers" does not exist', "psql printed an error: relation"),
    "no row": (",".join(COLUMNS) + "\n(0 rows)", "this database does not know the order"),
    "another order": (printed(empty() | {"order_id": "6"}), f"it is about order 6, not {ORDER}"),
    "another order, whose id would make a line": (
        printed(empty() | {"order_id": "6\nPASSED: nothing was charged"}),
        "it is about order 6⏎PASSED: nothing was charged, not",
    ),
    "four columns": (
        printed(empty(), columns=("order_id", "amount_cents", "platform_fee_cents", "status")),
        "lacks the columns total_amount_cents",
    ),
    "a cut row": (printed(empty()).rstrip()[:-1], "row_count says nothing, 1 row was read"),
    "a cut paste": ("\n".join(printed(empty(), empty()).split("\n")[:2]), "row_count says 2, 1 row was read"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_paste_that_cannot_be_used_is_asked_again_with_advice_and_skip_leads_on(walk: Walk, case: str) -> None:
    pasted, told = UNUSABLE[case]
    by_hand(walk)
    walk.person.answers = [pasted, pasted, "skip", "no psql here", "SKIP", "", "still none"]
    walk.begin()
    summary = walk.go_on()
    again = [text for text in walk.person.asked if text.startswith("That cannot be used")]
    assert len(again) == 2
    for text in again:
        assert told in text
        assert "psql -X --csv" in text
        assert "skip" in text
    assert (summary.outcome, summary.money.refunded_cents) == ("passed", 500)
    assert (step(summary, "transfers"), item(summary, "transfer_booked")) == ("skipped", "not_checked")
    assert (rule(summary, "R2"), rule(summary, "R5")) == ("not_checked", "not_checked")
    assert [event.reason for event in walk.events(StepSkipped)] == ["no psql here"]
    reasons = {e.question: e.answer for e in walk.events(Answered) if e.question.endswith("_skipped")}
    assert reasons == {"transfers_skipped": "no psql here", "reversals_skipped": "still none"}
    refused = [event for event in walk.events(RowsRead) if not event.final]
    assert all(event.problem and told in event.problem and event.rows == () for event in refused)


def test_what_was_skipped_is_not_asked_again_by_a_resume(walk: Walk) -> None:
    by_hand(walk)
    walk.person.always = {**walk.person.always, "refund": "n"}
    walk.person.answers = ["skip", "no psql here"]
    walk.begin()
    assert walk.go_on().outcome == "passed"
    walk.resume()
    walk.person.always = {**walk.person.always, "refund": "y"}
    walk.person.answers = ["skip", "none"]
    summary = walk.go_on()
    assert (summary.outcome, summary.money.refunded_cents) == ("passed", 500)
    assert step(summary, "transfers") == "skipped"


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"seller_id": "another"}, "transfer_seller"),
        ({"status": "failed"}, "transfer_not_booked"),
        ({"reversed_amount_cents": 1}, "transfer_not_booked"),
        ({"platform_fee_cents": -400, "amount_cents": 900}, "transfer_differs"),
        ({"unexplained_cents": 200}, "transfer_differs"),
        ({"total_amount_cents": 700}, "transfer_differs"),
        ({"transfer_currency": "USD"}, "transfer_currency"),
    ],
)
@pytest.mark.parametrize("how", ["connection", "pasted"])
def test_a_wrong_row_fails_and_the_refund_stays_reachable(
    walk: Walk, how: str, change: dict[str, JSON], finding: str
) -> None:
    if how == "pasted":
        by_hand(walk)
        walk.person.answers = [lambda: printed(walk.transfer(**change))]
    else:
        walk.goes_through()
        walk.ledger.held = lambda: [walk.transfer(**change)]
    walk.begin()
    assert walk.go_on().outcome == "failed"
    (failed,) = walk.events(StepFailed)
    assert (failed.step, failed.finding) == ("transfers", finding)
    walk.resume()
    by_hand(walk)
    walk.person.answers = [lambda: printed(walk.transfer())]
    assert walk.go_on().money.refunded_cents == 500
    assert walk.person.answers == []


def test_rows_that_the_operator_takes_back_are_not_counted_and_asked_for_again(walk: Walk) -> None:
    by_hand(walk)
    walk.person.always = {k: v for k, v in walk.person.always.items() if k != "transfers_right"}
    wrong = walk_row(walk) | {"amount_cents": 1}
    walk.person.answers = [
        printed(wrong), "n", lambda: printed(walk.transfer()), "y", lambda: printed(walk.transfer()),
    ]  # fmt: skip
    walk.begin()
    assert walk.go_on().outcome == "passed"
    assert [(event.final, event.rows[0]["amount_cents"]) for event in walk.events(RowsRead)] == [
        (False, 1), (True, 450), (True, 450),
    ]  # fmt: skip


def test_rows_that_are_on_record_are_not_asked_for_again(walk: Walk) -> None:
    by_hand(walk, transfers_late="go on")
    walk.person.answers = [printed(empty()), lambda: printed(walk.transfer())]
    walk.begin()
    assert walk.go_on().waiting_for == "transfer"
    walk.resume()
    summary = walk.go_on()
    assert (summary.outcome, rule(summary, "R2"), rule(summary, "R5")) == ("passed", "equal", "equal")


def test_the_rows_currency_may_be_written_small(walk: Walk) -> None:
    walk.goes_through()
    walk.ledger.held = lambda: [walk.transfer(currency="eur", transfer_currency="eur")]
    walk.begin()
    assert walk.go_on().outcome == "passed"


def test_a_row_that_is_written_later_is_waited_for_on_a_connection(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    walk.ledger.later = [[empty()], [empty()], [empty()]]
    summary = walk.go_on()
    assert (summary.outcome, rule(summary, "R2")) == ("passed", "equal")
    read = [event.rows[0]["status"] for event in walk.events(RowsRead) if event.step == "transfers"]
    assert read == [None, "completed"], "the same answer is recorded once"


def test_a_reversal_that_is_written_later_is_waited_for_on_a_connection(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    unreversed: dict[str, JSON] = {"status": "completed", "reversed_amount_cents": 0, "stripe_reversal_id": None}
    walk.ledger.later = [[walk_row(walk)], [walk_row(walk) | unreversed], [walk_row(walk) | unreversed]]
    summary = walk.go_on()
    assert (summary.outcome, rule(summary, "R5")) == ("passed", "equal")
    assert [(event.left, event.right) for event in walk.events(Compared) if event.id == "R5"] == [
        ("4.50 EUR", "4.50 EUR")
    ]


def walk_row(walk: Walk) -> dict[str, JSON]:
    """The row as it is before the order exists."""
    (product, *_) = walk.backend.shop.products.values()
    return {
        **empty(), "tax_amount_cents": 0, "currency": "EUR", "transfer_id": "t", "seller_id": product["seller_id"],
        "stripe_transfer_id": "tr_1", "amount_cents": 450, "platform_fee_cents": 50, "transfer_currency": "EUR",
        "status": "completed", "reversed_amount_cents": 0, "unexplained_cents": 0,
    }  # fmt: skip


@pytest.mark.parametrize("late", [None, "pending", "completed"])
def test_a_late_transfer_leaves_the_step_pending_the_refund_reachable_and_fails_after_a_day(
    walk: Walk, late: str | None
) -> None:
    walk.goes_through()
    row = walk_row(walk) | {"status": late, "stripe_transfer_id": None} if late else empty()
    walk.ledger.held = lambda: [walk.transfer() if walk.backend.shop.order(ORDER)["status"] == "refunded" else row]
    walk.person.always = {**walk.person.always, "refund": "n"}
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, summary.waiting_for, step(summary, "transfers")) == ("incomplete", "transfer", "pending")
    (paused,) = walk.events(StepPaused)
    assert paused.finding == ("transfer_not_booked" if late else "transfer_missing")
    assert rule(summary, "R2") == "not_checked"
    walk.clock.sleep(timedelta(hours=23).total_seconds())
    walk.resume()
    assert walk.go_on().outcome == "incomplete"
    walk.clock.sleep(timedelta(hours=1).total_seconds())
    walk.resume()
    assert walk.go_on().outcome == "failed"
    walk.resume()
    walk.person.always = {**walk.person.always, "refund": "y"}
    assert walk.go_on().money.refunded_cents == 500


def test_a_transfer_is_late_from_the_completion_on_and_not_from_the_beginning_of_the_session(walk: Walk) -> None:
    walk.goes_through()
    walk.ledger.held = lambda: [empty()]
    goes_well = walk.person.always
    walk.person.always = {}
    walk.begin()
    with pytest.raises(EndOfInput):
        walk.go_on()
    assert walk.events(StepFinished)
    walk.clock.sleep(timedelta(hours=30).total_seconds())
    walk.resume()
    walk.person.always = {**goes_well, "refund": "n"}
    summary = walk.go_on()
    assert (summary.outcome, summary.waiting_for, step(summary, "transfers")) == ("incomplete", "transfer", "pending")


def test_a_late_transfer_bars_no_refund_and_is_read_again_after_it(walk: Walk) -> None:
    walk.goes_through()
    walk.ledger.held = lambda: [walk.transfer() if walk.backend.shop.order(ORDER)["status"] == "refunded" else empty()]
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, summary.money.refunded_cents, rule(summary, "R5")) == ("incomplete", 500, "equal")
    walk.resume()
    summary = walk.go_on()
    assert (summary.outcome, rule(summary, "R2")) == ("passed", "equal")


def test_a_reversal_that_is_supplied_after_it_was_missing_settles_r5(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    reverse = walk.ledger.held
    walk.ledger.held = lambda: [walk.transfer(status="completed", reversed_amount_cents=0, stripe_reversal_id=None)]
    walk.begin()
    assert walk.go_on().waiting_for == "reversal"
    walk.clock.sleep(timedelta(days=1).total_seconds())
    walk.resume()
    assert rule(walk.go_on(), "R5") == "differs"
    walk.ledger.held = reverse
    supply(walk.stage, None)
    summary = walk.stage.summary()
    assert (rule(summary, "R5"), item(summary, "refund_completed")) == ("equal", "met")
    assert step(summary, "revoked") == "failed", "it was found missing all the same"


def test_a_cancelled_row_beside_the_transfer_counts_zero(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    gone: dict[str, JSON] = {
        "transfer_id": "t2", "stripe_transfer_id": None, "status": "cancelled", "reversed_amount_cents": 0,
        "stripe_reversal_id": None,
    }  # fmt: skip
    both: dict[str, JSON] = {"row_count": 2, "unexplained_cents": -500}
    walk.ledger.held = lambda: [walk.transfer(**both), walk.transfer(**gone, **both)]
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, rule(summary, "R2"), rule(summary, "R5")) == ("passed", "equal", "equal")
    assert summary.step("transfers").observed == "1 transfer, 4.50 EUR to the seller"
    assert item(summary, "transfer_booked") == "met"
    found = booked(Story(walk.lines))
    assert found is not None
    assert found.fee == "0.50 EUR"
    walk.stage.journal.append(DashboardRead(by="A. Person", currency="EUR", reversed_cents=450))
    assert rule(walk.stage.summary(), "R5") == "equal", "a person saw reversed what counts as transferred"


def test_a_transfer_that_the_refund_came_before_is_not_checked(walk: Walk) -> None:
    walk.goes_through()
    cancelled: dict[str, JSON] = {"status": "cancelled", "reversed_amount_cents": 0, "stripe_transfer_id": None}
    walk.ledger.held = lambda: [
        walk.transfer(**cancelled) if walk.backend.shop.order(ORDER)["status"] == "refunded" else empty()
    ]
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, summary.waiting_for, rule(summary, "R5")) == ("incomplete", "transfer", "equal")
    walk.resume()
    summary = walk.go_on()
    assert (summary.outcome, step(summary, "transfers")) == ("passed", "skipped")
    (skipped,) = walk.events(StepSkipped)
    assert "the refund came before it was paid out" in skipped.reason
    assert item(summary, "transfer_booked") == "not_checked"


def test_the_operator_waits_goes_on_or_leaves_while_the_row_is_late(walk: Walk) -> None:
    by_hand(walk)
    late = printed(empty())
    walk.person.answers = [late, "", "wait", late, "q"]
    walk.begin()
    with pytest.raises(Left):
        walk.go_on()
    walk.resume()
    walk.person.answers = [late, "go on", lambda: printed(walk.transfer())]
    summary = walk.go_on()
    assert (summary.outcome, summary.waiting_for, summary.money.refunded_cents) == ("incomplete", "transfer", 500)
    assert rule(summary, "R5") == "equal"
    asked = [text for text in walk.person.asked if "Late is not missing" in text]
    assert len(asked) == 3


@pytest.mark.parametrize("unnamed", [False, True])
@pytest.mark.parametrize("how", ["connection", "pasted"])
def test_a_late_reversal_is_incomplete_and_fails_after_a_day(walk: Walk, how: str, unnamed: bool) -> None:
    walk.goes_through()
    unreversed = walk_row(walk)
    if unnamed:
        walk.ledger.later = [[dict(unreversed)]]
        unreversed |= {"status": "reversed", "reversed_amount_cents": 450}
    walk.ledger.held = lambda: [unreversed]
    if how == "pasted":
        by_hand(walk, reversals_late="go on")
        walk.person.answers = [printed(walk_row(walk)), printed(unreversed)]
        walk.ledger.later = []
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, summary.waiting_for, summary.money.refunded_cents) == ("incomplete", "reversal", 500)
    assert rule(summary, "R5") == "not_checked"
    walk.clock.sleep(timedelta(hours=23).total_seconds())
    walk.resume()
    walk.person.answers = [printed(unreversed)]
    assert walk.go_on().outcome == "incomplete"
    walk.clock.sleep(timedelta(hours=1).total_seconds())
    walk.resume()
    walk.person.answers = [printed(unreversed)]
    summary = walk.go_on()
    assert (summary.outcome, rule(summary, "R5")) == ("failed", "not_checked" if unnamed else "differs")
    (failed,) = walk.events(StepFailed)
    assert failed.finding == "transfer_not_reversed"


def test_a_reversal_whose_stripe_id_comes_later_is_no_failure(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    unnamed: dict[str, JSON] = {"status": "reversed", "reversed_amount_cents": 450}
    walk.ledger.later, walk.ledger.held = [[walk_row(walk)]], [walk_row(walk) | unnamed]
    summary = walk.go_on()
    assert (summary.outcome, summary.waiting_for) == ("incomplete", "reversal")
    (paused,) = walk.events(StepPaused)
    assert paused.observed.endswith("transfer t is reversed without the Stripe id of a reversal")
    assert paused.meaning.startswith("The rows do not prove the reversal yet.")
    walk.ledger.held = lambda: [walk.transfer()]
    walk.resume()
    summary = walk.go_on()
    assert (summary.outcome, rule(summary, "R5"), walk.events(StepFailed)) == ("passed", "equal", [])


@pytest.mark.parametrize("how", ["connection", "pasted"])
def test_a_reversal_that_was_refused_fails_at_once(walk: Walk, how: str) -> None:
    walk.goes_through()
    walk.begin()
    refused = walk_row(walk) | {"error_message": "balance too low"}
    if how == "pasted":
        by_hand(walk)
        walk.person.answers = [printed(walk_row(walk)), printed(refused)]
    else:
        walk.ledger.later, walk.ledger.held = [[walk_row(walk)]], [refused]
    summary = walk.go_on()
    assert (summary.outcome, rule(summary, "R5")) == ("failed", "differs")
    (failed,) = walk.events(StepFailed)
    assert (failed.step, "balance too low" in failed.observed) == ("revoked", True)


def test_an_error_from_before_the_refund_is_no_refused_reversal_though_its_text_is_redacted(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    walk.ledger.held = [walk_row(walk) | {"error_message": "first try failed, ask someone@example.test"}]
    summary = walk.go_on()
    assert (summary.outcome, summary.waiting_for) == ("incomplete", "reversal")
    walk.resume()
    assert walk.go_on().waiting_for == "reversal"
    assert "someone@" not in str(walk.events(RowsRead, StepFinished))


def test_no_row_that_is_visible_after_the_refund_is_not_checked(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    walk.ledger.later, walk.ledger.held = [[walk_row(walk)]], [empty()]
    walk.person.answers = ["skip", "the policy hides them"]
    summary = walk.go_on()
    assert (summary.outcome, rule(summary, "R5")) == ("passed", "not_checked")
    (asked,) = [event.text for event in walk.events(Asked) if event.question == "reversals"]
    assert "row level security may hide them" in asked


@pytest.mark.parametrize("unread", ["reason", "unknown order"])
def test_a_connection_that_does_not_tell_says_why_and_leaves_the_operator_to_paste(walk: Walk, unread: str) -> None:
    walk.goes_through()
    if unread == "reason":
        walk.ledger.held, walk.ledger.reason = None, "the connection was refused"
        told = "The connection was refused.\n"
    else:
        walk.ledger.held = []
        told = f"This database does not know the order {ORDER}.\n"
    walk.person.always = {**walk.person.always, "transfers_right": "y", "reversals_right": "y"}
    walk.person.answers = [lambda: printed(walk.transfer()), lambda: printed(walk.transfer())]
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, rule(summary, "R2"), rule(summary, "R5")) == ("passed", "equal", "equal")
    asked = [event.text for event in walk.events(Asked) if event.question in {"transfers", "reversals"}]
    assert [text.startswith(told) for text in asked] == [True, True]


def test_a_recording_of_the_first_walkthrough_is_asked_nothing_new(walking: type[Walk]) -> None:
    walk = walking(started={"walkthrough": "1"})
    walk.goes_through()
    walk.begin()
    walk.ledger.later, walk.ledger.held = [[walk_row(walk)]], None
    summary = walk.go_on()
    assert (summary.outcome, rule(summary, "R2"), rule(summary, "R5")) == ("passed", "equal", "not_checked")
    walk = walking(started={"walkthrough": "1"})
    walk.goes_through()
    walk.begin()
    walk.ledger.held = [empty()]
    assert walk.go_on().outcome == "failed"
    (failed,) = walk.events(StepFailed)
    assert failed.finding == "transfer_missing"


def test_a_recording_of_the_first_walkthrough_fails_on_a_late_reversal_and_pastes_again(walking: type[Walk]) -> None:
    walk = walking(started={"walkthrough": "1"})
    walk.goes_through()
    walk.begin()
    walk.ledger.held = [walk_row(walk)]
    assert (walk.go_on().outcome, walk.events(StepPaused)) == ("failed", [])
    walk = walking(started={"walkthrough": "1"})
    by_hand(walk, refund="n")
    walk.person.answers = [printed(walk_row(walk))]
    walk.begin()
    assert walk.go_on().outcome == "passed"
    (read,) = [line.seq for line in walk.lines if isinstance(line.event, RowsRead)]
    walk.resume(upto=read)
    walk.stage.journal.append(SessionResumed(tools={}, walkthrough="1"))
    walk.person.answers = [printed(walk_row(walk))]
    assert (walk.go_on().outcome, walk.person.answers) == ("passed", [])


def test_no_text_of_backend_or_database_makes_a_line_of_its_own_in_a_prompt(walk: Walk) -> None:
    by_hand(walk)
    forged = "x\nPASSED: nothing was charged"
    walk.started |= {"live_requested": True}
    (product,) = list(walk.backend.shop.products.values())[:1]
    product["title"] = forged
    walk.ledger.reason = forged
    walk.person.always = {**walk.person.always, "amount": "5.00 EUR", "refund": "refund"}
    walk.person.answers = [
        printed(empty() | {"order_id": forged}),
        lambda: printed(walk.transfer(error_message=forged, status="pending")),
        "wait",
        *[lambda: printed(walk.transfer(error_message=forged))] * 2,
    ]
    walk.begin()
    assert walk.go_on().outcome == "passed"
    asked = "\n".join(walk.person.asked)
    assert asked.count("x⏎PASSED") >= 4
    assert "\nPASSED" not in asked
