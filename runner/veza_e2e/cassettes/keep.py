"""Publishes a recording, compares a replay with the expected files, and accepts new ones."""

from __future__ import annotations

import difflib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from veza_e2e.cassettes import files, tape
from veza_e2e.cassettes.errors import CassetteError
from veza_e2e.cassettes.perform import Played, perform
from veza_e2e.frozen import dataclass
from veza_e2e.journal import disk
from veza_e2e.journal.events import STEPS, StepStarted
from veza_e2e.redaction import Redactor

EXPECTED = "expected"
REPORT = "report.md"
SUMMARY = "summary.json"
_ANCHOR = re.compile(r'id="event-([0-9]{1,9})"')
_EVENT = re.compile(r"event-([0-9]{1,9})")
_PLACE = re.compile(r"@@ -[0-9,]+ \+([0-9]+)")
_SHOWN = 60
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Difference:
    """A replay with another result than expected.

    Attributes:
        step: the step of the first difference; None before the first step.
        lines: a unified diff, redacted.
    """

    step: str | None
    lines: tuple[str, ...]


def publish(recording: Path, folder: Path, redactor: Redactor) -> Played:
    """Publish a recording and the result of its replay as a cassette; replaces the folder as a whole.

    Args:
        recording: the recording's folder.
        folder: the cassette's folder.
        redactor: knows the secrets of this machine, for a last scan.

    Raises:
        CassetteError: the recording cannot be used, or holds a secret.
        Mismatch: it does not replay.
        OSError: it cannot be written; an existing cassette is untouched.
    """
    contents = tape.published(tape.whole(recording))
    beside = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        for name, data in contents.items():
            disk.replace(beside / name, data)
        played = perform(beside)
        for name, data in expected_files(played).items():
            disk.replace(beside / EXPECTED / name, data)
        _refuse_secrets(beside, folder, redactor)
        _swap(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return played


def expected_files(played: Played) -> dict[str, bytes]:
    """Return a replay's result as files."""
    return {REPORT: played.report, SUMMARY: played.summary_bytes}


def _refuse_secrets(beside: Path, folder: Path, redactor: Redactor) -> None:
    for path in sorted(beside.rglob("*")):
        found = redactor.find(files.read(path)) if path.is_file() else []
        if found:
            raise CassetteError(folder / path.relative_to(beside), "", f"would hold a secret ({found[0].kind})")


def _swap(beside: Path, folder: Path) -> None:
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    if folder.exists():
        folder.rename(old)
    try:
        beside.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
    disk.sync_folder(folder.parent)


def compare(folder: Path, played: Played) -> Difference | None:
    """Return how a replay differs from the expected files; None if it does not.

    Raises:
        CassetteError: the expected files cannot be read.
    """
    differs, step = False, None
    lines: list[str] = []
    for name, data in expected_files(played).items():
        path = folder / EXPECTED / name
        before = files.read(path) if path.exists() else ""
        if before.encode() == data:
            continue
        one, two = before.splitlines(), data.decode().splitlines()
        changed = list(difflib.unified_diff(one, two, f"expected/{name}", f"replayed/{name}", lineterm="", n=0))
        step = step if differs else _step_at(name, two, changed, played)
        differs = True
        lines += changed
    if not differs:
        return None
    more = [f"… and {len(lines) - _SHOWN} lines more"] if len(lines) > _SHOWN else []
    return Difference(step, (*(line[:_LONGEST] for line in lines[:_SHOWN]), *more))


def accept(folder: Path, played: Played) -> None:
    """Replace the expected files by a replay's result.

    Raises:
        OSError: it cannot be written.
    """
    for name, data in expected_files(played).items():
        disk.replace(folder / EXPECTED / name, data)


def _step_at(name: str, now: Sequence[str], changed: Sequence[str], played: Played) -> str | None:
    """Return the step of the first difference, from the event named in it, or the last event above it."""
    found = next((place for place in map(_PLACE.match, changed) if place), None)
    above = "\n".join(now[: int(found[1])]) if found else ""
    if name == SUMMARY:
        return next((step for step in reversed(STEPS) if f'"{step}"' in above), None)
    here = _EVENT.findall("\n".join(line for line in changed if line[:1] in "+-"))
    events = here[:1] or _ANCHOR.findall(above)[-1:]
    return dict(_steps(played)).get(int(events[0])) if events else None


def _steps(played: Played) -> Iterator[tuple[int, str | None]]:
    step: str | None = None
    for line in played.lines:
        step = line.event.step if isinstance(line.event, StepStarted) else step
        named: Any = getattr(line.event, "step", None)
        yield line.seq, named or step
