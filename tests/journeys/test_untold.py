"""What nobody told is unknown: it is never the whole, never met, and never said on a screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from front_door import Result
from meddled import Meddled
from meddling import Answer


@pytest.fixture
def shell(tmp_path: Path) -> Meddled:
    return Meddled(tmp_path)


def status_of(result: Result, item: str) -> str:
    (found,) = [one["status"] for one in result.json["acceptance"] if one["id"] == item]
    return str(found)


def silent_processor(answer: Answer) -> None:
    if answer.path.startswith("/hyperswitch/payments/") and answer.method == "GET":
        answer.status, answer.body = 401, {"error": {"type": "invalid_request", "message": "no", "code": "IR_01"}}


def untold_refund(answer: Answer) -> None:
    if answer.order:
        answer.order.pop("refunded_amount_cents", None)


def no_license_after_the_refund(answer: Answer) -> None:
    if answer.path.endswith("/licenses/mine"):
        answer.body["data"] = [one for one in answer.body["data"] if one["status"] == "active"]


def both(*changes: Callable[[Answer], None]) -> Callable[[Answer], object]:
    return lambda answer: [change(answer) for change in changes]


def test_a_refund_whose_amount_nobody_told_is_not_the_whole(shell: Meddled) -> None:
    shell.change = both(untold_refund, silent_processor)
    result = shell.run("--refund")
    assert (result.json["money"]["refunded_cents"], result.json["refund_open"]) == (None, None)
    assert status_of(result, "refund_completed") == "not_checked"
    assert "how much came back was not told" in result.stderr
    assert "refunded 5.00" not in result.stderr
    report = (shell.folder / result.json["paths"]["report"]).read_text(encoding="utf-8")
    assert "back an amount that is not told" in report


def test_the_processor_can_tell_it(shell: Meddled) -> None:
    shell.change = untold_refund
    result = shell.run("--refund")
    assert (result.code, result.json["money"]["refunded_cents"], result.json["refund_open"]) == (0, 500, False)
    assert status_of(result, "refund_completed") == "met"


def test_a_license_that_is_no_longer_listed_was_not_seen_revoked(shell: Meddled) -> None:
    shell.change = no_license_after_the_refund
    result = shell.run("--refund")
    assert (result.code, status_of(result, "license_revoked")) == (0, "not_checked")


def test_a_refund_in_another_currency_is_not_the_refund(shell: Meddled) -> None:
    def change(answer: Answer) -> None:
        if answer.path.startswith("/hyperswitch/payments/") and answer.body.get("refunds"):
            answer.body["refunds"][0]["currency"] = "JPY"

    shell.change = change
    result = shell.run("--refund")
    assert (result.code, status_of(result, "refund_completed")) == (1, "not_met")
    (compared,) = [one for one in result.json["reconciliation"] if one["id"] == "R4"]
    assert (compared["left"], compared["right"]) == ("5.00 EUR", "500 JPY")


def decimal_refund(answer: Answer) -> None:
    """The total in cents, the refund as a decimal of half of it."""
    if answer.order and answer.order.get("refund_status") == "succeeded":
        answer.order.pop("refunded_amount_cents", None)
        answer.order["refunded_amount"] = "2.50"


def told_by(result: Result, kind: str) -> dict[str, str]:
    return {one["by"]: one["amount"] for one in result.json["money"]["witnesses"][kind]}


def test_a_refund_told_as_a_decimal_beside_a_total_in_cents_is_that_amount(shell: Meddled) -> None:
    shell.change = both(decimal_refund, silent_processor)
    result = shell.run("--refund")
    assert (result.code, result.json["money"]["refunded_cents"], result.json["refund_open"]) == (1, 250, True)
    assert told_by(result, "refunded") == {"backend": "2.50 EUR"}
    assert status_of(result, "refund_completed") == "not_met"


def test_two_figures_of_what_came_back_are_one_statement_with_both_witnesses(shell: Meddled) -> None:
    shell.change = decimal_refund
    result = shell.run("--refund")
    assert (result.code, result.json["account"], result.json["money"]["refunded_cents"]) == (1, "unknown", None)
    assert told_by(result, "refunded") == {"backend": "2.50 EUR", "processor": "5.00 EUR"}
    both_said = "the backend says charged 5.00 EUR, back 2.50 EUR; the processor says charged 5.00 EUR, back 5.00 EUR"
    assert f"FAILED: {both_said}" in result.stderr
    assert "did not come back" not in result.stderr
    assert "refunded 5.00" not in result.stderr
    report = (shell.folder / result.json["paths"]["report"]).read_text(encoding="utf-8")
    assert both_said in report


def test_a_payment_that_a_new_order_does_not_name_is_known_by_its_payment_link(shell: Meddled) -> None:
    def change(answer: Answer) -> None:
        if answer.method == "POST" and answer.path.endswith("/orders"):
            answer.order.pop("payment_id")  # type: ignore[union-attr]  # the answer to createOrder holds an order

    shell.change = change
    result = shell.run("--refund")
    placed = next(line for line in shell.journal(result) if line["type"] == "StepFinished" and line["step"] == "order")
    assert placed["result"]["payment_id"] == result.json["payment_id"] is not None
    assert result.code == 0
    assert {one["id"]: one["status"] for one in result.json["reconciliation"]} == dict.fromkeys(
        ["R1", "R2", "R3", "R4", "R5", "R6"], "equal"
    )
    assert "processor" in told_by(result, "charged")
