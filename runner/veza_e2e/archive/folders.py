"""Where sessions lie in an archive, and the ends of their journals: what many sessions are asked for at once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from ulid import ULID

from veza_e2e.canonical import JSON, encoded, loads

JOURNAL = "journal.jsonl"
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_TAILS = (1 << 12, 1 << 16)
"""How much of a journal's end is read: nearly always enough, and enough for any last line."""
_SHARED = 10_000
"""How many journals' ends are remembered; they take about 2 KB each."""


def session_folders(root: Path) -> Iterator[Path]:
    """Iterate over the folders of an archive's sessions."""
    for year in _folders(root):
        for month in _folders(year.path) if _numbered(year) else ():
            for one in _children(month.path) if _numbered(month) else ():
                if _ULID.fullmatch(one.name) and os.path.exists(f"{one}/{JOURNAL}"):  # noqa: PTH110 - one of many
                    yield one


def session_folder(root: Path, session: str) -> Path | None:
    """Return the folder of the session with this id; None if it is not here."""
    if not _ULID.fullmatch(session):
        return None
    likely = root / f"{ULID.from_str(session).datetime.astimezone(UTC):%Y/%m}" / session
    if (likely / JOURNAL).exists():
        return likely
    found = next(root.glob(f"[0-9]*/[0-9]*/{session}/{JOURNAL}"), None)
    return None if found is None else found.parent


def first_line(folder: Path) -> dict[str, JSON]:
    """Return the first line of a session's journal, unchecked, reading nothing else.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not a line of JSON.
    """
    return _parsed(_ends(folder)[0])


def last_line(folder: Path) -> dict[str, JSON]:
    """Return the last whole line of a session's journal, reading nothing but its end.

    Raises:
        OSError: it cannot be read.
        ValueError: the end is not a line of JSON.
    """
    last = _ends(folder)[1]
    if last is None:
        raise ValueError(f"{folder}: its journal ends with no line of JSON")
    return last


def _ends(folder: Path) -> tuple[bytes, dict[str, JSON] | None]:
    """Return a journal's first line and what its last one holds; None if that is no JSON.

    A process that asks several things of all sessions reads each journal's ends once.
    """
    path = f"{folder}/{JOURNAL}"
    about = os.stat(path)  # noqa: PTH116 - one of many
    return _read_ends(path, (about.st_ino, about.st_size, about.st_mtime_ns))


@lru_cache(maxsize=_SHARED)
def _read_ends(path: str, state: tuple[int, ...]) -> tuple[bytes, dict[str, JSON] | None]:  # noqa: ARG001 - what changed is read again
    file = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(file).st_size
        head, line_end, _ = os.pread(file, _TAILS[0], 0).partition(b"\n")
        if not line_end:
            head = os.pread(file, size, 0).partition(b"\n")[0]
        tail = b""
        for length in _TAILS:
            whole = os.pread(file, length, max(0, size - length)).rpartition(b"\n")[0]
            before, _, tail = whole.rpartition(b"\n")
            if before or size <= length:
                break
    finally:
        os.close(file)
    try:
        return head, _parsed(tail)
    except ValueError:
        return head, None


def _parsed(line: bytes) -> dict[str, JSON]:
    members = loads(line)
    if not isinstance(members, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - as any other line that is none of a journal's
    return members


def fits(line: dict[str, JSON]) -> bool:
    """Whether a line of a journal has the hash that it claims.

    Raises:
        ValueError: it has no canonical form.
    """
    claimed = line.get("hash")
    return sha256(encoded({name: one for name, one in line.items() if name != "hash"})).hexdigest() == claimed


def _children(path: str) -> list[Path]:
    try:
        return list(Path(path).iterdir())  # the path of each name, made anew, takes twice as long
    except OSError:
        return []


def _folders(path: Path | str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            yield from [one for one in entries if one.is_dir()]
    except OSError:
        return


def _numbered(entry: os.DirEntry[str]) -> bool:
    return entry.name[0] in "0123456789"
