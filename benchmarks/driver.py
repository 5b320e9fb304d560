"""A walkthrough in a folder of its own, driven from outside: the command, its journal, and the backend's books."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from veza_e2e.config import SECRET_VARIABLES

COMMAND = (sys.executable, "-m", "veza_e2e")
_PATIENCE = 300
_COUNTS = (
    "SELECT count(*) FROM orders",
    "SELECT count(*) FROM hs_payments WHERE amount_received > 0",
    "SELECT count(*) FROM hs_refunds",
)


@contextmanager
def folder(prefix: str) -> Iterator[Path]:
    """Yield a new folder, which is removed at the end of the block."""
    made = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def command(where: Path, *words: str, program: tuple[str, ...] = COMMAND) -> subprocess.CompletedProcess[str]:
    """Run a command there, with no secret in its environment."""
    environment = {name: value for name, value in os.environ.items() if name not in SECRET_VARIABLES.values()}
    return subprocess.run(
        [*program, *words], cwd=where, env=environment, capture_output=True, encoding="utf-8", check=False,
        timeout=_PATIENCE,
    )  # fmt: skip


def journal(where: Path) -> bytes:
    """Return the bytes of the folder's one journal; nothing if there is none."""
    found = list(where.glob("build/rehearsals/*/*/*/journal.jsonl"))
    return found[0].read_bytes() if found else b""


def lines(data: bytes) -> list[dict[str, Any]]:
    """Return the events of a journal's whole lines."""
    return [json.loads(line) for line in data.split(b"\n")[:-1]]


def books(where: Path) -> tuple[int, int, int]:
    """Return how many orders, charges and refunds the backend really has."""
    found = list(where.glob(".veza-e2e/rehearsal/*/backend.db"))
    if not found:
        return 0, 0, 0
    with closing(sqlite3.connect(found[0])) as database:
        orders, charges, refunds = (int(database.execute(sql).fetchone()[0]) for sql in _COUNTS)
    return orders, charges, refunds
