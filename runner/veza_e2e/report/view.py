"""The values for the report's templates: frozen, so that a template only loops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from veza_e2e.evidence import Summary, summarise
from veza_e2e.journal import Line
from veza_e2e.journal.addenda import Addendum, Attestation
from veza_e2e.journal.events import Answered, Asked, SessionStarted, StepName
from veza_e2e.journal.story import Story
from veza_e2e.money.order_account import KINDS
from veza_e2e.report.facts import Fact, artefacts, facts, moment, risks
from veza_e2e.report.labels import Labels
from veza_e2e.report.record import Chapter, record, seconds

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


class ReportError(Exception):
    """A journal cannot be made into a report."""


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the report."""

    title: str
    intro: tuple[str, ...]
    headers: tuple[str, ...]
    rows: tuple[tuple[str | Markup, ...], ...]


@dataclass(frozen=True, slots=True)
class ReportView:
    """One session's report."""

    title: str
    session: str
    money: str
    verdict: str
    css: str
    paragraphs: tuple[str, ...]
    stamps: tuple[str, ...]
    sections: tuple[Section, ...]
    chapters: tuple[Chapter, ...]
    summary: Summary


def view(lines: Sequence[Line], addenda: Sequence[Addendum | Attestation] = ()) -> ReportView:
    """Return the values for a report of these lines; pass `addenda` for a page made after the session.

    Raises:
        ReportError: the journal does not begin with a SessionStarted that this version can read.
    """
    summary = summarise(lines, addenda)
    story = Story(lines)
    started = story.started
    if started is None:
        raise ReportError("the journal does not begin with SessionStarted, as this version knows it")
    return ReportView(
        title=_title(summary),
        session=started.session,
        money=money_line(summary),
        verdict=summary.outcome,
        css=summary.outcome,
        paragraphs=tuple(_paragraphs(summary)),
        stamps=tuple(_stamps(summary)),
        sections=(*_judged(summary, Labels(lines)), *_told(summary, story, started, Labels(lines))),
        chapters=record(lines, {str(name): title for name, title in TITLES.items()}),
        summary=summary,
    )


def _judged(summary: Summary, labels: Labels) -> tuple[Section, ...]:
    steps = tuple(
        (f"{step.number}. {TITLES[step.name]}", _mark(step.status), step.observed, labels.some(step.trace))
        for step in summary.steps
    )
    items = tuple((i.title, _mark(i.status), i.reason, labels.some(i.evidence)) for i in summary.acceptance)
    return (
        Section("The nine steps", (), ("Step", "Status", "Observed", "Trace"), steps),
        Section("Acceptance", (), ("Item", "Status", "Why", "Evidence"), items),
    )


def _told(summary: Summary, story: Story, started: SessionStarted, labels: Labels) -> tuple[Section, ...]:
    compared = tuple(
        (f"{r.id}: {r.rule}", _mark(r.status), _sides(r.left, r.right), labels.some(r.evidence))
        for r in summary.reconciliation
    )
    minor = "Amounts in minor units, one currency; what was not compared is not claimed."
    held = risks(summary, story, started)
    asked = ("When", "Step", "Asked", "Answer", "Waited", "By", "Trace")
    return (
        Section("Money and ids", (), ("What", "Value"), _pairs(facts(summary, story))),
        Section("Money, by witness", (), ("Witness", "Says", "Evidence"), _witnesses(summary, labels)),
        Section("Reconciliation", (minor,), ("Rule", "Result", "Compared", "Evidence"), compared),
        Section("Prompts and confirmations", (), asked, tuple(_prompts(story, labels))),
        Section("Risks that the operator holds", (), ("Risk", "In this session"), _pairs(held)),
        Section("Linked artefacts", (), ("Artefact", "Where"), _pairs(artefacts(started))),
    )


def _witnesses(summary: Summary, labels: Labels) -> tuple[tuple[str | Markup, ...], ...]:
    """One line for each figure: who says it, and by which event."""
    figures = [one for kind in KINDS for one in summary.money.figures(kind)]
    return tuple((one.by, one.told, labels.some((one.seq,))) for one in figures)


def _pairs(found: Sequence[Fact]) -> tuple[tuple[str | Markup, ...], ...]:
    return tuple((fact.name, fact.value) for fact in found)


def _mark(status: str) -> Markup:
    css, text = status.replace("_", "-"), status.replace("_", " ")
    return Markup('<span class="veza-status veza-{}">{}</span>').format(css, text)


def money_line(summary: Summary) -> str:
    """Return what the account says, in one line."""
    return summary.money.sentence


def _title(summary: Summary) -> str:
    release = f" · release {summary.release}" if summary.release else ""
    return f"Payment walkthrough · {summary.environment} · {funds(summary)}{release}"


def funds(summary: Summary) -> str:
    """Return whether real money was used, in words that nobody can miss."""
    if summary.funds == "real":
        return "REAL MONEY"
    return "TEST FUNDS (live was asked for)" if summary.live_requested else "test funds"


def _stamps(summary: Summary) -> list[str]:
    stamps = []
    if summary.live_requested and summary.funds == "test":
        stamps.append("TEST FUNDS: --live was given, but no real money moved.")
    if summary.rehearsal:
        stamps.append("A rehearsal: the backend was the rehearsal backend, which moves no money.")
    return stamps


def _paragraphs(summary: Summary) -> list[str]:
    said = [f"Decision for the release: {summary.decision} ({summary.reason})."]
    said += [
        f"Step {step.number}, {TITLES[step.name]}: {step.observed}. {step.meaning} {step.todo}"
        for step in summary.steps
        if step.finding and step.status in {"failed", "pending"}
    ]
    if summary.money.may_be_out:
        said.append(f"The money is not settled: {summary.money.sentence}.")
    if summary.abandoned:
        said.append(f"The session was abandoned: {summary.abandoned}.")
    return said


def _sides(left: str | None, right: str | None) -> str:
    return "" if left is None else f"{left} against {right}"


def _prompts(story: Story, labels: Labels) -> Iterator[tuple[str | Markup, ...]]:
    texts: dict[tuple[str | None, str], str] = {}
    for line in story.lines:
        event = line.event
        if isinstance(event, Asked):
            texts[event.step, event.question] = event.text
        if isinstance(event, Answered):
            step = TITLES[event.step] if event.step else "before the steps"
            asked = texts.get((event.step, event.question), event.question).strip().rpartition("\n")[2]
            waited = seconds(event.waited_ms)
            yield moment(line.at), step, asked, event.answer, waited, event.by, labels.some((line.seq,))
