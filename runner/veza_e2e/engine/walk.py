"""Runs the walkthrough as far as it goes, in the first process or after a resume."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial

import httpx

from veza.money import Money
from veza_e2e.engine.errors import meaning_of
from veza_e2e.engine.look import look
from veza_e2e.engine.run import Run
from veza_e2e.engine.session import Stage
from veza_e2e.engine.walkthrough import walkthrough
from veza_e2e.journal import timestamp
from veza_e2e.journal.events import (
    Event,
    PreflightFinished,
    SessionInterrupted,
    SessionResumed,
    SessionStarted,
    StepFailed,
    StepFinished,
    StepName,
    StepSkipped,
)
from veza_e2e.money.doubt import SKEW
from veza_e2e.ports.interrupts import Interrupted
from veza_e2e.ports.protocols import EndOfInput, Left
from veza_e2e.ports.redacted import RedactedOperator
from veza_e2e.steps.context import Context, Options, Waiting
from veza_e2e.steps.step import Failed, Paused, Skipped

MAX_WAITS = 3
LONGEST_WAIT = 20 * 60.0
"""The longest wait for a rate limit, in seconds. The limit of logins lasts 15 minutes."""


def options(started: SessionStarted, gate: PreflightFinished, version: str, *, resumed: bool) -> Options:
    """Return a session's options from its first events, so that a resume has the same."""
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
        walkthrough=int(version) if version.isdecimal() else 2,
    )


class UnresumableError(Exception):
    """This version cannot resume the journal; the message says what to do."""


def context_of(stage: Stage) -> Context:
    """Return what the steps of this process are given.

    Raises:
        UnresumableError: the journal holds no finished pre-flight.
    """
    gate = next((line.event for line in stage.journal.lines if isinstance(line.event, PreflightFinished)), None)
    if gate is None:
        raise UnresumableError("the journal holds no finished pre-flight, so nothing was begun: start a new session")
    parts, started = stage.parts, stage.started
    resumed = any(isinstance(event, SessionResumed) for event in stage.journal.events())
    return Context(
        journal=stage.journal,
        recorder=stage.recorder,
        api=stage.api,
        operator=RedactedOperator(parts.ports.operator, parts.redactor),
        browser=parts.ports.browser,
        ledger=parts.ports.ledger,
        clock=parts.ports.clock,
        ids=parts.ports.ids,
        processor=stage.processor,
        options=options(started, gate, _version(stage), resumed=resumed),
        names=parts.names,
        till=parts.ports.till,
    )


def go_on(stage: Stage) -> None:
    """Run the walkthrough as far as it goes; its results are in the journal.

    Raises:
        Interrupted: a signal arrived; recorded in the journal.
        EndOfInput: standard input ended; recorded in the journal.
        Left: the operator left; recorded in the journal.
        UnwritableError: the journal cannot be written.
    """
    context = context_of(stage)
    _tell_clock(context)
    try:
        _walk(context)
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


def _version(stage: Stage) -> str:
    """Return the version of the walkthrough that this process follows."""
    begun = (line.event for line in reversed(stage.journal.lines))
    return next(event.walkthrough for event in begun if isinstance(event, SessionStarted | SessionResumed))


def _meaning(context: Context, error: Exception, step: StepName) -> Failed | Paused:
    return meaning_of(error, step, context.account())


def _tell_clock(context: Context) -> None:
    *before, now = (datetime.fromisoformat(line.at) for line in context.journal.lines)
    latest = max(before, default=now)
    if latest - now > SKEW:
        context.operator.tell(
            f"The clock was set back: it says {timestamp(now)}, this session was last heard of {timestamp(latest)}. "
            "What was sent before is looked for; nothing is sent again on the strength of its key. Set the clock."
        )


def _wait_out(context: Context, seconds: float) -> None:
    """Wait until a rate limit is over; nothing is asked meanwhile.

    Raises:
        Left: the operator left.
    """
    waiting = Waiting(
        "waiting for the backend's rate limit",
        keys="s = status, q = leave",
        status=lambda: f"Nothing is asked before the limit is over. {context.account().said}",
    )
    begun = context.clock.monotonic()
    left = seconds
    while context.pause(waiting, waiting.progress(left, seconds - left, seconds)):
        left = max(0.0, seconds - (context.clock.monotonic() - begun))


def _refund_unseen(events: Iterable[Event]) -> bool:
    """Whether the refund was asked for, and step 9 did not end yet: what the witnesses say of it is to be read."""
    unseen = False
    for event in events:
        if isinstance(event, StepFinished) and event.step == "refund":
            unseen = True
        elif isinstance(event, StepFinished | StepFailed) and event.step == "revoked":
            unseen = False
    return unseen


def _walk(context: Context) -> None:
    """Run the walkthrough; if a rate limit names its end and an operator is there, wait and continue."""
    waits = 0
    while True:
        events = tuple(context.journal.events())
        failed = any(isinstance(event, StepFailed) for event in events)
        # Without a charge there is nothing to refund, so a failure is final.
        recovering = failed and (context.account().may_be_out or _refund_unseen(events))
        if recovering and context.options.resumed and not context.options.first:
            look(context)
        try:
            walkthrough(Run(context, recovering=recovering, foreign=partial(_meaning, context)))
        except Paused as paused:
            after = paused.retry_after
            if after is None or after > LONGEST_WAIT or waits == MAX_WAITS or context.options.unattended:
                raise
            context.operator.tell(f"The backend allows no further request for {after:.0f} s; waiting, then going on.")
            _wait_out(context, after)
            waits += 1
        else:
            return
