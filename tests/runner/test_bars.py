"""Which session bars a new one: one of the same account and environment, whose money is or may be out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from scripted_session import ORDER, SESSION, Script

from veza_e2e import config
from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.cli.begun import refuse_unresolved
from veza_e2e.cli.output import Invocation, Stop
from veza_e2e.engine.bars import recent_logins, unresolved
from veza_e2e.journal import DamagedError, FileSink
from veza_e2e.journal.addenda import Attestation, Reread
from veza_e2e.journal.events import CallIntended, SessionAbandoned, SessionStarted
from veza_e2e.redaction import Redactor

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "a" * 64
NINE = datetime(2026, 5, 4, 9, tzinfo=UTC)
LATER = "01M3EXAMP1E0000000000000AB"


def new(
    environment: str, account: str = ACCOUNT, *, live: bool = True, base_url: str = "https://elsewhere.example"
) -> SessionStarted:
    first = Script(NINE).start().lines[0].event
    assert isinstance(first, SessionStarted)
    return replace(first, environment=environment, account_digest=account, live_requested=live, base_url=base_url)


def barring(root: Path, environment: str, *, account: str = ACCOUNT, live: bool = True) -> str | None:
    found = unresolved(Archive(root), new(environment, account, live=live))
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


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "HTTP://127.0.0.1:9/", "http://127.0.0.1:9/api/v1"])
def test_another_name_of_the_same_backend_lifts_no_bar(tmp_path: Path, address: str) -> None:
    Script(NINE).start(live=True, rehearsal=False).until("completed").store(tmp_path)
    found = unresolved(Archive(tmp_path), new("prod-eu", base_url=address))
    assert found is not None
    assert found[0].session == SESSION
    assert unresolved(Archive(tmp_path), new("prod-eu", base_url="http://127.0.0.1:90")) is None
    assert recent_logins(Archive(tmp_path), new("prod-eu", base_url=address), NINE) == 1


@pytest.mark.parametrize("beginning", [b"", b'{"at":', b"[]\n"])
def test_a_session_that_does_not_tell_whose_it_is_bars_a_live_run(tmp_path: Path, beginning: bytes) -> None:
    journal = Script(NINE).start().until("completed").store(tmp_path) / "journal.jsonl"
    journal.write_bytes(beginning)
    with pytest.raises(DamagedError, match=SESSION):
        barring(tmp_path, "prod")
    assert barring(tmp_path, "prod", live=False) is None


def attest(root: Path, item: str, release: str | None) -> Path:
    said = Attestation(
        id="01KRATTESTED00000000000001", item=item, by="B. Person", at="2026-05-02T09:00:00.000Z",
        release=release, session=SESSION, note="a test of the disk",
    )  # fmt: skip
    return Archive(root).attest(said, Redactor())


def test_a_session_that_does_not_tell_whose_it_is_bars_nothing_once_it_is_attested_as_unrelated(tmp_path: Path) -> None:
    script = Script(NINE).start().until("completed")
    journal = script.store(tmp_path) / "journal.jsonl"
    journal.write_bytes(b"[]\n")
    settings = config.load("rehearsal", archive=tmp_path)
    with pytest.raises(Stop) as stopped:
        refuse_unresolved(Invocation("prod", tmp_path, None, json=False, color=False), settings, new("prod"))
    assert f"attest unrelated --session {SESSION} --by NAME --note TEXT" in stopped.value.hint
    for item, release in (("ex-9", None), ("unrelated", "another")):
        path = attest(tmp_path, item, release)
        with pytest.raises(DamagedError):
            barring(tmp_path, "prod")
        path.unlink()
    path = attest(tmp_path, "unrelated", None)
    told = list[str]()
    assert unresolved(Archive(tmp_path), new("prod"), told.append) is None
    assert told == [f"B. Person says that the damaged session {SESSION} is unrelated: a test of the disk"]
    path.write_bytes(path.read_bytes().replace(b"B. Person", b"C. Person"))
    with pytest.raises(DamagedError):
        barring(tmp_path, "prod")
    path.unlink()
    attest(tmp_path, "unrelated", None)
    first, rest = script.sink.data.split(b"\n", 1)
    journal.write_bytes(first + b"\n" + rest.replace(b'"seq":7', b'"seq":8', 1))
    with pytest.raises(DamagedError):
        barring(tmp_path, "rehearsal")


def test_a_session_that_another_process_is_beginning_bars_nothing(tmp_path: Path) -> None:
    journal = Script(NINE).start().store(tmp_path) / "journal.jsonl"
    for one in journal.parent.iterdir():
        one.unlink()
    beginning = FileSink(journal, create=True)
    try:
        assert barring(tmp_path, "prod") is None
    finally:
        beginning.close()
    assert barring(tmp_path, "prod") is None, "a start that was killed has done nothing"
    journal.with_name("report.md").touch()
    with pytest.raises(DamagedError, match="holds no event"):
        barring(tmp_path, "prod")


def learnt(script: Script, status: str) -> Reread:
    last = script.lines[-1]
    return Reread(
        session=SESSION, session_hash=last.hash, number=1, seq=last.seq + 1, at="2026-05-06T09:00:00.000Z",
        order_status=status, refund_status=None, refunded_cents=None, currency="EUR", failed=False,
        observed=f"order is {status}", order_id=ORDER,
    )  # fmt: skip


def test_a_charge_that_is_seen_after_the_session_was_abandoned_bars_a_live_run(tmp_path: Path) -> None:
    script = Script(NINE).start().until("order").say(SessionAbandoned(reason="expired")).end("incomplete")
    stored = Stored(SESSION, script.store(tmp_path))
    assert barring(tmp_path, "rehearsal") is None
    stored.add(learnt(script, "pending_payment"), Redactor())
    assert barring(tmp_path, "rehearsal") is None, "no news"
    stored.add(learnt(script, "completed"), Redactor())
    assert (barring(tmp_path, "rehearsal"), barring(tmp_path, "rehearsal", live=False)) == (SESSION, None)


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
    assert [recent_logins(archive, new("rehearsal"), one) for one in (at, end, end + more)] == [1, 1, 0]
    assert recent_logins(archive, new("prod"), at) == 0
    assert recent_logins(archive, new("rehearsal", "b" * 64), at) == 0
