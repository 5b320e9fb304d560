"""Damaged and hostile files: one typed error with file and place, exit 5, quickly and in little memory."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from amount import share
from front_door import Shell
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from surroundings import PATIENCE

from veza_e2e.cassettes import tape
from veza_e2e.cassettes.errors import CassetteError, Mismatch
from veza_e2e.cassettes.perform import perform

ROOT = Path(__file__).parents[2]
GOOD = ROOT / "cassettes" / "refund"


def yaml_bomb(folder: Path) -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]" for n in range(20)]
    (folder / tape.CASSETTE).write_text("\n".join(lines), encoding="utf-8")


def edited(folder: Path) -> None:
    path = folder / tape.CASSETTE
    path.write_text(
        path.read_text(encoding="utf-8").replace('"status": "completed"', '"status": "refunded"', 1), encoding="utf-8"
    )


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "edited by hand": (edited, r"cassette\.json: interaction \d+ \(step \w+\): was edited"),
    "cut cassette": (lambda f: cut(f / tape.CASSETTE), r"cassette\.json: line \d+ column \d+: is not JSON"),
    "cut tape": (
        lambda f: cut(f / tape.TAPE),
        r"tape\.jsonl: line \d+ \(step \w+\)|tape\.jsonl: line \d+: is not JSON",
    ),
    "no tape": (lambda f: (f / tape.TAPE).unlink(), r"tape\.jsonl: no such file"),
    "no cassette": (lambda f: (f / tape.CASSETTE).unlink(), r"cassette\.json: no such file"),
    "empty": (lambda f: (f / tape.CASSETTE).write_bytes(b""), r"cassette\.json: line 1 column 1: is not JSON"),
    "tagged": (
        lambda f: (f / tape.CASSETTE).write_text("!!python/object/apply:os.system ['touch pwned']", encoding="utf-8"),
        r"cassette\.json: line 1 column 1: is not JSON",
    ),
    "YAML bomb": (yaml_bomb, r"cassette\.json: line 1 column 1: is not JSON"),
    "nested too deep": (
        lambda f: (f / tape.CASSETTE).write_bytes(b"[" * 2_000_000),
        r"cassette\.json: (is not|holds more)",
    ),
    "many values": (
        lambda f: (f / tape.CASSETTE).write_bytes(b"[" + b"[]," * 5_000_000),
        r"cassette\.json: holds more than",
    ),
    "many lines": (lambda f: (f / tape.TAPE).write_bytes(b"\n" * 16_000_000), r"tape\.jsonl: holds more than"),
    "too large": (lambda f: (f / tape.CASSETTE).write_bytes(b" " * 17_000_000), r"cassette\.json: is larger than"),
    "long number": (
        lambda f: (f / tape.CASSETTE).write_bytes(b'{"schema":' + b"9" * 10_000_000 + b"}"),
        r"cassette\.json: is not JSON",
    ),
    "UTF-16": (lambda f: (f / tape.CASSETTE).write_text("{}", "utf-16"), r"cassette\.json: byte 0: is not UTF-8"),
    "Latin-1": (lambda f: (f / tape.TAPE).write_bytes(b'{"kind": "\xe9"}\n'), r"tape\.jsonl: byte 10: is not UTF-8"),
    "a folder": (lambda f: instead(f / tape.TAPE, Path.mkdir), r"tape\.jsonl: is (not a regular file|a directory)"),
    "a pipe": (lambda f: instead(f / tape.TAPE, os.mkfifo), r"tape\.jsonl: is not a regular file"),
    "another schema": (lambda f: schema(f, 99), r"cassette\.json: has the schema 99"),
    "a float": (lambda f: schema(f, 1.5), r"cassette\.json: is not JSON as a recording has it: the float 1\.5"),
    "a list": (
        lambda f: (f / tape.CASSETTE).write_text("[]", encoding="utf-8"),
        r"cassette\.json: is not a JSON object",
    ),
}


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def instead(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


def schema(folder: Path, number: float) -> None:
    document = json.loads((folder / tape.CASSETTE).read_text(encoding="utf-8"))
    (folder / tape.CASSETTE).write_text(json.dumps({**document, "schema": number}), encoding="utf-8")


MEASURED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (900_000_000, 900_000_000))
from veza_e2e.cli.app import main
code = main(sys.argv[1:])
status = open("/proc/self/status").read()  # ru_maxrss would count what the parent had when it forked
print("peak", status.split("VmHWM:")[1].split()[0], file=sys.stderr)
sys.exit(code)
"""


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", MEASURED, "--json", *words],
        cwd=folder,
        env=Shell(folder).environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.process
@pytest.mark.parametrize(
    "kind", ["edited by hand", "YAML bomb", "many values", "long number", "a pipe", "nested too deep"]
)
def test_a_hostile_file_is_one_line_and_exit_5_in_little_memory(kind: str, tmp_path: Path) -> None:
    make, expected = HOSTILE[kind]
    shutil.copytree(GOOD, tmp_path / "cassettes" / "it")
    make(tmp_path / "cassettes" / "it")
    done = run(tmp_path, "replay")
    (item,) = json.loads(done.stdout)["items"]
    assert done.returncode == 5, done.stderr
    assert item["status"] == "unusable"
    assert re.search(expected, item["message"]), item["message"]
    assert "a defect:" not in done.stderr
    peak = int(re.findall(r"peak (\d+)", done.stderr)[0]) * 1024
    assert peak < 200_000_000
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_one_typed_error_with_file_and_place(kind: str, tmp_path: Path) -> None:
    make, expected = HOSTILE[kind]
    folder = Path(shutil.copytree(GOOD, tmp_path / "it"))
    make(folder)
    with pytest.raises(CassetteError) as error:
        tape.read(folder)
    assert error.value.path.parent == folder
    assert re.search(expected, str(error.value)), str(error.value)


def test_what_is_expected_must_be_there(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(GOOD, tmp_path / "cassettes" / "it"))
    (folder / "expected" / "report.md").unlink()
    done = Shell(tmp_path)("--json", "replay")
    assert done.code == 5
    assert "report or summary is not what is expected" in done.stdout


def test_check_refuses_what_replay_refuses(tmp_path: Path) -> None:
    shutil.copytree(GOOD, tmp_path / "cassettes" / "it")
    edited(tmp_path / "cassettes" / "it")
    done = Shell(tmp_path)("--json", "cassettes", "check")
    assert done.code == 5
    assert "was edited" in done.stdout


def test_check_finds_a_secret_that_was_sealed_in(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(GOOD, tmp_path / "cassettes" / "it"))
    recording = tape.read(folder)
    entries = [replace(entry, data=json.loads(json.dumps(dict(entry.data)))) for entry in recording.entries]
    login = next(
        entry for entry in entries if entry.kind == "http" and entry.data["request"]["url"].endswith("/auth/login")
    )
    login.data["response"]["body"]["json"]["data"]["access_token"] = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl"
    for name, data in tape.published(replace(recording, entries=tuple(entries))).items():
        (folder / name).write_bytes(data)
    done = Shell(tmp_path)("--json", "cassettes", "check")
    assert done.code == 5
    assert "a secret (access_token)" in done.stdout
    assert "eyJhbGci" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "words", [("replay", "../it"), ("cassettes", "keep", "01", "../it"), ("cassettes", "keep", "01", "It")]
)
def test_names_that_lead_out_of_the_folder_are_refused(words: tuple[str, ...], tmp_path: Path) -> None:
    shutil.copytree(GOOD, tmp_path / "cassettes" / "it")
    (tmp_path / ".veza-e2e" / "recordings" / "01").mkdir(parents=True)
    assert Shell(tmp_path)("--json", *words).code == 2


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
)


@settings(max_examples=share(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_member_of_any_entry_may_be_anything(tmp_path: Path, data: st.DataObject) -> None:
    """Even sealed anew, a form that no recording has is a typed error or a mismatch, never another exception."""
    folder = tmp_path / "it"
    shutil.copytree(GOOD, folder, dirs_exist_ok=True)
    recording = tape.read(folder)
    entries = [replace(entry, data=json.loads(json.dumps(dict(entry.data)))) for entry in recording.entries]
    entry = data.draw(st.sampled_from(entries))
    holder: Any = entry.data
    chance = random.Random(data.draw(st.integers(0, 10_000)))
    while holder:
        key = chance.choice(sorted(holder)) if isinstance(holder, dict) else chance.randrange(len(holder))
        if not isinstance(holder[key], dict | list) or not holder[key] or chance.random() < 0.3:
            holder[key] = data.draw(values)
            break
        holder = holder[key]
    try:
        files = tape.published(replace(recording, entries=tuple(entries)))
    except (TypeError, ValueError):
        return
    for name, content in files.items():
        (folder / name).write_bytes(content)
    with contextlib.suppress(CassetteError, Mismatch):
        perform(folder)
