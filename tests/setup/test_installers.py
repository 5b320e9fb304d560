"""`make installers` runs the commands with pipx and uvx that the pages name; here without installing anything."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from tools.installers import TRIED, InstallerError, ours, run, written

ROOT = Path(__file__).parents[2]
_TYPED = re.compile(r"^ *\$ (.*?)(?: {2,}#.*)?$", re.MULTILINE)


def typed(page: str) -> list[str]:
    """The commands that a page shows, in their order."""
    return _TYPED.findall((ROOT / page).read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", TRIED)
def test_what_is_run_is_what_the_page_says(page: str) -> None:
    shown = iter(typed(page))
    assert [one for one in TRIED[page] if one not in shown] == [], "not on the page, or in another order"


def test_no_page_names_a_command_that_is_not_run() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    found = [one for page in pages for one in typed(str(page)) if one.startswith(("pipx ", "uvx ", "uv "))]
    assert set(found) <= {one for commands in TRIED.values() for one in commands}
    assert len(found) >= 4, "the pages show commands as this test finds them"


def test_the_wheel_takes_the_place_of_what_is_installed() -> None:
    wheel = Path("/a folder/veza-1.2.3-py3-none-any.whl")
    for commands in TRIED.values():
        for one in commands:
            words = shlex.split(ours(one, wheel))
            assert (f"{wheel}[e2e]" in words) is ("[e2e]" in one)
            assert not {"veza[e2e]", "dist/veza-0.2.0-py3-none-any.whl[e2e]"} & set(words)


@pytest.mark.process
def test_a_command_that_fails_is_told_with_its_words(tmp_path: Path) -> None:
    assert run("pwd", tmp_path, {"PATH": "/usr/bin:/bin"}).strip() == str(tmp_path)
    with pytest.raises(InstallerError, match="ended with 3\nno room"):
        run("echo no room; exit 3", tmp_path, {"PATH": "/usr/bin:/bin"})


def test_a_result_replaces_the_one_before() -> None:
    once = written("# Page\n\nTried on never.\n\nMore.\n", "Tried on 2026-12-01,\nall of it.")
    assert once == "# Page\n\nTried on 2026-12-01,\nall of it.\n\nMore.\n"
    assert written(once, "Tried on 2026-12-02.") == "# Page\n\nTried on 2026-12-02.\n\nMore.\n"
