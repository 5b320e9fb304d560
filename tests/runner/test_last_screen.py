"""The last screen of a session: all that a tired operator needs, and commands that work as pasted."""

from __future__ import annotations

import shlex
from datetime import date
from typing import Any

import pytest
from click.testing import CliRunner
from scripted_session import ORDER, PAYMENT, REFUND, SESSION, Script

from veza_e2e.cli.app import veza_e2e
from veza_e2e.cli.last_screen import Surroundings, last_screen
from veza_e2e.evidence import BankStatement, summarise
from veza_e2e.evidence.due import statement_due
from veza_e2e.journal.events import SessionAbandoned, StepSkipped
from veza_e2e.journal.readings import OrderNamed
from veza_e2e.ports.screen import columns

DRY_RUN = {"session": "01M3EXAMP1E0000000000000BB", "hash": "a" * 64, "ended_at": "2026-05-03T09:00:00Z"}


PROD = "veza-e2e --env prod --archive 'my archive'"


def command(*words: str) -> str:
    return shlex.join(["veza-e2e", "--env", "prod", "--archive", "my archive", *words])


def shown(script: Script, room: int | None = None, **there: Any) -> list[str]:
    there = {"report": f"docs/{SESSION}/report.md", "folder": "docs/a folder", **there}
    return last_screen(summarise(script.lines), Surroundings(command, date(2026, 5, 6), **there), room)


def live() -> Script:
    return Script().start(live=True, rehearsal=False, release="2026.12", dry_run=DRY_RUN)


def test_a_live_run_that_passed_ends_with_all_that_is_left_to_do() -> None:
    lines = shown(live().until("revoked").end())
    assert lines == [
        "\x1b[32m\x1b[1mPASSED\x1b[0m: charged 5.00 EUR, back 5.00 EUR",
        "  account   returned: all that was charged came back",
        "            the backend says charged 5.00 EUR, back 5.00 EUR",
        "            the processor says charged 5.00 EUR, back 5.00 EUR",
        f"  payment   {PAYMENT}, order {ORDER}",
        "  decision  PENDING: not all items are met: bank statement (pending)",
        "  missing   The bank statement shows the refund (pending): no statement was recorded yet",
        "  due       bank statement, 2026-05-11 to 2026-05-13 (not due yet)",
        f"  report    docs/{SESSION}/report.md",
        f"record the bank statement: {PROD} bank {SESSION} --seen credit --date YYYY-MM-DD --amount AMOUNT",
        f"attest EX-9: {PROD} attest ex-9 --by NAME --release 2026.12",
        f"sign: {PROD} sign {SESSION} --key FILE",
        f"commit: git add 'docs/a folder' && git commit -m 'Payment walkthrough {SESSION}'",
        f"see the release: {PROD} release 2026.12",
    ]


def test_what_is_done_is_no_longer_asked_for() -> None:
    said = "\n".join(shown(live().until("revoked").end(), signed=True, ex_9=True, report=None, folder=None))
    for word in ("sign:", "attest ex-9", "report", "commit:"):
        assert word not in said


def test_an_abandoned_session_that_was_charged_says_how_what_comes_back_is_recorded() -> None:
    lines = shown(live().until("completed").say(SessionAbandoned(reason="no key")).end("incomplete"))
    known = f"--payment {PAYMENT} --charged AMOUNT --refund ID --refunded AMOUNT"
    attest = f"{PROD} attest dashboard --session {SESSION} --by NAME {known}"
    assert f"refund the payment at the processor's dashboard, then record it: {attest}" in lines


@pytest.mark.parametrize(
    ("script", "ended"),
    [
        (live().until("revoked").end(), True),
        (live().until("completed").end("failed"), True),
        (live().until("completed").say(SessionAbandoned(reason="no key")).end("incomplete"), True),
        (live().until("completed"), False),
    ],
    ids=["passed", "failed", "abandoned", "open"],
)
def test_a_session_that_ended_is_signed_and_committed_whatever_its_outcome(script: Script, *, ended: bool) -> None:
    lines = shown(script)
    keeping = [
        f"sign: {PROD} sign {SESSION} --key FILE",
        f"commit: git add 'docs/a folder' && git commit -m 'Payment walkthrough {SESSION}'",
        f"see the release: {PROD} release 2026.12",
    ]
    assert (lines[-3:] == keeping) is ended
    assert any("git commit" in line for line in lines) is ended


LOSS = " --accept-loss '5.00 EUR'"


@pytest.mark.parametrize(
    ("step", "account", "loss"),
    [("order", "at risk", LOSS), ("completed", "charged", LOSS), ("login", "untouched", "")],
)
def test_an_open_session_says_how_to_go_on_and_how_to_give_up_without_being_refused(
    step: Any, account: str, loss: str
) -> None:
    lines = shown(live().until(step))
    assert f"  account   {account}: " in "\n".join(lines)
    commands = [line for line in lines if "veza-e2e " in line]
    assert commands == [
        f"continue with: {PROD} resume {SESSION}",
        f"or give up: {PROD} abandon {SESSION} --reason TEXT{loss}",
    ]


def test_a_rehearsal_is_given_up_without_a_word_about_its_loss() -> None:
    assert shown(Script().start(rehearsal=True).until("completed"))[-1].endswith("--reason TEXT")


def test_an_order_of_unknown_amount_can_be_given_up_a_day_later() -> None:
    script = live().until("products")
    script.say(OrderNamed(step="order", order_id="7", payment_id=None))
    assert shown(script)[-1] == f"or give up after 2026-05-05 09:15 UTC: {PROD} abandon {SESSION} --reason TEXT"


def test_a_statement_that_was_recorded_is_not_asked_for_again() -> None:
    script = live().until("pay").completed(processor=False).license().transfers().refund()
    script.call("revoked", "getOrder", script.refunded_order() | {"refunded_amount_cents": None})
    script.done("revoked", "how much came back was not told", refunded_at="2026-05-04T09:01:20Z").end()
    bank = BankStatement(
        session=SESSION, session_hash="a" * 64, number=1, seq=len(script.lines) + 1, at="2026-05-10T09:00:00.000Z",
        seen="credit", date="2026-05-10", amount_cents=500, currency="EUR",
    )  # fmt: skip
    before, after = summarise(script.lines), summarise(script.lines, [bank])
    assert after.item("bank_statement").status == "pending", "nobody else told the amount"
    asks = [
        any(f" bank {SESSION}" in line for line in last_screen(one, Surroundings(command, date(2026, 5, 6))))
        for one in (before, after)
    ]
    assert asks == [True, False]
    assert statement_due(after) is None


def test_a_payment_that_the_backend_cannot_refund_is_refunded_at_the_dashboard() -> None:
    script = live().until("revoked")
    second = {**script.payment(), "payment_id": "pay_2222", "metadata": {"order_id": ORDER}}
    script.call("revoked", "payment", second, processor=True)
    held = "5.00 EUR of payment pay_2222, which the backend cannot refund"
    lines = shown(script)
    assert lines[0].endswith(f"charged 10.00 EUR, back 5.00 EUR, open 5.00 EUR ({held})")
    todo = f"refund it at the processor's dashboard, then continue with: {PROD} resume {SESSION}"
    assert todo in lines


def test_evidence_that_nobody_saw_is_asked_for_with_the_ids_and_without_the_amounts() -> None:
    script = live().until("pay").completed(processor=False).license().transfers().refund().revoked().end()
    (line,) = [line for line in shown(script) if line.startswith("record the dashboard: ")]
    assert line.endswith(f" --payment {PAYMENT} --refund {REFUND} --charged AMOUNT --refunded AMOUNT")


def test_a_dry_run_is_brief() -> None:
    lines = shown(Script().start(rehearsal=True).until("revoked").end(), folder=None)
    assert [line.split()[0] for line in lines[1:]] == ["account", "the", "the", "payment", "decision", "report"]


def test_a_dry_run_says_what_nobody_checked() -> None:
    script = Script().start(rehearsal=True).until("license").say(StepSkipped(step="transfers", reason="no psql here"))
    lines = shown(script.refund().revoked().end(), folder=None)
    missing = [line.partition(": ") for line in lines if "(not checked)" in line]
    assert [(name.strip(), why) for name, _, why in missing] == [
        ("missing   The seller's transfer is booked, and nothing is unexplained (not checked)", "no psql here"),
    ]
    assert lines[-1] == f"supply the rows: {PROD} rows {SESSION}"


@pytest.mark.parametrize("room", [60, 80, 120])
def test_it_fits_the_terminal_but_for_commands_and_addresses(room: int) -> None:
    for line in shown(live().until("revoked").end(), room):
        assert columns(line) < room or "veza-e2e " in line or "git add" in line


def test_each_command_it_names_is_a_command_with_these_options() -> None:
    script = live().until("revoked").end()
    for line in shown(script):
        _, found, words = line.partition(": veza-e2e ")
        if found:
            asked = [*shlex.split(words)[4:5], "--help"]
            told = CliRunner().invoke(veza_e2e, asked).output
            assert all(word in told for word in shlex.split(words)[5:] if word.startswith("--")), line
