"""The committed cassettes: each replays to the expected bytes, anywhere, with no socket, no sleep and no person."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from scenarios import SCENARIOS
from surroundings import PATIENCE, environment

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
CASSETTES = sorted(path.name for path in (ROOT / "cassettes").iterdir() if path.is_dir())

ALONE = """
import datetime, os, socket, sys, time
def refuse(*_, **__):
    raise SystemExit("a replay opened a socket, or slept")
sys.addaudithook(lambda event, _: refuse() if event.startswith("socket.") else None)
time.sleep = refuse
days = int(os.environ.get("DAYS_OFF", "0"))
really = time.time
time.time = lambda: really() + days * 86400
class Moved(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)
datetime.datetime = Moved
from veza_e2e.cli.app import main
sys.exit(main(sys.argv[1:]))
"""


def replay(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", ALONE, *words],
        cwd=ROOT,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )


def test_the_committed_cassettes_are_those_that_the_docs_and_the_scenarios_name() -> None:
    documented = re.findall(
        r"^\| `([a-z-]+)` \|", (ROOT / "docs" / "record-and-replay.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(documented) == sorted(SCENARIOS) == CASSETTES


@pytest.mark.process
@pytest.mark.parametrize(
    "place",
    [
        {"DAYS_OFF": "0", "TZ": "Pacific/Kiritimati", "LANG": "de_DE.UTF-8", "PYTHONHASHSEED": "1"},
        {"DAYS_OFF": "-9000", "TZ": "America/St_Johns", "LC_ALL": "C", "PYTHONHASHSEED": "2"},
        {"DAYS_OFF": "20000", "TZ": "Asia/Kathmandu", "LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "3"},
    ],
    ids=["today in kiritimati", "2002 in st johns", "2081 in kathmandu"],
)
def test_every_cassette_replays_to_the_expected_bytes_wherever_it_is(place: dict[str, str]) -> None:
    done = replay("--json", "replay", **place)
    assert done.returncode == 0, done.stderr + done.stdout
    assert {item["name"]: item["status"] for item in json.loads(done.stdout)["items"]} == dict.fromkeys(CASSETTES, "ok")


@pytest.mark.process
def test_every_cassette_passes_its_check() -> None:
    done = replay("--json", "cassettes", "check", OPERATOR_PASSWORD="another password")
    assert done.returncode == 0, done.stderr + done.stdout
    assert {item["status"] for item in json.loads(done.stdout)["items"]} == {"ok"}
