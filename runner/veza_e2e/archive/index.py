"""The index of an archive: what lists say of its sessions, so that a list reads no journal whole.

It is derived, lies outside the archive, and can be deleted at any time. An entry counts only while the session's files
have the sizes and times, and its journal the last hash, that they had when it was made. Nothing rests on it that is
evidence, nor the bar against a second run: these read the journals.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from pathlib import Path

from veza import money as veza_money
from veza_e2e import canonical, evidence, journal, money
from veza_e2e.archive.files import ArchiveError
from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.canonical import JSON, encoded, loads
from veza_e2e.evidence import Glance, glance
from veza_e2e.journal import DamagedError, disk
from veza_e2e.journal.codec import fitted

_READ = re.compile(r"journal\.jsonl|(addendum|manifest)-[0-9]{3,}\.json")
"""The files of a session from which its summary is made."""
_LARGEST = 1 << 28
"""A larger file is no index of ours; it is not read."""
_NO_ENTRIES: Mapping[str, JSON] = {}


def glances(archive: Archive, since: str = "") -> list[tuple[Stored, Glance | str]]:
    """Return the archive's sessions at a glance, the newest first; in place of a damaged one, why it cannot be read.

    Args:
        archive: the archive; its index is read, and written again if anything is new.
        since: the smallest id to include.
    """
    path = _path(archive)
    known = {} if path is None else _load(path)
    found: list[tuple[Stored, Glance | str]] = []
    entries: dict[str, JSON] = {name: entry for name, entry in known.items() if name[-26:] < since}
    for stored in archive.sessions():
        if stored.session < since:
            continue
        name = "/".join(stored.folder.parts[-3:])
        entry, seen = _seen(stored, known.get(name))
        found.append((stored, seen))
        if entry is not None:
            entries[name] = entry
    if path is not None and entries != known:
        _save(path, entries)
    return _beside_dry_runs(found)


def _beside_dry_runs(found: list[tuple[Stored, Glance | str]]) -> list[tuple[Stored, Glance | str]]:
    """Return them without the GO of a live run whose dry-run has failed since."""
    failed = {one.session for one, seen in found if isinstance(seen, Glance) and seen.outcome == "failed"}
    return [(one, seen if isinstance(seen, str) or seen.dry_run not in failed else seen.held) for one, seen in found]


def _seen(stored: Stored, entry: JSON) -> tuple[JSON, Glance | str]:
    """Return a session's entry and the session at a glance; read it if the entry that is known does not fit."""
    files = _files(stored)
    if isinstance(entry, Mapping) and entry.get("files") == files and entry.get("hash") == stored.last_hash:
        seen = entry.get("seen")
        known = fitted(Glance, seen) if isinstance(seen, Mapping) else None
        if known is not None:
            return entry, known
    try:
        summary = stored.summary()
    except (DamagedError, ArchiveError, OSError) as error:
        return None, str(error)
    made = glance(summary)
    return {"files": files, "hash": summary.last_hash, "seen": asdict(made)}, made


def _files(stored: Stored) -> str:
    """Return name, size and time of each file that the summary is made from; taken before they are read."""
    with suppress(OSError), os.scandir(stored.folder) as entries:
        found = [(one.name, one.stat()) for one in entries if _READ.fullmatch(one.name)]
        return " ".join(f"{name} {about.st_size} {about.st_mtime_ns}" for name, about in sorted(found))
    return ""


def _path(archive: Archive) -> Path | None:
    if archive.index is None:
        return None
    return archive.index / f"{hashlib.sha256(os.fsencode(archive.root.resolve())).hexdigest()[:24]}.json"


def _load(path: Path) -> dict[str, JSON]:
    """Return the entries by folder; none if there is no index, or not one that this version wrote."""
    try:
        members = loads(path.read_bytes()) if path.stat().st_size <= _LARGEST else None
    except (OSError, ValueError):
        return {}
    if not isinstance(members, Mapping) or members.get("version") != _version():
        return {}
    entries = members.get("sessions")
    return dict(entries) if isinstance(entries, Mapping) else {}


def _save(path: Path, entries: Mapping[str, JSON]) -> None:
    """Replace the index, whole or not at all. If that fails, the next list takes longer."""
    with suppress(OSError, ValueError):
        disk.make_ignored(path.parent.parent)
        path.parent.mkdir(exist_ok=True)
        descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")  # for this user alone
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
                file.write(encoded({"version": _version(), "sessions": entries}))
            os.replace(part, path)  # noqa: PTH105
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise


@cache
def _version() -> str:
    """Return a digest of the code that a glance is made by: what reads a session, and what makes it a summary."""
    folders = [Path(__file__).parent, *(Path(str(module.__file__)).parent for module in (evidence, journal, money))]
    code = sorted(path for folder in folders for path in folder.glob("*.py"))
    amounts = (Path(str(one.__file__)) for one in (canonical, veza_money))
    return hashlib.sha256(b"".join(path.read_bytes() for path in (*code, *amounts))).hexdigest()
