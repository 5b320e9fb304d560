"""What a journal proves: outcome, money, acceptance and decision, each by its events."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from front_door import figures
from scripted_session import ORDER, PAYMENT, REFUND, SESSION, Script

from veza_e2e.canonical import JSON
from veza_e2e.evidence import BankStatement, Reread, Summary, counts_as_dry_run, summarise
from veza_e2e.evidence.due import statement_due, still_open
from veza_e2e.evidence.model import ItemName
from veza_e2e.journal.events import STEPS, SessionAbandoned, SessionInterrupted, StepName, StepStarted
from veza_e2e.journal.readings import Compared

if TYPE_CHECKING:
    from veza_e2e.journal.addenda import SeenAtBank

DRY_RUN = {"session": "01M3DRY0000000000000000000", "hash": "c" * 64, "ended_at": "2026-05-03T09:00:00.000Z"}


def statuses(summary: Summary) -> dict[ItemName, str]:
    return {item.id: item.status for item in summary.acceptance}


def live(*, rehearsal: bool = False) -> Script:
    return Script().start(live=True, rehearsal=rehearsal, release="2026.05", dry_run=DRY_RUN)


def bank(script: Script, seen: SeenAtBank, cents: int | None = None, number: int = 1) -> BankStatement:
    return BankStatement(
        session=SESSION, session_hash=script.lines[-1].hash, number=number, seq=len(script.lines) + number,
        at="2026-05-12T09:00:00.000Z", seen=seen, date="2026-05-12", amount_cents=cents,
        currency="EUR" if cents is not None else None,
    )  # fmt: skip


def test_a_whole_walkthrough_passes() -> None:
    script = Script().start().until("revoked")
    summary = summarise(script.lines)
    assert summary.outcome == "passed"
    assert [step.status for step in summary.steps] == ["passed"] * 9
    assert figures(summary.to_json()["money"]) == (500, 500, "EUR")
    assert (summary.order_id, summary.payment_id, summary.refund_id) == (ORDER, PAYMENT, REFUND)
    assert (summary.refund_open, summary.waiting_for, summary.decision) == (False, None, "PENDING")
    assert statuses(summary) == {
        "preflight": "met", "dry_run": "not_applicable", "order_completed": "met", "amount_matches": "met",
        "license_granted": "met", "transfer_booked": "met", "refund_completed": "met", "license_revoked": "met",
        "bank_statement": "not_applicable",
    }  # fmt: skip


def test_nothing_is_met_without_events_that_exist() -> None:
    script = live().until("revoked").end()
    addenda = [bank(script, "credit", 500)]
    for length in range(len(script.lines) + 1):
        lines = script.lines[:length]
        summary = summarise(lines, addenda if length == len(script.lines) else ())
        seqs = {line.seq for line in lines} | {addenda[0].seq}
        for item in summary.acceptance:
            assert set(item.evidence) <= seqs
            assert item.evidence or item.status != "met"
        for step in summary.steps:
            assert set(step.trace) <= seqs
            assert step.trace or step.status != "passed"


def test_every_prefix_of_a_walkthrough_is_incomplete() -> None:
    script = Script().start().until("revoked")
    for length in range(4, len(script.lines)):
        summary = summarise(script.lines[:length])
        assert summary.outcome == "incomplete"
        assert summary.decision == "PENDING"
        assert (summary.money.charged_cents or 0) in {0, 500}


@pytest.mark.parametrize("step", STEPS)
def test_a_failed_step_fails_the_session(step: StepName) -> None:
    script = live()
    if STEPS.index(step):
        script.until(STEPS[STEPS.index(step) - 1])
    script.say(StepStarted(step=step)).fail(step, "wrong")
    summary = summarise(script.lines)
    assert summary.outcome == "failed"
    assert summary.step(step).status == "failed"
    assert summary.step(step).trace == (len(script.lines),)
    after_charge = STEPS.index(step) > STEPS.index("completed")
    assert summary.decision == ("NO-GO" if after_charge else "PENDING")
    at_risk = step in {"pay", "completed"}  # the order can be paid as soon as the backend took it
    assert summary.refund_open is (None if at_risk else after_charge)


def test_a_failed_check_stays_failed_after_the_refund() -> None:
    script = live().until("completed").say(StepStarted(step="license")).fail("license", "license_missing")
    script.refund().revoked()
    summary = summarise(script.lines)
    assert (summary.outcome, summary.decision, summary.refund_open) == ("failed", "NO-GO", False)
    assert statuses(summary)["license_granted"] == "not_met"
    assert statuses(summary)["refund_completed"] == "met"


def test_a_kept_refund_passes_and_stays_open() -> None:
    summary = summarise(live().until("transfers").keep().lines)
    assert (summary.outcome, summary.refund_open, summary.decision) == ("passed", True, "PENDING")
    assert figures(summary.to_json()["money"]) == (500, 0, "EUR")
    found = statuses(summary)
    assert (found["refund_completed"], found["license_revoked"]) == ("not_checked", "not_checked")
    assert found["bank_statement"] == "not_applicable"


def test_a_refund_after_a_kept_one_counts() -> None:
    summary = summarise(live().until("transfers").keep().refund().revoked().lines)
    assert [step.status for step in summary.steps] == ["passed"] * 9
    assert summary.refund_open is False


def test_go_needs_all_nine_and_the_bank_statement_closes_it() -> None:
    script = live().until("revoked").end()
    assert (summarise(script.lines).decision, statuses(summarise(script.lines))["bank_statement"]) == (
        "PENDING",
        "pending",
    )
    closed = summarise(script.lines, [bank(script, "credit", 500)])
    assert (closed.decision, closed.item("bank_statement").evidence[-1]) == ("GO", len(script.lines) + 1)


@pytest.mark.parametrize(
    ("seen", "cents", "status", "decision"),
    [
        ("credit", 500, "met", "GO"),
        ("charge-dropped", None, "pending", "PENDING"),
        ("credit", None, "pending", "PENDING"),
        ("charge-dropped", 500, "met", "GO"),
        ("credit", 499, "not_met", "PENDING"),
        ("nothing", None, "pending", "PENDING"),
    ],
)
def test_what_the_bank_statement_shows(seen: SeenAtBank, cents: int | None, status: str, decision: str) -> None:
    script = live().until("revoked").end()
    statement = bank(script, seen, cents)
    summary = summarise(script.lines, [statement])
    assert (statuses(summary)["bank_statement"], summary.decision) == (status, decision)
    assert summary.item("bank_statement").evidence[-1] == statement.seq


@pytest.mark.parametrize(
    ("seen", "cents", "status"),
    [
        ("charge-dropped", 500, "met"),
        ("charge-dropped", 250, "not_met"),
        ("credit", 250, "met"),
        ("credit", 500, "not_met"),
    ],
)
def test_a_dropped_charge_is_compared_with_the_charge_and_a_credit_with_the_refund(
    seen: SeenAtBank, cents: int, status: str
) -> None:
    script = live().until("refund")
    script.call("revoked", "getOrder", script.refunded_order() | {"refunded_amount_cents": 250})
    script.fail("revoked", "refund_differs").end("failed")
    assert statuses(summarise(script.lines, [bank(script, seen, cents)]))["bank_statement"] == status


def test_a_witness_that_does_not_tell_how_much_came_back_contradicts_no_statement() -> None:
    script = live().until("refund")
    back: JSON = {"refund_id": REFUND, "payment_id": PAYMENT, "status": "succeeded", "amount": None, "currency": "EUR"}
    script.call("revoked", "payment", {**script.payment(), "refunds": [back]}, processor=True)
    script.call("revoked", "getOrder", script.refunded_order())
    item = summarise(script.lines, [bank(script, "credit", 500)]).item("bank_statement")
    assert (item.status, item.reason) == ("met", "credit line on 2026-05-12")


def test_a_statement_is_no_witness_beside_itself() -> None:
    script = live().until("refund")
    script.call("revoked", "getOrder", script.refunded_order() | {"refunded_amount_cents": None})
    item = summarise(script.lines, [bank(script, "credit", 500)]).item("bank_statement")
    assert item.status == "pending"
    assert item.reason == "the statement shows it; no other witness said how much came back"


@pytest.mark.parametrize(("day", "decision"), [("2026-05-02", "PENDING"), ("2026-05-03", "GO"), ("2026-05-04", "GO")])
@pytest.mark.parametrize("seen", ["credit", "charge-dropped"])
def test_a_statement_from_before_the_refund_shows_nothing_of_it(seen: SeenAtBank, day: str, decision: str) -> None:
    script = live().until("revoked").end()
    summary = summarise(script.lines, [replace(bank(script, seen, 500), date=day)])
    assert summary.decision == decision


def test_a_dispute_that_opens_after_all_nine_are_met_ends_the_go() -> None:
    script = live().until("revoked").end()
    statement = bank(script, "credit", 500)
    disputed: dict[str, JSON] = {
        "payment_id": PAYMENT, "status": "succeeded", "amount_received": 500, "currency": "EUR",
        "refunds": [{"refund_id": REFUND, "status": "succeeded", "amount": 500, "currency": "EUR"}],
        "disputes": [{"dispute_status": "dispute_opened"}], "metadata": {"order_id": ORDER},
    }  # fmt: skip
    read = Reread(
        session=SESSION, session_hash=script.lines[-1].hash, number=2, seq=len(script.lines) + 2,
        at="2026-05-13T09:00:00.000Z", order_status="refunded", refund_status="succeeded", refunded_cents=500,
        currency="EUR", failed=False, observed="a dispute", order_id=ORDER, payments=(disputed,),
    )  # fmt: skip
    summary = summarise(script.lines, [statement, read])
    assert {status for name, status in statuses(summary).items()} == {"met"}
    assert (summary.decision, summary.outcome, summary.money.state) == ("NO-GO", "failed", "returned")
    step = summary.step("revoked")
    assert (step.status, step.finding, step.trace[-1]) == ("failed", "dispute_opened", read.seq)
    assert f"the processor has a dispute on payment {PAYMENT}" in str(step.meaning)
    assert "Refund nothing on top of it" in str(step.todo)
    due = str(still_open(summary))
    assert "refund nothing on top of it, then look again with: veza-e2e --env" in due
    assert due.endswith(f"resume {SESSION}")
    won = replace(read, number=3, seq=read.seq + 1, payments=({**disputed, "disputes": []},))
    assert summarise(script.lines, [statement, read, won]).decision == "GO", "what is said now counts"


def test_a_later_statement_corrects_an_earlier_one() -> None:
    script = live().until("revoked").end()
    wrong, right = bank(script, "credit", 50), bank(script, "credit", 500, number=2)
    assert summarise(script.lines, [wrong, right]).decision == "GO"
    assert summarise(script.lines, [right, wrong]).decision == "GO", "the number counts, not the order of reading"


def test_a_rehearsed_live_run_decides_nothing_but_shows_what_it_would() -> None:
    script = live(rehearsal=True).until("revoked").end()
    document = summarise(script.lines, [bank(script, "credit", 500)]).to_json()
    assert (document["decision"], document["rehearsed_decision"], document["funds"]) == ("PENDING", "GO", "test")


def test_a_real_session_has_no_rehearsed_decision() -> None:
    assert "rehearsed_decision" not in summarise(live().until("revoked").lines).to_json()


@pytest.mark.parametrize(
    ("dry_run", "status"),
    [
        (None, "not_met"),
        (DRY_RUN, "met"),
        ({**DRY_RUN, "ended_at": "2026-04-19T09:00:00.000Z"}, "not_met"),
        ({**DRY_RUN, "ended_at": "2026-05-05T09:00:00.000Z"}, "not_met"),
        ({**DRY_RUN, "rehearsal": "yes"}, "not_met"),
    ],
)
def test_the_dry_run_is_of_the_last_14_days(dry_run: dict[str, str] | None, status: str) -> None:
    script = Script().start(live=True, rehearsal=False, release="2026.05", dry_run=dry_run)
    assert statuses(summarise(script.lines))["dry_run"] == status


def test_what_counts_as_a_dry_run() -> None:
    passed = summarise(Script().start(release="a").until("revoked").end().lines)
    ended = datetime.fromisoformat(passed.last_at)
    assert counts_as_dry_run(passed, "a", ended + timedelta(days=14))
    assert not counts_as_dry_run(passed, "a", ended + timedelta(days=14, seconds=1))
    assert not counts_as_dry_run(passed, "a", ended - timedelta(seconds=1))
    assert counts_as_dry_run(passed, "a", ended)
    assert not counts_as_dry_run(passed, "b", ended)
    assert not counts_as_dry_run(passed, None, ended)
    running = summarise(Script().start(release="a").until("revoked").lines)
    assert not counts_as_dry_run(running, "a", ended)
    real = summarise(Script().start(live=True, rehearsal=False, release="a").until("revoked").end().lines)
    assert not counts_as_dry_run(real, "a", ended + timedelta(hours=1))


def test_a_blocked_gate_is_a_refusal_without_a_session() -> None:
    document = summarise(Script().start(blocked=True).lines).to_json()
    assert (document["outcome"], document["session"]) == ("refused", None)


def test_a_payment_in_doubt_is_not_called_uncharged() -> None:
    summary = summarise(Script().start().until("pay").lines)
    assert (summary.money.charged_cents, summary.refund_open) == (None, None)


def test_an_order_that_failed_was_charged_nothing() -> None:
    script = Script().start().until("order")
    script.call("pay", "getOrder", script.order("failed"))
    script.fail("pay", "declined")
    assert summarise(script.lines).money.charged_cents == 0


def test_before_any_order_nothing_was_charged() -> None:
    assert summarise(Script().start().until("products").lines).money.charged_cents == 0


def test_a_charge_is_seen_at_the_processor_while_the_order_is_not_completed() -> None:
    script = live().until("pay")
    script.call("completed", "getOrder", script.order("pending_payment"))
    paid: JSON = {
        "payment_id": PAYMENT,
        "status": "succeeded",
        "amount": 500,
        "amount_received": 500,
        "currency": "EUR",
    }
    script.call("completed", "getPayment", paid, processor=True)
    script.pause("completed", "paid_not_completed", "completion")
    summary = summarise(script.lines)
    assert (summary.money.charged_cents, summary.refund_open) == (500, True)
    assert (summary.outcome, summary.waiting_for, summary.decision) == ("incomplete", "completion", "PENDING")
    assert statuses(summary)["order_completed"] == "pending"


def test_a_statement_is_awaited_of_money_that_came_back_without_a_request() -> None:
    script = live().until("pay")
    script.call("completed", "getOrder", script.order("pending_payment"))
    paid: dict[str, JSON] = {
        "payment_id": PAYMENT, "status": "succeeded", "amount": 500, "amount_received": 500, "currency": "EUR",
    }  # fmt: skip
    script.call("completed", "getPayment", paid, processor=True)
    assert statuses(summarise(script.lines))["bank_statement"] == "not_applicable"
    back: JSON = {"refund_id": REFUND, "payment_id": PAYMENT, "status": "succeeded", "amount": 500, "currency": "EUR"}
    script.call("completed", "getPayment", {**paid, "refunds": [back]}, processor=True)
    script.fail("completed", "paid_not_completed").end("failed")
    summary = summarise(script.lines)
    assert (summary.money.state, statuses(summary)["bank_statement"]) == ("returned", "pending")
    assert statement_due(summary) is not None
    assert statuses(summarise(script.lines, [bank(script, "credit", 500)]))["bank_statement"] == "met"


def test_a_partial_capture_is_the_amount_that_was_received() -> None:
    script = live().until("pay")
    script.call("completed", "getOrder", script.order("completed"))
    part: JSON = {
        "payment_id": PAYMENT,
        "status": "partially_captured",
        "amount": 500,
        "amount_received": 300,
        "currency": "EUR",
    }
    call = script.call("completed", "getPayment", part, processor=True)
    script.say(Compared(step="completed", id="R1", equal=False, left="5.00 EUR", right="3.00 EUR", calls=(call,)))
    script.fail("completed", "amount_differs")
    summary = summarise(script.lines)
    assert (summary.money.state, summary.money.charged_cents, summary.decision) == ("unknown", 500, "NO-GO")
    assert statuses(summary)["amount_matches"] == "not_met"
    assert {r.id: r.status for r in summary.reconciliation}["R1"] == "differs"


def test_a_refund_that_fails_late_is_no_refund() -> None:
    script = live().until("refund").say(StepStarted(step="revoked"))
    script.call("revoked", "getOrder", script.refunded_order())
    script.call("revoked", "getOrder", script.order("refund_failed", refund_status="failed"))
    script.fail("revoked", "refund_failed")
    summary = summarise(script.lines)
    assert (summary.money.refunded_cents, summary.refund_open) == (0, True)
    assert statuses(summary)["refund_completed"] == "not_met"
    assert statuses(summary)["license_revoked"] == "not_checked"


def test_a_license_that_stays_active_is_not_the_refunds_fault() -> None:
    script = live().until("refund").say(StepStarted(step="revoked"))
    script.call("revoked", "getOrder", script.refunded_order())
    script.call("revoked", "listMyLicenses", [script.license_row("active")])
    script.refunded_at_processor().fail("revoked", "license_not_revoked")
    found = statuses(summarise(script.lines))
    assert (found["refund_completed"], found["license_revoked"]) == ("met", "not_met")


def test_a_refund_for_days_waits_for_the_refund() -> None:
    script = live().until("refund").say(StepStarted(step="revoked")).pause("revoked", "refund_pending", "refund")
    summary = summarise(script.lines)
    assert (summary.outcome, summary.waiting_for) == ("incomplete", "refund")
    assert statuses(summary)["refund_completed"] == "pending"


@pytest.mark.parametrize(("step", "waits"), [("pay", "operator"), ("completed", "completion"), ("revoked", "refund")])
def test_an_interrupted_session_waits_for_what_was_under_way(step: StepName, waits: str) -> None:
    script = live().until(STEPS[STEPS.index(step) - 1]).say(StepStarted(step=step), SessionInterrupted(reason="SIGINT"))
    assert summarise(script.lines).waiting_for == waits


def test_an_abandoned_session_waits_for_nobody() -> None:
    script = Script().start().until("order").say(SessionAbandoned(reason="wrong product")).end("incomplete")
    summary = summarise(script.lines)
    assert (summary.waiting_for, summary.abandoned) == (None, "wrong product")


def test_unconfirmed_or_unexplained_transfers_are_not_booked() -> None:
    for change, status in (({"confirmed": False}, "not_checked"), ({"unexplained_cents": 1}, "not_met")):
        script = live().until("transfers")
        result = {**script.lines[-1].event.result, **change}  # type: ignore[attr-defined]
        script.done("transfers", "again", **result)
        assert statuses(summarise(script.lines))["transfer_booked"] == status


def test_without_the_processor_its_amount_is_not_claimed() -> None:
    script = live().until("pay").completed(processor=False)
    summary = summarise(script.lines)
    assert {r.id: r.status for r in summary.reconciliation}["R1"] == "not_checked"
    assert summary.item("amount_matches").status == "not_checked"
    assert "R1 not compared" in summary.item("amount_matches").reason


def test_the_summary_takes_no_notice_of_the_clock() -> None:
    script = live().until("revoked").end()
    assert summarise(script.lines) == summarise(list(script.lines))
    assert summarise(script.lines).refunded_at == "2026-05-04T09:01:20Z"


@pytest.mark.parametrize("sent", ["5.00", "5", 5, "5.000"])
def test_a_decimal_amount_is_read_in_the_digits_that_were_sent(sent: JSON) -> None:
    script = live().until("pay")
    order = {name: value for name, value in script.order("completed").items() if not name.endswith("_cents")}
    script.call("completed", "getOrder", {**order, "total_amount": sent})
    script.fail("completed", "amount_differs")
    assert summarise(script.lines).money.charged_cents == 500
