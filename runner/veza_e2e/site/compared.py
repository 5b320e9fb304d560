"""Compares a session with the run before it, and with the dry-run that it cites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from veza_e2e.frozen import dataclass
from veza_e2e.journal import Line
from veza_e2e.journal.events import (
    STEPS,
    SessionInterrupted,
    SessionResumed,
    SessionStarted,
    StepFailed,
    StepFinished,
    StepName,
    StepPaused,
    StepSkipped,
    StepStarted,
)
from veza_e2e.report.cells import Id, Row, Section, Status
from veza_e2e.report.telling import seconds
from veza_e2e.report.view import TITLES, ReportView

_ENDS = (StepFinished, StepFailed, StepPaused, StepSkipped, SessionInterrupted)
_NOTHING = "did not begin"


@dataclass(frozen=True, slots=True)
class Run:
    """What a later session is compared with."""

    session: str
    environment: str
    took: Mapping[StepName, timedelta]
    """How long each step was worked on; a step that did not begin is not in it."""
    says: Mapping[str, str]
    """What the report says, by its name."""


def previous(environment: str, session: str, known: dict[str, Run]) -> Run | None:
    """Return the latest run of the environment that began before the session.

    Args:
        environment: of the session.
        session: its id.
        known: the sessions that began before it, the oldest first.
    """
    before = (one for one in reversed(known.values()) if one.environment == environment and one.session < session)
    return next(before, None)


def run_of(lines: Sequence[Line], page: ReportView) -> Run:
    """Return what later sessions are compared with."""
    return Run(page.session, page.summary.environment, durations(lines), dict(_says(lines, page)))


def durations(lines: Sequence[Line]) -> dict[StepName, timedelta]:
    """Return how long each step was worked on; the time between an interruption and its resumption does not count."""
    took: dict[StepName, timedelta] = {}
    begun: tuple[StepName, datetime] | None = None
    last = datetime.fromisoformat(lines[0].at)
    for line in lines:
        event, at = line.event, datetime.fromisoformat(line.at)
        ends = isinstance(event, _ENDS)
        if begun and (ends or isinstance(event, StepStarted | SessionResumed)):
            until = at if ends else last
            took[begun[0]] = took.get(begun[0], timedelta()) + (until - begun[1])
            begun = None
        if isinstance(event, StepStarted):
            begun = event.step, at
        last = at
    if begun:
        took[begun[0]] = took.get(begun[0], timedelta()) + (last - begun[1])
    return took


def _says(lines: Sequence[Line], page: ReportView) -> Iterator[tuple[str, str]]:
    first = lines[0].event
    if isinstance(first, SessionStarted):
        yield "Environment", first.environment
        yield "Backend", first.base_url
        yield "Account", first.account
        yield "Release", first.release or "not named"
        for name, version in sorted(first.tools.items()):
            yield f"Version of {name}", version
    yield "Funds", page.summary.funds
    yield "Money", page.money
    named = {"Product", "List price", "Order total", "VAT", "To the seller", "Platform fee", "Seller"}
    for section in page.sections:
        for row in section.rows:
            told = row.cells[1]
            if isinstance(told, Status):
                yield str(row.cells[0]), told.told
            elif row.cells[0] in named and section.title.startswith("Product"):
                yield str(row.cells[0]), told.text if isinstance(told, Id) else str(told)


def with_previous(run: Run, previous: Run) -> Section:
    """Return how long each step took, in both runs."""
    rows = []
    for number, step in enumerate(STEPS, 1):
        now, then = run.took.get(step), previous.took.get(step)
        change = "" if now is None or then is None else _change(now - then)
        rows.append(Row((f"{number}. {TITLES[step]}", _shown(now), _shown(then), change)))
    return Section("Compared with the run before", ("Step", "This run", "The run before", "Difference"), tuple(rows))


def with_dry_run(run: Run, dry: Run) -> Section:
    """Return what the two reports say differently."""
    names = dict.fromkeys([*dry.says, *run.says])
    differing = [name for name in names if dry.says.get(name) != run.says.get(name)]
    rows = tuple(Row((name, dry.says.get(name, "not said"), run.says.get(name, "not said"))) for name in differing)
    return Section("Compared with its dry-run", ("What differs", "Dry-run", "This run"), rows)


def _shown(took: timedelta | None) -> str:
    return _NOTHING if took is None else seconds(took // timedelta(milliseconds=1))


def _change(by: timedelta) -> str:
    ms = abs(by) // timedelta(milliseconds=1)
    if ms < 100:  # noqa: PLR2004 - what the durations do not show
        return "the same"
    return f"{seconds(ms)} {'longer' if by > timedelta() else 'shorter'}"
