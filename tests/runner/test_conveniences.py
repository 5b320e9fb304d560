"""`init`, `config show`, `sessions` as a table, `latest`, `open`, `replay --junit`."""

from __future__ import annotations

import re
import shlex
import subprocess
from contextlib import chdir
from pathlib import Path
from xml.etree import ElementTree as ET

import click
import pexpect
import pytest
from front_door import ACCOUNT, Shell
from scripted_session import Script

from veza_e2e.cli.app import veza_e2e
from veza_e2e.cli.examples import EXAMPLES

ROOT = Path(__file__).parents[2]
GIVEN = ("init", "--staging", "https://staging.veza.test", "--production", "https://veza.test/api/v1")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_init_writes_a_file_that_every_command_can_use(shell: Shell) -> None:
    made = shell(*GIVEN, "--operator", 'Ada "of" Łódź', "--max-amount", "7.50 EUR")
    assert made.code == 0
    assert "veza-e2e --env staging preflight" in made.stdout
    staging = shell("--env", "staging", "--json", "config", "show").json["items"]
    shown = {item["name"]: (item["status"], item["message"]) for item in staging}
    assert shown["env.staging.base_url"] == ("veza-e2e.toml", "https://staging.veza.test")
    assert shown["limits.max_amount"] == ("veza-e2e.toml", "7.50 EUR")
    assert shown["report.operator"] == ("veza-e2e.toml", 'Ada "of" Łódź')
    assert shown["env.staging.hyperswitch_url"] == ("default", "not set")
    production = shell("--env", "prod", "--json", "config", "show").json["items"]
    assert {item["name"]: item["message"] for item in production}["env.prod.live"] == "true"
    text = (shell.folder / "veza-e2e.toml").read_text(encoding="utf-8")
    commented = [
        line for line in text.splitlines() if " = " in line and not line.startswith(("operator", "# operator"))
    ]
    assert all("  # " in line or '"] #' in line or '" #' in line for line in commented), "each setting says what it is"


def test_init_refuses_to_overwrite_and_writes_nothing_wrong(shell: Shell) -> None:
    wrong = shell(*GIVEN, "--max-amount", "much")
    assert (wrong.code, (shell.folder / "veza-e2e.toml").exists()) == (2, False)
    assert "'much'" in wrong.stderr
    assert shell(*GIVEN[:2], "http://veza.test").code == 2, "plain http off loopback"
    assert shell(*GIVEN).code == 0
    before = (shell.folder / "veza-e2e.toml").read_bytes()
    again = shell(*GIVEN)
    assert again.code == 2
    assert "is not overwritten" in again.stderr
    assert (shell.folder / "veza-e2e.toml").read_bytes() == before


@pytest.mark.process
def test_init_tells_git_what_to_leave_alone(shell: Shell) -> None:
    (shell.folder / ".gitattributes").write_text("*.png binary", encoding="utf-8")
    shell("init")
    lines = (shell.folder / ".gitattributes").read_text(encoding="utf-8").splitlines()
    assert lines == ["*.png binary", "docs/archive/** -text", "cassettes/** -text"]
    subprocess.run(["git", "init", "-q"], cwd=shell.folder, check=True)
    status = ["git", "status", "--porcelain", "-uall"]
    seen = subprocess.run(status, cwd=shell.folder, check=True, capture_output=True, encoding="utf-8").stdout
    assert ".veza-e2e" not in seen
    assert "veza-e2e.toml" in seen


@pytest.mark.process
def test_init_asks_at_a_terminal_for_what_is_not_given(shell: Shell) -> None:
    person = shell.spawn("init")
    for question, answer in (
        ("staging backend", "https://staging.veza.test"),
        ("production", ""),
        ("Your name", "Ada"),
    ):
        person.expect(question)
        person.sendline(answer)
    person.expect("next: veza-e2e --env staging preflight")
    person.expect(pexpect.EOF)
    person.close()
    text = (shell.folder / "veza-e2e.toml").read_text(encoding="utf-8")
    assert 'base_url = "https://staging.veza.test"' in text
    assert "# [env.prod]" in text


def test_config_show_says_where_a_value_comes_from_and_shows_no_secret(shell: Shell) -> None:
    (shell.folder / "veza-e2e.toml").write_text('\ufeff[limits]\nmax_amount = "9.00 EUR"\n', encoding="utf-8")
    items = shell("--archive", "kept", "--json", "config", "show", env=ACCOUNT).json["items"]
    shown = {item["name"]: (item["status"], item["message"]) for item in items}
    assert shown["limits.max_amount"] == ("veza-e2e.toml", "9.00 EUR")
    assert shown["limits.poll_timeout"] == ("default", "30m")
    assert shown["archive"] == ("--archive", "kept")
    assert shown["env.rehearsal.expected_environment"] == ("built in", "sandbox")
    assert shown["OPERATOR_PASSWORD"] == ("variable", "set, not shown")
    assert shown["OPERATOR_EMAIL"][1].startswith("o***@")
    assert shown["VEZA_DATABASE_URL"] == ("none", "not set")
    assert ACCOUNT["OPERATOR_PASSWORD"] not in str(items)


def test_sessions_is_a_table_and_latest_names_the_newest(shell: Shell) -> None:
    assert "Begin with" in shell("sessions").stderr
    for words in (("--no-refund", "--release", "2026.12"), ("--refund",)):
        assert shell("run", "--unattended", *words).code == 0
    newest = str(shell("--json", "show", "latest").json["session"])
    table = shell("sessions").stdout.splitlines()
    assert re.split(r"  +", table[0]) == ["STARTED (UTC)", "SESSION", "ENVIRONMENT", "OUTCOME", "DECISION"]
    assert max(map(len, table[:2])) <= 80
    rows = [line.split() for line in table if re.match(r"\d{4}-", line)]
    assert len(rows) == 2
    assert newest in {row[2] for row in rows}
    assert any("release 2026.12, test funds, charged 5.00 EUR" in line for line in table)
    limited = shell("--json", "sessions", "--limit", "1")
    assert len(limited.json["items"]) == 1
    assert "1 of 2 sessions" in limited.stderr
    assert shell("verify", "latest").code == 0
    assert shell("show", "Latest").code == 2, "an id has no such beginning"


def test_latest_is_of_the_environment_that_is_named(shell: Shell) -> None:
    with shell.serving() as base_url:
        shell.configure("prod", base_url, reports="live", live=True)
        kept = ("--env", "prod")
        refused = shell(*kept, "show", "latest")
        assert (refused.code, "no session of prod" in refused.stderr) == (2, True)
        Script(session="01KQS9EFM000000000000000CC").start(live=True, rehearsal=False).until("login").end().store(
            shell.folder / "docs" / "archive" / "payment-e2e"
        )
        assert shell("run", "--unattended", "--refund").code == 0
    assert shell("--json", *kept, "show", "latest").json["session"] == "01KQS9EFM000000000000000CC"
    assert shell("--json", "show", "latest").json["session"] != "01KQS9EFM000000000000000CC"
    (journal,) = (shell.folder / "docs").rglob("journal.jsonl")
    damaged = journal.parent.with_name("01KQS9EFM000000000000000CD") / journal.name
    damaged.parent.mkdir()
    damaged.write_bytes(b"{}\n")
    assert shell(*kept, "show", "latest").code == 6, "it may be the latest of prod: no older one is shown for it"


def test_sessions_lists_what_is_due_first(shell: Shell) -> None:
    assert shell("run", "--unattended", "--fault", "refund_fails", "--refund").code != 0
    open_one = str(shell("--json", "show", "latest").json["session"])
    assert shell("run", "--unattended", "--refund").code == 0
    first = str(shell("--json", "sessions").json["items"][0]["name"])
    assert first == open_one


def test_open_writes_the_page_and_says_where(shell: Shell) -> None:
    assert shell("run", "--unattended", "--refund").code == 0
    (item,) = shell("--json", "open", "latest").json["items"]
    assert item["status"] == "written", "there is no window in a test"
    page = Path(str(item["message"]))
    assert page.is_relative_to(shell.folder / ".veza-e2e" / "pages")
    assert "charged 5.00 EUR" in page.read_text(encoding="utf-8")
    assert shell("open", "nope").code == 2


def test_replay_writes_junit(shell: Shell) -> None:
    (shell.folder / "cassettes").symlink_to(ROOT / "cassettes")
    assert shell("replay", "refund", "--junit", "results.xml").code == 0
    suite = ET.parse(shell.folder / "results.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")
    assert [case.get("name") for case in suite] == ["refund"]
    refused = shell("replay", "refund", "--junit", "nowhere/results.xml")
    assert refused.code == 2
    assert "mkdir -p nowhere" in refused.stderr


def leaves(group: click.Group, above: click.Context) -> dict[str, click.Command]:
    """The commands that do something, by their whole name."""
    found: dict[str, click.Command] = {}
    for name in group.list_commands(above):
        command = group.get_command(above, name)
        assert command is not None
        below = leaves(command, above) if isinstance(command, click.Group) else {"": command}
        found |= {f"{name} {one}".strip(): leaf for one, leaf in below.items()}
    return found


def test_each_command_has_an_example_that_it_takes(tmp_path: Path) -> None:
    for name in ("rows.csv", "id_ed25519", "answers.har", "openapi.yaml"):
        (tmp_path / name).touch()
    with click.Context(veza_e2e) as context, chdir(tmp_path):
        commands = leaves(veza_e2e, context)
        assert set(commands) == set(EXAMPLES)
        for name, command in commands.items():
            assert f"veza-e2e {EXAMPLES[name]}" in (command.epilog or "")
            before, _, words = EXAMPLES[name].partition(name)
            assert before in {"", "--env staging ", "--env prod "}
            assert " " not in name or not command.get_short_help_str(68).endswith("...")
            command.make_context(name, shlex.split(words.replace("~/.ssh/", "")), parent=context)
