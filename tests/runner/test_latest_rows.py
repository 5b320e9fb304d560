"""The latest rows of seller_transfers count: what they take back is not equal any more, and what disagrees is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from veza.testing import Reply
from veza_e2e.canonical import JSON
from veza_e2e.cli.last_screen import Surroundings, last_screen
from veza_e2e.engine.finish import conclude
from veza_e2e.engine.supply import supply
from veza_e2e.evidence import Item, Reconciliation, Summary, summarise
from veza_e2e.evidence.due import nothing_due, still_open
from veza_e2e.journal import timestamp
from veza_e2e.journal.addenda import Dashboard, RowsSupplied
from veza_e2e.journal.events import StepFailed
from veza_e2e.journal.readings import DashboardRead
from veza_e2e.ports.seller_transfers import COLUMNS

if TYPE_CHECKING:
    from runner.conftest import Walk

KEPT: dict[str, JSON] = {"status": "completed", "reversed_amount_cents": 0, "stripe_reversal_id": None}
REFUSED: dict[str, JSON] = {**KEPT, "error_message": "insufficient funds"}


def csv(row: dict[str, JSON], *more: str) -> str:
    names = [*COLUMNS, *more]
    return "\n".join([",".join(names), ",".join("" if (one := row.get(n)) is None else f'"{one}"' for n in names)])


def by_hand(walk: Walk, *answers: str | dict[str, JSON]) -> Summary:
    """A session whose steps 7 and 9 are given these answers: a text, or the changes of a right row."""
    walk.goes_through()
    walk.processes()
    walk.ledger.held, walk.ledger.source = None, "pasted"
    right = {"transfers_right": "y", "reversals_right": "y", "reversals_late": "go on"}
    walk.person.always = {**walk.person.always, **right}
    walk.person.answers = [
        one if isinstance(one, str) else lambda one=one: csv(walk.transfer(**one), *(one.keys() - {*COLUMNS}))  # type: ignore[misc]
        for one in answers
    ]
    walk.begin()
    return walk.go_on()


def supplied(walk: Walk, changes: Mapping[str, JSON] | None = None, *, hours: int = 1) -> RowsSupplied:
    """Rows that are supplied some hours after the last event."""
    at = datetime.fromisoformat(walk.lines[-1].at) + timedelta(hours=hours)
    return RowsSupplied(
        session="s", session_hash="0" * 64, number=1, seq=0, at=timestamp(at), source="pasted", sql="",
        rows=(walk.transfer(**(changes or {})),),
    )  # fmt: skip


def person(cents: int) -> Dashboard:
    return Dashboard(
        session="s", session_hash="0" * 64, number=1, seq=0, at="2026-11-05T09:00:00.000Z", by="A. Person",
        currency="EUR", reversed_cents=cents,
    )  # fmt: skip


def after(walk: Walk, *said: Dashboard | RowsSupplied) -> Summary:
    """The session with addenda."""
    events = len(walk.lines)
    return summarise(walk.lines, [replace(one, number=n, seq=events + n) for n, one in enumerate(said, 1)])


def rule(summary: Summary, name: str) -> Reconciliation:
    return next(one for one in summary.reconciliation if one.id == name)


def refund(summary: Summary) -> Item:
    return summary.item("refund_completed")


SKIPPED = ("skip", "no psql here")


def test_rows_that_show_a_reversal_no_more_leave_the_refund_open(walk: Walk) -> None:
    assert refund(by_hand(walk, {}, {})).status == "met"
    late = after(walk, supplied(walk, KEPT))
    assert (rule(late, "R5").status, refund(late).status) == ("not_checked", "pending")
    assert "4.50 EUR were transferred to the seller, 0.00 EUR reversed; look again with `rows`" in refund(late).reason
    assert refund(late).evidence[-1] == len(walk.lines) + 1
    missing = after(walk, supplied(walk, KEPT), supplied(walk, KEPT, hours=25))
    assert (rule(missing, "R5").status, refund(missing).status, missing.outcome) == ("differs", "not_met", "failed")
    again = after(walk, supplied(walk, KEPT), supplied(walk))
    assert (rule(again, "R5").status, refund(again).status) == ("equal", "met")


def test_what_a_live_run_has_open_by_later_rows_is_due(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    walk.started |= {"live_requested": True}
    walk.person.always = {**walk.person.always, "amount": "5.00 EUR", "refund": "refund"}
    walk.begin()
    assert walk.go_on().outcome == "passed"
    assert "R5" not in str(still_open(after(walk)))
    assert "R5 not compared: supply the rows with: " in str(still_open(after(walk, supplied(walk, KEPT))))


def test_a_transfer_that_later_rows_call_pending_is_booked_no_more(walk: Walk) -> None:
    assert by_hand(walk, {}, {}).item("transfer_booked").status == "met"
    pending = after(walk, supplied(walk, {"status": "pending", "stripe_transfer_id": None}))
    assert (rule(pending, "R2").status, pending.item("transfer_booked").status) == ("not_checked", "pending")
    unpaid = after(walk, supplied(walk, {"stripe_transfer_id": None}))
    assert (rule(unpaid, "R2").status, unpaid.item("transfer_booked").status) == ("not_checked", "pending")
    unpaid = after(walk, supplied(walk, {"stripe_transfer_id": None}, hours=25))
    assert (rule(unpaid, "R2").status, unpaid.item("transfer_booked").status) == ("not_checked", "not_met")


@pytest.mark.parametrize("order", ["rows first", "person first"])
@pytest.mark.parametrize("row", [KEPT, REFUSED, {"stripe_reversal_id": None}], ids=["late", "refused", "unproven"])
def test_the_database_and_a_person_who_disagree_about_the_reversal_are_named(
    walk: Walk, row: dict[str, JSON], order: str
) -> None:
    assert refund(by_hand(walk, {}, *SKIPPED)).status == "not_checked"
    assert refund(after(walk, person(450))).status == "met"
    said = supplied(walk, row), person(450)
    summary = after(walk, *(said if order == "rows first" else reversed(said)))
    assert refund(summary).status == ("not_met" if row is REFUSED else "pending")
    assert "in the rows, 4.50 EUR by a person" in refund(summary).reason
    settled = after(walk, *said, supplied(walk))
    assert rule(settled, "R5").status == "equal"
    other = after(walk, supplied(walk), person(0))
    assert (rule(other, "R5").status, rule(other, "R5").right) == (
        "differs",
        "4.50 EUR in the rows, 0.00 EUR by a person",
    )


def test_a_person_does_not_settle_what_step_9_read_otherwise(walk: Walk) -> None:
    assert by_hand(walk, {}, {"stripe_reversal_id": None, "error_message": "no balance"}).outcome == "failed"
    (failed,) = walk.events(StepFailed)
    assert failed.observed == "transfer t is reversed without the Stripe id of a reversal (no balance)"
    assert "Reverse the transfer" not in failed.todo
    assert rule(after(walk), "R5").status == "not_checked"
    assert failed.observed in refund(after(walk)).reason
    walk.stage.journal.append(DashboardRead(by="A. Person", currency="EUR", reversed_cents=450))
    assert refund(walk.stage.summary()).status == "not_met"


def test_rows_that_contradict_themselves_are_settled_by_a_person_or_by_other_rows(walk: Walk) -> None:
    summary = by_hand(walk, {}, {"error_message": "insufficient funds"})
    assert (summary.outcome, rule(summary, "R5").status, refund(summary).status) == (
        "passed", "not_checked", "not_checked",
    )  # fmt: skip
    assert "tell both a reversal and an error (insufficient funds); record what" in refund(summary).reason
    assert any(text.startswith("R5 is not compared: the rows tell both") for text in walk.person.told)
    assert refund(after(walk, person(450))).status == "met"
    assert refund(after(walk, person(0))).status == "not_met"
    assert refund(after(walk, supplied(walk))).status == "met"


def test_rows_that_contradict_what_step_9_found_equal_count(walk: Walk) -> None:
    by_hand(walk, {}, {})
    unclear = after(walk, supplied(walk, {"error_message": "insufficient funds"}))
    assert (rule(unclear, "R5").status, refund(unclear).status) == ("not_checked", "not_checked")


def test_a_transfer_of_which_more_was_reversed_is_not_reversed_again(walk: Walk) -> None:
    summary = by_hand(walk, {}, {"reversed_amount_cents": 600})
    (failed,) = walk.events(StepFailed)
    assert failed.observed == "6.00 EUR of transfer t were reversed, more than 4.50 EUR"
    assert failed.meaning.startswith("The seller pays for what was reversed on top of it.")
    assert failed.todo.startswith("Reverse nothing more")
    assert (refund(summary).status, refund(summary).reason) == ("not_met", "R5: 4.50 EUR is not 6.00 EUR")


@pytest.mark.parametrize("states", ["active", "active, revoked"])
def test_a_license_that_the_rows_do_not_call_revoked_contradicts_the_api(walk: Walk, states: str) -> None:
    summary = by_hand(walk, {}, {"license_status": states})
    item = summary.item("license_revoked")
    told = f"a license is {states} by the database, and revoked by the API; look again with `rows`"
    assert (item.status, item.reason) == ("pending", told), "a replica may lag"
    assert after(walk, supplied(walk, {"license_status": states}, hours=25)).item("license_revoked").status == "not_met"
    assert after(walk, supplied(walk, {"license_status": "revoked"})).item("license_revoked").status == "met"
    assert after(walk, supplied(walk)).item("license_revoked").reason == told, "rows that do not tell take nothing back"


def test_a_run_whose_license_the_rows_call_active_for_a_day_failed_until_later_rows_do_not(walk: Walk) -> None:
    by_hand(walk, {}, {})
    wrong, right = supplied(walk, {"license_status": "active"}, hours=25), supplied(walk, {"license_status": "revoked"})
    _, ended = conclude(walk.stage)
    assert ended is not None
    walk.stage.journal.append(ended)
    failed = replace(after(walk, wrong), live_requested=True)
    assert (failed.outcome, failed.step("revoked").finding) == ("failed", "license_not_revoked")
    assert failed.item("license_revoked").status == "not_met"
    assert failed.step("revoked").observed == failed.item("license_revoked").reason
    assert f"put right, supply the rows with: veza-e2e --env staging rows {failed.session}" in str(still_open(failed))
    said = "\n".join(last_screen(failed, Surroundings(lambda *words: " ".join(words), date(2026, 11, 6))))
    assert f"once that is put right, supply the rows: rows {failed.session}" in said
    assert nothing_due(failed) == "nothing is due, though not all is met: license revoked"
    untold = after(walk, wrong, supplied(walk, hours=26))
    assert (untold.outcome, untold.item("license_revoked").reason) == ("failed", failed.item("license_revoked").reason)
    put_right = replace(after(walk, wrong, right), live_requested=True)
    assert (put_right.outcome, "rows" in str(still_open(put_right))) == ("passed", False)


def test_a_license_that_was_active_before_the_refund_contradicts_nothing(walk: Walk) -> None:
    summary = by_hand(walk, {"license_status": "active"}, *SKIPPED)
    assert summary.item("license_revoked").status == "met"
    later = after(walk, supplied(walk, {"license_status": "active"}))
    assert later.item("license_revoked").status == "pending"


@pytest.mark.parametrize(("member", "named"), [("transfer_currency", "currency"), ("amount_cents", "amount")])
def test_what_a_transfer_does_not_tell_is_not_checked_and_can_be_supplied(walk: Walk, member: str, named: str) -> None:
    summary = by_hand(walk, {member: None}, {})
    told = f"the {named} of transfer t is not told"
    assert (summary.outcome, rule(summary, "R2").status, rule(summary, "R5").status) == (
        "passed", "not_checked", "equal",
    )  # fmt: skip
    assert (summary.step("transfers").status, summary.item("transfer_booked").status) == ("skipped", "not_checked")
    assert (summary.step("transfers").observed, summary.item("transfer_booked").reason) == (told, told)
    assert after(walk, supplied(walk, {member: None})).item("transfer_booked").reason == told
    assert after(walk, supplied(walk)).item("transfer_booked").status == "met"


TAXED: dict[str, JSON] = {"tax_amount_cents": 80, "amount_cents": 370}
TAXED_BACK: dict[str, JSON] = {**TAXED, "reversed_amount_cents": 370}


def untaxed(walk: Walk, when_paid: int | None) -> None:
    """The API tells no tax of the order, unless as soon as it is paid."""
    create, pay = walk.backend.shop.create, walk.backend.shop.pay

    def created(buyer: str, items: list[dict[str, Any]]) -> dict[str, Any]:
        placed = create(buyer, items)
        placed["order"]["tax_amount_cents"] = None
        walk.backend.shop.orders[placed["order"]["id"]]["tax_amount_cents"] = None
        return placed

    def paid(order_id: str) -> bool:
        walk.backend.shop.order(order_id)["tax_amount_cents"] = when_paid
        return pay(order_id)

    walk.backend.shop.create, walk.backend.shop.pay = created, paid  # type: ignore[method-assign]  # the fake tells 0


def test_the_rows_are_compared_with_the_tax_that_the_api_last_told(walk: Walk) -> None:
    untaxed(walk, 80)
    summary = by_hand(walk, TAXED, TAXED_BACK)
    assert (summary.outcome, rule(summary, "R2").left, rule(summary, "R2").status) == ("passed", "4.20 EUR", "equal")
    assert "tax" not in summary.step("transfers").observed
    assert after(walk, supplied(walk, TAXED_BACK)).item("transfer_booked").status == "met"


def test_a_tax_that_the_api_never_told_does_not_contradict_the_databases(walk: Walk) -> None:
    untaxed(walk, None)
    summary = by_hand(walk, TAXED, TAXED_BACK)
    assert (summary.outcome, rule(summary, "R2").left, rule(summary, "R2").status) == ("passed", "4.20 EUR", "equal")
    assert summary.step("transfers").observed.endswith("; only the database told the tax of 0.80 EUR")
    assert after(walk, supplied(walk, TAXED_BACK)).item("transfer_booked").status == "met"


def test_a_tax_that_the_api_told_otherwise_is_wrong(walk: Walk) -> None:
    untaxed(walk, 70)
    summary = by_hand(walk, TAXED)
    assert "tax is 0.80 EUR in the database, and 0.70 EUR by the API" in summary.step("transfers").observed


def test_rows_that_step_9_reads_again_are_later_than_those_that_were_supplied(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    reverse = walk.ledger.held
    walk.ledger.held = lambda: [walk.transfer(**KEPT)]
    walk.begin()
    assert walk.go_on().waiting_for == "reversal"
    supply(walk.stage, None)
    assert refund(walk.stage.summary()).status == "pending"
    walk.ledger.held = reverse
    walk.resume()
    summary = walk.go_on()
    assert (summary.outcome, rule(summary, "R5").status, refund(summary).status) == ("passed", "equal", "met")


def test_rows_that_are_supplied_tell_of_the_reversal_only_once_a_refund_was_asked_for(walk: Walk) -> None:
    by_hand(walk, *SKIPPED, *SKIPPED)
    told = supply(walk.stage, csv(walk.transfer()))
    assert (told.booking.status, told.reversal and told.reversal.status) == ("booked", "reversed")
    (asked,) = [line.seq for line in walk.lines if getattr(line.event, "operation", "") == "requestRefund"][:1]
    walk.resume(upto=asked - 1)
    kept = supply(walk.stage, csv(walk.transfer(**KEPT)))
    assert (kept.booking.status, kept.reversal) == ("booked", None)


def test_an_api_that_says_once_more_what_it_said_does_not_outdate_the_license_column(walk: Walk) -> None:
    assert by_hand(walk, {}, KEPT, KEPT).waiting_for == "reversal"
    walk.resume()
    assert walk.go_on().waiting_for == "reversal"
    supply(walk.stage, csv(walk.transfer(license_status="active"), "license_status"))
    walk.resume()
    summary = walk.go_on()
    assert (summary.outcome, summary.item("license_revoked").status) == ("passed", "pending")
    walk.clock.sleep(24 * 3600)
    supply(walk.stage, csv(walk.transfer(license_status="active"), "license_status"))
    assert walk.stage.summary().item("license_revoked").status == "not_met"
    supply(walk.stage, csv(walk.transfer(license_status="revoked"), "license_status"))
    assert walk.stage.summary().item("license_revoked").status == "met"


def test_rows_contradict_an_api_that_called_the_license_active_at_first_and_revoked_at_last(walk: Walk) -> None:
    refund = walk.backend.shop.refund

    def refunded(order_id: str, amount_cents: int | None) -> dict[str, Any]:
        active: list[JSON] = [dict(one) for one in walk.backend.shop.licenses.values()]
        walk.backend.script("listMyLicenses", Reply(data=active))
        return refund(order_id, amount_cents)

    walk.backend.shop.refund = refunded  # type: ignore[method-assign]  # its licenses lag behind
    assert by_hand(walk, {}, {}).item("license_revoked").status == "met"
    assert after(walk, supplied(walk, {"license_status": "active"})).item("license_revoked").status == "pending"
    late = after(walk, supplied(walk, {"license_status": "active"}, hours=25))
    assert (late.item("license_revoked").status, late.step("revoked").finding) == ("not_met", "license_not_revoked")


def test_only_rows_that_were_read_after_the_refund_say_that_its_license_is_revoked(walk: Walk) -> None:
    refund = walk.backend.shop.refund

    def refunded(order_id: str, amount_cents: int | None) -> dict[str, Any]:
        walk.backend.script("listMyLicenses", *[Reply(data="no list")] * 40)
        return refund(order_id, amount_cents)

    walk.backend.shop.refund = refunded  # type: ignore[method-assign]  # from now on its licenses cannot be read
    assert by_hand(walk, {}, {}).item("license_revoked").status == "pending"
    before, told = supplied(walk, {"license_status": "revoked"}, hours=-9), {"license_status": "revoked"}
    assert after(walk, before, supplied(walk)).item("license_revoked").status == "pending"
    met = after(walk, supplied(walk, told), supplied(walk)).item("license_revoked")
    assert (met.status, met.reason) == ("met", "revoked by the database")
