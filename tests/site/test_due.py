"""What is due is said with commands that can be typed as they stand, in this archive."""

from __future__ import annotations

import shlex
from datetime import date
from pathlib import Path

import pexpect
import pytest
from front_door import COMMAND, Shell
from scripted_session import PAYMENT, SESSION, Script
from surroundings import PATIENCE

from veza_e2e.canonical import JSON
from veza_e2e.cli.last_screen import Surroundings, last_screen
from veza_e2e.evidence import summarise
from veza_e2e.journal.events import SessionAbandoned, StepSkipped

DAY = date(2026, 5, 6)


def listed(folder: Path, *words: str) -> str:
    return str(Shell(folder)("--archive", "archive", "--json", *words, "sessions").json["items"][0]["message"])


def test_the_commands_keep_the_options_of_this_command_line(tmp_path: Path) -> None:
    Script().start(live=True, rehearsal=False).until("transfers").keep().store(tmp_path / "archive")
    Shell(tmp_path).configure("prod", "https://veza.test", reports="prod", live=True)
    command = listed(tmp_path).rpartition("get it back with: ")[2]
    assert shlex.split(command) == ["veza-e2e", "--env", "prod", "--archive", "archive", "resume", SESSION]


def test_what_nobody_compared_is_due_with_the_command_that_supplies_it(tmp_path: Path) -> None:
    script = Script().start(live=True, rehearsal=False).until("license")
    script.say(StepSkipped(step="transfers", reason="no psql here")).refund().revoked().end().store(
        tmp_path / "archive"
    )
    said = listed(tmp_path)
    assert f"R2 not compared: supply the rows with: veza-e2e --env prod --archive archive rows {SESSION}" in said


def test_dashboards_that_nobody_read_are_due(tmp_path: Path) -> None:
    script = Script().start(live=True, rehearsal=False).until("pay").completed(processor=False).license().transfers()
    script.refund().revoked().end().store(tmp_path / "archive")
    said = listed(tmp_path)
    there = "veza-e2e --env prod --archive archive attest dashboard"
    assert (
        f"R1 not compared: record the dashboard with: {there} --session {SESSION} --by NAME --payment {PAYMENT}" in said
    )


def test_a_session_that_was_given_up_without_a_refund_is_not_sent_to_the_bank(tmp_path: Path) -> None:
    script = Script().start(live=True, rehearsal=False).until("transfers").keep()
    script.say(SessionAbandoned(reason="no time")).end().store(tmp_path / "archive")
    said = listed(tmp_path)
    assert "attest dashboard --session" in said
    assert " bank " not in said


def test_money_that_came_back_without_a_request_is_awaited_on_the_statement_and_recorded(tmp_path: Path) -> None:
    script = Script().start(live=True, rehearsal=False).until("pay")
    back: JSON = {
        "refund_id": "by_hand",
        "payment_id": PAYMENT,
        "status": "succeeded",
        "amount": 500,
        "currency": "EUR",
    }
    script.call("completed", "payment", {**script.payment(), "refunds": [back]}, processor=True)
    script.fail("completed", "paid_not_completed").end("failed").store(tmp_path / "archive")
    assert f"once it shows the refund: veza-e2e --env prod --archive archive bank {SESSION}" in listed(tmp_path)
    record = ("bank", SESSION, "--seen", "credit", "--date", "2026-05-12", "--amount", "5.00 EUR")
    recorded = Shell(tmp_path)("--archive", "archive", "--json", *record)
    assert recorded.code == 0, recorded.stderr
    assert {one["name"]: one["status"] for one in recorded.json["items"]}["bank_statement"] == "met"
    assert " bank " not in listed(tmp_path)


def test_money_that_never_moved_is_on_no_statement(tmp_path: Path) -> None:
    for rehearsal in (True, False):
        script = Script().start(live=True, rehearsal=rehearsal, release="2026.12").until("revoked").end()
        script.store(tmp_path / str(rehearsal))
        said = Shell(tmp_path)("--archive", str(rehearsal), "--json", "sessions").json["items"][0]["message"]
        assert ("bank statement" in said) is not rehearsal
        screen = last_screen(summarise(script.lines), Surroundings(lambda *words: " ".join(words), DAY))
        assert any(line.startswith("  due ") for line in screen) is not rehearsal
        (label,) = [line.partition(":")[0] for line in screen if ": bank " in line]
        assert label == f"{'rehearse' if rehearsal else 'record'} the bank statement"


@pytest.mark.parametrize("day", ["20260512", "2026-W20-2", "12.05.2026"])
def test_a_day_is_written_as_the_message_says(tmp_path: Path, day: str) -> None:
    folder = Script().start(live=True, rehearsal=False).until("revoked").end().store(tmp_path / "archive")
    words = ("--archive", "archive", "bank", SESSION, "--seen", "credit", "--date", day, "--amount", "5.00")
    assert Shell(tmp_path)(*words).code == 2
    assert not list(folder.glob("addendum-*"))


def test_a_way_out_names_the_environment_and_the_archive_of_the_session(tmp_path: Path) -> None:
    Shell(tmp_path).configure("prod", "https://veza.test", reports="prod", live=True)
    folder = Script().start(live=True, rehearsal=False).until("transfers").store(tmp_path / "kept")
    kept = ["--archive", "kept"]
    for words in (
        ["sign", SESSION, "--key", "veza-e2e.toml"],
        ["bank", SESSION, "--seen", "nothing", "--date", "2026-05-12"],
    ):
        refused = Shell(tmp_path)(*kept, *words)
        assert refused.code == 3
        assert refused.stderr.endswith(f"veza-e2e --env prod {' '.join(kept)} resume {SESSION}\n")
    (folder / "journal.jsonl").write_bytes((folder / "journal.jsonl").read_bytes().replace(b"5.00", b"6.00", 1))
    for words in (["show", SESSION], ["open", SESSION], ["sign", SESSION, "--key", "veza-e2e.toml"]):
        damaged = Shell(tmp_path)(*kept, *words)
        assert damaged.code == 6
        way = shlex.split(damaged.stderr.rpartition("damaged: ")[2])
        assert way == ["veza-e2e", *kept, "verify", SESSION]
    listed = Shell(tmp_path)(*kept, "sessions")
    assert f"more: veza-e2e --archive kept verify {SESSION}" in listed.stdout


def test_the_awaited_statement_is_due_with_the_command_that_records_it(tmp_path: Path) -> None:
    script = Script().start(live=True, rehearsal=False, release="2026.12").until("revoked").end()
    script.store(tmp_path / "archive")
    said = listed(tmp_path)
    bank = f"bank {SESSION} --seen credit --date YYYY-MM-DD --amount AMOUNT"
    assert f"once it shows the refund: veza-e2e --env prod --archive archive {bank}" in said


@pytest.mark.process
def test_a_terminal_gets_whole_words_and_whole_commands(tmp_path: Path) -> None:
    script = Script().start(live=True, rehearsal=False, release="2026.12").until("revoked").end()
    script.store(tmp_path / "docs" / "archive" / "payment-e2e")
    piped = Shell(tmp_path)("show", SESSION).stdout
    words = [*COMMAND, "show", SESSION]
    terminal = pexpect.spawn(words[0], words[1:], cwd=tmp_path, dimensions=(24, 60), encoding="utf-8", timeout=PATIENCE)
    lines = terminal.read().replace("\r", "").splitlines()
    terminal.close()
    assert " ".join(piped.split()) == " ".join(" ".join(lines).split())
    wide = [line for line in lines if len(line) > 60]
    assert all(len(line.split()) == 1 or line.strip().startswith("veza-e2e --env prod bank") for line in wide)
    assert "  met             The license was granted to this buyer, for" in lines
