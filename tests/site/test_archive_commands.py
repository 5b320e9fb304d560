"""sessions, show, bank, attest, render, verify, sign: through the command, over files on the disk."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from front_door import Result, Shell
from scripted_session import SESSION, Script
from ten_sessions import DRY_RUN

from veza_e2e.archive.files import ArchiveError
from veza_e2e.archive.sessions import Stored
from veza_e2e.canonical import digest, dumps
from veza_e2e.evidence import BankStatement, unseal
from veza_e2e.journal.events import StepStarted
from veza_e2e.redaction import Redactor

BANK = ("bank", SESSION, "--date", "2026-05-12", "--amount", "5.00 EUR")


def statuses(result: Result) -> dict[str, str]:
    return {item["name"]: item["status"] for item in result.json["items"]}


def messages(result: Result) -> str:
    return " ".join(item["message"] for item in result.json["items"])


def test_sessions_lists_outcome_money_and_what_is_due(shell: Shell) -> None:
    script = Script().start(live=True, rehearsal=False, release="2026.05", dry_run=DRY_RUN).until("revoked").end()
    script.store(shell.folder / "docs" / "archive" / "payment-e2e")
    result = shell("--json", "sessions")
    assert result.code == 0
    assert result.json["ok"] is True
    (item,) = result.json["items"]
    assert (item["name"], item["status"]) == (SESSION, "passed")
    for part in ("release 2026.05", "charged 5.00 EUR, back 5.00 EUR", "bank statement OVERDUE", "2026-05-11"):
        assert part in item["message"]


def test_an_empty_archive_has_no_sessions(shell: Shell) -> None:
    assert shell("--json", "sessions").json == {"ok": True, "items": []}


@pytest.mark.parametrize("prefix", [SESSION, SESSION[:12], SESSION.lower()])
def test_show_gives_the_summary_with_its_paths(shell: Shell, stored: Path, prefix: str) -> None:
    document = shell("--json", "show", prefix).json
    assert (document["session"], document["outcome"], document["rehearsed_decision"]) == (SESSION, "passed", "PENDING")
    assert all(Path(shell.folder, path).is_file() for path in document["paths"].values())
    assert Path(shell.folder, document["paths"]["report"]).parent == stored


def test_an_unknown_session_is_a_usage_error(shell: Shell) -> None:
    result = shell("--json", "show", "01NONE")
    assert result.code == 2
    assert "no session" in result.json["error"]["message"]


def test_two_sessions_that_begin_alike_are_named(shell: Shell, stored: Path) -> None:
    other = SESSION[:-1] + "B"
    Script(session=other).start().until("login").store(stored.parents[2])
    result = shell("--json", "show", SESSION[:10])
    assert result.code == 2
    assert SESSION in result.json["error"]["message"]
    assert other in result.json["error"]["message"]


def test_the_bank_statement_flips_the_rehearsed_decision(shell: Shell, stored: Path, tmp_path: Path) -> None:
    statement = tmp_path / "statement.pdf"
    statement.write_bytes(b"the whole statement")
    result = shell("--json", *BANK, "--seen", "credit", "--amount", "5.00 EUR", "--evidence", str(statement))
    assert result.code == 0
    assert statuses(result)["bank_statement"] == "met"
    assert statuses(result)["rehearsed_decision"] == "GO"
    (decided,) = [one for one in result.json["items"] if one["name"] == "decision"]
    assert decided["status"] not in decided["message"], "the decision is said once"
    written = json.loads((stored / "addendum-001.json").read_text(encoding="utf-8"))
    assert written["evidence"] == {"bytes": 19, "sha256": hashlib.sha256(b"the whole statement").hexdigest()}
    assert b"whole statement" not in b"".join(path.read_bytes() for path in stored.iterdir())
    assert shell("--json", "show", SESSION).json["rehearsed_decision"] == "GO"


def test_nothing_on_the_statement_is_recorded_and_corrected_later(shell: Shell, stored: Path) -> None:
    looked = shell("--json", *BANK, "--seen", "nothing")
    assert (looked.code, statuses(looked)["bank_statement"]) == (0, "pending")
    assert shell("--json", *BANK, "--seen", "charge-dropped").code == 0
    assert [path.name for path in sorted(stored.glob("addendum-*"))] == ["addendum-001.json", "addendum-002.json"]
    assert shell("--json", "show", SESSION).json["rehearsed_decision"] == "GO"


def test_another_amount_is_recorded_and_is_not_met(shell: Shell, stored: Path) -> None:
    result = shell("--json", *BANK, "--seen", "credit", "--amount", "4.99")
    assert (result.code, result.json["ok"], statuses(result)["bank_statement"]) == (1, False, "not_met")
    assert (stored / "addendum-001.json").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--seen", "maybe"), ("--seen", "credit", "--amount", "five"), ("--seen", "credit", "--amount", "5.001 EUR"),
        ("--seen", "credit", "--date", "12.05.2026"), ("--seen", "credit", "--date", "2026-05-01"),
        ("--seen", "credit", "--evidence", "not-there.pdf"),
        *(("--seen", "credit", "--amount", amount) for amount in ("-5.00 EUR", "0.00 EUR", "-5")),
    ],
)  # fmt: skip
def test_what_cannot_be_is_a_usage_error(shell: Shell, stored: Path, words: tuple[str, ...]) -> None:
    assert shell(*BANK, *words).code == 2
    assert not list(stored.glob("addendum-*"))


@pytest.mark.parametrize("seen", ["credit", "charge-dropped"])
def test_what_was_seen_on_a_statement_has_an_amount(shell: Shell, stored: Path, seen: str) -> None:
    result = shell("--json", "bank", SESSION, "--date", "2026-05-12", "--seen", seen)
    assert result.code == 2
    assert "--amount is missing" in result.json["error"]["message"]
    assert not list(stored.glob("addendum-*"))


def test_a_session_without_a_refund_has_no_statement(shell: Shell) -> None:
    Script().start().until("transfers").keep().end().store(shell.folder / "build" / "rehearsals")
    assert shell(*BANK, "--seen", "credit").code == 3


def test_an_open_session_cannot_be_cited(shell: Shell) -> None:
    Script().start().until("revoked").store(shell.folder / "build" / "rehearsals")
    result = shell("--json", *BANK, "--seen", "credit")
    assert result.code == 3
    assert "resume" in result.json["error"]["hint"]


def test_no_secret_enters_a_note(shell: Shell, stored: Path) -> None:
    shell(*BANK, "--seen", "credit", "--note", "card 4242 4242 4242 4242, write to someone@bank.example")
    note = json.loads((stored / "addendum-001.json").read_text(encoding="utf-8"))["note"]
    assert "4242 4242" not in note
    assert "someone@" not in note


def test_an_attestation_is_kept_by_item_and_release(shell: Shell, stored: Path) -> None:
    result = shell(
        "--json", "attest", "EX-9", "--by", "A. Person", "--release", "2026.05", "--note", "seen in the dashboard"
    )
    assert result.code == 0
    (path,) = (shell.folder / "build" / "rehearsals" / "attestations").iterdir()
    written = json.loads(path.read_text(encoding="utf-8"))
    assert (written["item"], written["by"], written["release"]) == ("ex-9", "A. Person", "2026.05")
    again = shell("--json", "attest", "ex-9", "--by", "B. Person")
    assert again.code == 0
    assert len(list(path.parent.iterdir())) == 2
    shell(*BANK, "--seen", "nothing")
    late = shell("--json", "attest", "password-rotated", "--by", "B. Person")
    assert late.code == 0
    verified = shell("--json", "verify")
    assert (verified.code, statuses(verified)["attestation ex-9"]) == (0, "ok")
    assert statuses(verified)["attestation password-rotated"] == "not checked"
    assert "no manifest lists it" in messages(verified)
    assert stored.exists()


@pytest.mark.parametrize("words", [("../x", "--by", "a"), ("ex-9",), ("ex-9", "--by", " "), ("a b", "--by", "a")])
def test_an_attestation_needs_an_item_and_a_person(shell: Shell, words: tuple[str, ...]) -> None:
    assert shell("attest", *words).code == 2


def test_verify_says_what_it_checked_and_what_it_cannot_show(shell: Shell, stored: Path) -> None:
    shell(*BANK, "--seen", "credit", "--amount", "5.00 EUR")
    result = shell("--json", "verify", "--all")
    assert (result.code, result.json["ok"]) == (0, True)
    assert statuses(result) == {
        f"{SESSION} identity": "ok",
        f"{SESSION} chain": "ok",
        f"{SESSION} report.md": "ok",
        f"{SESSION} session.log": "ok",
        f"{SESSION} dry-run": "not checked",
        f"{SESSION} addendum-001.json": "ok",
        f"{SESSION} manifest-001.json": "ok",
        f"{SESSION} manifest-001.json.sig": "not signed",
        "removal": "not checked",
        "sessions": "ok",
    }
    assert "is what the journal renders to" in messages(result)
    assert "somebody who writes journal, views, addenda and manifests anew leaves no trace" in result.stderr
    assert "the newest manifest with all that only it lists" in result.stderr
    assert stored.exists()


def test_an_open_journal_is_named_open(shell: Shell) -> None:
    Script().start().until("pay").store(shell.folder / "build" / "rehearsals")
    result = shell("--json", "verify", SESSION)
    assert result.code == 0
    assert "open: the tail cannot be proven" in messages(result)


def damage(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("journal.jsonl", (b'"passed":true', b'"passed":false'), "event 4: "),
        ("journal.jsonl", (b'"seq":7', b'"seq":8'), "event 7: "),
        ("journal.jsonl", (b'"total_amount_cents":500', b'"total_amount_cents":600'), "event 16: "),
        ("report.md", (b"5.00 EUR", b"6.00 EUR"), "does not have the digest"),
        ("session.log", (b"Step", b"Stop"), "does not have the digest"),
        ("addendum-001.json", (b"credit", b"nothing"), "does not have the hash it claims"),
        ("addendum-001.json", (b'"session":"01M3', b'"session":"01M4'), "does not have the hash it claims"),
    ],
)
def test_damage_is_found_and_named(
    shell: Shell, stored: Path, name: str, change: tuple[bytes, bytes], said: str
) -> None:
    shell(*BANK, "--seen", "credit")
    damage(stored / name, *change)
    result = shell("--json", "verify", SESSION)
    assert (result.code, result.json["ok"]) == (6, False)
    assert said in messages(result)


def test_a_cut_journal_is_open_and_a_line_cut_out_is_damage(shell: Shell, stored: Path) -> None:
    lines = (stored / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (stored / "journal.jsonl").write_bytes(b"".join(lines[:-1]))
    assert "open: the tail" in messages(shell("--json", "verify", SESSION))
    (stored / "journal.jsonl").write_bytes(b"".join(lines[:9] + lines[10:]))
    result = shell("--json", "verify", SESSION)
    assert result.code == 6
    assert "event 10: " in messages(result)


def test_a_missing_view_is_damage(shell: Shell, stored: Path) -> None:
    (stored / "report.md").unlink()
    assert shell("verify", SESSION).code == 6


def test_an_addendum_of_another_session_is_damage(shell: Shell, stored: Path) -> None:
    shell(*BANK, "--seen", "credit")
    other = Script(session=SESSION[:-1] + "B").start().until("revoked").end().store(stored.parents[2])
    (other / "addendum-001.json").write_bytes((stored / "addendum-001.json").read_bytes())
    result = shell("--json", "verify", other.name)
    assert result.code == 6
    assert "cites another journal" in messages(result)


def test_an_addendum_of_another_session_decides_nothing(shell: Shell, stored: Path) -> None:
    shell(*BANK, "--seen", "credit")
    assert shell("--json", "show", SESSION).json["rehearsed_decision"] == "GO"
    other = Script(session=SESSION[:-1] + "B").start(live=True, release="2026.06", dry_run=DRY_RUN).until("revoked")
    folder = other.end().store(stored.parents[2])
    (folder / "addendum-001.json").write_bytes((stored / "addendum-001.json").read_bytes())
    result = shell("--json", "show", other.session)
    assert (result.code, "cites another journal" in result.json["error"]["message"]) == (6, True)
    assert (
        shell("--json", "bank", other.session, "--date", "2026-05-12", "--amount", "5.00 EUR", "--seen", "credit").code
        == 6
    )
    listed = shell("--json", "sessions")
    assert (listed.code, statuses(listed)) == (6, {SESSION: "passed", other.session: "damaged"})


def sealed(path: Path, **change: Any) -> None:
    """Write an addendum anew with other members, or without those that are None, and a hash that fits them."""
    members = {**json.loads(path.read_bytes()), **change}
    rest = {name: value for name, value in members.items() if name != "hash" and value is not ...}
    path.write_bytes(dumps({**rest, "hash": digest(rest)}).encode() + b"\n")


@pytest.mark.parametrize(
    "change",
    [
        {"seen": "maybe"}, {"seen": ["credit"]}, {"date": "soon"}, {"date": "20260512"}, {"date": 5}, {"number": "1"},
        {"number": True}, {"seq": None}, {"amount_cents": "500"}, {"amount_cents": True}, {"amount_cents": -500},
        {"currency": "euro"}, {"currency": None}, {"at": "today"}, {"note": 1}, {"evidence": "file"},
        {"evidence": {"sha256": "x", "bytes": 1}}, {"previous": 1}, {"session": "../x"}, {"type": ["BankStatement"]},
        {"more": 1}, {"seq": ...},
    ],
    ids=str,
)  # fmt: skip
def test_an_addendum_that_is_no_addendum_is_damage_and_hides_no_other_session(
    shell: Shell, stored: Path, change: dict[str, Any]
) -> None:
    other = Script(session=SESSION[:-1] + "B").start().until("login").store(stored.parents[2])
    shell(*BANK, "--seen", "credit", "--amount", "5.00 EUR")
    sealed(stored / "addendum-001.json", **change)
    listed = shell("--json", "sessions")
    assert (listed.code, statuses(listed)) == (6, {SESSION: "damaged", other.name: "incomplete"})
    assert shell("show", SESSION).code == shell("verify", SESSION).code == 6


def test_an_addendum_cites_the_one_before_it(shell: Shell, stored: Path) -> None:
    for seen in ("nothing", "credit"):
        assert shell(*BANK, "--seen", seen).code == 0
    first, second = (json.loads((stored / f"addendum-00{number}.json").read_bytes()) for number in (1, 2))
    assert (first["previous"], second["previous"]) == (None, first["hash"])
    assert "and the addendum before it" in messages(shell("--json", "verify", SESSION))
    sealed(stored / "addendum-001.json", note="another story")
    result = shell("--json", "verify", SESSION)
    assert (result.code, "another addendum than the one before" in messages(result)) == (6, True)


def test_an_addendum_of_a_time_before_citing_stays_readable(shell: Shell, stored: Path) -> None:
    for seen in ("nothing", "credit"):
        shell(*BANK, "--seen", seen)
    for path in stored.glob("addendum-*.json"):
        sealed(path, previous=...)
    for path in stored.glob("manifest-*.json"):  # that time had none
        path.unlink()
    assert shell("--json", "show", SESSION).json["rehearsed_decision"] == "GO"
    assert shell("verify", SESSION).code == 0


def test_a_missing_addendum_is_named_and_the_next_one_takes_no_number_twice(shell: Shell, stored: Path) -> None:
    for seen in ("nothing", "credit"):
        shell(*BANK, "--seen", seen)
    first = (stored / "addendum-001.json").read_bytes()
    (stored / "addendum-001.json").unlink()
    result = shell("--json", *BANK, "--seen", "credit")
    assert (result.code, "addendum-001.json is missing" in result.json["error"]["message"]) == (6, True)
    folder = Stored(SESSION, stored)
    (whole,) = (item for _, item in folder.each_addendum(folder.read()))
    assert isinstance(whole, ArchiveError)
    again = unseal(json.loads((stored / "addendum-002.json").read_bytes()))
    assert isinstance(again, BankStatement)
    assert folder.add(again, Redactor()).name == "addendum-003.json"
    (stored / "addendum-001.json").write_bytes(first)
    assert shell("verify", SESSION).code == 0


def test_a_day_that_nobody_can_have_seen_is_refused(shell: Shell, stored: Path) -> None:
    today = shell.time.now().date()
    late = shell(
        "--json", "bank", SESSION, "--amount", "5.00 EUR", "--seen", "credit", "--date", str(today + timedelta(days=2))
    )
    assert (late.code, "future" in late.json["error"]["message"]) == (2, True)
    assert shell("bank", SESSION, "--seen", "nothing", "--date", str(today + timedelta(days=9))).code == 2
    assert not list(stored.glob("addendum-*"))
    assert (
        shell(
            "bank", SESSION, "--amount", "5.00 EUR", "--seen", "credit", "--date", str(today + timedelta(days=1))
        ).code
        == 0
    )


@pytest.mark.parametrize("seen", ["credit", "charge-dropped"])
def test_no_statement_shows_a_refund_before_it_was_made(shell: Shell, seen: str) -> None:
    script = Script(datetime(2026, 5, 1, 9, tzinfo=UTC)).start(live=True, release="2026.05", dry_run=DRY_RUN)
    script.until("revoked").end().store(shell.folder / "build" / "rehearsals")
    result = shell("--json", "bank", SESSION, "--amount", "5.00 EUR", "--seen", seen, "--date", "2026-05-02")
    assert (result.code, "before the refund, which was on 2026-05-04" in result.json["error"]["message"]) == (2, True)
    assert shell("bank", SESSION, "--seen", "nothing", "--date", "2026-05-02").code == 0
    assert shell("bank", SESSION, "--amount", "5.00 EUR", "--seen", seen, "--date", "2026-05-03").code == 0


def test_a_refund_that_was_seen_late_can_be_on_an_earlier_statement(shell: Shell) -> None:
    script = Script().start(live=True, release="2026.05", dry_run=DRY_RUN).until("refund")
    script.clock.at += timedelta(days=10)
    script.say(StepStarted(step="revoked"))
    script.call("revoked", "getOrder", script.refunded_order())
    script.done("revoked", "refunded", refunded_cents=500, refunded_at=None)
    script.end().store(shell.folder / "build" / "rehearsals")
    result = shell("--json", "bank", SESSION, "--amount", "5.00 EUR", "--seen", "credit", "--date", "2026-05-11")
    assert (result.code, statuses(result)["bank_statement"]) == (0, "met")


def test_a_secret_that_is_known_enters_neither_statement_nor_attestation(shell: Shell, stored: Path) -> None:
    secrets = {"OPERATOR_PASSWORD": "correct horse battery", "HYPERSWITCH_API_KEY": "abcdefghijkl"}
    said = "correct horse battery and abcdefghijkl"
    assert shell(*BANK, "--seen", "credit", "--note", said, "--reference", said, env=secrets).code == 0
    assert shell("attest", "ex-9", "--by", said, "--note", said, env=secrets).code == 0
    (attested,) = (stored.parents[2] / "attestations").iterdir()
    for path in (stored / "addendum-001.json", attested):
        assert "horse" not in path.read_text(encoding="utf-8")
        assert "abcdefghijkl" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("release", ["", "  "])
def test_an_attestation_for_no_release_at_all_is_refused(shell: Shell, release: str) -> None:
    assert shell("attest", "ex-9", "--by", "A. Person", "--release", release).code == 2


def test_an_addendum_is_never_overwritten(shell: Shell, stored: Path) -> None:
    (stored / "addendum-002.json").write_text("{}", encoding="utf-8")
    assert shell("show", SESSION).code == 6
    assert shell(*BANK, "--seen", "credit").code == 6
    assert (stored / "addendum-002.json").read_text(encoding="utf-8") == "{}"


def test_render_restores_a_view_byte_for_byte(shell: Shell, stored: Path) -> None:
    before = (stored / "report.md").read_bytes()
    (stored / "report.md").unlink()
    result = shell("--json", "render", SESSION)
    assert (result.code, statuses(result)) == (0, {SESSION: "ok"})
    assert (stored / "report.md").read_bytes() == before


def test_views_of_other_templates_do_not_replace_a_sessions_own(shell: Shell) -> None:
    script = Script().start().until("login")
    script.end().store(shell.folder / "build" / "rehearsals")
    other = Script(session=SESSION[:-1] + "B").start().until("login")
    folder = other.end_with(views={"report.md": "0" * 64}).store(shell.folder / "build" / "rehearsals")
    (folder / "report.md").write_text("as it was", encoding="utf-8")
    result = shell("--json", "render", other.session)
    assert statuses(result) == {other.session: "elsewhere"}
    assert (folder / "report.md").read_text(encoding="utf-8") == "as it was"
    assert (shell.folder / "build" / "views" / other.session / "report.md").is_file()


def test_the_dry_run_that_was_cited_is_compared(shell: Shell) -> None:
    root = shell.folder / "build" / "rehearsals"
    dry = Script(session=DRY_RUN["session"]).start(release="2026.05").until("revoked").end()
    dry.store(root)
    right = {**DRY_RUN, "hash": dry.lines[-1].hash}
    Script().start(live=True, release="2026.05", dry_run=right).until("login").store(root)
    wrong = Script(session=SESSION[:-1] + "B").start(live=True, release="2026.05", dry_run=DRY_RUN).until("login")
    wrong.store(root)
    assert statuses(shell("--json", "verify", SESSION))[f"{SESSION} dry-run"] == "ok"
    result = shell("--json", "verify", wrong.session)
    assert (result.code, statuses(result)[f"{wrong.session} dry-run"]) == (6, "damaged")


def test_a_single_file_is_of_one_whole_session_and_outside_the_archive(shell: Shell, stored: Path) -> None:
    assert shell("render", "--single-file", "one.html").code == 2
    inside = str(stored / "one.html")
    assert shell("render", SESSION, "--single-file", inside).code == 2
    assert shell("render", SESSION, "--single-file", "not-there/one.html").code == 2
    made = shell("--json", "render", SESSION, "--single-file", "one.html")
    assert (made.code, [item["status"] for item in made.json["items"]]) == (0, ["ok"])
    first = (shell.folder / "one.html").read_bytes()
    assert shell("render", SESSION, "--single-file", "one.html").code == 0
    assert (shell.folder / "one.html").read_bytes() == first
    journal = stored / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"seq":7', b'"seq":8', 1))
    assert shell("render", SESSION, "--single-file", "two.html").code == 6
    assert not (shell.folder / "two.html").exists()
