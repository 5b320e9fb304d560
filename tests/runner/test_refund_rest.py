"""What is asked for after a part came back, after a status that nobody knows, and while a read lags behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from veza.testing import Reply
from veza_e2e.evidence import Summary
from veza_e2e.journal.events import StepFailed, StepFinished, StepPaused
from veza_e2e.journal.readings import DashboardRead

if TYPE_CHECKING:
    from runner.conftest import Walk

ORDER = "7d3f0e5e-93f5-4c1c-8d3a-0e0d3a1b2c3d"


class Unrevoked(dict[str, dict[str, Any]]):
    """Licenses that a refund does not revoke."""

    def values(self) -> Any:
        return [{**one, "status": "active", "revoked_at": None} for one in super().values()]


def again(walk: Walk) -> Summary:
    walk.resume()
    return walk.go_on()


def amounts(walk: Walk) -> list[int | None]:
    """What each request for a refund asked for."""
    sent = [one.body for one in walk.backend.sent if one.operation == "requestRefund"]
    return [one.get("amount_cents") if isinstance(one, dict) else None for one in sent]


def told(walk: Walk, *answers: dict[str, Any]) -> None:
    """Let the order say this after each refund that is asked for, one after the other."""
    refund, left = walk.backend.shop.refund, list(answers)

    def odd(order_id: str, amount_cents: int | None) -> dict[str, Any]:
        order = walk.backend.shop.order(ORDER)
        order["status"] = "completed"  # this backend takes a further request
        answer = refund(order_id, amount_cents)
        if left:
            order.update(left.pop(0))
        return answer

    walk.backend.shop.refund = odd  # type: ignore[method-assign]  # the fake refunds an order once, and whole


@pytest.mark.parametrize("status", ["processing", "requires_action", "canceled"])
def test_a_refund_in_a_state_that_nobody_knows_is_named_and_not_asked_for_again(walk: Walk, status: str) -> None:
    walk.goes_through()
    told(walk, {"status": "completed", "refund_status": status, "refunded_amount_cents": None})
    walk.begin()
    for _ in range(2):
        summary = walk.go_on()
        assert summary.step("revoked").finding == "unknown_status"
        assert f"its refund '{status}'" in summary.step("revoked").observed
        assert "ask for the refund again" not in str(summary.step("revoked").todo)
        walk.resume()
    assert amounts(walk) == [None]


def test_a_refund_in_an_unknown_state_that_was_made_elsewhere_is_not_asked_for_beside_it(walk: Walk) -> None:
    walk.goes_through()
    pay = walk.page.act

    def paid(url: str) -> bool:
        pay(url)
        walk.backend.shop.order(ORDER).update(refund_id="elsewhere", refund_status="processing")
        return True

    walk.page.act = paid
    walk.begin()
    summary = walk.go_on()
    assert summary.step("refund").finding == "unknown_status"
    assert amounts(walk) == []


def test_a_read_that_still_shows_the_refund_before_is_not_taken_for_the_one_that_was_asked_for(walk: Walk) -> None:
    walk.goes_through()
    failed = {"status": "completed", "refund_id": "first", "refund_status": "failed", "refunded_amount_cents": None}
    told(walk, failed, failed)
    walk.begin()
    assert walk.go_on().step("revoked").finding == "refund_failed"
    summary = again(walk)
    assert (amounts(walk), summary.waiting_for) == ([None, None], None if summary.outcome == "failed" else "refund")
    assert walk.events(StepPaused)[-1].finding == "refund_pending"
    again(walk)
    assert len(amounts(walk)) == 2, "no third one beside one that may be pending"


@pytest.mark.parametrize("by", ["processor", "person"])
def test_after_a_part_came_back_elsewhere_only_the_rest_is_asked_for(walk: Walk, by: str) -> None:
    walk.goes_through()
    walk.person.always = {**walk.person.always, "refund": ""}
    walk.processes()
    walk.payments_tell(
        lambda data: data.update(refunds=[{
            "refund_id": "part", "payment_id": data["payment_id"], "status": "succeeded", "amount": 200,
            "currency": "EUR",
        }])
        if data["status"] == "succeeded" else None
    )  # fmt: skip
    if by == "person":
        walk.processor = None
    walk.begin()
    summary = walk.go_on()
    if by == "person":
        walk.resume()
        walk.stage.journal.append(
            DashboardRead(
                by="A Person", payment_id=summary.payment_id, charged_cents=500, refund_id="part", refunded_cents=200,
                currency="EUR",
            )
        )  # fmt: skip
    walk.person.always = {**walk.person.always, "refund": "y"}
    again(walk)
    assert any(f"Refund 3.00 EUR of order {ORDER}?" in one for one in walk.person.asked)
    assert amounts(walk) == [300]


def test_what_a_person_read_to_have_come_back_whole_is_not_asked_for(walk: Walk) -> None:
    walk.goes_through()
    walk.person.always = {**walk.person.always, "refund": ""}
    walk.begin()
    payment = walk.go_on().payment_id
    walk.person.always = {**walk.person.always, "refund": "y"}
    said = ((500, "EUR", "refund_in_doubt"), (200, "USD", "refund_in_doubt"), (0, "EUR", None))
    for refunded, currency, finding in said:
        walk.resume()
        walk.stage.journal.append(
            DashboardRead(
                by="A Person", payment_id=payment, charged_cents=500, refund_id="all", refunded_cents=refunded,
                currency=currency,
            )
        )  # fmt: skip
        assert walk.go_on().step("refund").finding == finding
    assert amounts(walk) == [None], "once the person had corrected it"


def test_what_a_person_read_beside_the_backends_refund_is_not_asked_for_as_well(walk: Walk) -> None:
    """2.00 came back at the dashboard, and the backend counts only the 3.00 that were asked for."""
    walk.goes_through()
    told(walk, {"status": "refunded", "refund_status": "succeeded", "refunded_amount_cents": 300})
    walk.person.always = {**walk.person.always, "refund": ""}
    walk.begin()
    payment = walk.go_on().payment_id
    walk.person.always = {**walk.person.always, "refund": "y"}
    walk.resume()
    walk.stage.journal.append(
        DashboardRead(
            by="A Person", payment_id=payment, charged_cents=500, refund_id="part", refunded_cents=200, currency="EUR",
        )
    )  # fmt: skip
    walk.go_on()
    again(walk)
    assert amounts(walk) == [300]
    paused = walk.events(StepFailed, StepPaused)[-1]
    assert paused.finding == "refund_in_doubt"
    own = walk.backend.shop.order(ORDER)["refund_id"]
    assert f"if the dashboard lists refund {own} too, record it as well" in paused.observed
    walk.resume()
    walk.stage.journal.append(
        DashboardRead(
            by="A Person", payment_id=payment, charged_cents=500, refund_id=own, refunded_cents=300, currency="EUR",
        )
    )  # fmt: skip
    summary = walk.go_on()
    assert (amounts(walk), str(summary.money.state)) == ([300], "returned")


def at_the_dashboard(walk: Walk, *parts: int, gives: int | None = None) -> None:
    """Parts came back at the dashboard; the backend counts only its own refunds, of which the first may give less."""
    walk.goes_through()
    walk.processes()
    asked: list[int] = []
    refund = walk.backend.shop.refund

    def own(order_id: str, amount_cents: int | None) -> dict[str, Any]:
        walk.backend.shop.order(ORDER)["status"] = "completed"  # this backend takes a further request
        answer = refund(order_id, amount_cents)
        asked.append(gives if gives and not asked else amount_cents or 500 - sum(parts))
        counts = {"status": "refunded", "refund_status": "succeeded", "refunded_amount_cents": sum(asked)}
        walk.backend.shop.order(ORDER).update(counts)
        return answer

    def tell(data: dict[str, Any]) -> None:
        told = {"payment_id": data["payment_id"], "status": "succeeded", "currency": "EUR"}
        paid = data["status"] == "succeeded"
        data["refunds"] = [
            {**told, "refund_id": f"r{n}", "amount": one} for n, one in enumerate([*parts, *asked]) if paid
        ]

    walk.backend.shop.refund = own  # type: ignore[method-assign]  # the fake refunds an order once
    walk.payments_tell(tell)
    walk.begin()


def test_a_part_that_came_back_at_the_dashboard_is_counted_though_the_backend_does_not(walk: Walk) -> None:
    at_the_dashboard(walk, 200)
    summary = walk.go_on()
    assert amounts(walk) == [300]
    assert str(summary.money.state) == "returned"
    assert summary.money.sentence == "charged 5.00 EUR, back 5.00 EUR; the backend counts 3.00 EUR of it"
    assert {one.by: str(one.amount) for one in summary.money.figures("refunded")} == {
        "backend": "3.00 EUR", "processor": "5.00 EUR",
    }  # fmt: skip
    assert (summary.outcome, summary.step("revoked").finding) == ("failed", "refund_differs"), "its books are wrong"
    assert "Refund nothing more." in str(summary.step("revoked").todo)
    assert not summary.money.unsettled_witness
    again(walk)
    assert amounts(walk) == [300]


def test_the_rest_is_asked_for_beside_a_part_that_the_backend_does_not_count(walk: Walk) -> None:
    at_the_dashboard(walk, 200, gives=200)
    summary = walk.go_on()
    assert (amounts(walk), str(summary.money.state)) == ([300], "charged")
    assert summary.money.sentence == "charged 5.00 EUR, back 4.00 EUR, open 1.00 EUR; the backend counts 2.00 EUR of it"
    summary = again(walk)
    assert (amounts(walk), str(summary.money.state)) == ([300, 100], "returned")


@pytest.mark.parametrize("parts", [(300,), (200, 300)])
def test_without_a_key_a_person_reads_every_refund_or_the_witnesses_disagree(
    walk: Walk, parts: tuple[int, ...]
) -> None:
    walk.goes_through()
    told(walk, {"status": "refunded", "refund_status": "succeeded", "refunded_amount_cents": 300})
    walk.begin()
    summary = walk.go_on()
    assert str(summary.money.state) == "charged"
    walk.person.always = {**walk.person.always, "refund": ""}
    walk.resume()
    for cents in parts:
        walk.stage.journal.append(
            DashboardRead(
                by="A", payment_id=summary.payment_id, charged_cents=500, refund_id=f"r{cents}", refunded_cents=cents,
                currency="EUR",
            )
        )  # fmt: skip
    summary = walk.go_on()
    assert str(summary.money.state) == ("charged" if parts == (300,) else "returned")
    assert amounts(walk) == [None]


@pytest.mark.parametrize("status", ["completed", "refund_failed"])
def test_what_a_failed_refund_names_as_come_back_is_not_asked_for_again(walk: Walk, status: str) -> None:
    walk.goes_through()
    told(walk, {"status": status, "refund_status": "failed", "refunded_amount_cents": 200})
    walk.begin()
    assert walk.go_on().step("revoked").finding == "refund_failed"
    again(walk)
    assert amounts(walk) == [None, 300]


@pytest.mark.parametrize("status", ["completed", "refunded"])
def test_the_rest_of_a_partial_refund_is_asked_for_whatever_else_is_wrong(walk: Walk, status: str) -> None:
    walk.goes_through()
    told(walk, {"status": status, "refund_status": "succeeded", "refunded_amount_cents": 200})
    walk.backend.shop.licenses = Unrevoked()
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, summary.step("revoked").finding) == ("failed", "refund_differs")
    assert "2.00 EUR came back of 5.00 EUR" in summary.step("revoked").observed
    again(walk)
    assert amounts(walk) == [None, 300]
    assert summary.money.refunded_cents == 200
    assert walk.events(StepFinished)[-1].step != "refund" or "3.00 EUR" in walk.events(StepFinished)[-1].observed


def test_a_rest_that_is_pending_is_named_with_its_own_amount(walk: Walk) -> None:
    walk.goes_through()
    told(
        walk,
        {"status": "refunded", "refund_status": "succeeded", "refunded_amount_cents": 200},
        {"status": "refund_pending", "refund_id": "rest", "refund_status": "pending"},
    )
    walk.begin()
    walk.go_on()
    summary = again(walk)
    assert "of 3.00 EUR is still pending" in walk.events(StepPaused)[-1].observed
    assert "back 2.00 EUR so far" in summary.money.said_by("backend")


@pytest.mark.parametrize("listed", ["succeeded", "failed"])
def test_the_processor_is_asked_while_the_backend_calls_the_refund_pending(walk: Walk, listed: str) -> None:
    walk.goes_through()
    walk.processes()
    told(walk, {"status": "refund_pending", "refund_status": "pending", "refunded_amount_cents": None})
    refund = {"refund_id": "re_1", "status": listed, "amount": 500, "currency": "EUR"}

    def lists(data: dict[str, Any]) -> None:
        if amounts(walk):
            data.update(status="succeeded", amount_received=500)
            data["refunds"] = [{**refund, "payment_id": data["payment_id"]}]

    walk.payments_tell(lists)
    walk.begin()
    summary = walk.go_on()
    assert summary.waiting_for == "refund"
    assert f"the processor lists refund re_1 of 5.00 EUR {listed}" in summary.step("revoked").observed
    assert summary.money.refunded_cents == (500 if listed == "succeeded" else 0)


def test_a_refund_that_failed_at_the_backend_and_not_at_the_processor_is_not_asked_for_again(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    told(walk, {"status": "completed", "refund_status": "failed", "refunded_amount_cents": None})
    refund = {"refund_id": "re_1", "status": "pending", "amount": 500, "currency": "EUR"}
    walk.payments_tell(
        lambda data: data.update(refunds=[{**refund, "payment_id": data["payment_id"]}]) if amounts(walk) else None
    )
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, summary.step("revoked").finding) == ("incomplete", "refund_pending")
    assert "the processor lists refund re_1 of 5.00 EUR pending" in summary.step("revoked").observed
    again(walk)
    assert amounts(walk) == [None]


@pytest.mark.parametrize("reply", [Reply(status=403), Reply(data="no list"), Reply(status=503)])
def test_licenses_that_cannot_be_read_hide_no_word_of_the_processor(walk: Walk, reply: Reply) -> None:
    walk.goes_through()
    walk.processes()
    refund = {"refund_id": "re_1", "status": "failed", "amount": 500, "currency": "EUR"}

    def failed(data: dict[str, Any]) -> None:
        if amounts(walk):
            data["refunds"] = [{**refund, "payment_id": data["payment_id"]}]
            walk.backend.script("listMyLicenses", *[reply] * 9)

    walk.payments_tell(failed)
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, summary.money.state) == ("failed", "unknown")
    assert summary.step("revoked").finding == "refund_differs"
    assert "the processor says charged 5.00 EUR, back 0.00 EUR" in summary.money.sentence


def test_an_unreadable_answer_about_licenses_leaves_step_9_open_to_resume(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    refund = walk.backend.shop.refund

    def refunded(order_id: str, amount_cents: int | None) -> dict[str, Any]:
        walk.backend.script("listMyLicenses", *[Reply(data="no list")] * 40)
        return refund(order_id, amount_cents)

    walk.backend.shop.refund = refunded  # type: ignore[method-assign]  # from now on its licenses cannot be read
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, summary.money.state) == ("incomplete", "returned")
    walk.backend._scripts.clear()
    assert again(walk).outcome == "passed"


@pytest.mark.parametrize("status", [403, 404, 422])
def test_a_refund_that_the_backend_refuses_leads_to_the_processors_dashboard(walk: Walk, status: int) -> None:
    walk.goes_through()
    walk.begin()
    walk.backend.script("requestRefund", Reply(status=status))
    walk.go_on()
    (failed,) = walk.events(StepFailed)
    assert "refund the payment at the processor's dashboard, then resume" in failed.todo
