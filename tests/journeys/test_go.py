"""Operators who bring a release to GO, each with other means, by commands alone; and who says each figure.

Everything is rehearsed, so the decision stays PENDING, and the rehearsed decision says what it would be.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from at_terminal import psql
from postgres import Server
from release_operator import operator, skips

pytestmark = pytest.mark.process

REPORTED = [
    ("backend", "charged 5.00 EUR"),
    ("processor", "charged 5.00 EUR"),
    ("backend", "back 5.00 EUR"),
    ("processor", "back 5.00 EUR"),
]
"""Who says each figure, of an operator with a key and a connection."""


def witnessed(report: Path) -> list[tuple[str, str]]:
    """Return what the report's receipt says of charge and refund; each line must name its evidence."""
    section = report.read_text(encoding="utf-8").partition("## Receipt")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "|" in line]
    words = {"Charged": "charged", "Refunded": "back"}
    told = [row for row in rows if row[0] in words]
    assert all(evidence for *_, evidence in told)
    return [(by, f"{words[what]} {amount}") for what, amount, _, _, by, _ in told]


@pytest.fixture
def postgres() -> Iterator[str]:
    server = Server()
    yield server.empty("rehearsal")
    server.remove()


def test_with_the_processors_key_and_a_connection(tmp_path: Path, postgres: str) -> None:
    with operator(tmp_path, database=postgres, VEZA_DATABASE_URL=postgres) as someone:
        person = someone.buys()
        person.says("refund")
        left = someone.left(person)
        assert left["rehearsed_decision"] == "PENDING"
        assert witnessed(someone.shell.folder / left["paths"]["report"]) == REPORTED
        someone.reads_the_statement()
        someone.attests_ex_9()
        assert someone.decides() == ("PENDING", "GO")
        with psycopg.connect(postgres) as connection:
            assert connection.execute("SELECT count(*) FROM seller_transfers").fetchone() == (1,)


def test_with_psql_by_hand_and_dashboards_only(tmp_path: Path) -> None:
    with operator(tmp_path, HYPERSWITCH_API_KEY="") as someone:
        person = someone.buys()
        person.pastes_the_rows()
        person.says("refund")
        person.pastes_the_reversal()
        before = someone.left(person)
        assert {one["id"]: one["status"] for one in before["reconciliation"]} == {
            "R1": "not_checked", "R2": "equal", "R3": "equal", "R4": "not_checked", "R5": "equal", "R6": "not_checked",
        }  # fmt: skip
        someone.reads_the_statement()
        someone.attests_ex_9()
        assert someone.shown()["rehearsed_decision"] == "PENDING", "nobody has compared the processor's figures"
        someone.reads_the_dashboards()
        assert someone.decides() == ("PENDING", "GO")
        witnesses = someone.shown()["money"]["witnesses"]
        assert {one["by"] for one in witnesses["refunded"]} == {"backend", "person", "bank"}


def test_with_tax_included_in_the_price(tmp_path: Path) -> None:
    with operator(tmp_path, "tax_inclusive=19") as someone:
        person = someone.sits_down()
        person.terminal.expect("Which one do you buy")
        person.terminal.sendline("1")
        person.terminal.expect(r"5.00 EUR, 0.80 EUR of tax included|0.80 EUR.*total 5.00 EUR. Go on with this total")
        person.terminal.sendline("y")
        person.types_the_amount()
        person.pays()
        person.pastes_the_rows()
        person.says("refund")
        person.pastes_the_reversal()
        someone.left(person)
        someone.reads_the_statement()
        someone.attests_ex_9()
        assert someone.decides() == ("PENDING", "GO")


def test_with_a_refund_of_six_days_and_a_bank_that_drops_the_charge(tmp_path: Path) -> None:
    with operator(tmp_path, "refund_pending") as someone:
        person = someone.buys()
        person.pastes_the_rows()
        person.says("refund")
        person.terminal.expect("9/9 revoked")
        person.terminal.sendintr()
        left = someone.left(person, 130)
        assert (left["waiting_for"], left["refund_open"]) == ("refund", True)
        someone.waits(6)
        back = someone.sits_down("resume")
        back.pastes_the_reversal()
        assert someone.left(back)["rehearsed_decision"] == "PENDING"
        someone.reads_the_statement("charge-dropped")
        someone.attests_ex_9()
        assert someone.decides() == ("PENDING", "GO")


def test_with_rows_that_are_supplied_three_days_after_step_7_was_skipped(tmp_path: Path) -> None:
    with operator(tmp_path) as someone:
        person = someone.buys()
        skips(person)
        person.says("refund")
        skips(person)
        someone.left(person)
        someone.waits(3)
        someone.reads_the_statement()
        someone.attests_ex_9()
        assert someone.shown()["rehearsed_decision"] == "PENDING", "nobody has seen the transfer, nor its reversal"
        rows = someone.shell.folder / "rows.csv"
        rows.write_text(psql(someone.base_url), encoding="utf-8")
        someone.command("rows", someone.session, "--file", "rows.csv")
        assert someone.decides() == ("PENDING", "GO")
