"""attest: what only a person can see is validated first, stored once, and named with what it touches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from front_door import Result, Shell
from scripted_session import PAYMENT, REFUND, SESSION, Script

from veza_e2e.journal import FileSink

DASHBOARD = ("attest", "dashboard", "--session", SESSION, "--by", "A. Person")
WHOLE = ("--payment", PAYMENT, "--charged", "5.00 EUR", "--refund", REFUND, "--refunded", "5.00 EUR")


def statuses(result: Result) -> dict[str, str]:
    return {item["name"]: item["status"] for item in result.json["items"]}


def written(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def events(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("item", "nearest"),
    [("ex9", "ex-9"), ("EX_9", "ex-9"), ("dashbord", "dashboard"), ("password", "password-rotated"), ("%", "")],
)
def test_an_unknown_item_is_refused_with_the_nearest_name(shell: Shell, item: str, nearest: str) -> None:
    result = shell("--json", "attest", item, "--by", "A. Person")
    assert result.code == 2
    assert f"did you mean: veza-e2e attest {nearest}" in result.json["error"]["hint"]
    assert not list(shell.folder.rglob("attestations"))


def test_an_ended_session_gets_an_addendum(shell: Shell, stored: Path, tmp_path: Path) -> None:
    shot = tmp_path / "screenshot.png"
    shot.write_bytes(b"pixels")
    before = (stored / "journal.jsonl").read_bytes()
    result = shell("--json", *DASHBOARD, *WHOLE, "--reversed", "4.50 EUR", "--evidence", str(shot), "--note", "Stripe")
    assert result.code == 0
    members = json.loads((stored / "addendum-001.json").read_text(encoding="utf-8"))
    assert members["type"] == "Dashboard"
    figures = ("payment_id", "charged_cents", "refund_id", "refunded_cents", "reversed_cents", "currency", "by", "note")
    assert [members[name] for name in figures] == [PAYMENT, 500, REFUND, 500, 450, "EUR", "A. Person", "Stripe"]
    assert members["evidence"]["bytes"] == 6
    assert (stored / "journal.jsonl").read_bytes() == before
    assert {"R1", "R4", "R5", "R6", "account", "decision"} <= set(statuses(result))
    assert shell("--json", "verify", SESSION).code == 0


def test_an_open_session_gets_an_event_and_its_views_anew(shell: Shell) -> None:
    folder = Script().start().until("completed").store(shell.folder / "build" / "rehearsals")
    before = events(folder)
    result = shell("--json", *DASHBOARD, "--payment", PAYMENT, "--charged", "5.00")
    assert result.code == 0
    *kept, read = events(folder)
    assert kept == before
    assert (read["type"], read["payment_id"], read["charged_cents"]) == ("DashboardRead", PAYMENT, 500)
    assert (read["currency"], read["refunded_cents"], read["reversed_cents"]) == ("EUR", None, None)
    assert "A. Person" in (folder / "report.md").read_text(encoding="utf-8")
    assert not list(folder.glob("addendum-*"))
    assert shell("--json", "verify", SESSION).code == 0


def test_a_session_that_another_process_works_on_is_left_alone(shell: Shell) -> None:
    folder = Script().start().until("completed").store(shell.folder / "build" / "rehearsals")
    before = (folder / "journal.jsonl").read_bytes()
    sink = FileSink(folder / "journal.jsonl", create=False)
    try:
        assert shell(*DASHBOARD, *WHOLE).code == 3
    finally:
        sink.close()
    assert (folder / "journal.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        (), ("--payment", PAYMENT), ("--charged", "5.00 EUR"),
        ("--payment", PAYMENT, "--charged", "-5.00 EUR"), ("--payment", " ", "--charged", "5.00 EUR"),
        ("--refund", REFUND), ("--refunded", "5.00 EUR"),
        ("--reversed", "-0.01 EUR"), ("--reversed", "five"), (*WHOLE, "--reversed", "4.50 USD"),
        (*WHOLE, "--release", "2026.05"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("ended", [True, False])
def test_figures_that_cannot_be_are_refused_before_anything_is_written(
    shell: Shell, words: tuple[str, ...], *, ended: bool
) -> None:
    script = Script().start().until("revoked")
    folder = (script.end() if ended else script).store(shell.folder / "build" / "rehearsals")
    before, journal = written(shell.folder), (folder / "journal.jsonl").read_bytes()
    assert shell(*DASHBOARD, *words).code == 2
    assert (written(shell.folder), (folder / "journal.jsonl").read_bytes()) == (before, journal)


@pytest.mark.parametrize("words", [("--reversed", "0.00 EUR"), ("--refunded", "0"), ("--reversed", "4.50 usd")])
def test_zero_and_another_currency_can_be_read(shell: Shell, stored: Path, words: tuple[str, ...]) -> None:
    assert shell(*DASHBOARD, *words).code == 0
    assert (stored / "addendum-001.json").exists()


def test_a_mistyped_id_is_noticed_settles_nothing_and_can_be_taken_back(shell: Shell, stored: Path) -> None:
    mistyped = shell("--json", *DASHBOARD, "--payment", "pay_x", "--charged", "5.00 EUR", "--refund", "ref_x",
                     "--refunded", "5.00 EUR")  # fmt: skip
    found = statuses(mistyped)
    assert (found["payment"], found["refund"], found["R1"]) == ("warn", "warn", "differs"), stored
    both = shell("--json", *DASHBOARD, *WHOLE)
    account = next(item["message"] for item in both.json["items"] if item["name"] == "account")
    assert statuses(both)["account"] == "unknown"
    assert "the processor says charged 5.00 EUR, back 5.00 EUR" in account
    assert "a person says charged 10.00 EUR, back 10.00 EUR" in account
    shown = shell("--json", "show", SESSION).json
    assert (shown["money"]["refunded_cents"], shown["refund_open"]) == (None, None)
    assert "refund it at the processor's dashboard" not in shell("sessions").stdout
    words = ("--payment", "pay_x", "--charged", "0.00", "--refund", "ref_x", "--refunded", "0.00")
    right = statuses(shell("--json", *DASHBOARD, *words))
    assert (right["account"], right["R1"], right["R4"], right["R6"]) == ("returned", "equal", "equal", "equal")


def test_the_items_of_a_session_name_one_and_those_of_a_release_do_not(shell: Shell, stored: Path) -> None:
    assert shell("attest", "dashboard", "--by", "a", *WHOLE).code == 2
    assert shell("attest", "unrelated", "--by", "a", "--note", "b").code == 2
    assert shell("attest", "ex-9", "--by", "a", "--session", stored.name).code == 2
    assert shell("attest", "ex-9", "--by", "a", "--charged", "5.00 EUR").code == 2


def test_a_damaged_session_can_be_attested_as_unrelated_and_is_never_touched(shell: Shell, stored: Path) -> None:
    unrelated = ("--json", "attest", "unrelated", "--session", SESSION, "--by", "A. Person")
    assert shell(*unrelated, "--note", "a disk test").code == 3, "it is not damaged"
    assert not list(shell.folder.rglob("attestations"))
    (stored / "journal.jsonl").write_bytes((stored / "journal.jsonl").read_bytes().replace(b'"seq":7', b'"seq":8'))
    before = {path.name: path.read_bytes() for path in stored.iterdir()}
    assert shell(*unrelated).code == 2, "a reason is needed"
    result = shell(*unrelated, "--note", "a disk test", "--release", "2026.05")
    assert result.code == 0
    (path,) = (stored.parents[2] / "attestations").iterdir()
    members = json.loads(path.read_text(encoding="utf-8"))
    assert [members[name] for name in ("item", "session", "release", "note")] == [
        "unrelated", SESSION, "2026.05", "a disk test"
    ]  # fmt: skip
    assert {one.name: one.read_bytes() for one in stored.iterdir()} == before
    assert shell(*DASHBOARD, *WHOLE).code == 6, "of a damaged session nothing else can be said"
