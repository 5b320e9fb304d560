"""Records a walkthrough: wraps each port, and writes what it returns to the disk at once."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from importlib.resources import files as resources
from pathlib import Path
from typing import cast

from veza_e2e.canonical import JSON, dumps
from veza_e2e.cassettes import files, tape
from veza_e2e.cassettes.engine import CassetteTransport, StrictCassette
from veza_e2e.cassettes.interaction import Clean
from veza_e2e.cassettes.origins import host_of, origins
from veza_e2e.cassettes.recorded_ports import (
    RecordedBrowser,
    RecordedClock,
    RecordedIds,
    RecordedLedger,
    RecordedOperator,
)
from veza_e2e.engine.start import tools
from veza_e2e.journal import Line, disk, timestamp
from veza_e2e.journal.events import (
    SessionInterrupted,
    StepFailed,
    StepFinished,
    StepPaused,
    StepSkipped,
    StepStarted,
)
from veza_e2e.ports.interrupts import Interrupted
from veza_e2e.ports.protocols import Ports
from veza_e2e.redaction import Redactor


class Recording:
    """Appends everything that a session takes from its ports to `recording.part`, as it happens.

    Use `start` or `resume`. Add `heard` to the journal's listeners, so that each entry names its step.
    """

    def __init__(
        self, folder: Path, redactor: Redactor, aliases: Mapping[str, str], file: int, keep: Collection[str] = ()
    ) -> None:
        self.folder = folder
        self.session: str = folder.name
        self._step: str | None = None
        self._clean = Clean(redactor, aliases, keep)
        self._file = file
        self._signalled = False
        self._cassettes: list[StrictCassette] = []

    @classmethod
    def start(
        cls, folder: Path, redactor: Redactor, meta: Mapping[str, JSON], *, at: datetime, base_url: str,
        hyperswitch_url: str | None = None, keep: Collection[str] = (),
    ) -> Recording:  # fmt: skip
        """Begin the recording of a new session.

        Args:
            folder: the folder to make, `.veza-e2e/recordings/<session>`.
            redactor: the session's.
            meta: everything that a replay needs to rebuild the session; redacted, with aliased origins.
            at: the time now.
            base_url: the backend's.
            hyperswitch_url: the processor's.
            keep: see `Clean`.

        Raises:
            OSError: it cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=False)
        file = _opened(folder / tape.PART, os.O_CREAT | os.O_EXCL)
        disk.sync_folder(folder)
        recording = cls(folder, redactor, origins(base_url, hyperswitch_url), file, keep)
        recording._begin(meta, 1, 0, at)
        return recording

    @classmethod
    def resume(
        cls, folder: Path, redactor: Redactor, meta: Mapping[str, JSON], *, at: datetime, base_url: str,
        hyperswitch_url: str | None = None, journal: int,
    ) -> Recording:  # fmt: skip
        """Continue the recording of a session in another process.

        Args:
            folder: the session's recording.
            redactor: this process's; its new aliases follow those of earlier processes.
            meta: see `start`.
            at: the time now.
            base_url: the backend's, which may have another port now.
            hyperswitch_url: the processor's.
            journal: how many events the session's journal held when this process found it.

        Raises:
            CassetteError: the recording so far cannot be read.
            OSError: it cannot be written.
        """
        path = folder / tape.PART
        text = files.read(path)
        before = tape.read(folder)
        redactor.reserve(text)
        file = _opened(path, 0)
        whole = text[: text.rfind("\n") + 1]
        os.ftruncate(file, len(whole.encode()))
        recording = cls(folder, redactor, origins(base_url, hyperswitch_url), file)
        processes = sum(entry.kind == "start" for entry in before.entries)
        recording._begin(meta, processes + 1, journal, at)
        return recording

    def _begin(self, meta: Mapping[str, JSON], process: int, journal: int, at: datetime) -> None:
        self._append(
            "start",
            sync=True,
            process=process,
            resumed=process > 1,
            journal=journal,
            recorded_at=timestamp(at),
            tools={**tools(), "contract": _contract()},
            meta=files.parse(self.folder / tape.PART, "start", self._described(meta)),
        )

    def _described(self, meta: Mapping[str, JSON]) -> str:
        text = self._clean.text(dumps(self._redacted(meta)))
        for origin, alias in self._clean.origins.items():
            host = re.compile(f'"{re.escape(host_of(origin))}"', re.IGNORECASE)
            text = host.sub(f'"{alias.partition("://")[2]}"', text)
        return text

    def _redacted(self, value: JSON) -> JSON:
        if isinstance(value, str):
            return self._clean.redactor.text(value)
        if isinstance(value, Mapping):
            return {name: self._redacted(item) for name, item in value.items()}
        return [self._redacted(item) for item in value] if isinstance(value, Sequence) else value

    def wrap(self, ports: Ports) -> Ports:
        """Return the same ports, wrapped so that this recording stores what they return."""
        cassette = StrictCassette(self._clean, keep=lambda data: self._append("http", sync=True, **data))
        self._cassettes.append(cassette)
        return Ports(
            transport=CassetteTransport(cassette, ports.transport),
            operator=RecordedOperator(self, ports.operator, ports.clock),
            browser=RecordedBrowser(self, ports.browser),
            ledger=RecordedLedger(self, ports.ledger),
            clock=RecordedClock(self, ports.clock),
            ids=RecordedIds(self, ports.ids),
            till=ports.till,
        )

    def heard(self, line: Line) -> None:
        """Note the current step; record a signal that came between two entries."""
        if isinstance(line.event, SessionInterrupted):
            if line.event.reason.startswith("SIG") and not self._signalled:
                self.entry("interrupted", signal=line.event.reason)
        elif isinstance(line.event, StepStarted):
            self._step = line.event.step
        elif isinstance(line.event, StepFinished | StepFailed | StepPaused | StepSkipped):
            self._step = None

    def finish(self) -> None:
        """Record that the process ends normally, if no call is missing, and close the file."""
        if not any(cassette.unstored for cassette in self._cassettes):
            self._append("end", sync=True)
        os.close(self._file)

    def abort(self) -> None:
        """Close the file without an end: what it holds is not a whole recording."""
        os.close(self._file)

    def discard(self) -> None:
        """Remove the recording, because there is no session (the pre-flight refused)."""
        (self.folder / tape.PART).unlink(missing_ok=True)
        os.close(self._file)
        self.folder.rmdir()

    def clean(self, text: str) -> str:
        """Return a redacted text."""
        return self._clean.text(self._clean.redactor.text(text))

    def clean_rows(self, rows: Sequence[Mapping[str, JSON]] | None) -> JSON:
        """Return redacted ledger rows."""
        return None if rows is None else self._clean.json([dict(row) for row in rows])

    def entry(self, kind: str, **data: JSON) -> None:
        """Append an entry and sync it to the disk."""
        self._append(kind, sync=True, **data)

    def reading(self, name: str, value: JSON) -> None:
        """Append a reading of the clock; it reaches the disk with the next entry."""
        self._append("clock", sync=False, **{name: [value]})

    def _append(self, kind: str, *, sync: bool, **data: JSON) -> None:
        error = data.get("error")
        ended = error.get("class") if isinstance(error, Mapping) else data.get("raised")
        self._signalled |= kind == "interrupted" or ended == Interrupted.__name__
        if kind != "clock":  # it holds numbers and times alone
            data = cast("dict[str, JSON]", self._clean.redactor.kept(data))
        line = dumps({"kind": kind, "step": self._step, **data}) + "\n"
        view = memoryview(line.encode())
        while view:
            view = view[os.write(self._file, view) :]
        if sync:
            os.fsync(self._file)


def _contract() -> str:
    return str(json.loads(resources("veza").joinpath("openapi.json").read_text(encoding="utf-8"))["info"]["version"])


def _opened(path: Path, flags: int) -> int:
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | flags, 0o600)
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return file
