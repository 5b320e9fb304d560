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
