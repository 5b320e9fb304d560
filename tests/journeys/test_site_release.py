"""A release from dry-run to live run to bank statement to GO, by the commands that the tutorial names."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from at_terminal import Person
from front_door import ACCOUNT, Shell

from veza import SystemClock

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
ARCHIVE = "build/rehearsals"


def commands() -> list[list[str]]:
    return [line.replace('"5.00 EUR"', "5.00_EUR").replace('"A. Person"', "A._Person").split()[2:]
            for line in TUTORIAL.splitlines() if line.startswith("$ veza-e2e ")]  # fmt: skip


@pytest.mark.slow
def test_the_tutorial_ends_in_go(tmp_path: Path) -> None:
    words = iter(commands())
    shell = Shell(tmp_path / "checkout", SystemClock())
    shell.folder.mkdir()

    dry_run = shell("--json", *next(words))
    assert (dry_run.code, dry_run.json["outcome"]) == (0, "passed")

    serve = next(words)
    assert serve == ["rehearsal", "serve", "--environment", "live", "--port", "8099"]
    with shell.serving(environment="live") as base_url:
        table = re.search(r"```toml\n(.*?)```", TUTORIAL, re.DOTALL)
        assert table
        config = table[1].replace("http://127.0.0.1:8099", base_url)
        (shell.folder / "veza-e2e.toml").write_text(config, encoding="utf-8")
        gate = shell("--json", *next(words), env=ACCOUNT)
        assert (gate.code, gate.json["ok"]) == (0, True)
        live = next(words)
        assert live[:4] == ["--env", "prod", "--archive", ARCHIVE]
        person = Person(shell, base_url, *live[4:], archive=ARCHIVE)
        person.chooses()
        person.types_the_amount()
        person.pays()
        person.pastes_the_rows()
        person.says("refund")
        person.pastes_the_reversal()
        assert person.ends() == 0

    listed = shell("--json", *next(words)).json["items"]
    newest = listed[0]
    assert "due" not in newest["message"], "money that never moved is on no statement"
    session = newest["name"]
    day = shell.time.now().date().isoformat()

    def told(command: list[str]) -> list[str]:
        names = {"SESSION": session, "DAY": day, "5.00_EUR": "5.00 EUR", "A._Person": "A. Person"}
        return [names.get(word, word) for word in command]

    before = shell("--archive", ARCHIVE, "--json", "show", session).json
    assert before["rehearsed_decision"] == "PENDING"
    assert shell("--json", *told(next(words))).code == 0
    assert shell("--json", *told(next(words))).code == 0
    decided = {item["name"]: item["status"] for item in shell("--json", *told(next(words))).json["items"]}
    after = shell("--archive", ARCHIVE, "--json", "show", session).json
    assert {decided[name] for name in ("ex_9", *(item["id"] for item in after["acceptance"]))} == {"met"}
    assert (decided["decision"], decided["rehearsed_decision"], after["funds"]) == ("PENDING", "GO", "test")

    checked = shell("--json", *next(words))
    assert checked.code == 0
    assert {item["status"] for item in checked.json["items"]} == {"ok", "not checked", "not signed"}

    shown_on_the_site(shell, next(words), dry_run.json["session"], session)
    assert not list(words), "the journey takes every command of the tutorial"


def shown_on_the_site(shell: Shell, command: list[str], *sessions: str) -> None:
    shutil.copy(ROOT / "mkdocs.yml", shell.folder)
    for name in ("docs", "sdk", "templates/skeleton"):
        shutil.copytree(ROOT / name, shell.folder / name)
    assert shell("--json", *command).code == 0
    site = shell.folder / "build" / "site"
    assert re.search(
        r"2026\.05</a></th>.*?PENDING \(rehearsed GO\)", (site / "go-no-go.html").read_text(encoding="utf-8"), re.DOTALL
    )
    report = (site / "releases" / "2026.05.html").read_text(encoding="utf-8")
    assert "attested by A. Person" in report
    for session in sessions:
        assert session in report
