"""A session from its first event to its last: the gate, the walkthrough, the views. The same for every mode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import httpx

from veza import Veza
from veza_contract.operations import operation_of
from veza_e2e import evidence
from veza_e2e.journal import Journal, Line, Sink
from veza_e2e.journal.codec import to_data
from veza_e2e.journal.events import CallFailed, CallFinished, CallIntended, SessionStarted
from veza_e2e.ports.processor import Processor
from veza_e2e.ports.protocols import Ports
from veza_e2e.ports.wire import Recorder, RecordingTransport
from veza_e2e.redaction import Redactor

JITTER = 0.5
"""The SDK's spread of its waits: fixed, so that a replay waits as the recording did."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What one mode supplies. Secrets are among them: nothing of this is printed or kept."""

    ports: Ports
    redactor: Redactor
    base_url: str
    email: str | None = field(repr=False)
    password: str | None = field(repr=False)
    hyperswitch_url: str | None = None
    hyperswitch_api_key: str | None = field(default=None, repr=False)
    checkout_page: str | None = None
    """Where a backend that gives a client secret in place of a checkout URL has its page."""
    guard: Callable[[], AbstractContextManager[None]] | None = None
    """Puts signals off while something must not be cut in two."""
    listeners: Sequence[Callable[[Line], None]] = ()


@dataclass(slots=True)
class Stage:
    """A session at work."""

    parts: Parts
    journal: Journal
    recorder: Recorder
    api: Veza
    processor: Processor | None
    kept: bool = False
    """Whether it has a folder in the archive; before that its events are only in memory."""

    @property
    def started(self) -> SessionStarted:
        """The first event.

        Raises:
            TypeError: the journal does not begin with it.
        """
        first = self.journal.lines[0].event if self.journal.lines else None
        if not isinstance(first, SessionStarted):
            raise TypeError("the journal does not begin with SessionStarted")
        return first

    def summary(self) -> evidence.Summary:
        """What the journal shows so far."""
        return evidence.summarise(self.journal.lines)


def open_stage(parts: Parts, sink: Sink, *, idempotency: bool, lines: Sequence[Line] = ()) -> Stage:
    """Put the parts of a session together."""
    ports = parts.ports
    journal = Journal(sink, ports.clock, lines, guard=parts.guard, listeners=parts.listeners)
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
