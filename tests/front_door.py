"""The front door: the command itself, in an empty folder, against a real server on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pexpect

from veza_e2e.unattended import ScriptedBrowser
from veza_rehearsal import DEFAULT_EMAIL, DEFAULT_PASSWORD, PROCESSOR_API_KEY

COMMAND = [sys.executable, "-m", "veza_e2e"]
SECRETS = {"OPERATOR_EMAIL", "OPERATOR_PASSWORD", "HYPERSWITCH_API_KEY", "VEZA_DATABASE_URL", "VEZA_ACCESS_TOKEN"}
ACCOUNT = {
    "OPERATOR_EMAIL": DEFAULT_EMAIL,
    "OPERATOR_PASSWORD": DEFAULT_PASSWORD,
    "HYPERSWITCH_API_KEY": PROCESSOR_API_KEY,
}


@dataclass(frozen=True)
class Result:
    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.stdout)
        return document

    @property
    def steps(self) -> dict[str, str]:
        return {step["name"]: step["status"] for step in self.json["steps"]}


@dataclass
class Shell:
    """A terminal in a folder of its own."""

    folder: Path

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in SECRETS}
        return {**kept, "BROWSER": "true", "PYTHONWARNINGS": "error", **(extra or {})}

    def __call__(self, *words: str, env: Mapping[str, str] | None = None, stdin: str = "") -> Result:
        done = subprocess.run(
            [*COMMAND, *words],
            cwd=self.folder,
            env=self.environment(env),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert "a defect:" not in done.stderr, done.stderr
        return Result(done.returncode, done.stdout, done.stderr)

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> Result:
        return self("--json", "run", "--unattended", *words, env=env)

    def spawn(self, *words: str, env: Mapping[str, str] | None = None) -> pexpect.spawn[str]:
        return pexpect.spawn(
            COMMAND[0],
            [*COMMAND[1:], *words],
            cwd=str(self.folder),
            env=self.environment(env),
            encoding="utf-8",
            timeout=20,
            dimensions=(50, 160),
        )

    def configure(
        self, name: str, base_url: str, *, reports: str, live: bool = False, idempotency: bool = True
    ) -> None:
        (self.folder / "veza-e2e.toml").write_text(
            f"""
[env.{name}]
base_url = "{base_url}"
expected_environment = ["{reports}"]
live = {str(live).lower()}
idempotency = {str(idempotency).lower()}
checkout_hosts = ["127.0.0.1"]
hyperswitch_url = "{base_url}/hyperswitch"
"""
        )

    def journal(self, result: Result) -> list[dict[str, Any]]:
        lines = (self.folder / result.json["paths"]["journal"]).read_text().splitlines()
        return [json.loads(line) for line in lines]


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[str]:
    """Run `rehearsal serve` and give its base URL."""
    process = subprocess.Popen(
        [*COMMAND, "rehearsal", "serve", "--port", "0", *words],
        cwd=folder,
        env=Shell(folder).environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        said = process.stdout.readline()
        yield said.split(" is at ")[1].split(" ")[0]
    finally:
        process.terminate()
        process.communicate(timeout=20)


def pay(url: str, card: str = "4242424242424242") -> None:
    """What the person does in the browser, without a browser."""
    where = httpx.URL(url)
    with httpx.Client(base_url=f"{where.scheme}://{where.netloc.decode()}", trust_env=False) as client:
        ScriptedBrowser(client, {"card_number": card, "expiry": "12/34", "cvc": "123"}).open(url)


def books(base_url: str) -> dict[str, Any]:
    document: dict[str, Any] = httpx.get(f"{base_url}/rehearsal/books", trust_env=False).json()
    return document
