"""What the processor says of the payments, against what the order says."""

from __future__ import annotations

import pytest
from front_door import Result, Shell, figures


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
    assert "say there that the payment was refunded" in result.stderr
    assert "did not come back" not in result.stderr
