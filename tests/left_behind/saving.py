"""What is kept of a session that was left: its files as they are, and the rehearsal backend's database as a script."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from veza_e2e.report import template_version

ARCHIVES = ("build/rehearsals", "docs/archive/payment-e2e")
_CLIENT_SECRET = re.compile(r"(pay_[0-9A-Za-z]{20}_secret_)[0-9A-Za-z]{20}")
_DRAWN_ANEW = ("DELETE FROM meta WHERE name IN ('token_key', 'webhook_key')", "DELETE FROM refresh_tokens")


@dataclass(frozen=True)
class End:
    """What a command must come to: its exit code, the session's figures (in cents), and what is in the books."""

    code: int
    outcome: str
    charged: int
    refunded: int
    orders: int
    charges: int
    refunds: int
    abandon: bool = False
    """Whether the session is open after that still, and `abandon` must be able to end it."""


def save(folder: Path, target: Path, *, resume: list[str], archive: str, ends: Mapping[str, End]) -> None:
    """Save the session that was left in `folder`.

    Args:
        folder: where it was begun.
        target: where it is kept.
        resume: the words of the command that resumes it.
        archive: where its journal is.
        ends: what that must come to, by when it is done.
    """
    target.mkdir(parents=True)
    for path in (folder / name for name in ARCHIVES):
        if path.is_dir():
            shutil.copytree(path, target / path.relative_to(folder))
    for recording in folder.glob(".veza-e2e/recordings/*"):
        (journal,) = folder.rglob(f"{recording.name}/journal.jsonl")
        if b'"type":"SessionEnded"' not in journal.read_bytes():  # only a resume that goes on adds to its recording
            shutil.copytree(recording, target / recording.relative_to(folder))
    config, served = folder / "veza-e2e.toml", folder / ".veza-e2e" / "rehearsal" / "serve" / "backend.db"
    if config.exists():
        shutil.copy(config, target)
    for database in folder.glob(".veza-e2e/rehearsal/*/backend.db"):
        state = target / database.parent.relative_to(folder)
        state.mkdir(parents=True)
        (state / "backend.sql").write_bytes(script(database).encode())
        shutil.copy(database.with_name("port"), state)
    case = {
        "resume": resume,
        "archive": archive,
        "faults": _faults(served) if served.exists() else [],
        "left_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "template": template_version(),
        "ends": {when: asdict(end) for when, end in ends.items()},
    }
    (target / "case.json").write_text(json.dumps(case, indent=2) + "\n", encoding="utf-8")


def script(database: Path) -> str:
    """Return the SQL that makes the database again, without what looks like a secret."""
    with closing(sqlite3.connect(database)) as connection, closing(sqlite3.connect(":memory:")) as copy:
        connection.backup(copy)
        for statement in _DRAWN_ANEW:
            copy.execute(statement)
        copy.commit()
        text = "\n".join(copy.iterdump()) + "\n"
    return _CLIENT_SECRET.sub(rf"\g<1>{'x' * 20}", text)


def _faults(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute("SELECT value FROM meta WHERE name = 'faults'").fetchone()
    return found[0].split() if found else []
