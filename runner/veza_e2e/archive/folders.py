"""Where sessions lie in an archive, and the ends of their journals: what many sessions are asked for at once."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

from ulid import ULID

from veza_e2e.canonical import JSON, digest

JOURNAL = "journal.jsonl"
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_TAILS = (1 << 12, 1 << 16)
"""How much of a journal's end is read: nearly always enough, and enough for any last line."""


def session_folders(root: Path) -> Iterator[Path]:
    """Iterate over the folders of an archive's sessions."""
    for year in _folders(root):
        for month in _folders(year.path) if _numbered(year) else ():
            for one in _folders(month.path) if _numbered(month) else ():
                if _ULID.fullmatch(one.name) and os.path.exists(f"{one.path}/{JOURNAL}"):  # noqa: PTH110 - one of many
                    yield Path(one.path)


def session_folder(root: Path, session: str) -> Path | None:
    """Return the folder of the session with this id; None if it is not here."""
    if not _ULID.fullmatch(session):
        return None
    likely = root / f"{ULID.from_str(session).datetime.astimezone(UTC):%Y/%m}" / session
    if (likely / JOURNAL).exists():
        return likely
    found = next(root.glob(f"[0-9]*/[0-9]*/{session}/{JOURNAL}"), None)
    return None if found is None else found.parent


def first_line(journal: Path) -> dict[str, JSON]:
    """Return the journal's first line, unchecked, reading nothing else.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not a line of JSON.
    """
    with journal.open("rb") as file:
        return _parsed(file.readline())


def last_line(journal: Path) -> dict[str, JSON]:
    """Return the journal's last whole line, reading nothing but its end.

    Raises:
        OSError: it cannot be read.
        ValueError: the end is not a line of JSON.
    """
    with journal.open("rb", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        for length in _TAILS:
            file.seek(max(0, size - length))
            before, _, line = (file.read(length) or b"").rpartition(b"\n")[0].rpartition(b"\n")
            if before or size <= length:
                break
    return _parsed(line)


def _parsed(line: bytes) -> dict[str, JSON]:
    try:
        found: dict[str, JSON] = json.loads(line)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    return found


def fits(line: dict[str, JSON]) -> bool:
    """Whether a line of a journal has the hash that it claims."""
    claimed = line.get("hash")
    return digest({name: one for name, one in line.items() if name != "hash"}) == claimed


def _folders(path: Path | str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            yield from [one for one in entries if one.is_dir()]
    except OSError:
        return


def _numbered(entry: os.DirEntry[str]) -> bool:
    return entry.name[0] in "0123456789"
