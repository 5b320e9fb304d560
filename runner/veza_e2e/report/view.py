"""The values for the report's templates: frozen, so that a template only loops."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from veza_e2e.evidence import Step, Summary, summarise
from veza_e2e.frozen import dataclass
from veza_e2e.journal import Line
from veza_e2e.journal.addenda import Addendum, Attestation
from veza_e2e.journal.events import (
    Answered,
    Asked,
    CallIntended,
    PreflightChecked,
    PreflightFinished,
    SessionAbandoned,
    SessionStarted,
    StepFailed,
    StepName,
    StepPaused,
    StepStarted,
)
from veza_e2e.journal.story import Story
from veza_e2e.money.figures import KINDS
from veza_e2e.report.cells import Cell, Command, Fact, Row, Section, Status
from veza_e2e.report.facts import artefacts, facts
from veza_e2e.report.head import colour, head, money_line, title
from veza_e2e.report.labels import Labels
from veza_e2e.report.receipt import receipt
from veza_e2e.report.record import Back, Chapter, record
from veza_e2e.report.risks import risks
from veza_e2e.report.telling import seconds, unanswered
from veza_e2e.report.told import moment

TITLES: Mapping[StepName, str] = {
    "login": "Log in",
    "products": "Choose a product",
    "order": "Place the order",
    "pay": "Pay at the checkout",
    "completed": "Order completed",
    "license": "License granted",
    "transfers": "Seller's transfer booked",
    "refund": "Ask for the refund",
    "revoked": "Refunded, license revoked",
}
_PASTED = frozenset({"transfers", "reversals"})
"""The questions whose text goes on with the SQL to run."""
EVIDENCE = "Evidence"


class ReportError(Exception):
    """A journal cannot be made into a report."""


@dataclass(frozen=True, slots=True)
class ReportView:
    """One session's report."""

    title: str
    session: str
    money: str
    css: str
    """The colour of the head: good, bad, wait, or idle where nothing is decided and nothing is out."""
    head: tuple[Fact, ...]
    sentences: tuple[Row, ...]
    """What leads the report: a sentence, and its events."""
    sections: tuple[Section, ...]
    attest: Command
    """How a person attests EX-9."""
    chapters: tuple[Chapter, ...]
    summary: Summary

    @property
    def led_back(self) -> tuple[Chapter, ...]:
        """The chapters, whose entries know the rows that they bear out: for pages, which link them."""
        return tuple(_led_back(self.chapters, self.sections))


def view(
    lines: Sequence[Line], addenda: Sequence[Addendum | Attestation] = (), summary: Summary | None = None
) -> ReportView:
    """Return the values for a report of these lines; pass `addenda` for a page made after the session.

    Args:
        lines: the journal's lines, in order.
        addenda: what was learnt after the end.
        summary: what they come to now, if other sessions bear on it.

    Raises:
        ReportError: the journal does not begin with a SessionStarted that this version can read.
    """
    summary = summary or summarise(lines, addenda)
    story = Story(lines)
    started = story.started
    if started is None:
        raise ReportError("the journal does not begin with SessionStarted, as this version knows it")
    chapters = record(lines, {str(name): title for name, title in TITLES.items()})
    labels = Labels(lines, dict(place for chapter in chapters for place in chapter.places()))
    sections = (
        _receipt(summary, story, addenda, labels),
        *_judged(summary, story, labels),
        *_told(summary, story, started, addenda, labels),
    )
    return ReportView(
        title=title(summary),
        session=started.session,
        money=money_line(summary),
        css=colour(summary),
        head=tuple(head(summary)),
        sentences=tuple(_sentences(summary, story, labels)),
        sections=sections,
        attest=Command(_attest(summary)),
        chapters=chapters,
        summary=summary,
    )


def _receipt(summary: Summary, story: Story, addenda: Sequence[Addendum | Attestation], labels: Labels) -> Section:
    rows = tuple(
        Row((one.what, one.amount, one.date, one.id, one.witness, labels.some(one.seqs)), seqs=one.seqs)
        for one in receipt(summary, story, addenda)
    )
    return Section("Receipt", ("What", "Amount", "Date", "Id", "Witness", EVIDENCE), rows)


def _judged(summary: Summary, story: Story, labels: Labels) -> tuple[Section, ...]:
    steps = tuple(_step(step, story, labels) for step in summary.steps)
    items = tuple(
        Row((one.title, Status(one.status), one.reason, labels.some(one.evidence)), f"item-{one.id}", one.evidence)
        for one in summary.acceptance
    )
    return (
        Section("The nine steps", ("Step", "Status", "Observed", EVIDENCE), steps),
        Section("Acceptance", ("Item", "Status", "Why", EVIDENCE), items),
    )


def _step(step: Step, story: Story, labels: Labels) -> Row:
    begun = story.last_of_step(StepStarted, step.name) if step.status == "pending" and step.finding is None else None
    seqs = (*([begun[0].seq] if begun else []), *step.trace)
    title = f"{step.number}. {TITLES[step.name]}"
    return Row((title, Status(step.status), step.observed, labels.some(seqs)), f"step-{step.number}", seqs)


def _told(
    summary: Summary,
    story: Story,
    started: SessionStarted,
    addenda: Sequence[Addendum | Attestation],
    labels: Labels,
) -> tuple[Section, ...]:
    compared = tuple(
        Row(
            (f"{one.id}: {one.rule}", Status(one.status), _sides(one.left, one.right), labels.some(one.evidence)),
            f"rule-{one.id}",
            one.evidence,
        )
        for one in summary.reconciliation
    )
    equal = "Amounts are equal only in the same currency. What was not compared is not checked."
    asked = ("When", "Step", "Asked", "Answer", "Waited", "By", EVIDENCE)
    return (
        Section("Reconciliation", ("Rule", "Result", "Compared", EVIDENCE), compared, equal),
        Section("Prompts and confirmations", asked, tuple(_prompts(story, labels))),
        Section("Product, order and ids", ("What", "Value", EVIDENCE), _rows(facts(summary, story, addenda), labels)),
        Section(
            "The operator's risks",
            ("Risk", "In this session", EVIDENCE),
            _rows(risks(summary, story, started, addenda), labels),
        ),
        Section(
            "Linked artefacts", ("Artefact", "Where", EVIDENCE), _rows(artefacts(started, story.lines[0].seq), labels)
        ),
    )


def _rows(found: Sequence[Fact], labels: Labels) -> tuple[Row, ...]:
    return tuple(Row((fact.name, fact.value, labels.some(fact.seqs)), seqs=fact.seqs) for fact in found)


def _sentences(summary: Summary, story: Story, labels: Labels) -> Iterator[Row]:
    gate = story.last(PreflightFinished)
    if gate and summary.live_requested and summary.funds == "test":
        text = "TEST FUNDS: --live was given, but the backend is not live, or it is the rehearsal backend."
        yield _said(text, (story.lines[0].seq, gate[0].seq), labels)
    if gate and summary.rehearsal:
        yield _said("A rehearsal: the backend was the rehearsal backend, which moves no money.", (gate[0].seq,), labels)
    if gate and not gate[1].passed:
        blocked = [(line.seq, one) for line, one in story.of(PreflightChecked) if one.status == "blocked"]
        what = "; ".join(f"{one.name}: {one.message}" for _, one in blocked)
        yield _said(f"The pre-flight blocked the run. {what}", (*(seq for seq, _ in blocked), gate[0].seq), labels)
    for step in summary.steps:
        if step.finding and step.status in {"failed", "pending"}:
            ends = [story.last_of_step(kind, step.name) for kind in (StepFailed, StepPaused)]
            seqs = tuple(found[0].seq for found in ends if found) or step.trace[-1:]
            what = f"Step {step.number}, {TITLES[step.name]}: {step.observed}. {step.meaning} {step.todo}"
            yield _said(what, (*seqs, *(seq for seq in step.trace if seq > story.lines[-1].seq)), labels)
    if summary.money.may_be_out:
        yield _said("The money is not settled.", tuple(_witnessed(summary, story)), labels)
    abandoned = story.last(SessionAbandoned)
    if abandoned:
        yield _said(f"The session was abandoned: {abandoned[1].reason}.", (abandoned[0].seq,), labels)


def _witnessed(summary: Summary, story: Story) -> Sequence[int]:
    """Return the events that the account is made of: what orders and payments tell, else the request in doubt."""
    figures = [one.seq for kind in KINDS for one in summary.money.figures(kind)]
    read = [one.seq for order in summary.money.orders for one in order.reads[-1:]]
    asked = [line.seq for line, event in story.of(CallIntended) if event.operation == "createOrder"]
    return figures or read or asked


def _said(text: str, seqs: tuple[int, ...], labels: Labels) -> Row:
    return Row((text, labels.some(seqs)), seqs=seqs)


def _sides(left: str | None, right: str | None) -> str:
    if left is None:
        return ""
    return f"both {left}" if left == right else f"{left} against {right}"


def _prompts(story: Story, labels: Labels) -> Iterator[Row]:
    asked: dict[tuple[str | None, str], tuple[int, str]] = {}
    for line in story.lines:
        event = line.event
        if isinstance(event, Asked):
            asked[event.step, event.question] = line.seq, question(event)
        if isinstance(event, Answered):
            step = TITLES[event.step] if event.step else "before the steps"
            seq, text = asked.get((event.step, event.question), (line.seq, event.question))
            by, waited = "nobody" if unanswered(event) else event.by, seconds(event.waited_ms)
            cells: tuple[Cell, ...] = (moment(line.at), step, text, event.answer, waited, by)
            seqs = tuple(dict.fromkeys((seq, line.seq)))
            yield Row((*cells, labels.some(seqs)), seqs=seqs)


def question(event: Asked) -> str:
    """Return the sentence that asks: the last line, or what stands before the SQL to run."""
    text = event.text.strip()
    if event.question in _PASTED:
        text = text.partition("\n\n")[0].rstrip(":")
    return text.rpartition("\n")[2]


def _attest(summary: Summary) -> str:
    words = ["veza-e2e", "--env", summary.environment, "attest", "ex-9", "--by", "NAME"]
    return shlex.join([*words, *(["--release", summary.release] if summary.release else [])])


def _led_back(chapters: Sequence[Chapter], sections: Sequence[Section]) -> Iterator[Chapter]:
    """Yield the chapters; each entry knows the rows that it bears out."""
    borne: dict[int, dict[str, Back]] = {}
    for section in sections:
        for row in section.rows:
            for seq in row.seqs if row.id else ():
                borne.setdefault(seq, {})[row.id] = Back(str(row.cells[0]), row.id)
    for chapter in chapters:
        entries = []
        for entry in chapter.entries:
            backs = {row: back for seq in entry.seqs for row, back in borne.get(seq, {}).items()}
            entries.append(replace(entry, backs=tuple(backs.values())) if backs else entry)
        yield replace(chapter, entries=tuple(entries))
