"""Recordings are made as they were: a person, a kill and planted secrets, from the command line to the cassette."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded_world import written
from scenarios import Workshop, killed, record

from veza_e2e.cassettes import tape
from veza_e2e.cassettes.perform import perform
from veza_e2e.journal import Line, read

pytestmark = pytest.mark.process

EMAIL, PASSWORD = "a.person+planted@shop.test", "correct horse & battery/staple"


@pytest.mark.parametrize(
    ("name", "processes"), [("declined-then-paid", 1), ("killed-and-resumed", 2), ("interrupted-and-resumed", 3)]
)
def test_a_scenario_is_recorded_and_replays_event_by_event(name: str, processes: int, tmp_path: Path) -> None:
    folder = record(name, tmp_path)
    played = perform(folder)
    assert played.summary["outcome"] == "passed"
    assert (folder / "expected" / "report.md").read_bytes() == played.report
    assert sum(entry.kind == "start" for entry in tape.read(folder).entries) == processes
    (journal,) = tmp_path.rglob("journal.jsonl")
    assert [told(line) for line in played.lines] == [told(line) for line in read(journal).lines]


def told(line: Line) -> tuple[str, str, object]:
    """What a line says, origins aside."""
    return line.at, type(line.event).__name__, getattr(line.event, "step", None)


def test_a_damaged_recording_keeps_no_session_from_being_resumed(tmp_path: Path) -> None:
    shop = Workshop(tmp_path)
    killed(shop)
    damaged = shop.recording.read_bytes().replace(b"{", b"", 1)
    shop.recording.write_bytes(damaged)
    person = shop.start("--json", "resume", shop.session)
    assert person.end()["outcome"] == "passed"
    assert "recording.part: line 1: is not JSON" in person.read
    assert shop.recording.read_bytes() == damaged


def test_nothing_that_a_recorded_run_leaves_holds_a_secret(tmp_path: Path) -> None:
    shop = Workshop(tmp_path)
    shop.environment |= {"OPERATOR_EMAIL": EMAIL, "OPERATOR_PASSWORD": PASSWORD}
    person = shop.start("--json", "run", "--unattended", "--refund", "--record", "planted")
    document = person.end()
    assert document["outcome"] == "passed"
    left = {
        str(path.relative_to(tmp_path)): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file() and "rehearsal" not in path.relative_to(tmp_path).parts
    }
    left["on screen"] = f"{person.read}{document}".encode()
    assert {"cassettes/planted/cassette.json", "cassettes/planted/expected/report.md"} <= left.keys()
    assert any(name.endswith("journal.jsonl") for name in left)
    held = {
        name for name, data in left.items() for secret in (EMAIL, PASSWORD) for form in written(secret) if form in data
    }
    assert held == set()
    assert not any(b"eyJ" in data for data in left.values()), "an access token"
