"""A live run is rehearsed, driven through a pseudo-terminal: every live rule holds, and the funds stay test funds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest
from at_terminal import Person
from front_door import ACCOUNT, Shell, books, pay, serving

from veza import SystemClock

pytestmark = pytest.mark.process


@pytest.fixture
def live(tmp_path: Path) -> Iterator[str]:
    with serving(tmp_path / "server", time=SystemClock(), environment="live") as base_url:
        yield base_url


@pytest.fixture
def shell(tmp_path: Path, live: str) -> Shell:
    folder = tmp_path / "client"
    folder.mkdir()
    shell = Shell(folder, SystemClock())
    shell.configure("prod", live, reports="live", live=True)
    return shell


def session_of(shell: Shell) -> dict[str, Any]:
    (journal,) = shell.folder.rglob("journal.jsonl")
    shown = shell("--env", "prod", "--archive", "archive", "--json", "show", journal.parent.name)
    return shown.json


def test_live_without_live_is_refused(shell: Shell) -> None:
    result = shell("--env", "prod", "--json", "run", env=ACCOUNT)
    assert result.code == 3
    assert "--live was not given" in result.json["error"]["message"]


@pytest.mark.parametrize(("key", "code"), [("q\n", 3), ("\x04", 4)])
def test_a_live_run_that_can_decide_nothing_buys_nothing_unless_the_operator_types_so(
    shell: Shell, live: str, key: str, code: int
) -> None:
    person = Person(shell, live, "run", "--live")
    for name in ("release", "dry_run"):
        person.terminal.expect(f"warn.* {name}: +GO IS IMPOSSIBLE for this run")
    person.terminal.expect("Type `charge anyway` to charge your card all the same, or `q` to leave")
    for other in ("", "yes", "charge"):
        person.terminal.sendline(other)
        person.terminal.expect(f"'{other}' is neither of them")
        person.terminal.expect("Type `charge anyway`")
    person.terminal.send(key)
    assert person.ends() == code
    assert books(live)["orders"] == 0
    assert not list(shell.folder.rglob("journal.jsonl"))


def test_that_it_was_charged_anyway_is_on_record(shell: Shell, live: str) -> None:
    person = Person(shell, live, "run", "--live", "--release", "2026.12")
    person.terminal.expect("no dry-run of release 2026.12 counts")
    person.terminal.expect("Type `charge anyway`")
    person.terminal.sendline("Charge  anyway")
    person.terminal.expect("Which one do you buy")
    person.terminal.sendeof()
    assert person.ends() == 4
    (journal,) = shell.folder.rglob("journal.jsonl")
    events = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    (asked,) = [event for event in events if event["type"] == "Asked" and event["question"] == "charge_anyway"]
    (answer,) = [event for event in events if event["type"] == "Answered" and event["question"] == "charge_anyway"]
    assert "cannot end in a GO: no dry-run of release 2026.12 counts" in asked["text"]
    assert (answer["answer"], answer["by"], answer["step"]) == ("charge anyway", "operator", None)
    assert json.loads(journal.read_text(encoding="utf-8").splitlines()[-2])["step"] == "products"


def test_a_rehearsed_dry_run_counts_for_a_rehearsed_live_run(shell: Shell, live: str) -> None:
    made = shell("--archive", "archive", "--json", "run", "--unattended", "--refund", "--release", "2026.12")
    assert made.code == 0
    person = Person(shell, live, "run", "--live", "--release", "2026.12")
    person.terminal.expect(f"dry_run: +dry-run {made.json['session']} of .* counts")
    person.terminal.expect("YOUR OWN CARD WILL BE CHARGED")
    assert person.terminal.expect(["Type `charge anyway`", "Which one do you buy"]) == 1
    person.terminal.sendeof()
    assert person.ends() == 4


def test_the_plan_and_the_preflight_of_a_live_run_ask_nothing(shell: Shell, live: str) -> None:
    for words in (["preflight", "--live"], ["run", "--live", "--plan"]):
        person = Person(shell, live, *words)
        person.terminal.expect("GO IS IMPOSSIBLE for this run")
        assert person.ends() == 0


def test_live_needs_a_terminal(shell: Shell) -> None:
    assert shell("--env", "prod", "run", "--live", env=ACCOUNT).code == 2


def test_live_where_the_backend_is_not_live_warns_and_stamps_test_funds(tmp_path: Path) -> None:
    shell = Shell(tmp_path, SystemClock())
    terminal = shell.spawn("run", "--live", "--no-refund", "--product", "a0a51e32-83a8-5c40-8142-33b4cf5ca8b1")
    terminal.expect("--live WAS GIVEN, BUT THE BACKEND IS NOT LIVE")
    terminal.expect("Type the amount")
    terminal.sendline("5.00 EUR")
    terminal.expect(r"checkout page is at [^:]+: (\S+)")
    pay(str(terminal.match[1]))  # type: ignore[index]
    terminal.expect("Enter = paid")
    terminal.sendline("")
    terminal.expect("End with an empty line")
    terminal.sendline("s")
    terminal.expect(r"-\[ RECORD 1 \]")
    terminal.sendeof()
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 4
    (report,) = shell.folder.rglob("report.md")
    assert "TEST FUNDS" in report.read_text(encoding="utf-8").upper().splitlines()[0]


def test_keep_has_to_be_typed_and_leaves_the_refund_open(shell: Shell, live: str) -> None:
    person = Person(shell, live, "run", "--live")
    person.chooses()
    person.types_the_amount()
    person.pays()
    person.pastes_the_rows()
    person.says("keep")
    assert person.ends() == 0
    kept = session_of(shell)
    assert (kept["refund_open"], kept["decision"]) == (True, "PENDING")

    again = Person(shell, live, "run", "--live")
    again.terminal.expect("not settled yet")
    again.terminal.expect("resume")
    assert again.ends() == 3

    back = Person(shell, live, "resume", kept["session"])
    back.says("refund")
    back.pastes_the_reversal()
    assert back.ends() == 0
    assert session_of(shell)["money"]["refunded_cents"] == 500


@pytest.mark.parametrize(("key", "code"), [("\x04", 4), ("q\n", 4)])
def test_leaving_at_the_checkout_is_no_answer(shell: Shell, live: str, key: str, code: int) -> None:
    person = Person(shell, live, "run", "--live")
    person.chooses()
    person.types_the_amount()
    person.terminal.expect(r"checkout page is at [^:]+: (\S+)")
    person.terminal.expect("Enter = paid")
    person.terminal.send(key)
    person.terminal.expect("continue with: veza-e2e --env prod --archive archive resume [0-9A-Z]{26}")
    assert person.ends() == code
    left = session_of(shell)
    assert (left["outcome"], left["money"]["charged_cents"]) == ("incomplete", None)  # the page was open: not known

    back = Person(shell, live, "resume")
    back.types_the_amount()
    back.pays()
    back.pastes_the_rows()
    back.says("refund")
    back.pastes_the_reversal()
    assert back.ends() == 0
    happened = books(live)
    assert (happened["orders"], happened["charges"], happened["refunds"]) == (1, 1, 1)


def box_in(text: str) -> list[str]:
    """The last frame that was shown."""
    lines = [line for line in text.splitlines() if re.match(r"[+|].*[+|]$", line)]
    return lines[max(n for n, line in enumerate(lines[:-1]) if line.startswith("+")) :]


def test_the_live_box_and_the_amount_come_again_in_each_process_and_not_for_r(shell: Shell, live: str) -> None:
    person = Person(shell, live, "run", "--live")
    person.chooses()
    person.types_the_amount()
    person.terminal.expect("Enter = paid")
    person.terminal.sendline("r")
    assert person.terminal.expect(["Type the amount", "Enter = paid"]) == 1
    person.terminal.sendline("")
    person.terminal.expect("The processor says: payment .* is requires_payment_method, received 0.00 EUR")
    person.terminal.expect("5/9 completed")
    person.terminal.sendintr()
    assert person.ends() == 130

    back = Person(shell, live, "resume")
    back.terminal.expect("not paid yet")
    back.terminal.expect("Type the amount and currency")
    box = box_in(back.terminal.before or "")
    (session,) = (path.parent.name for path in shell.folder.rglob("journal.jsonl"))
    assert {len(line) for line in box} <= {*range(77)}
    said = "\n".join(box)
    for name, value in (
        ("environment", "prod"), ("product", "Payment test beat"), ("amount", "5.00 EUR"),
        ("host", re.escape(live.removeprefix("http://"))), ("session", session),
    ):  # fmt: skip
        assert re.search(rf"^\| {name} +{value} *\|$", said, re.MULTILINE), said
    back.terminal.sendline("5.00 EUR")
    back.pays()
    back.pastes_the_rows()
    back.says("refund")
    back.pastes_the_reversal()
    assert back.ends() == 0
    happened = books(live)
    assert (happened["orders"], happened["charges"], happened["refunds"]) == (1, 1, 1)


def test_what_was_typed_before_a_question_is_no_answer_to_it(shell: Shell, live: str) -> None:
    person = Person(shell, live, "run", "--live")
    person.terminal.expect("Type `charge anyway`")
    person.terminal.sendline("charge anyway\n1\n5.00 EUR\n\n\nrefund")
    person.terminal.expect("Which one do you buy")
    assert person.terminal.expect(["Type the amount", pexpect.TIMEOUT], timeout=1) == 1
    person.terminal.sendline("1\n5.00 EUR\n\n\nrefund")
    person.terminal.expect("Type the amount and currency")
    assert person.terminal.expect(["checkout page is at", pexpect.TIMEOUT], timeout=1) == 1
    assert books(live)["charges"] == 0
    person.terminal.sendline("5.00 EUR\n\n\nrefund")
    person.terminal.expect("Enter = paid")
    assert person.terminal.expect(["noted: paid", pexpect.TIMEOUT], timeout=1) == 1
    person.terminal.sendline("q")
    person.terminal.expect("You left; nothing is lost.")
    assert person.ends() == 4


@pytest.mark.parametrize("signal", ["KILL", "INT"])
def test_a_page_that_is_being_opened_is_on_the_disk_before(shell: Shell, live: str, signal: str) -> None:
    browser = shell.folder / "browser"
    browser.write_text(f"#!/bin/sh\nkill -{signal} $PPID\n", encoding="utf-8")
    browser.chmod(0o755)
    environment = {"BROWSER": str(browser), "HYPERSWITCH_API_KEY": ""}
    person = Person(shell, live, "run", "--live", env=environment)
    person.chooses()
    person.types_the_amount()
    person.terminal.expect(pexpect.EOF)
    person.terminal.close()
    (journal,) = shell.folder.rglob("journal.jsonl")
    events = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    assert [event["type"] for event in events if event.get("step") == "pay"][-1] == "PageOffered"
    pay(events_of(events, "PageOffered")["url"])
    left = session_of(shell)
    assert (left["outcome"], left["money"]["charged_cents"]) == ("incomplete", None), "it may have been paid"
    again = Person(shell, live, "run", "--live")
    again.terminal.expect("is not settled yet .the card may be charged")
    assert again.ends() == 3
    back = Person(shell, live, "resume")
    back.terminal.expect("4/9 pay")
    back.pastes_the_rows()
    back.says("refund")
    back.pastes_the_reversal()
    assert back.ends() == 0
    happened = books(live)
    assert (happened["orders"], happened["charges"], happened["refunds"]) == (1, 1, 1)


def events_of(events: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [event for event in events if event["type"] == kind]
    return found


@pytest.mark.usefixtures("live")
def test_a_wrong_password_fails_the_first_step(shell: Shell) -> None:
    wrong = {**ACCOUNT, "OPERATOR_PASSWORD": "not the password"}
    terminal = shell.spawn("--env", "prod", "--archive", "archive", "run", "--live", env=wrong)
    terminal.expect("Type `charge anyway`")
    terminal.sendline("charge anyway")
    terminal.expect("the backend refused the login")
    terminal.expect("Nothing was charged")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 1
    session = session_of(shell)
    assert session["steps"][0]["status"] == "failed"
    assert (session["outcome"], session["decision"]) == ("failed", "PENDING")
    assert json.dumps(session).count("not the password") == 0
