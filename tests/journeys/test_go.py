"""Operators who bring a release to GO, each with other means, by commands alone; and who says each figure.

Everything is rehearsed, so the decision stays PENDING, and the rehearsed decision says what it would be.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from at_terminal import Person, psql
from front_door import ACCOUNT, Result, Shell, books, serving
from later import Ahead
from postgres import Server
from surroundings import PATIENCE

pytestmark = pytest.mark.process

RELEASE = "2026.12"
DAY = 24 * 3600
WITHOUT_KEY = {"HYPERSWITCH_API_KEY": ""}


REPORTED = [
    ("backend", "charged 5.00 EUR"),
    ("processor", "charged 5.00 EUR"),
    ("backend", "back 5.00 EUR"),
    ("processor", "back 5.00 EUR"),
]
"""Who says each figure, of an operator with a key and a connection."""


def witnessed(report: Path) -> list[tuple[str, str]]:
    """Return what the report's section of the witnesses says; each line must name its evidence."""
    section = report.read_text(encoding="utf-8").partition("## Money, by witness")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "|" in line]
    assert all(evidence for _, _, evidence in rows)
    return [(by, says) for by, says, _ in rows[2:]]


class Operator:
    """Someone who brings a release to a decision; the clock of the commands and the backend is theirs."""

    def __init__(self, folder: Path, base_url: str, **secrets: str) -> None:
        folder.mkdir()
        self.clock = Ahead()
        self.shell = Shell(folder, self.clock)
        self.shell.configure("prod", base_url, reports="live", live=True)
        self.base_url = base_url
        self.secrets = ACCOUNT | secrets
        self.session = ""

    def makes_the_dry_run(self) -> None:
        made = self.shell("--archive", "archive", "--json", "run", "--unattended", "--refund", "--release", RELEASE)
        assert made.code == 0, made.stderr

    def sits_down(self, *words: str) -> Person:
        return Person(self.shell, self.base_url, *(words or ("run", "--live", "--release", RELEASE)), env=self.secrets)

    def buys(self, amount: str = "5.00 EUR") -> Person:
        """Up to the payment, the gate satisfied."""
        person = self.sits_down()
        assert person.terminal.expect(["charge anyway", "Which one do you buy"]) == 1, "the dry-run counts"
        person.terminal.sendline("1")
        person.types_the_amount(amount)
        person.pays()
        return person

    def left(self, person: Person, code: int = 0) -> dict[str, Any]:
        assert person.ends() == code, person.terminal.before
        (journal,) = [path for path in self.shell.folder.rglob("journal.jsonl") if b'"prod"' in path.read_bytes()]
        self.session = journal.parent.name
        return self.shown()

    def command(self, *words: str) -> Result:
        done = self.shell("--env", "prod", "--archive", "archive", "--json", *words, env=self.secrets)
        assert done.code == 0, done.stdout + done.stderr
        return done

    def shown(self) -> dict[str, Any]:
        return self.command("show", self.session).json

    def waits(self, days: int) -> None:
        self.clock.seconds += days * DAY
        moved = {"advance_seconds": days * DAY}
        httpx.post(f"{self.base_url}/rehearsal/clock", json=moved, trust_env=False, timeout=PATIENCE).raise_for_status()

    def reads_the_dashboards(self) -> None:
        """The processor's dashboard, for the figures; it names them by the ids that the order tells."""
        known = self.shown()
        words = ["--payment", known["payment_id"], "--charged", "5.00 EUR"]
        words += ["--refund", known["refund_id"], "--refunded", "5.00 EUR"]
        self.command("attest", "dashboard", "--session", self.session, "--by", "A. Person", *words)

    def reads_the_statement(self, seen: str = "credit", amount: str = "5.00 EUR") -> None:
        day = self.clock.now().date().isoformat()
        self.command("bank", self.session, "--seen", seen, "--date", day, "--amount", amount)

    def attests_ex_9(self) -> None:
        self.command("attest", "ex-9", "--by", "A. Person", "--release", RELEASE)

    def decides(self) -> tuple[str, str]:
        """Return what the release's decision is and would be; every item is met by then."""
        decided = {item["name"]: item["status"] for item in self.command("release", RELEASE).json["items"]}
        shown = self.shown()
        assert {item["id"]: item["status"] for item in shown["acceptance"]} == dict.fromkeys(
            [item["id"] for item in shown["acceptance"]], "met"
        )
        assert {one["id"]: one["status"] for one in shown["reconciliation"]} == dict.fromkeys(
            ["R1", "R2", "R3", "R4", "R5", "R6"], "equal"
        )
        assert (shown["account"], shown["refund_open"]) == ("returned", False)
        happened = books(self.base_url)
        assert (happened["orders"], happened["charges"], happened["refunds"]) == (1, 1, 1)
        return decided["decision"], decided["rehearsed_decision"]


@pytest.fixture
def postgres() -> Iterator[str]:
    server = Server()
    yield server.empty("rehearsal")
    server.remove()


@contextmanager
def operator(tmp_path: Path, *faults: str, database: str | None = None, **secrets: str) -> Iterator[Operator]:
    clock = Ahead()
    with serving(tmp_path / "server", *faults, time=clock, environment="live", database=database) as base_url:
        someone = Operator(tmp_path / "client", base_url, **secrets)
        someone.makes_the_dry_run()
        yield someone


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
    with operator(tmp_path, **WITHOUT_KEY) as someone:
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


def skips(person: Person) -> None:
    person.terminal.expect("`skip` goes on without the rows")
    person.terminal.sendline("skip")
    person.terminal.expect("Why")
    person.terminal.sendline("whoever may use psql is away")


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
