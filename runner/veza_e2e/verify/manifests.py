"""Checks a session's manifests: what each lists is there unchanged, and each cites the one before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from veza_e2e.archive.files import ArchiveError
from veza_e2e.archive.folders import JOURNAL
from veza_e2e.archive.manifests import ATTESTATIONS, Manifest, read_manifest
from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.journal import DamagedError, Scan, each_line
from veza_e2e.journal.events import SessionEnded
from veza_e2e.verify.checks import Check, Digest

NAME = "manifest"


def manifests(stored: Stored, reading: Scan | None, digest: Digest) -> Iterator[Check]:
    """Yield a row for each manifest, or one that says why there is none."""
    previous: str | None = None
    files = stored.manifests()
    for number, path in enumerate(files, 1):
        try:
            found = read_manifest(path)
            problems = [
                *_place(stored, path, found, number),
                *([] if found.previous == previous else ["it does not cite the manifest before it"]),
                *_listed(stored.folder, found.files, found.number, digest),
                *_listed(stored.folder.parents[2] / ATTESTATIONS, found.attestations, found.number, digest),
                *gone(stored, found.sessions, "ended"),
            ]
            previous = digest(path)
        except (ArchiveError, OSError) as error:
            problems, previous = [str(error)], None
        if problems:
            yield Check(path.name, "damaged", "; ".join(problems))
            continue
        count = len(found.files) + len(found.attestations)
        named = f", and it names the last event of {len(found.sessions)} other(s)" if found.sessions else ""
        yield Check(path.name, "ok", f"its {count} files are unchanged{named}; SHA-256 {previous}")
    if reading is not None and not reading.ended:
        if files:
            yield Check(NAME, "damaged", f"{files[0]}: is a manifest of a session that has not ended")
        return
    if not files:
        yield Check(NAME, "not checked", _absent(stored, reading))


def _absent(stored: Stored, reading: Scan | None) -> str:
    last = reading.last.event if reading is not None and reading.last else None
    none = "so nothing shows whether an addendum was taken away"
    if isinstance(last, SessionEnded) and last.account is None:
        return f"no manifest: written before 0.2.0, {none}"
    return (
        f"no manifest: the process was stopped at the very end of the session, or somebody took it away, {none}; "
        f"veza-e2e resume {stored.session} writes one of what is there now"
    )


def _place(stored: Stored, path: Path, found: Manifest, number: int) -> Iterator[str]:
    if path.name != f"manifest-{number:03d}.json":
        yield f"{path}: is not number {number}; manifest-{number:03d}.json is missing"
    if found.number != number:
        yield f"{path}: says that it is number {found.number}"
    folder = "/".join(stored.folder.resolve().parts[-3:])
    if (found.session, found.folder) != (stored.session, folder):
        yield f"{path}: is the manifest of session {found.session} in {found.folder}"
    if JOURNAL not in found.files:
        yield f"{path}: does not list {JOURNAL}"
    if number > 1 and found.sessions:
        yield f"{path}: names other sessions, which only the first manifest does"


def _listed(folder: Path, digests: Mapping[str, str], number: int, digest: Digest) -> Iterator[str]:
    for name, expected in digests.items():
        path = folder / name
        if Path(name).name != name:
            yield f"manifest {number} lists {name!r:.60}, which is no file's name"
            continue
        try:
            if digest(path) != expected:
                yield f"{path}: does not have the digest that manifest {number} lists"
        except FileNotFoundError:
            yield f"{path}: manifest {number} lists it, and it is gone"
        except OSError as error:
            yield f"{path}: {error.strerror}"


def gone(stored: Stored, named: Mapping[str, str], when: Literal["began", "ended"]) -> Iterator[str]:
    """Yield what is wrong with the sessions that a session named when it began, or ended."""
    archive = Archive(stored.folder.parents[2])
    for session, last in named.items():
        other = archive.session(session)
        if other is None:
            yield f"session {session}, which was in the archive when this one {when}, is gone"
        elif other.last_hash != last and not _holds(other, last):
            yield f"in session {session} the event that was its last when this session {when} cannot be found"


def _holds(other: Stored, last: str) -> bool:
    try:
        return any(line.hash == last for line in each_line(other.journal))
    except (DamagedError, OSError):
        return False  # what cannot be read is not there
