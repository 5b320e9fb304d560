"""Which session bars a new one: one of the same account and environment, whose money is or may be out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from scripted_session import SESSION, Script

from veza_e2e.archive.sessions import Archive
from veza_e2e.engine.bars import recent_logins, unresolved
from veza_e2e.journal.events import CallIntended

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "a" * 64
NINE = datetime(2026, 5, 4, 9, tzinfo=UTC)
LATER = "01M3EXAMP1E0000000000000AB"


def barring(root: Path, environment: str, *, account: str = ACCOUNT, live: bool = True) -> str | None:
    found = unresolved(Archive(root), environment, account, live=live)
    return None if found is None else found[0].session


def test_a_session_elsewhere_bars_nothing_and_hides_none_that_does(tmp_path: Path) -> None:
    Script(NINE).start().until("completed").store(tmp_path)
    Script(NINE.replace(hour=10), session=LATER).start(live=True, rehearsal=False).until("completed").store(tmp_path)
    assert (barring(tmp_path, "rehearsal"), barring(tmp_path, "prod")) == (SESSION, LATER)
    assert barring(tmp_path, "staging") is None
    assert barring(tmp_path, "prod", account="b" * 64) is None


def test_a_charge_that_is_out_bars_a_live_run_only_and_one_that_came_back_bars_none(tmp_path: Path) -> None:
    Script(NINE).start().until("revoked").store(tmp_path)
    assert barring(tmp_path, "rehearsal") is None
    Script(NINE.replace(hour=10), session=LATER).start().until("completed").store(tmp_path)
    assert (barring(tmp_path, "rehearsal"), barring(tmp_path, "rehearsal", live=False)) == (LATER, None)


def test_an_order_that_can_be_paid_bars_every_run(tmp_path: Path) -> None:
    Script(NINE).start().until("order").store(tmp_path)
    assert barring(tmp_path, "rehearsal", live=False) == SESSION


def test_a_session_whose_money_is_settled_hides_none_that_bars(tmp_path: Path) -> None:
    Script(NINE).start().until("completed").store(tmp_path)
    Script(NINE.replace(hour=10), session=LATER).start().until("revoked").end().store(tmp_path)
    assert barring(tmp_path, "rehearsal") == SESSION


def test_logins_of_the_account_count_for_a_quarter_of_an_hour(tmp_path: Path) -> None:
    older = Script(NINE).start()
    older.clock.at = NINE.replace(hour=11)
    older.login().store(tmp_path)
    Script(NINE.replace(hour=10), session=LATER).start().login().store(tmp_path)
    archive = Archive(tmp_path)
    at = next(
        datetime.fromisoformat(line.at)
        for line in older.lines
        if isinstance(line.event, CallIntended) and line.event.operation == "login"
    )
    end, more = at + timedelta(minutes=15), timedelta(milliseconds=1)
    assert [recent_logins(archive, "rehearsal", ACCOUNT, one) for one in (at, end, end + more)] == [1, 1, 0]
    assert recent_logins(archive, "prod", ACCOUNT, at) == 0
    assert recent_logins(archive, "rehearsal", "b" * 64, at) == 0
