"""Whatever comes in between, the session can be resumed to a true end."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from front_door import ACCOUNT, Result, Shell, books, figures, pay
from surroundings import PATIENCE

from veza import SystemClock, Veza

KILLED = Path(__file__).parents[2] / "benchmarks" / "killed.py"
FULL = "3"


def cut_short(shell: Shell, point: int, how: str, *words: str) -> Result:
    """Run a command whose files fail, or which is killed, at a chosen point."""
    done = subprocess.run(
        [sys.executable, str(KILLED), str(point), how, "--", *words],
        cwd=shell.folder,
        env=shell.environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )
    assert "a defect:" not in done.stderr, done.stderr
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.mark.process
@pytest.mark.parametrize("point", [75, 110, 150, 200, 250, 290])
def test_a_full_disk_is_said_and_nothing_is_lost_or_charged_twice(shell: Shell, point: int) -> None:
    shell.time = SystemClock()
    full = cut_short(shell, point, FULL, "--json", "run", "--unattended", "--refund")
    assert full.code == 4
    assert "No space left on device" in full.json["error"]["message"]
    session = full.json["session"]
    if session is not None:
        assert "charged" in full.stderr
        assert f"veza-e2e resume {session}" in full.stderr
    resumed = shell("--json", "resume")
    assert resumed.code == 0
    assert figures(resumed.json["money"]) == (500, 500, "EUR")
    assert shell("verify", "--all").code == 0


def test_an_archive_that_cannot_be_written_is_refused_before_anything_is_bought(shell: Shell) -> None:
    (shell.folder / "archive").write_text("a file, no folder", encoding="utf-8")
    result = shell("--archive", "archive/below", "--json", "run", "--unattended", "--refund")
    assert result.code == 4
    assert "cannot be written" in result.json["error"]["message"]


def test_one_unresolved_session_per_account(shell: Shell) -> None:
    waits = shell.run("--refund", "--fault", "refund_pending")
    assert (waits.code, waits.json["waiting_for"]) == (4, "refund")
    left = shell.run("--refund", "--fault", "three_ds_abandon")
    assert (left.code, left.json["account"]) == (4, "at risk"), "a charge that is out bars live runs only"
    refused = shell.run("--refund")
    assert refused.code == 3
    assert f"resume {left.json['session']}" in refused.json["error"]["hint"]
    assert refused.json["session"] is None
    abandoned = shell("--json", "abandon", left.json["session"], "--reason", "only a rehearsal")
    assert abandoned.code == 0
    assert shell.run("--refund").code == 0


@pytest.mark.process
def test_a_second_process_on_the_same_session_is_refused(shell: Shell) -> None:
    shell.time = SystemClock()
    (shell.folder / "veza-e2e.toml").write_text('[limits]\npoll_timeout = "2s"\n', encoding="utf-8")
    terminal = shell.spawn("run")
    terminal.expect("Which one do you buy")
    (journal,) = shell.folder.rglob("journal.jsonl")
    second = shell("--json", "resume", journal.parent.name)
    assert second.code == 3
    assert "another process" in second.json["error"]["message"]
    terminal.sendeof()
    terminal.wait()
    assert shell("show", journal.parent.name).code == 0


@pytest.mark.process
def test_a_session_without_an_order_is_barred_as_a_new_one_is(shell: Shell) -> None:
    shell.time = SystemClock()
    (shell.folder / "veza-e2e.toml").write_text('[limits]\npoll_timeout = "2s"\n', encoding="utf-8")
    terminal = shell.spawn("run")
    terminal.expect("Which one do you buy")
    terminal.sendeof()
    terminal.wait()
    (journal,) = shell.folder.rglob("journal.jsonl")
    waits = shell.run("--refund", "--fault", "three_ds_abandon")
    assert (waits.code, waits.json["account"]) == (4, "at risk")
    barred = shell("--json", "resume", journal.parent.name)
    assert barred.code == 3
    assert f"resume {waits.json['session']}" in barred.json["error"]["hint"]
    assert shell("--json", "abandon", waits.json["session"], "--reason", "only a rehearsal").code == 0
    assert shell("--json", "resume", journal.parent.name).code == 4, "it asks for the product again, of nobody"


def test_a_torn_last_line_is_cut_and_said(shell: Shell) -> None:
    kept = shell.run("--no-refund")
    journal = shell.folder / kept.json["paths"]["journal"]
    journal.write_bytes(journal.read_bytes() + b'{"half a li')
    resumed = shell("--json", "resume", kept.json["session"])
    assert resumed.code == 0
    assert "unfinished line of 11 bytes" in resumed.stderr
    assert any(line["type"] == "TailCut" for line in shell.journal(resumed))


def test_other_damage_stops_with_the_sequence_number(shell: Shell) -> None:
    kept = shell.run("--no-refund")
    journal = shell.folder / kept.json["paths"]["journal"]
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[9] = lines[9].replace(b"ok", b"OK", 1)
    journal.write_bytes(b"".join(lines))
    resumed = shell("--json", "resume", kept.json["session"])
    assert resumed.code == 6
    assert "event 10" in resumed.json["error"]["message"]
    assert shell("verify", "--all").code == 6


def test_a_journal_of_another_walkthrough_names_the_version_to_install(shell: Shell) -> None:
    from veza_e2e.journal import chain, parse  # noqa: PLC0415

    kept = shell.run("--no-refund")
    journal = shell.folder / kept.json["paths"]["journal"]
    prev, made = "0" * 64, b""
    for line in parse(journal.read_bytes(), journal).lines:
        event = line.event
        if line.seq == 1:
            object.__setattr__(event, "walkthrough", "0")
        anew, data = chain(line.seq, line.at, event, prev)
        prev, made = anew.hash, made + data
    journal.write_bytes(made)
    resumed = shell("--json", "resume", kept.json["session"])
    assert resumed.code == 3
    assert "walkthrough 0" in resumed.json["error"]["message"]
    assert "install veza" in resumed.json["error"]["message"]
    assert shell("abandon", kept.json["session"], "--reason", "nobody has that version any more").code == 0


def test_a_failed_check_stays_failed_after_the_refund(shell: Shell) -> None:
    failed = shell.run("--refund", "--fault", "license_not_granted")
    assert (failed.code, failed.json["refund_open"]) == (1, True)
    assert "charged 5.00 EUR, back 0.00 EUR, open 5.00 EUR" in failed.stderr
    resumed = shell("--json", "resume", failed.json["session"])
    assert (resumed.code, resumed.json["outcome"]) == (1, "failed")
    assert resumed.json["money"]["refunded_cents"] == 500
    assert resumed.steps["license"] == "failed"
    assert resumed.steps["revoked"] == "passed"


def test_a_refund_that_fails_after_its_success_turns_an_ended_session_into_failed(shell: Shell) -> None:
    with shell.serving("refund_fails_late=60") as base_url:
        shell.configure("local", base_url, reports="sandbox")
        arguments = ("--env", "local", "--archive", "archive", "--json")
        passed = shell(*arguments, "run", "--unattended", "--refund", env=ACCOUNT)
        assert passed.code == 0
        journal = (shell.folder / passed.json["paths"]["journal"]).read_bytes()
        shell.time.sleep(120)
        again = shell(*arguments, "resume", passed.json["session"], env=ACCOUNT)
        assert (again.code, again.json["outcome"]) == (1, "failed")
        assert again.json["money"]["refunded_cents"] == 0
        assert (shell.folder / passed.json["paths"]["journal"]).read_bytes() == journal
        assert shell("--archive", "archive", "verify", "--all").code == 0


@pytest.mark.parametrize("fault", ["license_not_revoked", "seller_balance_low"])
def test_an_ended_session_that_failed_with_the_money_back_is_read_again_without_an_addendum(
    shell: Shell, fault: str
) -> None:
    failed = shell.run("--refund", "--fault", fault)
    assert (failed.code, figures(failed.json["money"])) == (1, (500, 500, "EUR"))
    for _ in range(2):
        again = shell("--json", "resume", failed.json["session"])
        assert (again.code, figures(again.json["money"])) == (1, (500, 500, "EUR"))
    assert not list(shell.folder.rglob("addendum-*.json"))
    assert shell("--json", "sessions").json["items"][0]["name"] == failed.json["session"]


def test_logins_are_counted_and_the_last_one_is_warned_of_on_resume_too(shell: Shell) -> None:
    with shell.serving() as base_url:
        shell.configure("local", base_url, reports="sandbox")
        words = ("--env", "local", "--archive", "archive")
        shell(*words, "run", stdin="1\nq\n", env=ACCOUNT)
        second = shell(*words, "resume", stdin="q\n", env=ACCOUNT)
        third = shell(*words, "resume", stdin="q\n", env=ACCOUNT)
    assert "logins of this account" not in second.stderr
    assert "There were 2 logins of this account in 15 minutes; production allows 3, this is one more." in third.stderr


def test_money_that_is_out_bars_abandon_off_the_rehearsal_backend_only(shell: Shell) -> None:
    kept = shell.run("--no-refund")
    assert shell("abandon", kept.json["session"], "--reason", "a rehearsal").code == 0
    ended = shell.journal(kept)[-1]
    assert (ended["type"], ended["outcome"]) == ("SessionEnded", "passed")


def test_without_keys_a_lost_answer_leads_to_the_same_order(shell: Shell) -> None:
    with shell.serving("no_idempotency", "drop_after_commit=1") as base_url:
        shell.configure("local", base_url, reports="sandbox", idempotency=False)
        arguments = ("--env", "local", "--archive", "archive", "--json")
        result = shell(*arguments, "run", "--unattended", "--refund", env=ACCOUNT)
        assert result.code == 0
        happened = books(base_url)
        assert (happened["orders"], happened["charges"], happened["refunds"]) == (1, 1, 1)
        order = next(
            line for line in shell.journal(result) if line["type"] == "StepFinished" and line["step"] == "order"
        )
        assert order["result"]["adopted"] is True
        assert json.dumps(shell.journal(result)).count('"operation": "createOrder"') == 2  # one intent, one failure


@pytest.mark.parametrize("command", ["resume", "rows", "abandon --reason TEXT"])
def test_a_session_of_another_environment_is_refused_with_the_command_that_works(shell: Shell, command: str) -> None:
    waits = shell.run("--refund", "--fault", "refund_pending")
    shell.configure("prod", "http://127.0.0.1:9", reports="live")
    words = [*command.split(), waits.json["session"]]
    result = shell("--env", "prod", "--archive", "build/rehearsals", "--json", *words, env=ACCOUNT)
    assert result.code == 2
    assert result.json["error"]["hint"] == f"veza-e2e --env rehearsal {command} {waits.json['session']}"


def test_what_is_paid_on_a_page_whose_session_was_abandoned_is_seen_by_resume(shell: Shell) -> None:
    with shell.serving("webhook_delay=1200") as base_url:
        shell.configure("local", base_url, reports="sandbox")
        words = ("--env", "local", "--archive", "archive", "--json")
        without_key = {**ACCOUNT, "HYPERSWITCH_API_KEY": ""}
        left = shell(*words, "run", stdin="1\nq\n", env=without_key)
        assert (left.code, left.json["account"]) == (4, "at risk")
        page = re.search(r"checkout page is at [^:]+: (\S+)", left.stderr)
        assert page
        pay(page[1])
        shell.time.sleep(15 * 60)
        session = left.json["session"]
        assert shell(*words, "abandon", session, "--reason", "nobody pays", env=without_key).code == 0
        abandoned = shell(*words, "resume", session, env=without_key)
        assert (abandoned.json["account"], abandoned.json["refund_open"]) == ("at risk", None)
        assert "the card may be charged" in abandoned.stderr
        shell.time.sleep(15 * 60)
        seen = shell(*words, "resume", session, env=without_key)
        assert (seen.json["account"], figures(seen.json["money"])) == ("charged", (500, 0, "EUR"))
        assert f"order {seen.json['order_id']} is completed" in json.dumps(addenda(shell)[-1])
        due = shell(*words, "sessions", env=without_key)
        assert "refund the payment at the processor's dashboard" in due.stdout


def addenda(shell: Shell) -> list[dict[str, object]]:
    return [json.loads(path.read_bytes()) for path in sorted(shell.folder.rglob("addendum-*.json"))]


def test_a_lost_answer_is_asked_for_with_its_key_before_any_pending_order_is_taken_for_ours(shell: Shell) -> None:
    with shell.serving() as base_url:
        shell.configure("local", base_url, reports="sandbox")
        with Veza(base_url, email=ACCOUNT["OPERATOR_EMAIL"], password=ACCOUNT["OPERATOR_PASSWORD"]) as elsewhere:
            product = next(iter(elsewhere.products.list()))
            foreign = elsewhere.orders.create(items=[{"product_id": product.id}]).order.id
        # The client itself tries three times: two requests get lost, the third is carried out, its answer gets lost.
        lost = {"faults": ["drop_connection=2@createOrder", "drop_after_commit=1@createOrder"]}
        httpx.post(f"{base_url}/rehearsal/faults", json=lost, trust_env=False, timeout=PATIENCE).raise_for_status()
        words = ("--env", "local", "--archive", "archive", "--json", "run", "--unattended", "--refund")
        result = shell(*words, "--product", product.id, env=ACCOUNT)
        assert result.code == 0, result.stderr
        assert result.json["order_id"] != foreign
        happened = books(base_url)
        assert (happened["orders"], happened["charges"], happened["refunds"]) == (2, 1, 1)
    calls = [line for line in shell.journal(result) if line.get("operation") in {"createOrder", "listOrders"}]
    kinds = [(line["type"], line["operation"]) for line in calls]
    assert ("CallFailed", "createOrder") in kinds, "its answer was lost"
    assert ("CallFinished", "listOrders") not in kinds, "nobody had to look for it"
    assert len({line["idempotency_key"] for line in calls if line["type"] == "CallIntended"}) == 1
