"""Rules that must hold on the second way to the same place, and where two of them meet."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from runner.test_bars import LATER, NINE, learnt, new
from runner.test_paid_elsewhere import doubting, order_of
from runner.test_payment_lists import Shown, second
from runner.test_refund_rest import again, amounts, told
from scripted_session import SESSION, Script

from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.engine.bars import recent_logins, unresolved
from veza_e2e.engine.reread import look_at, news
from veza_e2e.engine.session import open_stage
from veza_e2e.engine.supply import supply
from veza_e2e.evidence import Addendum, summarise
from veza_e2e.journal import MemorySink
from veza_e2e.journal.account import backend
from veza_e2e.journal.events import SessionAbandoned, StepFailed, StepPaused
from veza_e2e.ports.protocols import Left
from veza_e2e.redaction import Redactor

if TYPE_CHECKING:
    from pathlib import Path

    from runner.conftest import Walk

ORDER = "7d3f0e5e-93f5-4c1c-8d3a-0e0d3a1b2c3d"
FAILED: dict[str, Any] = {
    "status": "completed", "refund_id": "RF-1", "refund_status": "failed", "refunded_amount_cents": None,
}  # fmt: skip


def test_a_second_payment_by_the_shops_own_number_is_part_of_the_account(walk: Walk) -> None:
    walk.goes_through()
    Shown(
        walk, second(merchant_order_reference_id="2026-1"), metadata={"order_id": ORDER},
        merchant_order_reference_id="2026-1",
    )  # fmt: skip
    walk.begin()
    walk.go_on()
    summary = again(walk)
    assert (summary.outcome, summary.money.state) == ("failed", "charged")
    assert "charged 10.00 EUR, back 5.00 EUR, open 5.00 EUR" in summary.money.sentence


@pytest.mark.parametrize(
    "changes", [{"total_amount_cents": 600, "tax_amount_cents": 100}, {"total_amount_cents": 2600}]
)
def test_an_order_that_was_paid_elsewhere_can_be_refunded_though_its_total_was_not_agreed_to(
    walk: Walk, changes: dict[str, Any]
) -> None:
    doubting(walk)
    walk.go_on()
    walk.clock.sleep(300)
    order_of(walk, ORDER, "completed", seconds=-290).update(changes)
    walk.person.always = {**walk.person.always, "paid_elsewhere": "y", "vat": "n"}
    again(walk)
    again(walk)
    assert walk.writes("requestRefund") == 1
    assert any("was paid already" in one for one in walk.person.told) == ("tax_amount_cents" not in changes)


def test_a_page_that_is_not_offered_again_hides_no_payment_that_was_made(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    walk.page.act = lambda _: True
    walk.person.always = {**walk.person.always, "paid": "q"}
    walk.begin()
    with pytest.raises(Left):
        walk.go_on()
    walk.backend.shop.order(walk.only_order()).update(total_amount_cents=700)
    walk.processes(status="succeeded", amount=500, amount_received=500)
    summary = again(walk)
    assert (summary.step("pay").status, summary.step("completed").finding) == ("passed", "paid_not_completed")
    assert summary.money.charged_cents == 500


def test_an_order_that_calls_all_its_refunds_by_one_id_is_believed_after_a_day(walk: Walk) -> None:
    walk.goes_through()
    told(walk, FAILED, FAILED)
    walk.begin()
    walk.go_on()
    again(walk)
    assert walk.events(StepFailed, StepPaused)[-1].finding == "refund_pending"
    walk.clock.sleep(25 * 3600)
    again(walk)
    assert walk.events(StepFailed, StepPaused)[-1].finding == "refund_failed"
    again(walk)
    assert amounts(walk) == [None] * 3


def test_what_is_held_by_a_payment_that_the_order_does_not_name_is_said_to_be_so(walk: Walk) -> None:
    walk.goes_through()
    Shown(walk, second(metadata={"order_id": ORDER}), metadata={"order_id": ORDER})
    back = {"refund_id": "dash", "status": "succeeded", "amount": 500, "currency": "EUR"}

    def at_the_dashboard(data: dict[str, Any]) -> None:
        if data["payment_id"] != "second" and data["status"] == "succeeded":
            data["refunds"] = [{**back, "payment_id": data["payment_id"]}]

    walk.payments_tell(at_the_dashboard)
    walk.begin()
    walk.go_on()
    summary = again(walk)
    assert amounts(walk) == []
    assert "is held by payment" in summary.step("refund").observed
    assert "at the processor's dashboard" in str(summary.step("refund").todo)


def test_the_processors_failed_refund_leads_on_while_the_backend_calls_it_pending(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    told(walk, {"status": "refund_pending", "refund_status": "pending", "refunded_amount_cents": None})
    back = {"refund_id": "re_1", "status": "failed", "amount": 500, "currency": "EUR"}

    def lists(data: dict[str, Any]) -> None:
        if amounts(walk):
            data.update(status="succeeded", amount_received=500, refunds=[{**back, "payment_id": data["payment_id"]}])

    walk.payments_tell(lists)
    walk.begin()
    assert "refund the payment at its dashboard" in str(walk.go_on().step("revoked").todo)


def test_licenses_in_capitals_are_revoked_as_well(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    walk.ledger.held = lambda: [walk.transfer(license_status="REVOKED")]
    walk.begin()
    assert walk.go_on().item("license_revoked").status == "met"


def test_rows_after_a_refund_that_somebody_else_asked_for_fail_nothing(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    walk.person.always = {**walk.person.always, "refund": ""}
    walk.begin()
    walk.go_on()
    walk.backend.shop.refund(ORDER, None)
    assert again(walk).outcome == "passed"
    supply(walk.stage, None)
    assert walk.stage.summary().outcome == "passed"


def test_a_list_that_is_whole_after_the_end_is_news_once_and_takes_back_that_it_was_not_seen(walk: Walk) -> None:
    walk.goes_through()
    Shown(walk, counts={"total_count": 2})
    walk.begin()
    assert walk.go_on().money.sentence.endswith("whether there are other payments was not seen")
    Shown(walk)
    lines, found = list(walk.lines), list[Addendum]()
    stage = open_stage(walk.parts(), MemorySink(), idempotency=False)
    for _ in range(2):
        now = summarise(lines, found)
        told = news(look_at(stage.api, stage.processor, now), now, lines, found, walk.clock.now())
        found += [told] if told is not None else []
    after = summarise(lines, found)
    assert (len(found), after.money.sentence) == (1, "charged 5.00 EUR, back 5.00 EUR")
    assert {one.status for one in after.reconciliation} == {"equal"}


def test_a_damaged_session_stops_no_count_of_logins(tmp_path: Path) -> None:
    Script(NINE).start().login().store(tmp_path)
    newer = Script(NINE, session=LATER).start().until("completed").store(tmp_path)  # the newest is looked at first
    (newer / "journal.jsonl").write_bytes(b"")
    at = NINE + timedelta(minutes=1)
    assert recent_logins(Archive(tmp_path), new("rehearsal", live=False), at) == 1


@pytest.mark.parametrize(("back", "bars"), [(200, False), (0, False)])
def test_a_smaller_loss_than_the_one_that_was_given_up_bars_nothing(tmp_path: Path, back: int, *, bars: bool) -> None:
    accepted = SessionAbandoned(reason="x", accepted_cents=500, accepted_currency="EUR")
    script = Script(NINE).start().until("completed").say(accepted).end("incomplete")
    stored = Stored(SESSION, script.store(tmp_path))
    stored.add(replace(learnt(script, "refunded"), refund_status="succeeded", refunded_cents=back), Redactor())
    assert (unresolved(Archive(tmp_path), new("rehearsal")) is not None) == bars


@pytest.mark.parametrize("address", ["http://h:99999", "http://[::1", "https://h:x", ""])
def test_an_address_that_cannot_be_read_names_itself(address: str) -> None:
    assert backend(address) == address
