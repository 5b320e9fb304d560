"""What keeps a release from GO, or turns up after it, at the terminal of a rehearsed live run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from front_door import books, figures
from meddling import Answer
from release_operator import RELEASE, Operator, operator

pytestmark = pytest.mark.process


def finding(someone: Operator, session: str) -> str:
    (path,) = [one for one in someone.shell.folder.rglob("journal.jsonl") if one.parent.name == session]
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return str([line for line in lines if line["type"] == "StepFailed"][-1]["finding"])


def test_a_reversal_that_was_refused_fails_at_the_terminal(tmp_path: Path) -> None:
    with operator(tmp_path, "seller_balance_low") as someone:
        person = someone.buys()
        person.pastes_the_rows()
        person.says("refund")
        person.pastes_the_reversal()
        left = someone.left(person, 1)
        assert (left["outcome"], left["rehearsed_decision"]) == ("failed", "NO-GO")
        assert finding(someone, someone.session) == "transfer_not_reversed"
        assert figures(left["money"]) == (500, 500, "EUR")


def test_a_reversal_that_never_comes_is_late_for_a_day_and_then_fails(tmp_path: Path) -> None:
    with operator(tmp_path, "transfer_not_reversed") as someone:
        person = someone.buys()
        person.pastes_the_rows()
        person.says("refund")
        person.pastes_the_reversal()
        person.terminal.expect("Late is not missing")
        person.terminal.sendline("go on")
        left = someone.left(person, 4)
        assert (left["outcome"], left["waiting_for"], left["rehearsed_decision"]) == (
            "incomplete", "reversal", "PENDING",
        )  # fmt: skip
        someone.waits(1)
        back = someone.sits_down("resume")
        back.pastes_the_reversal()
        left = someone.left(back, 1)
        assert (left["outcome"], left["rehearsed_decision"]) == ("failed", "NO-GO")
        assert finding(someone, someone.session) == "transfer_not_reversed"


def test_a_key_that_the_processor_rejects_is_warned_of_and_leads_to_no_go_until_a_dashboard_is_read(
    tmp_path: Path,
) -> None:
    with operator(tmp_path, "processor_key_rejected") as someone:
        person = someone.sits_down()
        person.terminal.expect("THE PROCESSOR REFUSES THE KEY")
        person.terminal.expect("Which one do you buy")
        person.terminal.sendline("1")
        person.types_the_amount()
        person.pays()
        person.terminal.expect("5/9 completed")
        person.terminal.expect("The processor did not tell the payment: [^\\n]*401")
        person.pastes_the_rows()
        person.says("refund")
        person.terminal.expect("9/9 revoked")
        person.terminal.expect("The processor did not tell the payment: [^\\n]*401")
        person.pastes_the_reversal()
        left = someone.left(person)
        assert "the processor did not tell the payment" in (person.terminal.before or "")
        assert {one["id"]: one["status"] for one in left["reconciliation"]} == {
            "R1": "not_checked", "R2": "equal", "R3": "equal", "R4": "not_checked", "R5": "equal", "R6": "not_checked",
        }  # fmt: skip
        someone.reads_the_statement()
        someone.attests_ex_9()
        assert someone.shown()["rehearsed_decision"] == "PENDING", "no GO without the processor's figures"
        someone.reads_the_dashboards()
        assert someone.decides() == ("PENDING", "GO")


class Later:
    """The backend tells its order in another way, once a test says so."""

    def __init__(self) -> None:
        self.told: dict[str, str] = {}

    def __call__(self, answer: Answer) -> None:
        if answer.order and answer.order["status"] == "refunded":
            answer.order.update(self.told)


def test_after_go_no_second_pay_out_is_advised_whatever_the_order_turns_to(tmp_path: Path) -> None:
    later = Later()
    with operator(tmp_path, change=later) as someone:
        person = someone.buys()
        person.pastes_the_rows()
        person.says("refund")
        person.pastes_the_reversal()
        someone.left(person)
        someone.reads_the_statement()
        someone.attests_ex_9()
        assert someone.decides() == ("PENDING", "GO")
        for told in ({"status": "disputed"}, {"status": "archived"}, {"refund_status": "review"}):
            later.told = told
            again = someone.asks("resume", someone.session)
            said = again.stdout + again.stderr + someone.asks("sessions").stdout
            disputed = told == {"status": "disputed"}
            shown = someone.asks("--json", "show", someone.session).json["outcome"]
            assert (again.code, shown) == ((1, "failed") if disputed else (0, "passed")), told
            assert someone.decides() == ("PENDING", "NO-GO" if disputed else "GO"), told
            assert "did not come back" not in said
            assert "refund the payment" not in said, told
            assert "refund it" not in said, told
            witnesses = {(one["by"], one["amount"]) for one in again.json["money"]["witnesses"]["refunded"]}
            assert {("processor", "5.00 EUR"), ("bank", "5.00 EUR")} <= witnesses, told
            assert again.json["money"]["charged_cents"] == 500
            assert again.json["account"] in {"returned", "unknown"}, told
        assert books(someone.base_url)["refunds"] == 1


def test_a_double_capture_bars_the_next_live_run(tmp_path: Path) -> None:
    with operator(tmp_path, "double_capture") as someone:
        left = someone.left(someone.buys(), 1)
        assert (left["rehearsed_decision"], figures(left["money"])) == ("NO-GO", (1000, 0, "EUR"))
        assert finding(someone, someone.session) == "amount_differs"
        again = someone.sits_down("run", "--live", "--release", RELEASE)
        again.terminal.expect("charged 10.00 EUR, back 0.00 EUR, open 10.00 EUR")
        assert again.ends() == 3
        assert books(someone.base_url)["orders"] == 1
