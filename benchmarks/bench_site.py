"""The site of a thousand sessions: CPU seconds to build it, the search index, the largest page.

One real rehearsal is walked through; its journal is told again under a thousand ids over four years.
"""

from __future__ import annotations

import hashlib
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ulid import ULID

from veza_e2e.archive.sessions import JOURNAL, Archive
from veza_e2e.journal import Journal, Line, MemorySink, parse
from veza_e2e.journal.codec import from_data
from veza_e2e.journal.events import SessionEnded, SessionStarted, StepFinished
from veza_e2e.redaction import Redactor
from veza_e2e.report import render, template_version

SESSIONS = 1000
LIMITS = {"cpu_s": 60.0, "search_index_mb": 4.0, "page_kb": 150.0}
ROOT = Path(__file__).parents[1]


class _Clock:
    def __init__(self) -> None:
        self.at = datetime(2022, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


def _walk(archive: Path) -> Path:
    command = [sys.executable, "-m", "veza_e2e", "--archive", str(archive), "--json", "run", "--unattended", "--refund"]
    done = subprocess.run(command, capture_output=True, check=True, cwd=archive)
    return Path(json.loads(done.stdout)["paths"]["journal"])


def _told_again(lines: tuple[Line, ...], text: str, ids: list[str], number: int, root: Path) -> None:
    """Write the same session under other ids, chained anew."""
    at = datetime(2022, 1, 3, 9, tzinfo=UTC) + timedelta(hours=35 * number)
    session = str(ULID.from_datetime(at))
    for old in ids:
        new = f"pay_{number:020d}" if old.startswith("pay_") else str(uuid.UUID(int=number << 64 | 7))
        text = text.replace(old, new)
    clock = _Clock()
    journal = Journal(MemorySink(), clock, redactor=Redactor())
    first = datetime.fromisoformat(lines[0].at)
    for line in parse_events(text):
        clock.at = at + (datetime.fromisoformat(line.at) - first)
        event = line.event
        if isinstance(event, SessionStarted):
            event = replace(event, session=session, release=f"2022.{number // 20}")
        if not isinstance(event, SessionEnded):
            journal.append(event)
    views = render(journal.lines)
    digests = {name: hashlib.sha256(view).hexdigest() for name, view in views.items()}
    sink = MemorySink()
    journal.append(SessionEnded(outcome="passed", views=digests, template=template_version()))
    journal.move(sink)
    folder = Archive(root).folder(session, at)
    folder.mkdir(parents=True)
    (folder / JOURNAL).write_bytes(bytes(sink.data))
    for name, view in views.items():
        (folder / name).write_bytes(view)


def parse_events(text: str) -> tuple[Line, ...]:
    """Return the events of a journal whose ids were changed: its hashes no longer fit, and are not looked at."""
    sink = MemorySink()
    clock = _Clock()
    journal = Journal(sink, clock, redactor=Redactor())
    for raw in text.splitlines():
        members: dict[str, Any] = json.loads(raw)
        clock.at = datetime.fromisoformat(members["at"])
        data = {k: v for k, v in members.items() if k not in {"seq", "at", "type", "prev", "hash"}}
        journal.append(from_data(members["type"], data))
    return tuple(journal.lines)


def generate(root: Path, sessions: int = SESSIONS) -> None:
    """Fill an archive."""
    with tempfile.TemporaryDirectory() as folder:
        path = _walk(Path(folder))
        data = path.read_bytes()
    reading = parse(data, path)
    summary = {e.step: e.result for e in (line.event for line in reading.lines) if isinstance(e, StepFinished)}
    ids = [str(summary["order"]["order_id"]), str(summary["order"]["payment_id"])]
    for number in range(sessions):
        _told_again(reading.lines, data.decode(), ids, number, root)


def measure(sessions: int = SESSIONS) -> dict[str, float]:
    """Return CPU seconds of `site build`, the search index in MB, the largest page in KB."""
    with tempfile.TemporaryDirectory() as folder:
        archive, out, root = (Path(folder) / name for name in ("archive", "site", "checkout"))
        generate(archive, sessions)
        root.mkdir()
        shutil.copy(ROOT / "mkdocs.yml", root)
        for name in ("docs", "sdk"):
            shutil.copytree(ROOT / name, root / name)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "veza_e2e", "--archive", str(archive), "site", "build", "--out", str(out)]
        subprocess.run(command, check=True, cwd=root, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        pages = [path.stat().st_size for path in out.rglob("*.html")]
        return {
            "cpu_s": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
            "search_index_mb": round((out / "search" / "search_index.json").stat().st_size / 1e6, 2),
            "page_kb": round(max(pages) / 1e3, 1),
            "site_mb": round(sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 1e6, 1),
        }


def main() -> int:
    """Print what was measured beside the limits."""
    measured = measure(int(sys.argv[1]) if len(sys.argv) > 1 else SESSIONS)
    for name, value in measured.items():
        print(f"site {name:<16} {value:>8} (limit {LIMITS.get(name, '-')})")
    return int(any(measured[name] > limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
