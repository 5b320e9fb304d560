"""Runs the walkthrough, writes the views, and ends the journal if the session is over."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import Protocol

from veza_e2e import report
from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.engine.session import Stage
from veza_e2e.engine.walk import go_on
from veza_e2e.evidence import Summary
from veza_e2e.frozen import dataclass
from veza_e2e.journal import FileSink, Journal, UnwritableError, disk
from veza_e2e.journal.events import SessionEnded
from veza_e2e.ports.interrupts import Interrupted
from veza_e2e.ports.protocols import EndOfInput, Left
from veza_e2e.ports.wire import LeakError


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process's work on a session ended."""

    summary: Summary
    interrupted: str | None = None
    """The signal's name, `end of input` or `left`; None if nothing interrupted the walkthrough."""
    problem: OSError | UnwritableError | LeakError | None = None
    """Why the journal or the views could not be written."""


@contextmanager
def keep(stage: Stage, archive: Archive, started_at: str) -> Iterator[Stored]:
    """Make the folder of a session that passed the gate, write its journal there, and lock it until the block ends.

    Raises:
        OSError: the archive cannot be written.
        UnwritableError: the journal cannot be written.
    """
    folder = archive.folder(stage.started.session, datetime.fromisoformat(started_at))
    disk.make_folder(folder)
    for above in list(folder.parents)[:3]:
        disk.sync_folder(above)  # another process may have made it a moment ago
    stored = Stored(folder.name, folder, archive.signs)
    sink = FileSink(stored.journal, create=True)
    try:
        stage.journal.move(sink)
        stage.kept = True
        yield stored
    finally:
        sink.close()


def walk(stage: Stage, stored: Stored) -> Ended:
    """Run the walkthrough as far as it goes, write the views, and end the journal if the session is over."""
    interrupted = None
    try:
        go_on(stage)
    except Interrupted as signal:
        interrupted = signal.name
    except EndOfInput:
        interrupted = "end of input"
    except Left:
        interrupted = "left"
    except (OSError, UnwritableError, LeakError) as error:
        return Ended(stage.summary(), problem=error)
    try:
        with (stage.parts.guard or nullcontext)():
            finish(stage, stored)
    except Interrupted as signal:
        # The signal came while the views were written. They are complete, and so is the journal.
        interrupted = interrupted or signal.name
    except (OSError, UnwritableError) as error:
        return Ended(stage.summary(), interrupted, error)
    return Ended(stage.summary(), interrupted)


class Recorded(Protocol):
    """A session's journal and its summary, which is all that the views need."""

    @property
    def journal(self) -> Journal:
        """The journal."""
        ...

    def summary(self) -> Summary:
        """The summary of the journal so far."""
        ...


def finish(stage: Recorded, stored: Stored, *, over: bool = False) -> None:
    """Write the views beside the journal, then end the journal if the session is over, and vouch for all of it.

    Args:
        stage: the session.
        stored: its folder.
        over: whether to end it whatever its outcome, because it was abandoned.
    """
    views, ended = conclude(stage, over=over)
    _keep_views(stored, views)
    if ended is not None:
        stage.journal.append(ended)
        stored.vouch()


def show(stage: Stage, stored: Stored) -> None:
    """Write the views beside the journal; the session stays open."""
    _keep_views(stored, report.render(stage.journal.lines))


def _keep_views(stored: Stored, views: Mapping[str, bytes]) -> None:
    for name, data in views.items():
        disk.replace(stored.folder / name, data)


def conclude(stage: Recorded, *, over: bool = False) -> tuple[dict[str, bytes], SessionEnded | None]:
    """Return the views, and the last event if the session is over. Append it after writing the views.

    A session whose money is still out is not over, since `resume` can get it back. One that passed with its refund is
    over even if a witness is not heard: what is learnt later is an addendum.
    """
    summary = stage.summary()
    views = report.render(stage.journal.lines)
    refunded = summary.outcome == "passed" and summary.step("revoked").status == "passed"
    if not over and (summary.outcome == "incomplete" or (summary.money.may_be_out and not refunded)):
        return views, None
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in views.items()}
    return views, SessionEnded(
        outcome=summary.outcome,
        views=digests,
        template=report.template_version(),
        account=str(summary.money.state),
    )
