"""What the processor says of the payments, against what the order says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from front_door import Result, Shell, figures
from meddled import Meddled
from meddling import Answer


@pytest.fixture
def meddled(tmp_path: Path) -> Meddled:
    return Meddled(tmp_path)


def payment_in(answer: Answer) -> dict[str, Any] | None:
    """The payment in an answer of the processor."""
    asked = answer.path.startswith("/hyperswitch/payments/") and answer.method == "GET"
    return answer.body if asked and isinstance(answer.body, dict) and "amount_received" in answer.body else None


def said(result: Result, step: str) -> str:
    (found,) = [one["observed"] for one in result.json["steps"] if one["name"] == step]
    return str(found)


def finding(shell: Shell, result: Result) -> str:
    return str([line for line in shell.journal(result) if line["type"] == "StepFailed"][-1]["finding"])


@pytest.mark.parametrize(
    ("status", "name"), [("conflicted", "payment_status"), ("failed", "payment_status"), ("asleep", "unknown_status")]
)
def test_a_completed_order_whose_payment_has_another_status_fails_by_name(shell: Shell, status: str, name: str) -> None:
    result = shell.run("--refund", "--fault", f"processor_status={status}")
    assert (result.code, result.steps["completed"], finding(shell, result)) == (1, "failed", name)
    assert f"'{status}' at the processor" in said(result, "completed")


def test_a_completed_order_whose_payment_received_nothing_is_no_seen_charge(shell: Shell) -> None:
    result = shell.run("--refund", "--fault", "processor_status=processing")
    assert (result.code, result.steps["completed"]) == (1, "failed")
    told = {(one["by"], one["amount"]) for one in result.json["money"]["witnesses"]["charged"]}
    assert ("processor", "0.00 EUR") in told
    assert ("processor", "5.00 EUR") not in told
    assert result.json["account"] != "charged"


def test_a_second_captured_payment_is_added_up_and_still_out(shell: Shell) -> None:
    result = shell.run("--refund", "--fault", "double_capture")
    assert (result.code, finding(shell, result)) == (1, "amount_differs")
    assert (figures(result.json["money"]), result.json["refund_open"]) == ((1000, 0, "EUR"), True)
    assert {one["id"]: one["status"] for one in result.json["reconciliation"]}["R1"] == "differs"


def test_a_retry_that_succeeded_passes_on_the_payment_that_the_order_names(shell: Shell) -> None:
    result = shell.run("--refund", "--fault", "second_payment")
    assert (result.code, figures(result.json["money"])) == (0, (500, 500, "EUR"))


def test_a_dispute_after_the_refund_is_named_and_no_second_refund_advised(shell: Shell) -> None:
    result = shell.run("--refund", "--fault", "dispute_after_refund=0")
    assert (result.code, finding(shell, result)) == (1, "dispute_opened")
    assert (figures(result.json["money"]), result.json["refund_open"]) == ((500, 500, "EUR"), False)
    assert "say there what was refunded" in result.stderr
    assert "did not come back" not in result.stderr


def test_a_capture_in_another_currency_is_told_in_that_currency_and_fails(meddled: Meddled) -> None:
    def change(answer: Answer) -> None:
        paid = payment_in(answer)
        if paid is not None and paid["amount_received"]:
            paid.update(currency="USD", amount_received=540)

    meddled.change = change
    result = meddled.run("--refund")
    assert (result.code, finding(meddled, result)) == (1, "amount_differs")
    charged = {(one["by"], one["amount"]) for one in result.json["money"]["witnesses"]["charged"]}
    assert charged == {("backend", "5.00 EUR"), ("processor", "5.40 USD")}
    assert (result.json["account"], result.json["money"]["charged_cents"]) == ("unknown", None)
    assert "the processor says charged 5.40 USD" in result.stderr
    assert "5.40 EUR" not in result.stderr
    (r1,) = [one for one in result.json["reconciliation"] if one["id"] == "R1"]
    assert (r1["status"], "5.40 USD" in r1["right"]) == ("differs", True)


@pytest.mark.parametrize("since", ["payment", "license"])
def test_a_dispute_is_named_before_the_refund_is_asked_for(meddled: Meddled, since: str) -> None:
    seen = {"payment": True, "license": False}

    def change(answer: Answer) -> None:
        seen["license"] = seen["license"] or answer.path.endswith("/licenses/mine")
        paid = payment_in(answer)
        if paid is not None and paid["amount_received"] and seen[since]:
            paid["disputes"] = [{"dispute_id": "dp_1", "dispute_status": "dispute_opened"}]

    meddled.change = change
    result = meddled.run("--refund")
    assert (result.code, finding(meddled, result)) == (1, "dispute_opened")
    assert "(dispute_opened)" in said(result, "completed" if since == "payment" else "refund")
    asked = [line for line in meddled.journal(result) if line["type"] == "CallIntended"]
    assert "requestRefund" not in {line["operation"] for line in asked}
    assert "Do not refund on top of it." in result.stderr
