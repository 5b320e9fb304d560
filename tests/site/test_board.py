"""The board: the most urgent release first, one next command each, and no day for money that never moved."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from markupsafe import Markup
from scripted_session import SESSION, Script
from ten_sessions import DRY_RUN

from veza_e2e.archive.sessions import Archive
from veza_e2e.journal.events import StepStarted
from veza_e2e.site.board import Board, board
from veza_e2e.site.build import write_tree

DOCS = Path(__file__).parents[2] / "docs"


def script(number: int, release: str, *, live: bool = True, rehearsal: bool = False) -> Script:
    at = datetime(2026, 5, number, 9, tzinfo=UTC)
    made = Script(at, session=f"{SESSION[:-1]}{number}")
    return made.start(live=live, rehearsal=rehearsal, release=release, dry_run=DRY_RUN if live else None)


@pytest.fixture
def shown(tmp_path: Path) -> Board:
    archive = tmp_path / "archive"
    rejected = script(1, "no-go").until("completed").say(StepStarted(step="license")).fail("license", "license_missing")
    sessions = [
        rejected.refund().revoked().end("failed"),
        script(2, "out").until("transfers"),
        script(3, "statement").until("revoked").end(),
        script(4, "declined").until("products"),
        script(5, "rehearsed", rehearsal=True).until("revoked").end(),
        script(6, "dry", live=False, rehearsal=True).until("revoked").end(),
    ]
    for session in sessions:
        session.store(archive)
    return board(write_tree(Archive(archive), DOCS, tmp_path / "src").releases)


def test_the_most_urgent_release_comes_first(shown: Board) -> None:
    assert [card.name for card in shown.cards] == ["out", "statement", "no-go", "declined", "rehearsed"]
    assert [card.name for card in shown.waiting] == ["dry"]


def test_each_release_has_one_next_command(shown: Board) -> None:
    said = {card.name: card.next for card in (*shown.cards, *shown.waiting)}
    prod = "veza-e2e --env prod"
    assert said == {
        "out": f"{prod} resume {SESSION[:-1]}2",
        "statement": f"{prod} bank {SESSION[:-1]}3 --seen credit --date D --amount A",
        "no-go": f"{prod} bank {SESSION[:-1]}1 --seen credit --date D --amount A",
        "declined": f"{prod} resume {SESSION[:-1]}4",
        "rehearsed": f"veza-e2e --env rehearsal show {SESSION[:-1]}5",
        "dry": None,
    }
    assert all("--live" not in str(command) for command in said.values())


def test_only_real_money_is_due_or_out(shown: Board) -> None:
    said = {card.name: (card.money, " ".join(card.due)) for card in shown.cards}
    assert said["out"][0] == "charged 5.00 EUR, back 0.00 EUR, open 5.00 EUR"
    assert "between 2026-05-11 and 2026-05-13" in Markup(said["statement"][1]).striptags()
    assert 'data-due="2026-05-13" data-overdue-after="2026-05-18"' in said["statement"][1]
    assert said["rehearsed"] == (None, "")
