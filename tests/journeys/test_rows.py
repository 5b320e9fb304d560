"""seller_transfers at the terminal: the SQL in a file, `skip`, and rows that are supplied later."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from at_terminal import Person, as_csv, psql
from front_door import ACCOUNT, Result, Shell, serving

from veza import SystemClock
from veza_e2e.ports.seller_transfers import script

pytestmark = pytest.mark.process


@pytest.fixture
def live(tmp_path: Path) -> Iterator[str]:
    with serving(tmp_path / "server", time=SystemClock(), environment="live") as base_url:
        yield base_url


@pytest.fixture
def at_live(tmp_path: Path, live: str) -> Shell:
    folder = tmp_path / "client"
    folder.mkdir()
    shell = Shell(folder, SystemClock())
    shell.configure("prod", live, reports="live", live=True)
    return shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def items_of(done: Result) -> dict[str, str]:
    return {item["name"]: item["status"] for item in done.json["items"]}


def skipping(person: Person, reason: str) -> None:
    person.terminal.expect("`skip` goes on without the rows")
    person.terminal.sendline("skip")
    person.terminal.expect("Why")
    person.terminal.sendline(reason)


def prod(shell: Shell, *words: str, stdin: str = "") -> Result:
    return shell("--env", "prod", "--archive", "archive", "--json", *words, env=ACCOUNT, stdin=stdin)


def test_whoever_skips_step_7_supplies_the_rows_later(at_live: Shell, live: str, tmp_path: Path) -> None:
    person = Person(at_live, live, "run", "--live", "--release", "2026.12")
    person.chooses()
    person.types_the_amount()
    person.pays()
    person.terminal.expect(r'psql -X --csv -f (\S+) "\$VEZA_DATABASE_URL"')
    written = at_live.folder / str(person.terminal.match[1])  # type: ignore[index]
    skipping(person, "the database is asked tomorrow")
    person.says("refund")
    skipping(person, "likewise")
    assert person.ends() == 0
    shown = prod(at_live, "show", "0").json
    order = shown["order_id"]
    assert written.read_text(encoding="utf-8") == script(order) + "\n"
    assert {step["name"]: step["status"] for step in shown["steps"]}["transfers"] == "skipped"
    assert {i["id"]: i["status"] for i in shown["acceptance"]}["transfer_booked"] == "not_checked"

    (tmp_path / "rows.csv").write_text(psql(live), encoding="utf-8")
    done = prod(at_live, "rows", shown["session"], "--file", str(tmp_path / "rows.csv"))
    assert done.code == 0, done.stdout
    found = items_of(done)
    assert (found["transfer"], found["reversal"], found["license"]) == ("met", "met", "not_checked")
    (addendum,) = at_live.folder.rglob("addendum-001.json")
    kept = json.loads(addendum.read_text(encoding="utf-8"))
    assert (kept["type"], kept["source"], len(kept["rows"])) == ("RowsSupplied", "pasted", 1)

    pasted = prod(at_live, "rows", shown["session"], stdin=f"s\n{psql(live)}.\ny\n")
    assert pasted.code == 0, pasted.stdout
    assert "| tr_" in pasted.stderr, "the rehearsal backend shows what psql would print"
    assert len(list(at_live.folder.rglob("addendum-00?.json"))) == 2
    assert prod(at_live, "verify", shown["session"]).code == 0

    for changes, code, status in (
        ({"seller_id": "another"}, 1, "not_met"),
        ({"reversed_amount_cents": 0, "status": "completed", "error_message": "balance too low"}, 1, "not_met"),
        ({"reversed_amount_cents": 0, "status": "completed"}, 4, "pending"),
        ({"platform_fee_cents": ""}, 4, "not_checked"),
        ({"stripe_reversal_id": ""}, 4, "pending"),
        ({"error_message": "balance too low"}, 4, "not_checked"),
    ):
        (tmp_path / "rows.csv").write_text(psql(live, **changes), encoding="utf-8")
        done = prod(at_live, "rows", shown["session"], "--file", str(tmp_path / "rows.csv"))
        assert (done.code, status in items_of(done).values()) == (code, True), done.stdout

    head, one = psql(live).splitlines()
    (tmp_path / "rows.csv").write_text(f"{head},license_status\n{one},active\n", encoding="utf-8")
    done = prod(at_live, "rows", shown["session"], "--file", str(tmp_path / "rows.csv"))
    assert (done.code, items_of(done)["license"]) == (4, "pending"), done.stdout
    assert "a license is active by the database, and revoked by the API" in done.stdout


def late(shell: Shell) -> dict[str, Any]:
    """A rehearsed session whose transfer is not there yet."""
    done = shell.run("--refund", "--fault", "transfer_missing")
    assert (done.code, done.json["waiting_for"], done.json["refund_open"]) == (4, "transfer", False), done.stdout
    assert done.steps["transfers"] == "pending"
    return done.json


def row(order: str, **changes: object) -> dict[str, object]:
    booked: dict[str, object] = {
        "order_id": order, "currency": "EUR", "transfer_id": "11", "seller_id": "", "stripe_transfer_id": "tr_a",
        "amount_cents": 450, "platform_fee_cents": 50, "transfer_currency": "EUR", "status": "reversed",
        "reversed_amount_cents": 450, "stripe_reversal_id": "trr_a", "row_count": 1,
    }  # fmt: skip
    return booked | changes


def test_rows_are_appended_to_an_open_session_and_its_views_made_again(shell: Shell) -> None:
    session = late(shell)
    before = (shell.folder / session["paths"]["report"]).read_bytes()
    (shell.folder / "rows.csv").write_text(as_csv(row(session["order_id"])), encoding="utf-8")
    done = shell("--json", "rows", session["session"], "--file", "rows.csv")
    assert done.code == 0, done.stdout
    assert (items_of(done)["transfer"], items_of(done)["reversal"]) == ("met", "met")
    lines = (shell.folder / session["paths"]["journal"]).read_text(encoding="utf-8").splitlines()
    last = json.loads(lines[-1])
    assert (last["type"], last["step"], last["rows"][0]["transfer_id"]) == ("RowsRead", "revoked", "11")
    assert (shell.folder / session["paths"]["report"]).read_bytes() != before
    assert shell("--json", "verify", session["session"]).code == 0
    assert list(shell.folder.rglob("addendum-*")) == []

    again = shell("--json", "rows", session["session"])
    assert (again.code, items_of(again)["transfer"], items_of(again)["reversal"]) == (4, "pending", "not_checked")
    shell.time.sleep(24 * 3600)
    missing = shell("--json", "rows", session["session"])
    assert (missing.code, items_of(missing)["transfer"]) == (1, "not_met")
    assert "after more than 24 hours" in missing.stdout


def test_a_reversal_that_is_late_is_missing_a_day_after_the_refund_was_seen(shell: Shell) -> None:
    done = shell.run("--refund", "--fault", "transfer_not_reversed")
    assert (done.code, done.json["waiting_for"]) == (4, "reversal"), done.stdout
    words = ("--json", "rows", done.json["session"])
    late_ = shell(*words)
    assert (late_.code, items_of(late_)["transfer"], items_of(late_)["reversal"]) == (4, "met", "pending")
    shell.time.sleep(24 * 3600)
    missing = shell(*words)
    assert (missing.code, items_of(missing)["transfer"], items_of(missing)["reversal"]) == (1, "met", "not_met")


def test_a_file_that_cannot_be_used_changes_nothing(shell: Shell) -> None:
    session = late(shell)
    journal = shell.folder / session["paths"]["journal"]
    before = journal.read_bytes()
    for text, told in (
        ("", "was not found in it"),
        (as_csv(row("6")), "it is about order 6"),
        (as_csv(row(session["order_id"], row_count=2)), "row_count says 2, 1 row was read"),
        ("x" * (1 << 20) + "y", "larger than 1 MiB"),
    ):
        (shell.folder / "rows.csv").write_text(text, encoding="utf-8")
        done = shell("--json", "rows", session["session"], "--file", "rows.csv")
        assert (done.code, told in done.json["error"]["message"]) == (2, True), done.stdout
        assert journal.read_bytes() == before


def test_nobody_at_the_terminal_is_no_answer(at_live: Shell, live: str) -> None:
    person = Person(at_live, live, "run", "--live", "--release", "2026.12")
    person.chooses()
    person.types_the_amount()
    person.pays()
    skipping(person, "no psql")
    person.says("keep")
    assert person.ends() == 0
    for typed in ("", "skip\nnone\n", f"{psql(live)}.\n"):
        done = prod(at_live, "rows", "0", stdin=typed)
        assert (done.code, done.json["error"]["message"]) == (4, "no rows were supplied")
    done = prod(at_live, "rows", "0", stdin=f"{psql(live)}.\ny\n")
    assert (done.code, items_of(done)["transfer"], items_of(done)["reversal"]) == (0, "met", "not_applicable")


def test_a_session_without_an_order_has_no_rows(shell: Shell) -> None:
    assert shell("run").code == 4
    refused = shell("--json", "rows", "0")
    assert (refused.code, "no order whose rows" in refused.json["error"]["message"]) == (3, True)
