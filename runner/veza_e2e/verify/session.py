"""Checks the files of one session: a row for each artefact that is expected, and for each that is there."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

from veza_e2e import report
from veza_e2e.archive.files import ArchiveError
from veza_e2e.archive.folders import JOURNAL
from veza_e2e.archive.manifests import digest_of
from veza_e2e.archive.sessions import LOG, REPORT, Archive, Stored
from veza_e2e.journal import DamagedError, Line, Scan, each_line, parse, scan
from veza_e2e.journal.events import SessionEnded, SessionStarted
from veza_e2e.verify.checks import Check, Digest
from veza_e2e.verify.manifests import gone, manifests
from veza_e2e.verify.signatures import signatures

LARGEST = 1 << 24
"""Bytes of the largest journal whose views are rendered again. Its lines are kept in memory, ten times as large."""


def verify(stored: Stored, policy: Path | None = None, *, largest: int = LARGEST) -> tuple[Check, ...]:
    """Return the results of all checks of a session.

    Args:
        stored: the session.
        policy: OpenSSH's allowed signers file, if there is one.
        largest: bytes of the largest journal whose views are rendered again.
    """
    reading, broken = _read(stored, largest)
    digest = _digests(stored, reading)
    return (
        *_identity(stored, reading),
        *(_others(stored, reading) if reading is not None else ()),
        *(_chain(reading) if reading is not None else [Check("chain", "damaged", broken)]),
        *(_views(stored, reading, digest) if reading is not None else ()),
        *(_dry_run(stored, reading) if reading is not None else ()),
        *(_addenda(stored, reading) if reading is not None else ()),
        *manifests(stored, reading, digest),
        *signatures(stored, policy, ended=reading is None or reading.ended),
    )


def _digests(stored: Stored, reading: Scan | None) -> Digest:
    """Return what gives a file's digest; the journal and each view are read once."""
    journal = stored.folder / JOURNAL

    @cache
    def digest(path: Path) -> str:
        return reading.digest if reading is not None and path == journal else digest_of(path)

    return digest


def _read(stored: Stored, largest: int) -> tuple[Scan | None, str]:
    try:
        return scan(stored.journal, largest), ""
    except DamagedError as error:
        return None, f"event {error.seq}: {error.reason}"
    except OSError as error:
        return None, f"{stored.journal}: {error.strerror}"


def _identity(stored: Stored, reading: Scan | None) -> Iterator[Check]:
    """Session, folder and date agree. One line tells, so that damage to another does not hide it."""
    line = _first_line(stored) if reading is None else reading.first
    first = line.event if line is not None else None
    if line is None or not isinstance(first, SessionStarted):
        yield Check("identity", "damaged", "event 1: is no beginning of a session that this version can read")
        return
    month = f"{datetime.fromisoformat(line.at):%Y/%m}"
    there = "/".join(stored.folder.resolve().parts[-3:-1])
    if first.session != stored.session:
        yield Check("identity", "damaged", f"{stored.folder}: holds the journal of session {first.session}")
    elif there != month:
        yield Check("identity", "damaged", f"{stored.folder}: the session began in {month}, its folder says {there}")
    else:
        yield Check("identity", "ok", f"session, folder and date agree: {month}/{stored.session}")


def _others(stored: Stored, reading: Scan) -> Iterator[Check]:
    """Each session that was in the archive when this one began is there, with the event that was its last."""
    first = reading.first.event if reading.first else None
    others = first.others if isinstance(first, SessionStarted) and first.others else {}
    if problems := list(gone(stored, others, "began")):
        yield Check("others", "damaged", "; ".join(problems))
    elif others:
        yield Check("others", "ok", f"event 1 names the last event of {len(others)} other(s), which are here")


def _first_line(stored: Stored) -> Line | None:
    try:
        with stored.journal.open("rb") as file:
            lines = parse(file.readline(), stored.journal).lines
    except (DamagedError, OSError):
        return None
    return lines[0] if lines else None


def _chain(reading: Scan) -> Iterator[Check]:
    count = reading.count
    if reading.ended and reading.torn:
        yield Check("chain", "damaged", f"event {count + 1}: something stands after SessionEnded")
    elif reading.ended and reading.last is not None:
        yield Check("chain", "ok", f"{count} events, ended, last hash {reading.last.hash}")
    else:
        torn = f"; {reading.torn} bytes of an unterminated line follow" if reading.torn else ""
        yield Check("chain", "open", f"open: the tail cannot be proven ({count} events{torn})")


def _views(stored: Stored, reading: Scan, digest: Digest) -> Iterator[Check]:
    last = reading.last.event if reading.last else None
    if not isinstance(last, SessionEnded):
        for name in (REPORT, LOG):
            if (stored.folder / name).is_file():
                yield Check(name, "not checked", "the session has not ended: no digest proves it yet")
        return
    rendered = _rendered(reading, last)
    for name in sorted({REPORT, LOG, *last.views}):
        expected = last.views.get(name)
        path = stored.folder / name
        if Path(name).name != name:
            yield Check(name, "damaged", f"event {reading.count} names a view outside the folder")
        elif expected is None:
            yield Check(name, "not checked", f"event {reading.count} names no digest of it")
        else:
            yield _view(path, expected, rendered, reading.count, digest)


def _rendered(reading: Scan, last: SessionEnded) -> dict[str, bytes] | str:
    """Return the views as the journal renders to; if they are not rendered again, why."""
    began = reading.first is not None and isinstance(reading.first.event, SessionStarted)
    if last.template != report.template_version() or not began:
        return "another version of the templates made it"
    if reading.lines is None:
        return f"its lines would take too much memory, since the journal is larger than {LARGEST >> 20} MiB"
    return report.render(reading.lines)


def _view(path: Path, expected: str, rendered: dict[str, bytes] | str, seq: int, digest: Digest) -> Check:
    try:
        found = digest(path)
    except OSError as error:
        return Check(path.name, "damaged", f"{path}: {error.strerror}")
    if found != expected:
        return Check(path.name, "damaged", f"{path}: does not have the digest that event {seq} names")
    if isinstance(rendered, str):
        return Check(path.name, "not checked", f"has its digest; not rendered again: {rendered}")
    if sha256(rendered.get(path.name, b"")).hexdigest() != expected:
        return Check(path.name, "damaged", f"{path}: is not what the journal renders to")
    return Check(path.name, "ok", "has its digest, and is what the journal renders to")


def _dry_run(stored: Stored, reading: Scan) -> Iterator[Check]:
    first = reading.first.event if reading.first else None
    if not isinstance(first, SessionStarted) or first.dry_run is None:
        return
    session, cited = first.dry_run.get("session"), first.dry_run.get("hash")
    found = Archive(stored.folder.parents[2]).session(session)
    if found is None:
        yield Check("dry-run", "not checked", f"{session} is not in this archive")
        return
    try:
        last = deque(each_line(found.journal), maxlen=1)[0].hash
    except (DamagedError, OSError, IndexError) as error:
        yield Check("dry-run", "damaged", f"{session}: {error}")
        return
    if last == cited:
        yield Check("dry-run", "ok", f"{session} ends with the hash that event 1 cites")
    else:
        yield Check("dry-run", "damaged", f"{session} does not end with the hash that event 1 cites")


def _addenda(stored: Stored, reading: Scan) -> Iterator[Check]:
    for path, item in stored.each_addendum(reading):
        if isinstance(item, ArchiveError):
            yield Check(path.name, "damaged", str(item))
            continue
        if not reading.ended:
            yield Check(path.name, "damaged", f"{path}: is an addendum to a session that has not ended")
            continue
        cited = "the last hash, and the addendum before it" if item.previous else "the last hash"
        if stored.manifests() and path in stored.unlisted():
            yield Check(path.name, "not checked", f"cites {cited}, but no manifest lists it; {item.told}")
        else:
            yield Check(path.name, "ok", f"cites {cited}; {item.told}")
