"""A journal of any size is verified in bounded memory; many sessions are verified on all processors."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from front_door import Shell
from scripted_session import Script

from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.journal.chain import chain
from veza_e2e.journal.events import Asked, Event, SessionEnded
from veza_e2e.report import template_version
from veza_e2e.verify import verify
from veza_e2e.verify.several import FEW

MIB = 1 << 20


def long_session(root: Path, mib: int) -> Stored:
    """Store a session of so many MiB, in which the operator was asked at great length, and views of another story."""
    script = Script().start()
    folder = script.store(root)
    last = script.lines[-1]

    def more() -> Iterator[Event]:
        for number in range(mib * 128):
            yield Asked(step="pay", question="pay", text=f"{number} ".ljust(8000, "x"))
        views = dict.fromkeys(("report.md", "session.log"), "0" * 64)
        yield SessionEnded(outcome="incomplete", views=views, template=template_version())

    with (folder / "journal.jsonl").open("ab") as file:
        for event in more():
            last, data = chain(last.seq + 1, last.at, event, last.hash)
            file.write(data)
    return Stored(folder.name, folder)


def test_a_large_journal_is_verified_in_bounded_memory(tmp_path: Path) -> None:
    stored = long_session(tmp_path, 6)
    assert stored.journal.stat().st_size > 6 * MIB
    tracemalloc.start()
    rows = {row.name: row for row in verify(stored, largest=MIB)}
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * MIB, "the lines up to the limit, and buffers"
    assert (rows["chain"].status, rows["identity"].status) == ("ok", "ok")
    assert rows["report.md"].status == "damaged", "the digest is looked at"


def test_the_views_of_a_journal_that_is_too_large_are_not_rendered_again_and_that_is_said(tmp_path: Path) -> None:
    folder = Script().start().until("revoked").end().store(tmp_path)
    stored = Stored(folder.name, folder)
    assert {row.status for row in verify(stored) if row.name in {"report.md", "session.log"}} == {"ok"}
    said = [row for row in verify(stored, largest=1000) if row.name in {"report.md", "session.log"}]
    assert [row.status for row in said] == ["not checked"] * 2
    assert all("has its digest; not rendered again" in row.message for row in said)


@pytest.mark.process
def test_many_sessions_are_verified_in_their_order_and_as_one_by_one(tmp_path: Path) -> None:
    root, at = tmp_path / "archive", datetime(2026, 5, 4, 9, tzinfo=UTC)
    ids = [f"01KQS3EFM00000000000000{number:03d}" for number in range(FEW + 3)]
    for number, session in enumerate(ids):
        Script(at + timedelta(hours=number), session=session).start().until("login").store(root)
    path = next(root.glob(f"*/*/{ids[7]}/journal.jsonl"))
    path.write_bytes(path.read_bytes().replace(b"StepStarted", b"StepStorted"))
    result = Shell(tmp_path).process("--archive", "archive", "--json", "verify")
    assert result.code == 6
    several = [(item["name"], item["status"], item["message"]) for item in result.json["items"]]
    alone = [(f"{one.session} {row.name}", row.status, row.message.replace(str(tmp_path) + "/", ""))
             for one in Archive(root).sessions() for row in verify(one)]  # fmt: skip
    assert several[: len(alone)] == alone
