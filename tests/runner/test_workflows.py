"""The forge's workflows: they name commands that exist, and publishing replaces a branch's content."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tools.anywhere import CONDITIONS

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".forgejo" / "workflows").glob("*.yml"))
GIT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@veza.test",
}


OF_THE_SYSTEM = {"apt-get", "git"}


def jobs(workflow: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"].values())


def commands(workflow: Path) -> list[str]:
    runs = [step["run"] for job in jobs(workflow) for step in job["steps"] if "run" in step]
    return [line for run in runs for line in run.splitlines() if line.split()[0] not in OF_THE_SYSTEM]


def test_there_are_the_workflows_that_the_docs_speak_of() -> None:
    assert [path.name for path in WORKFLOWS] == ["replay.yml", "site.yml", "test.yml", "weekly.yml"]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_every_command_of_a_workflow_exists(workflow: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(VENV)", ".venv")
    for line in commands(workflow):
        program, *words = line.split()
        if program == "make":
            assert re.search(rf"^{re.escape(words[0])}:", makefile, re.MULTILINE), line
        elif program.endswith("veza-e2e"):
            done = subprocess.run(
                [sys.executable, "-m", "veza_e2e", *words, "--help"], capture_output=True, check=False
            )
            assert done.returncode == 0, line
        else:
            assert os.access(ROOT / program, os.X_OK), line


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_images_are_pinned_and_no_action_of_others_is_used(workflow: Path) -> None:
    for job in jobs(workflow):
        matrix = job.get("strategy", {}).get("matrix", {})
        images = matrix.get("image") or [one["image"] for one in matrix.get("include", [job["container"]])]
        for image in images:
            assert re.fullmatch(r"debian:\d+\.\d+|[a-z]+:\d+\.\d+\.\d+-[a-z]+", image), image
        assert [step["uses"] for step in job["steps"] if "uses" in step] == []


def test_the_workflow_for_others_pins_its_actions_by_commit() -> None:
    text = (ROOT / "docs" / "contract-workflow.yml").read_text(encoding="utf-8")
    used = re.findall(r"uses: (.*)", text)
    assert used != []
    assert [one for one in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", one)] == []


def test_every_run_of_make_anywhere_has_a_weekly_job_with_its_python() -> None:
    (weekly,) = [path for path in WORKFLOWS if path.stem == "weekly"]
    matrix = yaml.safe_load(weekly.read_text(encoding="utf-8"))["jobs"]["anywhere"]["strategy"]["matrix"]["include"]
    pythons = {
        one["run"]: re.sub(r"python:(3\.\d+).*|debian:.*", lambda of: of[1] or "debian", one["image"]) for one in matrix
    }
    assert pythons == {one.name: one.python for one in CONDITIONS}


def git(folder: Path, *words: str) -> str:
    environment = {**os.environ, **GIT, "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@veza.test"}
    return subprocess.run(
        ["git", *words], cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=True
    ).stdout


def publish(repository: Path) -> str:
    done = subprocess.run(
        [str(ROOT / ".forgejo" / "publish-pages"), "build/site", "pages"],
        cwd=repository, env={**os.environ, **GIT}, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_publishing_replaces_the_branch_and_keeps_its_history(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "forge")
    git(tmp_path, "clone", "--quiet", "forge", "clone")
    clone, site = tmp_path / "clone", tmp_path / "clone" / "build" / "site"
    (clone / ".gitignore").write_text("build/\n", encoding="utf-8")
    git(clone, "add", ".")
    git(clone, "commit", "--quiet", "-m", "a project")
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    site.mkdir(parents=True)
    (site / "index.html").write_text("one", encoding="utf-8")
    (site / "old.html").write_text("old", encoding="utf-8")
    assert "published" in publish(clone)
    assert "up to date" in publish(clone)
    (site / "index.html").write_text("two", encoding="utf-8")
    (site / "old.html").unlink()
    assert "published" in publish(clone)

    forge = tmp_path / "forge"
    assert git(forge, "show", "pages:index.html") == "two"
    assert git(forge, "ls-tree", "--name-only", "pages").split() == [".nojekyll", "index.html"]
    assert git(forge, "rev-list", "--count", "pages").strip() == "2"
    assert git(clone, "status", "--porcelain") == ""


def test_an_empty_folder_is_not_published(tmp_path: Path) -> None:
    done = subprocess.run(
        [str(ROOT / ".forgejo" / "publish-pages"), str(tmp_path), "pages"],
        cwd=tmp_path, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "holds no index.html" in done.stderr
