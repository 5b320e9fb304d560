"""The committed cassettes: each replays to the expected bytes, anywhere, with no socket, no sleep and no person."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CASSETTES = sorted(path.name for path in (ROOT / "cassettes").iterdir() if path.is_dir())

NO_SOCKETS = """
import socket, sys, time
def refuse(*_, **__):
    raise SystemExit("a replay opened a socket, or slept")
sys.addaudithook(lambda event, _: refuse() if event.startswith("socket.") else None)
time.sleep = refuse
from veza_e2e.cli.app import main
sys.exit(main(sys.argv[1:]))
"""


def replay(*words: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", NO_SOCKETS, *words],
        cwd=ROOT,
        env={**kept, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_there_is_a_happy_path() -> None:
    assert "refund" in CASSETTES


@pytest.mark.parametrize(
    "environment",
    [
        {"TZ": "Pacific/Kiritimati", "LANG": "de_DE.UTF-8", "PYTHONHASHSEED": "1"},
        {"TZ": "America/St_Johns", "LC_ALL": "C", "PYTHONHASHSEED": "2"},
        {"TZ": "Asia/Kathmandu", "LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "3", "OPERATOR_PASSWORD": "another one"},
    ],
    ids=["kiritimati", "st johns", "kathmandu"],
)
def test_every_cassette_replays_to_the_expected_bytes_wherever_it_is(environment: dict[str, str]) -> None:
    done = replay("--json", "replay", environment=environment)
    assert done.returncode == 0, done.stderr + done.stdout
    assert {item["name"]: item["status"] for item in json.loads(done.stdout)["items"]} == dict.fromkeys(CASSETTES, "ok")


def test_every_cassette_passes_its_check() -> None:
    done = replay("--json", "cassettes", "check")
    assert done.returncode == 0, done.stderr + done.stdout
    assert {item["status"] for item in json.loads(done.stdout)["items"]} == {"ok"}
