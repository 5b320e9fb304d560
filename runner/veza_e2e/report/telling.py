"""Tells each event in one line, for record and log."""

from __future__ import annotations

from veza_e2e.journal.events import (
    Answered,
    Asked,
    BrowserOpened,
    CallFailed,
    CallFinished,
    CallIntended,
    Event,
    PreflightChecked,
    PreflightFinished,
    SessionAbandoned,
    SessionEnded,
    SessionInterrupted,
    SessionResumed,
    SessionStarted,
    StepFailed,
    StepFinished,
    StepPaused,
    StepSkipped,
    StepStarted,
    TailCut,
    UnknownEvent,
)
from veza_e2e.journal.readings import (
    Compared,
    DashboardRead,
    OrderNamed,
    PageOffered,
    RowsRead,
)


def kind_of(event: Event) -> str:  # noqa: PLR0911 - a table
    """Return the class of entry that an event is shown as."""
    match event:
        case CallIntended() | CallFinished():  # most events are calls
            return "note"
        case Asked() | Answered() | BrowserOpened() | OrderNamed() | PageOffered() | DashboardRead():
            return "operator"
        case StepFailed():
            return "failed"
        case StepPaused() | SessionInterrupted() | SessionAbandoned():
            return "paused"
        case PreflightChecked(status="blocked"):
            return "failed"
        case PreflightChecked(status="warn"):
            return "paused"
        case Compared(equal=False):
            return "failed"
        case StepFinished():
            return "passed"
        case _:
            return "note"


def say(event: Event) -> str:
    """Return the line that describes an event."""
    return _of_evidence(event) or _of_step(event) or _of_session(event) or type(event).__name__


def _of_session(event: Event) -> str | None:  # noqa: PLR0911 - one line for each type of event, and no more
    match event:
        case SessionStarted():
            live = ", live asked for" if event.live_requested else ""
            release = f", release {event.release}" if event.release else ""
            return f"Session {event.session} on {event.environment} ({event.base_url}){release}{live}"
        case PreflightChecked():
            hint = f" ({event.hint})" if event.hint else ""
            return f"Pre-flight {event.name}: {event.status}, {event.message}{hint}"
        case PreflightFinished():
            passed = "passed" if event.passed else "blocked"
            return f"Pre-flight {passed}: /status reports {event.reported_environment}, funds {event.funds}"
        case SessionResumed():
            return "Another process went on with the session"
        case TailCut():
            return f"{event.bytes} bytes of an unterminated last line were cut"
        case SessionInterrupted():
            return f"Interrupted: {event.reason}"
        case SessionAbandoned():
            return f"Abandoned: {event.reason}"
        case SessionEnded():
            return f"Session ended: {event.outcome}"
        case UnknownEvent():
            return f"An event of a type this version does not know: {event.name}"
        case _:
            return None


def _of_step(event: Event) -> str | None:  # noqa: PLR0911 - one line for each type of event, and no more
    match event:
        case Asked():
            return f"Asked ({event.question}): {event.text}"
        case Answered() if unanswered(event):
            return f"Nobody answered ({event.question}): after {seconds(event.waited_ms)} {event.answer}"
        case Answered():
            who = "The operator" if event.by == "operator" else "The script"
            return f"{who} answered ({event.question}) after {seconds(event.waited_ms)}: {event.answer}"
        case StepStarted():
            return f"Step {event.step} began"
        case StepFinished():
            return f"Step {event.step} passed: {event.observed}"
        case StepFailed():
            return f"Step {event.step} failed ({event.finding}): {event.observed}. {event.meaning} {event.todo}"
        case StepPaused():
            return f"Step {event.step} waits ({event.finding}): {event.observed}. {event.meaning} {event.todo}"
        case StepSkipped():
            return f"Step {event.step} was skipped: {event.reason}"
        case _:
            return None


def _of_evidence(event: Event) -> str | None:  # noqa: PLR0911 - one line for each type of event, and no more
    match event:
        case CallIntended():
            return f"About to send {event.method} {event.url} (call {event.call})"
        case CallFinished():
            return f"{event.method} {event.url} → {event.status} in {event.elapsed_ms} ms"
        case CallFailed():
            return f"{event.method} {event.url} → {event.error}: {event.message}"
        case OrderNamed():
            payment = f" (payment {event.payment_id})" if event.payment_id else ""
            return f"The operator is told of order {event.order_id}{payment}, which may be this session's"
        case PageOffered():
            return f"About to offer the checkout page of order {event.order_id}: {event.url}"
        case DashboardRead():
            return f"Read at the dashboard by {event.by}: {_dashboard(event)}"
        case BrowserOpened():
            return f"The checkout page was {'opened' if event.opened else 'shown as an address'}: {event.url}"
        case RowsRead():
            problem = f", asked again: {event.problem}" if event.problem else ""
            return f"{len(event.rows)} rows of seller_transfers, {event.source}{problem}"
        case Compared():
            return f"{event.id}: {event.left} {'=' if event.equal else 'is not'} {event.right}"
        case _:
            return None


def _dashboard(event: DashboardRead) -> str:
    figures = (
        (f"payment {event.payment_id} charged", event.charged_cents),
        (f"refund {event.refund_id} of" if event.refund_id else "refunded", event.refunded_cents),
        ("reversed", event.reversed_cents),
    )
    return ", ".join(f"{what} {cents} minor units of {event.currency}" for what, cents in figures if cents is not None)


def unanswered(event: Answered) -> bool:
    """Whether nobody answered: the order moved on while the question stood."""
    return event.question == "paid" and event.answer.startswith("the order is ")


def seconds(ms: int) -> str:
    """Return a duration as shown to people, under a minute exact to 0.1 s."""
    if ms < 60_000:  # noqa: PLR2004 - a minute
        return f"{ms // 1000}.{ms % 1000 // 100} s"
    minutes, rest = divmod(ms // 1000, 60)
    return f"{minutes} min {rest} s"
