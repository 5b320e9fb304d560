"""A walk over ten different sessions: every cell and every acceptance item names events that bear it out."""

from __future__ import annotations

from pathlib import Path

import pytest
from plain_markdown import same_in_both
from ten_sessions import Sessions

from veza_e2e.evidence import Summary, summarise
from veza_e2e.journal import read
from veza_e2e.journal.events import (
    Answered,
    BrowserOpened,
    CallFailed,
    CallFinished,
    Event,
    PreflightChecked,
    PreflightFinished,
    SessionStarted,
    StepFailed,
    StepFinished,
    StepPaused,
    StepSkipped,
)
from veza_e2e.journal.readings import Compared, RowsRead
from veza_e2e.journal.story import Story
from veza_e2e.money.figures import KINDS

FAILED = ("order", "completed", "license", "transfers", "revoked")
TEN = ("passed", "kept", *FAILED, "incomplete", "rehearsed live", "stamped")
ENDS = {"passed": StepFinished, "failed": StepFailed, "skipped": StepSkipped}
BEARS = {
    "preflight": (PreflightChecked, PreflightFinished),
    "dry_run": (SessionStarted,),
    "order_completed": (CallFinished, StepFinished, StepFailed, Answered, BrowserOpened, Compared, StepPaused),
    "amount_matches": (CallFinished, Compared, StepFinished),
    "license_granted": (CallFinished, StepFinished, StepFailed, StepPaused),
    "transfer_booked": (CallFinished, RowsRead, Compared, Answered, StepFinished, StepFailed),
    "refund_completed": (CallFinished, StepFinished, StepFailed, StepPaused, Compared, Answered, RowsRead),
    "license_revoked": (CallFinished, StepFinished, StepFailed, StepPaused, Compared, RowsRead),
    "bank_statement": (CallFinished, StepFinished),
}


def load(sessions: Sessions, name: str) -> tuple[Summary, dict[int, Event]]:
    lines = read(sessions.folders[name] / "journal.jsonl").lines
    return summarise(lines), {line.seq: line.event for line in lines}


@pytest.mark.parametrize("name", TEN)
def test_every_step_is_borne_out(sessions: Sessions, name: str) -> None:
    summary, events = load(sessions, name)
    for step in summary.steps:
        assert all(getattr(events[seq], "step", None) == step.name for seq in step.trace)
        assert not any(isinstance(events[seq], CallFailed) for seq in step.trace) or step.status != "passed"
        if step.status in ENDS:
            end = next(events[seq] for seq in reversed(step.trace) if isinstance(events[seq], ENDS[step.status]))
            said = end.reason if isinstance(end, StepSkipped) else getattr(end, "observed", None)
            assert step.observed == said
        else:
            assert not any(isinstance(events[seq], StepFinished | StepFailed) for seq in step.trace)


@pytest.mark.parametrize("name", TEN)
def test_every_acceptance_item_is_borne_out(sessions: Sessions, name: str) -> None:
    summary, events = load(sessions, name)
    for item in summary.acceptance:
        kinds = tuple(type(events[seq]) for seq in item.evidence)
        assert all(issubclass(kind, BEARS[item.id]) for kind in kinds), (item, kinds)
        assert kinds or item.status in {"not_checked", "not_applicable", "pending"}


@pytest.mark.parametrize("name", TEN)
def test_every_amount_was_on_the_wire(sessions: Sessions, name: str) -> None:
    summary, events = load(sessions, name)
    for kind in KINDS:
        cents = getattr(summary.money, f"{kind}_cents")
        figures = [one for one in summary.money.figures(kind) if one.amount]
        assert bool(cents) == bool(figures)
        for one in figures:
            event = events[one.seq]
            assert isinstance(event, CallFinished)
            assert one.amount is not None
            assert str(one.amount.minor) in repr(event.response_body)


def test_two_implementations_of_markdown_read_the_same_report(sessions: Sessions) -> None:
    cassettes = Path(__file__).parents[2] / "cassettes"
    kept = [folder / "report.md" for folder in sessions.folders.values()]
    for path in (*kept, *cassettes.glob("*/expected/report.md")):
        page = path.read_text(encoding="utf-8")
        found = same_in_both(page)
        assert "<" not in page
        (steps,) = [table for table in found.tables if table[0][:2] == ["Step", "Status"]]
        assert len(steps) == 10
        for _, status, _, evidence in steps[1:]:
            assert evidence or status == "pending"


@pytest.mark.parametrize("name", FAILED)
def test_a_failure_is_named_with_its_step(sessions: Sessions, name: str) -> None:
    summary, _ = load(sessions, name)
    assert summary.outcome == "failed"
    assert [step.name for step in summary.steps if step.status == "failed"] == [name]
    assert summary.money.moved is (name != "order")


def test_the_other_five_are_what_they_are(sessions: Sessions) -> None:
    judged = {name: load(sessions, name)[0] for name in TEN if name not in FAILED}
    outcomes = {name: (s.outcome, s.funds, s.refund_open, s.rehearsed_decision) for name, s in judged.items()}
    assert outcomes == {
        "passed": ("passed", "test", False, "PENDING"),
        "kept": ("passed", "test", True, "PENDING"),
        "incomplete": ("incomplete", "test", True, "PENDING"),
        "rehearsed live": ("passed", "test", False, "PENDING"),
        "stamped": ("passed", "test", False, "PENDING"),
    }
    assert judged["incomplete"].waiting_for == "refund"
    assert judged["rehearsed live"].item("dry_run").status == "met"
    first = (sessions.folders["stamped"] / "report.md").read_text(encoding="utf-8").splitlines()[0]
    assert "TEST FUNDS" in first


def test_a_story_answers_by_call_number(sessions: Sessions) -> None:
    story = Story(read(sessions.folders["passed"] / "journal.jsonl").lines)
    for _, compared in story.of(Compared):
        assert len(story.answers(compared.calls)) == len(set(compared.calls))
