"""A session and its parts, the same for every mode: live, rehearsal, recording, replay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import field

import httpx

from veza import Veza
from veza_contract.operations import operation_of
from veza_e2e import evidence
from veza_e2e.frozen import dataclass
from veza_e2e.journal import Journal, Line, Sink
from veza_e2e.journal.codec import to_data
from veza_e2e.journal.events import CallFailed, CallFinished, CallIntended, SessionStarted
from veza_e2e.ledger_names import LedgerNames
from veza_e2e.ports.processor import Processor
from veza_e2e.ports.protocols import Ports
from veza_e2e.ports.wire import Recorder, RecordingTransport
from veza_e2e.redaction import Redactor

JITTER = 0.5
"""Fixes the SDK's random jitter, so that a replay waits exactly as the recording did."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that one mode supplies. They include secrets, so never print or store them."""

    ports: Ports
    redactor: Redactor
    base_url: str
    email: str | None = field(repr=False)
    password: str | None = field(repr=False)
    hyperswitch_url: str | None = None
    hyperswitch_api_key: str | None = field(default=None, repr=False)
    checkout_page: str | None = None
    """The checkout page of a backend that gives a client secret instead of a checkout URL."""
    names: LedgerNames = field(default_factory=LedgerNames)
    """What seller_transfers and its columns are called."""
    guard: Callable[[], AbstractContextManager[None]] | None = None
    """Defers signals until the end of a block that must not be interrupted."""
    listeners: Sequence[Callable[[Line], None]] = ()


@dataclass(slots=True)
class Stage:
    """A session that this process works on."""

    parts: Parts
    journal: Journal
    recorder: Recorder
    api: Veza
    processor: Processor | None
    kept: bool = False
    """Whether the session has a folder in the archive. Before that, its events are only in memory."""

    @property
    def started(self) -> SessionStarted:
        """The first event.

        Raises:
            TypeError: the journal does not begin with SessionStarted.
        """
        first = self.journal.lines[0].event if self.journal.lines else None
        if not isinstance(first, SessionStarted):
            raise TypeError("the journal does not begin with SessionStarted")
        return first

    def summary(self) -> evidence.Summary:
        """The summary of the journal so far."""
        return evidence.summarise(self.journal.lines)


def open_stage(parts: Parts, sink: Sink, *, idempotency: bool, lines: Sequence[Line] = ()) -> Stage:
    """Return a session on this sink, with its API client and recorder."""
    ports = parts.ports
    journal = Journal(sink, ports.clock, lines, redactor=parts.redactor, guard=parts.guard, listeners=parts.listeners)
    for line in lines:
        parts.redactor.note(dict(to_data(line.event)))
    recorder = Recorder(
        journal, parts.redactor, ports.clock, calls=_calls(lines), guard=parts.guard, last=_answered(lines)
    )
    http = httpx.Client(transport=RecordingTransport(ports.transport, "api", recorder, operation_of))
    api = Veza(
        parts.base_url,
        email=parts.email,
        password=parts.password,
        idempotency=idempotency,
        http_client=http,
        clock=ports.clock,
        jitter=lambda: JITTER,
        idempotency_keys=ports.ids.key,
        checkout_page=parts.checkout_page,
    )
    return Stage(parts, journal, recorder, api, _processor(parts, recorder))


def _answered(lines: Sequence[Line]) -> dict[str, int]:
    answered = (line.event for line in lines if isinstance(line.event, CallFinished))
    return {event.operation: event.call for event in answered if event.operation is not None}


def _calls(lines: Sequence[Line]) -> int:
    calls = [line.event.call for line in lines if isinstance(line.event, CallIntended | CallFinished | CallFailed)]
    return max(calls, default=0)


def _processor(parts: Parts, recorder: Recorder) -> Processor | None:
    if parts.hyperswitch_url is None or parts.hyperswitch_api_key is None:
        return None
    client = httpx.Client(
        base_url=parts.hyperswitch_url,
        headers={"api-key": parts.hyperswitch_api_key},
        transport=RecordingTransport(parts.ports.transport, "processor", recorder),
        timeout=15,
    )
    return Processor(client, lambda: recorder.calls)
