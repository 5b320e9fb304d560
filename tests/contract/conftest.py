"""A rehearsal backend of its own for each test that asks for one, with a log of what reached it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
CONTRACT = ROOT / "sdk/veza/openapi.json"
EMAIL, PASSWORD = "operator@veza.test", "correct horse battery staple"


@dataclass(frozen=True)
class Rehearsal:
    base_url: str
    log: Path

    def requests(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def token(self) -> str:
        credentials = {"email": EMAIL, "password": PASSWORD}
        answer = httpx.post(f"{self.base_url}/api/v1/auth/login", json=credentials)
        return str(answer.json()["data"]["access_token"])


@contextmanager
def serving(
    folder: Path, *options: str, contract: Path = CONTRACT, packages: Sequence[Path] = ()
) -> Iterator[Rehearsal]:
    """Run a rehearsal backend; `packages` come before the installed ones."""
    log = folder / "requests.jsonl"
    command = [sys.executable, "-m", "veza_rehearsal", "--contract", str(contract), "--seed", "1"]
    command += ["--database", f"sqlite:///{folder / 'backend.db'}", "--log", str(log), "--until-stdin-closes"]
    path = os.pathsep.join(str(package) for package in packages)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": path}
    with (folder / "stderr.log").open("wb") as errors:
        process = subprocess.Popen(
            [*command, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, (folder / "stderr.log").read_text()
            yield Rehearsal(json.loads(line)["base_url"], log)
        finally:
            process.stdin.close()
            process.stdout.close()
            process.wait(10)


@pytest.fixture
def rehearsal(tmp_path: Path) -> Iterator[Callable[..., Rehearsal]]:
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(serving(tmp_path, *options))


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


@pytest.fixture
def veza_e2e(tmp_path: Path) -> Callable[..., Done]:
    def run(*words: str, token: str | None = None) -> Done:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
        if token is not None:
            environment["VEZA_ACCESS_TOKEN"] = token
        done = subprocess.run(
            [sys.executable, "-m", "veza_e2e", *words],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    return run
