"""A rehearsal backend of its own for each test that asks for one, with a log of what reached it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from front_door import LOG, Shell, serving
from surroundings import PATIENCE

from veza import SystemClock
from veza_rehearsal import DEFAULT_EMAIL, DEFAULT_PASSWORD

ROOT = Path(__file__).parents[2]
CONTRACT = ROOT / "sdk/veza/openapi.json"


@dataclass(frozen=True)
class Rehearsal:
    base_url: str
    log: Path

    def requests(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def token(self) -> str:
        credentials = {"email": DEFAULT_EMAIL, "password": DEFAULT_PASSWORD}
        answer = httpx.post(f"{self.base_url}/api/v1/auth/login", json=credentials, trust_env=False, timeout=PATIENCE)
        return str(answer.json()["data"]["access_token"])


@pytest.fixture
def rehearsal(tmp_path: Path) -> Iterator[Callable[..., Rehearsal]]:
    with ExitStack() as stack:

        def start(*faults: str, environment: str = "sandbox") -> Rehearsal:
            folder = tmp_path / "backend"
            server = serving(folder, *faults, time=SystemClock(), environment=environment)
            return Rehearsal(stack.enter_context(server), folder / LOG)

        yield start


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
    shell = Shell(tmp_path, SystemClock())

    def run(*words: str, token: str | None = None) -> Done:
        done = shell(*words, env={} if token is None else {"VEZA_ACCESS_TOKEN": token})
        return Done(done.code, done.stdout, done.stderr)

    return run
