"""The board: the most urgent release first, one next command each, and no day for money that never moved."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from front_door import Shell
from markupsafe import Markup
from scripted_session import SESSION, Script
from ten_sessions import DRY_RUN

from veza_e2e.archive.sessions import Archive
from veza_e2e.journal.events import SessionAbandoned, StepStarted
from veza_e2e.site.board import Board, board
from veza_e2e.site.build import write_tree
from veza_e2e.site.into import write_into

DOCS = Path(__file__).parents[2] / "docs"


def script(number: int, release: str | None, *, live: bool = True, rehearsal: bool = False) -> Script:
    at = datetime(2026, 5, number, 9, tzinfo=UTC)
    made = Script(at, session=f"{SESSION[:-1]}{number}")
    return made.start(live=live, rehearsal=rehearsal, release=release, dry_run=DRY_RUN if live else None)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    archive = tmp_path / "archive"
    rejected = script(1, "no-go").until("completed").say(StepStarted(step="license")).fail("license", "license_missing")
    sessions = [
        rejected.refund().revoked().end("failed"),
        script(2, "out").until("transfers"),
        script(3, "statement").until("revoked").end(),
        script(4, "declined").until("products"),
        script(5, "rehearsed", rehearsal=True).until("revoked").end(),
        script(6, "dry", live=False, rehearsal=True).until("revoked").end(),
        script(7, None).until("transfers").keep().end(),
        script(8, "given-up").until("login").say(SessionAbandoned(reason="no time")).end("incomplete"),
        script(9, "go").until("revoked").end(),
    ]
    for session in sessions:
        session.store(archive)
    shell = Shell(tmp_path)
    shell.configure("prod", "https://veza.test", reports="prod", live=True)
    prod = ("--env", "prod", "--archive", "archive")
    seen = ("--seen", "credit", "--date", "2026-05-18", "--amount", "5.00 EUR")
    assert shell(*prod, "bank", f"{SESSION[:-1]}9", *seen).code == 0
    assert shell(*prod, "attest", "ex-9", "--by", "A. Person", "--release", "go").code == 0
    return Archive(archive)


@pytest.fixture
def shown(archive: Archive, tmp_path: Path) -> Board:
    return board(write_tree(archive, DOCS, tmp_path / "src"), "archive/")


def test_the_most_urgent_release_comes_first(shown: Board) -> None:
    assert [card.name for card in shown.cards] == [
        "No release", "out", "statement", "no-go", "given-up", "declined", "go", "rehearsed",
    ]  # fmt: skip
    assert [card.name for card in shown.waiting] == ["dry"]


def test_each_release_has_one_next_command(shown: Board) -> None:
    said = {card.name: card.next for card in (*shown.cards, *shown.waiting)}
    prod = "veza-e2e --env prod"
    assert said == {
        "No release": f"{prod} resume {SESSION[:-1]}7",
        "out": f"{prod} resume {SESSION[:-1]}2",
        "statement": f"{prod} bank {SESSION[:-1]}3 --seen credit --date YYYY-MM-DD --amount AMOUNT",
        "no-go": f"{prod} bank {SESSION[:-1]}1 --seen credit --date YYYY-MM-DD --amount AMOUNT",
        "declined": f"{prod} resume {SESSION[:-1]}4",
        "given-up": f"{prod} show {SESSION[:-1]}8",
        "go": f"{prod} release go --markdown",
        "rehearsed": f"veza-e2e --env rehearsal show {SESSION[:-1]}5",
        "dry": None,
    }
    assert all("--live" not in str(command) for command in said.values())


def test_only_real_money_is_due_or_out(shown: Board) -> None:
    said = {card.name: (card.money, " ".join(card.due)) for card in shown.cards}
    assert said["No release"][0] == "charged 5.00 EUR, back 0.00 EUR, open 5.00 EUR"
    assert said["out"][0] == "charged 5.00 EUR, back 0.00 EUR, open 5.00 EUR"
    assert "between 2026-05-11 and 2026-05-13" in Markup(said["statement"][1]).striptags()
    assert 'data-due="2026-05-13" data-overdue-after="2026-05-18"' in said["statement"][1]
    assert said["rehearsed"] == (None, "")


def test_an_abandoned_run_is_called_abandoned(shown: Board) -> None:
    assert {card.name: card.reason for card in shown.cards}["given-up"] == "the run was abandoned: nothing was charged"


def test_a_foreign_site_has_the_same_board(archive: Archive, shown: Board, tmp_path: Path) -> None:
    write_into(archive, tmp_path / "theirs")
    index = (tmp_path / "theirs" / "index.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in index.partition("\n\n## ")[0].splitlines() if line.startswith("| [")]
    cards = (*shown.cards, *shown.waiting)
    assert [row[0].partition("]")[0] for row in rows] == [f"| [{card.name}" for card in cards]
    assert [row[-1].removesuffix(" |") for row in rows] == [" ".join(filter(None, (c.advice, c.next))) for c in cards]
    assert "charged 5.00 EUR, back 0.00 EUR, open 5.00 EUR" in rows[0][2]
    assert rows[2][3] == "bank statement between 2026-05-11 and 2026-05-13"
    linked = {page for row in rows for page in re.findall(r"\]\((.*?)\)", row[0])}
    assert len(linked) == len(rows)
    assert all((tmp_path / "theirs" / page).is_file() for page in linked)
