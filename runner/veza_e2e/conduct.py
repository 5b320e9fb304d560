"""A session from its first event to its last: the gate, the walkthrough, the views. The same for every mode."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime

import httpx

from veza import Veza
from veza.money import Money
from veza_contract.operations import operation_of
from veza_e2e import evidence, report
from veza_e2e.events import (
    CallFailed,
    CallFinished,
    CallIntended,
    PreflightChecked,
    PreflightFinished,
    SessionEnded,
    SessionInterrupted,
    SessionStarted,
    StepFailed,
    StepSkipped,
)
from veza_e2e.interrupts import Interrupted
from veza_e2e.journal import Journal, Line, MemorySink, Sink, timestamp
from veza_e2e.meaning import meaning_of
from veza_e2e.preflight import Gate, preflight
from veza_e2e.processor import Processor
from veza_e2e.redaction import Redactor
from veza_e2e.run import Failed, Paused, Run, Skipped
from veza_e2e.session import Options, Session
from veza_e2e.telling import RedactedOperator
from veza_e2e.transport import Recorder, RecordingTransport
from veza_e2e.walkthrough import walkthrough
from veza_e2e.world import SKEW, EndOfInput, Left, Ports

MAX_WAITS = 3
LONGEST_WAIT = 20 * 60.0
"""Seconds that are waited where the backend allows no further request; a limit of logins counts in 15 minutes."""
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


def stage(parts: Parts, sink: Sink, *, idempotency: bool, lines: Sequence[Line] = ()) -> Stage:
    """Put the parts of a session together."""
    ports = parts.ports
    journal = Journal(sink, ports.clock, lines, guard=parts.guard, listeners=parts.listeners)
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


def begin(parts: Parts, started: Callable[[str], SessionStarted], gate: Gate) -> Stage:
    """Make the pre-flight, in memory: there is no session until it has passed.

    Args:
        parts: the mode's parts.
        started: returns the first event, given the session's id.
        gate: what the pre-flight goes by.
    """
    first = started(parts.ports.ids.session(parts.ports.clock.now()))
    begun = stage(parts, MemorySink(), idempotency=first.idempotency)
    begun.journal.append(first)
    redactor, journal = parts.redactor, begun.journal
    done = preflight(gate, begun.api, parts.ports.clock, lambda check: journal.append(_redacted(check, redactor)))
    reported = done.reported_environment
    journal.append(replace(done, reported_environment=None if reported is None else redactor.text(reported)))
    return begun


def _redacted(check: PreflightChecked, redactor: Redactor) -> PreflightChecked:
    """A backend may put anything into what the gate quotes."""
    hint = None if check.hint is None else redactor.text(check.hint)
    return replace(check, message=redactor.text(check.message), hint=hint)


def options(started: SessionStarted, gate: PreflightFinished, *, resumed: bool) -> Options:
    """Return a session's choices from its own first events: a resume has the same."""
    return Options(
        live=started.live_requested,
        unattended=started.unattended,
        refund=started.refund,
        product=started.product,
        limit=Money(started.max_amount_cents, started.max_amount_currency),
        poll_timeout=started.poll_timeout_ms / 1000,
        grace=started.grace_ms / 1000,
        backend_host=httpx.URL(started.base_url).host,
        checkout_hosts=tuple(started.checkout_hosts),
        idempotency=started.idempotency,
        loopback=started.loopback,
        rehearsal=gate.rehearsal,
        resumed=resumed,
    )


class UnresumableError(Exception):
    """The journal cannot be gone on with by this version; says what to do."""


def go_on(stage: Stage, *, resumed: bool = False) -> None:
    """Run the walkthrough to where it ends now; what was seen is in the journal, not in a return value.

    Raises:
        Interrupted: a signal arrived; on record.
        EndOfInput: nobody answers any more; on record.
        Left: the operator left; on record.
        UnwritableError: the journal cannot be written.
    """
    gate = next((line.event for line in stage.journal.lines if isinstance(line.event, PreflightFinished)), None)
    if gate is None:
        raise UnresumableError("the journal holds no finished pre-flight, so nothing was begun: start a new session")
    parts, started = stage.parts, stage.started
    session = Session(
        journal=stage.journal,
        recorder=stage.recorder,
        api=stage.api,
        operator=RedactedOperator(parts.ports.operator, parts.redactor),
        browser=parts.ports.browser,
        ledger=parts.ports.ledger,
        clock=parts.ports.clock,
        ids=parts.ports.ids,
        processor=stage.processor,
        options=options(started, gate, resumed=resumed),
    )
    _tell_clock(session)
    try:
        _walk(session)
    except (Failed, Paused):
        return
    except Skipped:
        stage.journal.append(StepSkipped(step="revoked", reason="there is no refund to wait for"))
    except Interrupted as signal:
        stage.journal.append(SessionInterrupted(reason=signal.name))
        raise
    except EndOfInput:
        stage.journal.append(SessionInterrupted(reason="end of input"))
        raise
    except Left:
        stage.journal.append(SessionInterrupted(reason="left"))
        raise


def _tell_clock(session: Session) -> None:
    *before, now = (datetime.fromisoformat(line.at) for line in session.journal.lines)
    latest = max(before, default=now)
    if latest - now > SKEW:
        session.operator.tell(
            f"The clock was set back: it says {timestamp(now)}, this session was last heard of {timestamp(latest)}. "
            "What was sent before is looked for; nothing is sent again on the strength of its key. Set the clock."
        )


def _walk(session: Session) -> None:
    """Run the walkthrough; where the backend says when it may be asked again, and somebody is there, wait and go on."""
    waits = 0
    while True:
        failed = any(isinstance(event, StepFailed) for event in session.journal.events())
        # Where nothing was charged there is nothing to bring back: what failed, failed.
        recovering = failed and money_may_be_out(evidence.summarise(session.journal.lines))
        try:
            walkthrough(Run(session, recovering=recovering, foreign=meaning_of))
        except Paused as paused:
            after = paused.retry_after
            if after is None or after > LONGEST_WAIT or waits == MAX_WAITS or session.options.unattended:
                raise
            session.operator.tell(f"The backend allows no further request for {after:.0f} s; waiting, then going on.")
            session.clock.sleep(after)
            waits += 1
        else:
            return


def money_may_be_out(summary: evidence.Summary) -> bool:
    """Whether the card was charged and not refunded, or may have been charged for all that was seen."""
    return summary.refund_open or summary.money.charged_cents is None


def conclude(stage: Stage, *, over: bool = False) -> tuple[dict[str, bytes], SessionEnded | None]:
    """Return the views, and the last event where the session is over: append it once the views are written.

    A session whose money is still out is not over: `resume` can bring it back.
    """
    summary = stage.summary()
    views = report.render(stage.journal.lines)
    if not over and (summary.outcome == "incomplete" or money_may_be_out(summary)):
        return views, None
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in views.items()}
    return views, SessionEnded(outcome=summary.outcome, views=digests, template=report.template_version())
