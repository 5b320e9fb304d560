"""`make release` tags only what is committed, dated, described and whole; and publishes nothing."""

from __future__ import annotations

import os
import re
import subprocess
from datetime import date
from pathlib import Path

import pytest
from tools.release import SECTION, ReleaseError, check_metadata, release, section, wheel_files

import veza

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 12, 1)
CHANGELOG = """\
# Changelog

## [Unreleased]

## [1.2.0] - 2026-12-01

### Added

- a thing

## [1.1.0] - 2026-11-01

- an older thing
"""
PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "thing"
dynamic = ["version"]
description = "A thing."
readme = "README.md"
requires-python = ">=3.11"
license = "LicenseRef-Proprietary"
license-files = ["LICENSE"]
classifiers = ["Typing :: Typed"]

[tool.hatch.version]
path = "sdk/thing/_version.py"

[tool.hatch.build.targets.wheel]
packages = ["sdk/thing"]
"""
FILES = {
    "pyproject.toml": PYPROJECT, "CHANGELOG.md": CHANGELOG, "README.md": "# A thing\n", "LICENSE": "ours\n",
    ".gitignore": "dist/\n", "sdk/thing/__init__.py": "", "sdk/thing/_version.py": '__version__ = "1.2.0"\n',
}  # fmt: skip


def git(root: Path, *words: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@veza.test"]
    return subprocess.run(
        ["git", *identity, *words], cwd=root, capture_output=True, encoding="utf-8", check=True
    ).stdout


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "A")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "a@veza.test")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return tmp_path


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "a change")


def test_a_release_is_built_checked_and_tagged(project: Path) -> None:
    out = release(project, "1.2.0", TODAY)
    assert sorted(path.name for path in out.iterdir()) == ["thing-1.2.0-py3-none-any.whl", "thing-1.2.0.tar.gz"]
    assert git(project, "tag", "--list", "--format=%(objecttype) %(contents)").strip() == (
        "tag Veza 1.2.0\n\n### Added\n\n- a thing"
    )
    assert "thing-1.2.0.dist-info/licenses/LICENSE" in wheel_files(next(out.glob("*.whl")))
    with pytest.raises(ReleaseError, match="there already"):
        release(project, "1.2.0", TODAY)


@pytest.mark.parametrize("asked", ["", "1.2", "v1.2.0", "1.2.0rc1", "01.2.0", "1.2.1"])
def test_another_version_than_the_one_that_is_committed_is_refused(project: Path, asked: str) -> None:
    with pytest.raises(ReleaseError, match=r"x\.y\.z|says 1\.2\.0"):
        release(project, asked, TODAY)


def test_a_file_that_is_not_committed_is_refused(project: Path) -> None:
    (project / "note.txt").write_text("x", encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"not committed, the first is note\.txt"):
        release(project, "1.2.0", TODAY)
    assert git(project, "tag", "--list") == ""


def test_a_file_that_git_ignores_gets_into_no_archive(project: Path) -> None:
    (project / ".gitignore").write_text("dist/\nsdk/thing/secret.py\n", encoding="utf-8")
    (project / "pyproject.toml").write_text(
        PYPROJECT + '\n[tool.hatch.build]\nignore-vcs = true\nexclude = ["dist"]\n', encoding="utf-8"
    )
    commit(project)
    (project / "sdk" / "thing" / "secret.py").write_text("x", encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"secret\.py, which is not committed"):
        release(project, "1.2.0", TODAY)


def test_a_wheel_with_too_much_is_refused(project: Path) -> None:
    (project / "notes.txt").write_text("x", encoding="utf-8")
    forced = '\n[tool.hatch.build.targets.wheel.force-include]\n"notes.txt" = "notes.txt"\n'
    (project / "pyproject.toml").write_text(PYPROJECT + forced, encoding="utf-8")
    commit(project)
    with pytest.raises(ReleaseError, match="the wheel holds"):
        release(project, "1.2.0", TODAY)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("## [1.2.0] - 2026-12-01", "## [1.2.1] - 2026-12-01", "has no section"),
        ("2026-12-01", "2026-12-02", "still to come"),
        ("2026-12-01", "1 December", "not YYYY-MM-DD"),
        ("2026-12-01", "20261201", "not YYYY-MM-DD"),
        ("2026-12-01", "2026-02-30", "date of"),
        (" - 2026-12-01", "", "not YYYY-MM-DD"),
        ("### Added\n\n- a thing\n", "", "says nothing"),
        ("## [Unreleased]\n", "## [Unreleased]\n\n- more\n", "move what stands under"),
    ],
)
def test_a_changelog_that_is_not_ready_is_refused(old: str, new: str, says: str) -> None:
    with pytest.raises(ReleaseError, match=says):
        section(CHANGELOG.replace(old, new), "1.2.0", TODAY)


METADATA = """\
Metadata-Version: 2.4
Name: thing
Version: 1.2.0
Summary: A thing.
License-Expression: LicenseRef-Proprietary
License-File: LICENSE
Classifier: Typing :: Typed
Requires-Python: >=3.11
Description-Content-Type: text/markdown

# A thing
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("Summary: A thing.\n", "", "no summary"),
        ("# A thing\n", "", "no description"),
        ("Name: thing", "Name: a thing!", "name"),
        (">=3.11", "3.11 and newer", "requires-python"),
        ("Summary", "Summery", "summery"),
        ("LicenseRef-Proprietary", "Proprietary", "license-expression"),
        ("Version: 1.2.0", "Version: 1.3.0", r"of version 1\.3\.0"),
    ],
)
def test_metadata_that_an_index_may_refuse_is_refused(old: str, new: str, says: str) -> None:
    check_metadata(METADATA.encode(), "1.2.0")
    with pytest.raises(ReleaseError, match=says):
        check_metadata(METADATA.replace(old, new).encode(), "1.2.0")


def test_the_changelog_is_dated_newest_first_and_knows_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = list(SECTION.finditer(text))
    assert len(sections) == len(re.findall("^## ", text, re.MULTILINE)), "a section is named [x.y.z] - YYYY-MM-DD"
    assert sections[0]["name"] == "Unreleased"
    released = [(tuple(map(int, one["name"].split("."))), date.fromisoformat(one["date"])) for one in sections[1:]]
    assert released == sorted(released, reverse=True)
    assert sections[1]["name"] == veza.__version__
