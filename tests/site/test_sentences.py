"""Every sentence of a report is computed from the events that it names: without them it is not said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from scripted_session import SESSION, Script
from ten_sessions import DRY_RUN, Sessions

from veza_e2e.archive.sessions import Archive
from veza_e2e.canonical import JSON
from veza_e2e.evidence import Addendum, BankStatement
from veza_e2e.journal import Line, read
from veza_e2e.journal.events import Answered, Asked, BrowserOpened, CallFinished, PreflightFinished, StepStarted
from veza_e2e.journal.readings import RowsRead
from veza_e2e.report.cells import Events, Row, Section
from veza_e2e.report.view import ReportView, view

ABSENT = {
    "No checkout page was offered.": BrowserOpened,
    "No order was told.": CallFinished,
    "The pre-flight did not finish.": PreflightFinished,
}
"""What is said because something was not seen, and the event that would say otherwise."""
UNPROVEN = {"pending", "not_checked", "not_applicable", "skipped"}


@dataclass(frozen=True)
class Told:
    """A session as the report is made from it."""

    name: str
    lines: Sequence[Line]
    addenda: Sequence[Addendum] = ()

    @property
    def page(self) -> ReportView:
        return view(self.lines, self.addenda)

    def without(self, seqs: set[int]) -> Told:
        """Leave out some events; of the first one, which says what the session is, nothing."""
        kept = [line for line in self.lines if line.seq not in seqs or line.seq == self.lines[0].seq]
        return Told(self.name, kept, [one for one in self.addenda if one.seq not in seqs])


def with_statement() -> Told:
    """A live run with real funds and VAT, whose refund stands on the bank statement."""
    script = Script().start(live=True, rehearsal=False, release="2026.05", dry_run=DRY_RUN)
    script.total, script.tax = 600, 100
    script.until("revoked").end()
    statement = BankStatement(
        session=SESSION, session_hash=script.lines[-1].hash, number=1, seq=len(script.lines) + 1,
        at="2026-05-12T09:00:00.000Z", seen="credit", date="2026-05-11", amount_cents=600, currency="EUR",
        reference="VEZA 4711",
    )  # fmt: skip
    return Told("statement", script.lines, [statement])


def pasted() -> Told:
    """A session whose operator typed the total and pasted the rows."""
    script = Script().start(live=True, rehearsal=False).until("order")
    script.say(
        Asked(step="pay", question="amount", text="LIVE\nYour card will be charged 5.00 EUR. Type the amount"),
        Answered(step="pay", question="amount", answer="5.00 EUR", waited_ms=4000, by="operator"),
    )
    script.pay().completed().license()
    row: dict[str, JSON] = {"amount_cents": 450, "platform_fee_cents": None, "currency": "EUR"}
    script.say(
        StepStarted(step="transfers"),
        Asked(
            step="transfers", question="transfers", text="No connection.\nRun this and paste:\n\nBEGIN;\nROLLBACK;\n"
        ),
        Answered(step="transfers", question="transfers", answer="2 lines", waited_ms=9000, by="operator"),
        RowsRead(step="transfers", source="pasted", sql="select 1", rows=(row,)),
    )
    return Told("pasted", script.lines)


@pytest.fixture(scope="module")
def told(sessions: Sessions) -> list[Told]:
    kept = [Told(stored.session, stored.read().lines) for stored in Archive(sessions.root).sessions()]
    return [*kept, with_statement(), pasted()]


def rows(page: ReportView) -> Iterator[tuple[str, Row]]:
    for section in (Section("", (), page.sentences), *page.sections):
        yield from ((section.title, row) for row in section.rows)


def said(page: ReportView) -> dict[tuple[str, str], set[int]]:
    """Return each sentence with the events that it names."""
    return {(title, words(row)): set(row.seqs) for title, row in rows(page)}


def words(row: Row) -> str:
    return " | ".join(str(cell) for cell in row.cells if not isinstance(cell, Events))


def test_a_sentence_is_not_said_without_its_events(told: list[Told]) -> None:
    assert len(told) >= 12
    unfounded = []
    for session in told:
        first = {session.lines[0].seq}
        groups: dict[frozenset[int], list[tuple[str, str]]] = {}
        for sentence, seqs in said(session.page).items():
            groups.setdefault(frozenset(seqs - first), []).append(sentence)
        for own, sentences in groups.items():
            rest = said(session.without(set(own)).page) if own else {}
            # Said again of other events, or with fewer of them, it is still computed; said of none, it never was.
            unfounded += [(session.name, one) for one in sentences if one in rest and not rest[one] - first]
    assert unfounded == []


def test_what_names_no_event_says_that_something_was_not_seen(told: list[Told]) -> None:
    for session in told:
        for title, row in rows(session.page):
            status = getattr(row.cells[1], "word", None) if len(row.cells) > 1 else None
            if row.seqs or status in UNPROVEN:
                continue
            assert str(row.cells[1]) in ABSENT, (session.name, title, row)
            kind = ABSENT[str(row.cells[1])]
            operations = {getattr(line.event, "operation", None) for line in session.lines}
            there = [line for line in session.lines if isinstance(line.event, kind)]
            assert not there or (kind is CallFinished and not operations & {"createOrder", "getOrder"})


_FIGURES = re.compile(r"\b(\d+)\.(\d\d) [A-Z]{3}\b|\b(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC")


def test_amounts_and_times_are_those_of_the_events(told: list[Told]) -> None:
    checked = 0
    for session in told:
        events = {line.seq: f"{line.at} {line.event!r}" for line in session.lines}
        events |= {one.seq: f"{one.at} {one!r}" for one in session.addenda}
        for title, row in rows(session.page):
            shown = " ".join(events[seq] for seq in row.seqs)
            for major, minor, day, time in _FIGURES.findall(words(row)):
                cents = str(int(major + minor)) if major else ""
                found = f"{major}.{minor}" in shown or re.search(rf"\b{cents}\b", shown) if major else (
                    f"{day}T{time}" in shown
                )  # fmt: skip
                assert found, (session.name, title, words(row), row.seqs)
                checked += 1
    assert checked > 200


def cell(page: ReportView, title: str) -> str:
    """Return what stands beside a row's first cell."""
    (found,) = [str(row.cells[1]) for _, row in rows(page) if row.cells[0] == title]
    return found


def test_what_was_once_said_of_every_session_is_said_where_it_was_seen(sessions: Sessions) -> None:
    def page(name: str) -> ReportView:
        return Told(name, read(sessions.folders[name] / "journal.jsonl").lines).page

    mixed, unattended, typed = page("order"), page("passed"), pasted().page
    assert "list price was 5.00 EUR" in cell(mixed, "Test product of about 5 EUR")
    assert cell(mixed, "VAT line in the EU").startswith("VAT on the order: 0.00 USD. No question")
    assert cell(unattended, "Personal card, not corporate").startswith("The script paid")
    assert cell(typed, "Personal card, not corporate").startswith("The operator said that they paid.")
    assert "No question before the payment showed the total." in cell(unattended, "VAT line in the EU")
    assert "The total of 5.00 EUR was shown before the payment." in cell(typed, "VAT line in the EU")
    prompts = [row.cells[2] for title, row in rows(typed) if title.startswith("Prompts")]
    assert prompts == ["Which product?", "Your card will be charged 5.00 EUR. Type the amount", "Paid?",
                       "Run this and paste"]  # fmt: skip
    late = "Bank-statement lag inside the refund window"
    assert cell(page("rehearsed live"), late) == "Test funds: no bank statement will show them."
    assert "credit on 2026-05-11, 6.00 EUR" in cell(with_statement().page, late)
    assert cell(typed, "Platform fee") == "not told"
