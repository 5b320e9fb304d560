"""What CONTRIBUTING, README and the hooks name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
ROOMS = {
    "in_doubt.py": "runner/veza_e2e/steps", "money/account.py": "runner/veza_e2e",
    "report/view.py": "runner/veza_e2e", "cli/run.py": "runner/veza_e2e", "evidence/acceptance.py": "runner/veza_e2e",
    "fulfilment.py": "rehearsal/veza_rehearsal", "openapi.json": "sdk/veza", "_operations.py": "sdk/veza",
}  # fmt: skip
"""Where a file is of which only the end of its path is named."""


def test_every_file_that_contributors_are_sent_to_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"[`(]([\w./-]+\.(?:py|yaml|toml|txt|md|sh|json))[`)]", text))
    named |= set(
        re.findall(r"(?:^|[` ])((?:tests|tools|sdk|runner|rehearsal|benchmarks)/[\w./-]*\w)", text, re.MULTILINE)
    )
    assert len(named) > 20
    assert [name for name in sorted(named) if not (ROOT / ROOMS.get(name, "") / name).exists()] == []


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_the_packages_for_a_start_are_those_that_the_set_up_misses(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "sudo apt-get install git make python3 python3-venv\n" in text


def test_every_make_that_contributors_are_told_of_is_there() -> None:
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md")]
    told = {name for text in texts for name in re.findall(r"(?:`|^    )make ([a-z-]+)", text, re.MULTILINE)}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {name for name in told if not re.search(rf"^{name}:", makefile, re.MULTILINE)} == set()


def test_the_hooks_are_this_projects_own_tools_as_make_runs_them() -> None:
    assert [one["repo"] for one in HOOKS] == ["local"]
    hooks = HOOKS[0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(BIN)", ".venv/bin")
    for hook in hooks:
        entry = hook["entry"].removesuffix(" --force-exclude")
        assert re.search(rf" {re.escape(entry)}(?: \.)?$", makefile, re.MULTILINE), entry
