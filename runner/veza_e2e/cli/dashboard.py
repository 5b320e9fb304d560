"""Stores what a person read at a dashboard: in an open session's journal, or as an ended session's addendum."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from veza_e2e.archive.sessions import Stored
from veza_e2e.cli.calling import translated
from veza_e2e.cli.knowing import redactor_of_notes
from veza_e2e.cli.lookup import written
from veza_e2e.cli.output import Invocation
from veza_e2e.engine.finish import finish
from veza_e2e.evidence import Dashboard, EvidenceFile, Summary, summarise
from veza_e2e.frozen import dataclass
from veza_e2e.journal import FileSink, Journal, Reading, parse, timestamp
from veza_e2e.journal.events import TailCut
from veza_e2e.journal.readings import DashboardRead
from veza_e2e.ports.interrupts import Interrupts


@dataclass(frozen=True, slots=True)
class Read:
    """What was read; amounts in minor units of one currency."""

    by: str
    currency: str
    payment_id: str | None
    charged_cents: int | None
    refund_id: str | None
    refunded_cents: int | None
    reversed_cents: int | None
    evidence: EvidenceFile | None
    note: str | None

    @property
    def members(self) -> dict[str, str | int | None]:
        """All but the evidence file, by name."""
        return {name: value for name, value in asdict(self).items() if name != "evidence"}


@dataclass(frozen=True, slots=True)
class _Open:
    """An open session, as the views need it."""

    journal: Journal

    def summary(self) -> Summary:
        return summarise(self.journal.lines)


def record(invocation: Invocation, stored: Stored, read: Read) -> Path:
    """Store what was read; return the file that holds it.

    Raises:
        Stop: nothing was written.
    """
    with translated(invocation.command("show", stored.session)):
        if not stored.read().ended:
            sink = FileSink(stored.journal, create=False)
            try:
                reading = parse(sink.load(), stored.journal)
                if not reading.ended:
                    _append(invocation, stored, sink, reading, read)
                    return stored.journal
            finally:
                sink.close()
        # The session has ended, maybe while this process waited for its lock.
        reading = stored.read()
    dashboard = Dashboard(
        session=stored.session,
        session_hash=reading.lines[-1].hash,
        number=1,
        seq=len(reading.lines) + 1,
        at=timestamp(invocation.machine.clock.now()),
        evidence=read.evidence,
        **read.members,  # type: ignore[arg-type]  # the same members
    )
    return written(lambda: stored.add(dashboard, redactor_of_notes(invocation)))


def _append(invocation: Invocation, stored: Stored, sink: FileSink, reading: Reading, read: Read) -> None:
    interrupts = Interrupts()
    interrupts.install()
    if reading.torn:
        sink.cut(reading.torn)
    redactor = redactor_of_notes(invocation)
    journal = Journal(sink, invocation.machine.clock, reading.lines, redactor=redactor, guard=interrupts.deferred)
    if reading.torn:
        journal.append(TailCut(bytes=reading.torn))
    file = None if read.evidence is None else asdict(read.evidence)
    journal.append(DashboardRead(evidence=file, **read.members))  # type: ignore[arg-type]  # the same members
    with interrupts.deferred():
        finish(_Open(journal), stored)
