"""The workflow for the backend's repository: it fails on what a change breaks, not on what always was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import CONTRACT, ROOT

pytestmark = pytest.mark.process


class _Forge:
    """A backend's repository, and the workflow's two steps run on a change of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.backend = folder / "backend"
        program = folder / "veza-e2e" / ".venv" / "bin" / "veza-e2e"
        program.parent.mkdir(parents=True)
        program.symlink_to(Path(sys.executable).with_name("veza-e2e"))
        self.backend.mkdir()
        self._git("init", "--quiet")

    def _git(self, *words: str) -> str:
        who = ["-c", "user.name=A", "-c", "user.email=a@veza.test"]
        done = subprocess.run(
            ["git", *who, *words], cwd=self.backend, capture_output=True, encoding="utf-8", check=True
        )
        return done.stdout.strip()

    def commit(self, spec: dict[str, Any]) -> str:
        (self.backend / "docs").mkdir(exist_ok=True)
        (self.backend / "docs/swagger.json").write_text(json.dumps(spec), encoding="utf-8")
        self._git("add", ".")
        self._git("commit", "--quiet", "-m", "spec")
        return self._git("rev-parse", "HEAD")

    def run(self, before: str) -> tuple[int, str]:
        temp = self._folder / f"temp-{before[:7]}"
        temp.mkdir()
        workflow = yaml.safe_load((ROOT / "docs/contract-workflow.yml").read_text(encoding="utf-8"))
        steps = {step.get("name"): step for step in workflow["jobs"]["contract"]["steps"]}
        places = {"RUNNER_TEMP": str(temp), "GITHUB_STEP_SUMMARY": str(temp / "summary.md"), "BEFORE": before}
        for name, spec in (
            ("What the spec broke before", "docs/swagger.json"),
            ("What this change breaks in the SDK", str(self.backend / "docs/swagger.json")),
        ):
            done = subprocess.run(
                ["bash", "-e", "-c", steps[name]["run"]], cwd=self._folder / steps[name]["working-directory"],
                env={**os.environ, **places, "SPEC": spec}, check=False, capture_output=True,
            )  # fmt: skip
        return done.returncode, (temp / "summary.md").read_text(encoding="utf-8")


def test_it_fails_on_what_a_change_breaks_and_not_on_what_always_was(tmp_path: Path) -> None:
    forge, spec = _Forge(tmp_path), json.loads(CONTRACT.read_text(encoding="utf-8"))
    schemas = spec["components"]["schemas"]
    schemas["License"]["properties"]["status"]["enum"].append("on_hold")
    first = forge.commit(spec)
    code, summary = forge.run("0" * 40)
    assert (code, "on&#95;hold" in summary) == (5, True)
    spec["info"]["title"] = "another"
    second = forge.commit(spec)
    code, summary = forge.run(first)
    assert (code, "on&#95;hold" in summary) == (0, False)
    schemas["Product"]["properties"]["status"]["enum"].append("gone")
    forge.commit(spec)
    code, summary = forge.run(second)
    assert (code, "on&#95;hold" in summary, "gone" in summary) == (5, False, True)
