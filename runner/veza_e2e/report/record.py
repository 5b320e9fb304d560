"""Makes the record: an entry for each event of a session, in order, under its step."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from veza_e2e.canonical import JSON
from veza_e2e.journal import Line
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
from veza_e2e.journal.readings import Compared, DashboardRead, OrderNamed, PageOffered, RowsRead
from veza_e2e.report.calls import Call, describe, request, timing, title

_RUN = 4
"""The number of polls without news that are shown as one entry."""


@dataclass(frozen=True, slots=True)
class Back:
    """A row of the report that an event bears out."""

    title: str
    id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the record."""

    seq: int
    at: str
    kind: str
    text: str
    calls: tuple[Call, ...] = ()
    """The call, if the event is a call whose texts are shown; else empty."""
    code: tuple[str, ...] = ()
    """Texts that are shown unchanged: SQL, rows."""
    also: tuple[int, ...] = ()
    """Further events that this entry stands for."""
    backs: tuple[Back, ...] = ()
    same: tuple[int, ...] = ()
    """The earlier event whose answer this one repeats; empty if there is none."""

    @property
    def seqs(self) -> tuple[int, ...]:
        """The events that it stands for."""
        return self.seq, *self.also

    @property
    def told_below(self) -> bool:
        """Whether it has texts of its own, under a heading of its own."""
        return bool(self.calls or self.code)


@dataclass(frozen=True, slots=True)
class Chapter:
    """Consecutive events of one step."""

    title: str
    first: int
    entries: tuple[Entry, ...]
    size: str
    """The number of its events and calls."""

    @property
    def heading(self) -> str:
        """Its heading in `report.md`: no other has it, and every forge makes the same anchor of it."""
        return f"From event {self.first}"

    def places(self) -> Iterator[tuple[int, str]]:
        """Yield each event with the anchor under which it stands."""
        for entry in self.entries:
            place = f"event-{entry.seq}" if entry.told_below else f"from-event-{self.first}"
            yield from ((seq, place) for seq in entry.seqs)


@dataclass(slots=True)
class _Shown:
    """The responses shown so far, so that a repeated response can be referred to."""

    answers: dict[str, tuple[str, int]] = field(default_factory=dict)

    def repeated(self, seq: int, event: CallFinished) -> int | None:
        """Return an earlier event with the same response to the same GET; else remember this one."""
        if event.method != "GET":
            return None
        same = f"{request(event)}\n{event.status}\n{json.dumps(event.response_body, sort_keys=True, default=str)}"
        known = self.answers.get(event.url)
        if known and known[0] == same:
            return known[1]
        self.answers[event.url] = (same, seq)
        return None


def record(lines: Sequence[Line], titles: Mapping[str, str]) -> tuple[Chapter, ...]:
    """Return the chapters of a session.

    Args:
        lines: the journal's lines.
        titles: the steps' titles by name.
    """
    chapters: list[tuple[str | None, list[Entry]]] = []
    for line in lines:
        step = getattr(line.event, "step", None)
        if not chapters or chapters[-1][0] != step:
            chapters.append((step, []))
            shown = _Shown()
        chapters[-1][1].append(_entry(line, shown))
    return tuple(
        Chapter(
            _title(step, titles) if step else _outside(number, len(chapters)),
            entries[0].seq,
            tuple(_runs(entries)),
            _size(entries),
        )
        for number, (step, entries) in enumerate(chapters)
    )


def _title(step: str, titles: Mapping[str, str]) -> str:
    return f"Step {list(titles).index(step) + 1}, {titles[step]}" if step in titles else step


def _outside(number: int, count: int) -> str:
    if number == 0:
        return "Before the steps"
    return "After the steps" if number == count - 1 else "Between the steps"


def _runs(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Yield the entries; each long run of polls without news becomes one entry."""
    for polled, group in groupby(entries, key=lambda entry: entry.kind == "poll"):
        run = list(group)
        if polled and len(run) >= _RUN:
            text = f"{len(run)} reads, each with an answer that is shown above; the last at {run[-1].at}"
            yield replace(run[0], text=text, also=tuple(entry.seq for entry in run[1:]), same=())
        else:
            yield from run


def _size(entries: Sequence[Entry]) -> str:
    calls = sum(bool(entry.calls) for entry in entries)
    events = f"{len(entries)} event{'s' if len(entries) > 1 else ''}"
    return f"{events}, {calls} call{'s' if calls > 1 else ''}" if calls else events


def _entry(line: Line, shown: _Shown) -> Entry:
    event = line.event
    at = line.at[11:23]
    if isinstance(event, CallFinished | CallFailed):
        same = shown.repeated(line.seq, event) if isinstance(event, CallFinished) else None
        if same is not None:
            return Entry(line.seq, at, "poll", f"{title(event)}, {timing(event)}: the same answer as", same=(same,))
        call = describe(event)
        return Entry(line.seq, at, "call", call.title, (call,))
    if isinstance(event, RowsRead):
        return Entry(line.seq, at, "rows", say(event), code=(event.sql, _rows(event.rows)))
    if isinstance(event, Asked) and "\n" in event.text.strip():
        return Entry(line.seq, at, "operator", f"Asked ({event.question})", code=(event.text.strip(),))
    return Entry(line.seq, at, kind_of(event), say(event))


def _rows(rows: Sequence[Mapping[str, JSON]]) -> str:
    return json.dumps([dict(row) for row in rows], indent=2, ensure_ascii=False, sort_keys=True, default=list)


def kind_of(event: Event) -> str:  # noqa: PLR0911 - a table
    """Return the class of entry that an event is shown as."""
    match event:
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
    return _of_session(event) or _of_step(event) or _of_evidence(event) or type(event).__name__


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
