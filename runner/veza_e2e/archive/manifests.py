"""Manifests: numbered files that vouch for a session's files, each for the manifest before it too. Never rewritten.

A manifest lists digests only. What it does not list, and what was removed together with it, it cannot show.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import cast

from veza_e2e.archive.files import ArchiveError
from veza_e2e.archive.folders import first_line
from veza_e2e.canonical import JSON, dumps, loads
from veza_e2e.frozen import dataclass
from veza_e2e.journal import disk

ATTESTATIONS = "attestations"
_NAME = re.compile(r"manifest-([0-9]{3,})\.json")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_TRIES = 20
"""How many processes may write a manifest of one session at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a session's folder held when the manifest was written. Digests are SHA-256 of the files, in hex."""

    session: str
    folder: str
    """The folder below the archive: `YYYY/MM/<ULID>`."""
    number: int
    """1 for a session's first manifest."""
    files: Mapping[str, str]
    """The digest of journal, views and addenda, by file name."""
    attestations: Mapping[str, str]
    """The digest of the archive's attestations, by file name."""
    sessions: Mapping[str, str]
    """Other sessions and the last hash of each: those that no session names yet. Only in the first manifest, and only
    of a session whose journal does not name those that were there when it began."""
    previous: str | None
    """The digest of the manifest before; None in the first."""


@dataclass(frozen=True, slots=True)
class Other:
    """Another session of the archive, as a manifest names it."""

    session: str
    folder: Path
    last_hash: str | None
    """None if the journal's end cannot be read."""


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def manifest_files(folder: Path) -> list[Path]:
    """Return the manifests' paths, in the order of their numbers."""
    return sorted((path for path in folder.iterdir() if _NAME.fullmatch(path.name)), key=lambda p: (number_of(p), p))


def number_of(path: Path) -> int:
    """Return the number in a manifest's name."""
    return int(path.stem.rpartition("-")[2])


def read_manifest(path: Path) -> Manifest:
    """Return the manifest in a file.

    Raises:
        ArchiveError: the file cannot be read, or is not a manifest in canonical form.
    """
    try:
        data = path.read_bytes()
        members = loads(data)
        canonical = isinstance(members, dict) and dumps(members).encode() + b"\n" == data
    except (ValueError, RecursionError, OSError) as error:
        raise ArchiveError(f"{path}: is not JSON, or cannot be read") from error
    if not canonical or not isinstance(members, dict):
        raise ArchiveError(f"{path}: is not in its canonical form")
    if members.pop("type", None) != "Manifest" or members.keys() != _MEMBERS.keys():
        raise ArchiveError(f"{path}: does not have the members of a manifest")
    for name, fits in _MEMBERS.items():
        if not fits(members[name]):
            raise ArchiveError(f"{path}: has a member {name} that is not what it has to be")
    return Manifest(**cast("dict[str, object]", members))  # type: ignore[arg-type]  # checked member by member


def vouch(
    session: str, folder: Path, files: Callable[[], Iterable[Path]], others: Callable[[], Iterable[Other]]
) -> tuple[Path, bool]:
    """Write the next manifest, unless the newest one lists exactly what is there; return the newest, and if it is new.

    Args:
        session: the session's id.
        folder: its folder in the archive.
        files: returns the paths of journal, views and addenda.
        others: returns the archive's other sessions, if the first manifest is to name them; called for that one only.

    Raises:
        OSError: a file cannot be read, or the manifest cannot be written.
    """
    for _ in range(_TRIES):
        held = manifest_files(folder)
        last = newest(folder)
        found = Manifest(
            session=session,
            folder="/".join(folder.resolve().parts[-3:]),
            number=1 if not held else number_of(held[-1]) + 1,
            files={path.name: digest_of(path) for path in files()},
            attestations={path.name: digest_of(path) for path in attestation_files(folder.parents[2])},
            sessions={} if held else unnamed(others()),
            previous=digest_of(held[-1]) if held else None,
        )
        if last is not None and (last.files, last.attestations) == (found.files, found.attestations):
            return held[-1], False
        path = folder / f"manifest-{found.number:03d}.json"
        with suppress(FileExistsError):  # another process wrote one a moment ago
            disk.create(path, dumps({"type": "Manifest", **asdict(found)}).encode() + b"\n")
            return path, True
    raise BlockingIOError(f"{folder}: other processes write manifests all the time")


def newest(folder: Path) -> Manifest | None:
    """Return a session's newest manifest; None if there is none, or it cannot be read."""
    held = manifest_files(folder)
    try:
        return read_manifest(held[-1]) if held else None
    except ArchiveError:
        return None


def gone_addenda(folder: Path) -> str:
    """Return the names of the addenda that a manifest lists and that are gone; empty if there are none."""
    listed = set[str]()
    for path in manifest_files(folder):
        with suppress(ArchiveError):  # verify names it
            listed.update(read_manifest(path).files)
    return ", ".join(sorted(name for name in listed if name.startswith("addendum-") and not (folder / name).is_file()))


def attestation_files(root: Path) -> list[Path]:
    """Return the paths of an archive's attestations, the oldest first."""
    return sorted(root.glob(f"{ATTESTATIONS}/*.json"))


def unnamed(others: Iterable[Other]) -> dict[str, str]:
    """Return the last hash of each session that no session names with this hash yet.

    Naming these names all: whoever removes a session has to change one that names it, and so on up to the newest.
    """
    found = {other.session: other for other in others}
    named = {one for other in found.values() for one in named_by(other.folder).items()}
    hashes = {name: other.last_hash for name, other in sorted(found.items()) if other.last_hash is not None}
    return {name: last for name, last in hashes.items() if (name, last) not in named}


def named_by(folder: Path) -> Mapping[str, str]:
    """Return the sessions that a session names: in its journal's first event, or in its first manifest."""
    began = named_at_beginning(folder)
    if began is not None:
        return began
    try:
        return read_manifest(folder / "manifest-001.json").sessions
    except ArchiveError:
        return {}


def named_at_beginning(folder: Path) -> Mapping[str, str] | None:
    """Return the sessions that the journal's first event names; None if it is of an earlier version, or unreadable."""
    try:
        others = first_line(folder).get("others")
    except (OSError, ValueError, AttributeError):
        return None
    return cast("Mapping[str, str]", others) if _texts(others) else None


def _text(value: JSON) -> bool:
    return isinstance(value, str)


def _texts(value: JSON) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


def _digests(value: JSON) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) and _DIGEST.fullmatch(one) for one in value.values())


_MEMBERS: Mapping[str, Callable[[JSON], bool]] = {
    "session": _text,
    "folder": _text,
    "number": lambda value: isinstance(value, int) and not isinstance(value, bool) and value > 0,
    "files": _digests,
    "attestations": _digests,
    "sessions": _digests,
    "previous": lambda value: value is None or (isinstance(value, str) and bool(_DIGEST.fullmatch(value))),
}
"""The check of each member."""
