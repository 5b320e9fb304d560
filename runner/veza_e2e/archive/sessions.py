"""Finds, lists and reads stored sessions; stores addenda and attestations.

`ARCHIVE/YYYY/MM/<ULID>/` holds a session: journal, views, addenda, manifests, signatures. `ARCHIVE/attestations/` holds
what people attest. No file is shared between sessions, so operators never conflict.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from veza_e2e.archive import manifests as listings
from veza_e2e.archive.files import ArchiveError, write_new
from veza_e2e.archive.folders import JOURNAL, fits, last_line, session_folder, session_folders
from veza_e2e.archive.sealed import sealed
from veza_e2e.canonical import dumps
from veza_e2e.evidence import ADDENDA, Addendum, Attestation, Summary, seal, summarise
from veza_e2e.journal import GENESIS, DamagedError, Reading, Scan, disk, is_locked, parse, read
from veza_e2e.journal.events import SessionEnded, SessionStarted
from veza_e2e.journal.gate import gated
from veza_e2e.money.order_account import AccountState
from veza_e2e.redaction import Redactor

LOG, REPORT = "session.log", "report.md"
SETTLED = frozenset(map(str, (AccountState.UNTOUCHED, AccountState.RETURNED)))
_ADDENDUM = re.compile(r"addendum-[0-9]{3,}\.json")


class UnknownSessionError(Exception):
    """No session, or more than one, has an id with this beginning."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A session's folder; `signs` signs its new manifests."""

    session: str
    folder: Path
    signs: Callable[[Path], object] | None = field(default=None, compare=False, repr=False)

    @property
    def journal(self) -> Path:
        """The journal's path."""
        return self.folder / JOURNAL

    @property
    def paths(self) -> dict[str, str]:
        """The journal's and the views' paths, as `--json` names them."""
        names = {"journal": JOURNAL, "log": LOG, "report": REPORT}
        return {key: str(self.folder / name) for key, name in names.items()}

    def read(self) -> Reading:
        """Return the journal. One without an event is damage, unless it is held or stands alone: nothing was done yet.

        Raises:
            DamagedError: the chain is broken, or there is no event.
            OSError: it cannot be read.
        """
        reading = read(self.journal)
        if reading.lines or is_locked(self.journal):
            return reading
        # The process that began it may have written and let go a moment ago.
        reading = read(self.journal)
        alone = all(one.name == JOURNAL for one in self.folder.iterdir())
        if not reading.lines and not alone:
            raise DamagedError(self.journal, 1, "is missing: the journal holds no event")
        return reading

    def last_written(self) -> datetime | None:
        """Return the time of the last event, reading only the journal's end; None if that is unreadable."""
        try:
            return datetime.fromisoformat(str(last_line(self.folder)["at"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @property
    def may_bar(self) -> bool:
        """Whether its money may bar a new session, by the journal's last line alone. Fails closed.

        A session that has ended with its money settled bars only if something was learnt since.
        """
        try:
            last = last_line(self.folder)
            account = last.get("account")
            settled = last["type"] == SessionEnded.__name__ and (account is None or account in SETTLED)
            names = os.listdir(self.folder)  # noqa: PTH208 - one of many
            return not settled or not fits(last) or any(name.startswith("addendum-") for name in names)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return True

    @property
    def has_ended(self) -> bool:
        """Whether the journal's last line is SessionEnded; False if it cannot be read."""
        try:
            return last_line(self.folder)["type"] == SessionEnded.__name__
        except (OSError, ValueError, KeyError, TypeError):
            return False

    @property
    def last_hash(self) -> str | None:
        """The hash of the last event, by the journal's last line alone; None if that is unreadable."""
        try:
            return str(last_line(self.folder)["hash"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def addendum_files(self) -> list[Path]:
        """Return the addenda's paths, in the order of their numbers."""
        return sorted((p for p in self.folder.iterdir() if _ADDENDUM.fullmatch(p.name)), key=lambda p: (_number(p), p))

    def beginning(self) -> SessionStarted | None:
        """Return the first event, even if a later line is damaged; None if its own hash is wrong."""
        try:
            with self.journal.open("rb") as file:
                lines = parse(file.readline(), self.journal).lines
        except (DamagedError, OSError):
            return None
        first = lines[0].event if lines else None
        return first if isinstance(first, SessionStarted) else None

    def altered(self, reading: Reading) -> tuple[str, ...]:
        """Return the names of the views whose digest differs from that in the last event."""
        last = reading.lines[-1].event if reading.lines else None
        views = last.views if isinstance(last, SessionEnded) else {}
        return tuple(name for name, expected in sorted(views.items()) if self._digest(name) != expected)

    def _digest(self, name: str) -> str | None:
        try:
            return listings.digest_of(self.folder / Path(name).name)
        except OSError:
            return None

    def each_addendum(self, reading: Reading | Scan) -> Iterator[tuple[Path, Addendum | ArchiveError]]:
        """Iterate over the addenda's files, each with its addendum, or why it is not valid here."""
        before: str | None = None
        for number, path in enumerate(self.addendum_files(), 1):
            try:
                item, own = sealed(path)
                yield path, self._belonging(path, item, number, reading, before)
            except ArchiveError as error:
                own = None
                yield path, error
            before = own

    def _belonging(
        self, path: Path, item: Addendum | Attestation, number: int, reading: Reading | Scan, before: str | None
    ) -> Addendum:
        last = reading.last.hash if reading.last else GENESIS
        if not isinstance(item, ADDENDA):
            raise ArchiveError(f"{path}: is not a session's addendum")
        if (item.session, item.session_hash) != (self.session, last):
            raise ArchiveError(f"{path}: cites another journal than this one")
        if path.name != _addendum_name(number):
            raise ArchiveError(f"{path}: is not number {number}; {_addendum_name(number)} is missing")
        if (item.number, item.seq) != (number, reading.count + number):
            raise ArchiveError(f"{path}: is not number {number}")
        if item.previous not in {None, before}:
            raise ArchiveError(f"{path}: cites another addendum than the one before it")
        return item

    def addenda(self, reading: Reading) -> tuple[Addendum, ...]:
        """Return the session's addenda, in order.

        Raises:
            ArchiveError: an addendum does not hold what it claims, is not this journal's, or is gone.
        """
        found = []
        for _, item in self.each_addendum(reading):
            if isinstance(item, ArchiveError):
                raise item
            found.append(item)
        if gone := listings.gone_addenda(self.folder):
            raise ArchiveError(f"{self.folder}: {gone}: a manifest lists it, and it is gone")
        return tuple(found)

    def summary(self) -> Summary:
        """Return the session's summary, addenda included.

        Raises:
            DamagedError: the chain is broken.
            ArchiveError: an addendum does not hold what it claims, or is not this journal's.
        """
        reading = self.read()
        return summarise(reading.lines, self.addenda(reading))

    def damaged(self) -> bool:
        """Whether journal or addenda cannot be read as what they claim to be."""
        try:
            self.summary()
        except (DamagedError, ArchiveError, OSError):
            return True
        return False

    def add(self, addendum: Addendum, redactor: Redactor) -> Path:
        """Write an addendum after the existing ones, and a manifest. Its number and what it cites are set here.

        Args:
            addendum: what was learnt.
            redactor: knows this machine's secrets; what would be one is withheld.

        Raises:
            ArchiveError: the last addendum is damaged, or the new one or its manifest could not be written.
        """
        files = self.addendum_files()
        previous = sealed(files[-1])[1] if files else None
        number = 1 + max((_number(path) for path in files), default=0)
        seq = addendum.seq - addendum.number + number
        path = self.folder / _addendum_name(number)
        placed = replace(gated(redactor, addendum), number=number, seq=seq, previous=previous)
        write_new(path, dumps(seal(placed)).encode() + b"\n")
        try:
            self.vouch()
        except OSError as error:
            raise ArchiveError(f"{path}: is written, do not give it again; its manifest is not: {error}") from error
        return path

    def manifests(self) -> list[Path]:
        """Return the manifests' paths, in the order of their numbers."""
        return listings.manifest_files(self.folder)

    def unlisted(self) -> list[Path]:
        """Return the paths of journal, views and addenda that the newest manifest does not list."""
        last = listings.newest(self.folder)
        return [path for path in self.own_files() if last is None or path.name not in last.files]

    def vouch(self) -> Path:
        """Return the newest manifest. A new one is written, and signed, unless the newest lists all that is there.

        Raises:
            OSError: a file cannot be read, or the manifest cannot be written.
        """
        path, new = listings.vouch(self.session, self.folder, self.own_files, self._others)
        if new and self.signs is not None:
            self.signs(path)
        return path

    def own_files(self) -> list[Path]:
        """Return the paths of journal, views and addenda."""
        views = [path for name in (LOG, REPORT) if (path := self.folder / name).is_file()]
        return [self.journal, *views, *self.addendum_files()]

    def _others(self) -> Iterator[listings.Other]:
        if listings.named_at_beginning(self.folder) is not None:
            return iter(())
        return Archive(self.folder.parents[2]).others(self.session)


def _addendum_name(number: int) -> str:
    return f"addendum-{number:03d}.json"


def _number(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


class Archive:
    """The sessions under one folder.

    Args:
        root: the folder.
        signs: signs each new manifest.
        index: the folder of the indexes, which lies outside; None keeps none.
    """

    def __init__(self, root: Path, signs: Callable[[Path], object] | None = None, index: Path | None = None) -> None:
        self.root = root
        self.signs = signs
        self.index = index

    def folder(self, session: str, started: datetime) -> Path:
        """Return where a session belongs, by its start in UTC."""
        at = started.astimezone(UTC)
        return self.root / f"{at:%Y}" / f"{at:%m}" / session

    def sessions(self) -> list[Stored]:
        """Return all sessions, the newest first."""
        found = [Stored(one.name, one, self.signs) for one in session_folders(self.root)]
        return sorted(found, key=lambda s: s.session, reverse=True)

    def session(self, name: object) -> Stored | None:
        """Return the session with this id; None if it is not here."""
        found = session_folder(self.root, name) if isinstance(name, str) else None
        return None if found is None else Stored(found.name, found, self.signs)

    def others(self, session: str = "") -> Iterator[listings.Other]:
        """Iterate over the sessions but this one, as another session names them."""
        others = [one for one in self.sessions() if one.session != session]
        return (listings.Other(one.session, one.folder, one.last_hash) for one in others)

    def attestations(self) -> tuple[Attestation, ...]:
        """Return the attestations, the oldest first.

        Raises:
            ArchiveError: an attestation does not hold what it claims.
        """
        found = [sealed(path)[0] for path in listings.attestation_files(self.root)]
        return tuple(item for item in found if isinstance(item, Attestation))

    def attest(self, attestation: Attestation, redactor: Redactor) -> Path:
        """Write an attestation; what would be a secret in it is withheld.

        Raises:
            ArchiveError: it could not be written.
        """
        path = self.root / listings.ATTESTATIONS / f"{attestation.id}-{attestation.item}.json"
        disk.make_folder(path.parent, exist_ok=True)
        write_new(path, dumps(seal(gated(redactor, attestation))).encode() + b"\n")
        return path
