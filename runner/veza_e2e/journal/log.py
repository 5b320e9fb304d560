"""Appends events to a session's journal as chained lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Protocol

from veza_e2e.journal.chain import GENESIS, Line, chain, timestamp
from veza_e2e.journal.events import Event
from veza_e2e.journal.file import Sink
from veza_e2e.journal.gate import gated
from veza_e2e.redaction import Redactor


class Now(Protocol):
    """The part of the clock that a journal needs."""

    def now(self) -> datetime:
        """Return the time, aware."""
        ...


class Journal:
    """A session's journal: appends events, and holds all events so far.

    Args:
        sink: where the lines go.
        clock: gives the time of each event.
        lines: the lines that the journal holds already.
        guard: defers signals while a line is written.
        redactor: the session's; an event is written with what may be on record of it.
        listeners: called with each line once it is on the disk, such as the terminal.
    """

    def __init__(
        self,
        sink: Sink,
        clock: Now,
        lines: Sequence[Line] = (),
        *,
        redactor: Redactor,
        guard: Callable[[], AbstractContextManager[None]] | None = None,
        listeners: Sequence[Callable[[Line], None]] = (),
    ) -> None:
        self._sink = sink
        self._clock = clock
        self._lines = list(lines)
        self._guard = guard or nullcontext
        self._redactor = redactor
        self._listeners = listeners

    @property
    def lines(self) -> Sequence[Line]:
        """All events so far."""
        return self._lines

    def append(self, event: Event) -> Line:
        """Write `event` to the disk and return its line.

        Raises:
            UnwritableError: it could not be written; nothing may act on the event.
        """
        with self._guard():
            prev = self._lines[-1].hash if self._lines else GENESIS
            shown = gated(self._redactor, event)
            line, data = chain(len(self._lines) + 1, timestamp(self._clock.now()), shown, prev)
            self._sink.write(data)
            self._lines.append(line)
            for listener in self._listeners:
                listener(line)
        return line

    def move(self, sink: Sink) -> None:
        """Write the lines so far to `sink`, and all later lines too."""
        data = b"".join(chain(line.seq, line.at, line.event, line.prev)[1] for line in self._lines)
        sink.write(data)
        self._sink = sink

    def events(self) -> Iterator[Event]:
        """Iterate over the events alone."""
        return (line.event for line in self._lines)
