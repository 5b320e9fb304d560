"""What the processor does not tell, or tells in small letters, is neither a difference nor a charge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from veza_e2e.evidence import Summary

if TYPE_CHECKING:
    from runner.conftest import Walk


@pytest.fixture
def walk(walk: Walk) -> Walk:
    walk.goes_through()
    walk.processes()
    return walk


def rules(summary: Summary) -> dict[str, str]:
    return {one.id: one.status for one in summary.reconciliation}


@pytest.mark.parametrize("absent", [True, False])
def test_an_amount_that_the_processor_does_not_tell_is_not_compared(walk: Walk, *, absent: bool) -> None:
    walk.payments_tell(lambda data: data.pop("amount_received") if absent else data.update(amount_received=None))
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, str(summary.money.state)) == ("passed", "unknown")
    assert (rules(summary)["R1"], rules(summary)["R4"], rules(summary)["R6"]) == ("not_checked", "not_checked", "equal")
    items = {one: summary.item(one).status for one in ("order_completed", "amount_matches", "refund_completed")}
    assert list(items.values()) == ["met", "not_checked", "not_checked"]


def test_an_amount_that_is_not_told_hides_no_other_difference(walk: Walk) -> None:
    walk.payments_tell(lambda data: data.update(amount_received=None, net_amount=540))
    walk.begin()
    summary = walk.go_on()
    assert (rules(summary)["R1"], summary.step("completed").finding) == ("differs", "amount_differs")


@pytest.mark.parametrize(("status", "finding"), [("conflicted", "payment_status"), ("mystery", "unknown_status")])
def test_an_amount_that_is_not_told_hides_no_state(walk: Walk, status: str, finding: str) -> None:
    walk.payments_tell(lambda data: data["amount_received"] and data.update(amount_received=None, status=status))
    walk.begin()
    assert walk.go_on().step("completed").finding == finding


def test_a_currency_in_small_letters_is_the_same_currency(walk: Walk) -> None:
    def small(data: dict[str, Any]) -> None:
        for one in (data, *(data["refunds"] or ())):
            one["currency"] = one["currency"].lower()

    walk.payments_tell(small)
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, str(summary.money.state)) == ("passed", "returned")
    assert {rules(summary)[name] for name in ("R1", "R4", "R6")} == {"equal"}
    assert not [text for text in walk.person.told if "did not tell" in text]


@pytest.mark.parametrize("told", [{"status": "requires_capture", "amount_received": 0}, {"status": "processing"}])
def test_money_that_is_only_reserved_is_no_charge(walk: Walk, told: dict[str, Any]) -> None:
    def reserved(data: dict[str, Any]) -> None:
        if data["amount_received"]:
            data.update({"amount_received": None, **told})

    walk.payments_tell(reserved)
    walk.begin()
    summary = walk.go_on()
    step = summary.step("completed")
    assert (step.status, step.finding) == ("failed", "payment_status")
    assert step.observed.endswith("at the processor, and nothing of it was received")
    assert (str(summary.money.state), summary.money.charged_cents, summary.money.moved) == ("at risk", None, False)
    assert rules(summary)["R1"] == "not_checked", "it may be charged later"


def reasons(summary: Summary) -> list[str]:
    return [summary.item(one).reason for one in ("amount_matches", "refund_completed")]


BY_HAND = "record each payment that the dashboard lists with `attest dashboard`"
ANSWERS: dict[str, httpx.Response | Exception] = {
    "the processor answered 401": httpx.Response(401),
    "the processor answered 404": httpx.Response(404, json={"error": {"code": "HE_02"}}),
    "the processor's answer is not a payment as its API describes it": httpx.Response(200, content=b"<html>"),
    "the processor did not answer": httpx.ConnectError("refused"),
}


@pytest.mark.parametrize("said", ANSWERS)
def test_what_the_processor_answered_instead_is_said_and_no_key_is_asked_for(walk: Walk, said: str) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        told = ANSWERS[said]
        if isinstance(told, Exception):
            raise told
        return told

    walk.processor = answer
    walk.begin()
    summary = walk.go_on()
    assert reasons(summary)[0] == f"R1 not compared: {said}; {BY_HAND}"
    assert summary.money.sentence.endswith("; the processor did not tell the payment")


def test_without_a_key_it_is_asked_for(walk: Walk) -> None:
    walk.processor = None
    walk.begin()
    assert reasons(walk.go_on())[0] == f"R1 not compared: give HYPERSWITCH_API_KEY, or {BY_HAND}"


def test_an_amount_that_is_not_told_is_said_to_be_so(walk: Walk) -> None:
    walk.payments_tell(lambda data: data.update(amount_received=None))
    walk.begin()
    assert reasons(walk.go_on())[0] == f"R1 not compared: the processor did not tell every amount; {BY_HAND}"
