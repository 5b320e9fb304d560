"""Fills an archive: one real rehearsal is walked through, and its journal told again under other ids, over years.

Each session has its journal, which names the session before it, its views and a manifest, as real ones do.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ulid import ULID

from veza_e2e.archive.folders import JOURNAL
from veza_e2e.archive.manifests import Manifest
from veza_e2e.archive.sessions import Archive
from veza_e2e.canonical import dumps
from veza_e2e.journal import GENESIS, Line, chain, parse, timestamp
from veza_e2e.journal.codec import from_data
from veza_e2e.journal.events import SessionEnded, SessionStarted, StepFinished
from veza_e2e.report import render, template_version

_SINCE = datetime(2022, 1, 3, 9, tzinfo=UTC)
_EVERY = timedelta(hours=35)


@dataclass(frozen=True, slots=True)
class Walk:
    """A real session: its lines, its journal as text, and the ids that each telling replaces."""

    lines: Sequence[Line]
    text: str
    ids: tuple[str, ...]


def walk() -> Walk:
    """Walk through one rehearsal, in a folder that is removed again."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "veza_e2e", "--archive", name, "--json", "run", "--unattended", "--refund"]
        done = subprocess.run(command, capture_output=True, check=True, cwd=name)
        path = Path(name, json.loads(done.stdout)["paths"]["journal"])
        data = path.read_bytes()
    lines = parse(data, path).lines
    results = {e.step: e.result for e in (line.event for line in lines) if isinstance(e, StepFinished)}
    return Walk(lines, data.decode(), (str(results["order"]["order_id"]), str(results["order"]["payment_id"])))


def generate(root: Path, sessions: int, walked: Walk | None = None, *, began: int = 0) -> None:
    """Fill an archive with so many sessions; `began` is the number of those that are there already."""
    walked = walked or walk()
    before: dict[str, str] = {}
    for number in range(began, began + sessions):
        before = _told_again(walked, number, root, before)


def _told_again(walked: Walk, number: int, root: Path, before: dict[str, str]) -> dict[str, str]:
    """Write the same session under other ids, chained anew; return its id and last hash."""
    at = _SINCE + _EVERY * number
    session, text = str(ULID.from_datetime(at)), walked.text
    for old in walked.ids:
        new = f"pay_{number:020d}" if old.startswith("pay_") else str(uuid.UUID(int=number << 64 | 7))
        text = text.replace(old, new)
    first, lines, written, views = datetime.fromisoformat(walked.lines[0].at), list[Line](), b"", dict[str, bytes]()
    for raw in text.splitlines():
        members: dict[str, Any] = json.loads(raw)
        data = {k: v for k, v in members.items() if k not in {"seq", "at", "type", "prev", "hash"}}
        event = from_data(members["type"], data)
        if isinstance(event, SessionStarted):
            event = replace(event, session=session, release=f"2022.{number // 20}", others=before)
        if isinstance(event, SessionEnded):
            views = render(lines)
            digests = {name: hashlib.sha256(view).hexdigest() for name, view in views.items()}
            event = replace(event, views=digests, template=template_version())
        then = timestamp(at + (datetime.fromisoformat(members["at"]) - first))
        line, encoded = chain(len(lines) + 1, then, event, lines[-1].hash if lines else GENESIS)
        lines.append(line)
        written += encoded
    files = {**views, JOURNAL: written}
    folder = Archive(root).folder(session, at)
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    listed = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    vouching = Manifest(
        session=session, folder="/".join(folder.parts[-3:]), number=1, files=listed, attestations={}, sessions={},
        previous=None,
    )  # fmt: skip
    (folder / "manifest-001.json").write_bytes(dumps({"type": "Manifest", **asdict(vouching)}).encode() + b"\n")
    return {session: lines[-1].hash}
