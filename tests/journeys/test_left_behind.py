"""What earlier versions left behind stays usable: verified, rendered, replayed, and resumed to its true end."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from front_door import Shell
from front_door import figures as money_of
from left_behind.coming_back import HERE, Left, found

from veza_e2e.journal import read
from veza_e2e.journal.events import UnknownEvent
from veza_e2e.report import template_version

SESSIONS = found()
VERSIONS = sorted(path for path in HERE.iterdir() if (path / "cassettes").is_dir())
WHEN = {"at once": timedelta(seconds=1), "six days later": timedelta(days=6)}
"""Right after a crash; and by the next version, because a refund took six days."""
VIEWS = ("report.md", "session.log")
FIGURES = ("outcome", "decision", "funds", "money", "order_id", "payment_id", "refund_id", "refund_open")


def marks(saved: Path) -> list[pytest.MarkDecorator]:
    return [pytest.mark.process] if any(saved.rglob("*.sig")) else []  # ssh-keygen verifies signatures


each_session = pytest.mark.parametrize(
    "saved", [pytest.param(path, id=f"{path.parent.name}-{path.name}", marks=marks(path)) for path in SESSIONS]
)


def test_something_was_left_behind() -> None:
    assert {path.parent.name for path in SESSIONS} >= {"0.1.0"}
    assert len(SESSIONS) >= 31
    assert VERSIONS


@each_session
def test_it_verifies(saved: Path, tmp_path: Path) -> None:
    left = Left.put(saved, tmp_path, WHEN["six days later"])
    inside = list(tmp_path.rglob("allowed_signers"))  # a policy in the archive, as 0.1.0 read it, counts no more
    words = ("--allowed-signers", str(inside[0].rename(tmp_path / "allowed_signers"))) if inside else ()
    result = left("verify", "--all", *words)
    assert result.code == 0, result.stdout
    assert not [item for item in result.json["items"] if item["status"] == "damaged"]
    signed = [item for item in result.json["items"] if item["message"] == "signed by operator@veza.test"]
    assert len(signed) == (len(list(tmp_path.rglob("*.sig"))) if shutil.which("ssh-keygen") else 0)


@each_session
def test_every_event_is_still_understood(saved: Path) -> None:
    for journal in saved.rglob("journal.jsonl"):
        unknown = {line.event.name for line in read(journal).lines if isinstance(line.event, UnknownEvent)}
        assert unknown == set(), "a field was renamed, or became required: what it said is lost from old journals"


@each_session
def test_it_renders_to_the_same_bytes_under_the_same_templates(saved: Path, tmp_path: Path) -> None:
    left = Left.put(saved, tmp_path, WHEN["six days later"])
    views = [path for path in left.journal.parent.iterdir() if path.name in VIEWS]
    before = {path: path.read_bytes() for path in views}
    same = left.case["template"] == template_version()
    for path in views if same else ():
        path.unlink()
    result = left("render", left.session)
    assert result.code == 0, result.stdout
    after = {path: path.read_bytes() for path in views}
    ended = b'"type":"SessionEnded"' in left.journal.read_bytes()
    assert (after == before) or not (same or ended)
    assert left("render", left.session).code == 0
    assert {path: path.read_bytes() for path in views} == after


@each_session
@pytest.mark.parametrize("when", WHEN)
def test_it_resumes_to_its_true_end(saved: Path, when: str, tmp_path: Path) -> None:
    left = Left.put(saved, tmp_path, WHEN[when])
    before = left.journal.read_bytes()
    end = dict(left.case["ends"][when])
    abandon = end.pop("abandon")
    result = left.resume()
    assert left.ended(result) == end, result.stderr
    assert left.journal.read_bytes().startswith(before[: before.rfind(b"\n") + 1]), "what was on record is gone"
    if abandon:
        assert left.ended(left("abandon", left.session, "--reason", "nothing was bought")) == {**end, "code": 0}
    assert left("verify", "--all").code == 0
    recording = tmp_path / ".veza-e2e" / "recordings" / left.session
    if recording.exists() and when == "six days later":
        published = left("cassettes", "keep", left.session, "begun-by-another-version")
        assert published.code == 0, result.stderr + published.stderr


@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.name)
def test_its_cassettes_replay_to_the_same_figures(version: Path, tmp_path: Path) -> None:
    recorded = version / "cassettes"
    shutil.copytree(recorded, tmp_path / "cassettes")
    replayed = Shell(tmp_path)("--json", "replay", "--accept")
    assert replayed.code == 0, replayed.stdout
    names = sorted(path.name for path in recorded.iterdir())
    assert {name: figures(tmp_path / "cassettes" / name) for name in names} == {
        name: figures(recorded / name) for name in names
    }


def figures(cassette: Path) -> dict[str, Any]:
    summary = json.loads((cassette / "expected" / "summary.json").read_text(encoding="utf-8"))
    return {name: summary[name] for name in FIGURES} | {"money": money_of(summary["money"])}
