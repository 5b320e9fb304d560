"""The values of a session's page, for the site and for the single file. Its template only loops."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from veza_e2e.evidence import Addendum
from veza_e2e.evidence.due import statement_due
from veza_e2e.frozen import dataclass
from veza_e2e.journal import Line
from veza_e2e.report.cells import Fact, Section
from veza_e2e.report.view import ReportView
from veza_e2e.site.compared import Run, previous, run_of, with_dry_run, with_previous
from veza_e2e.site.flow import money_flow
from veza_e2e.site.live_report import due_mark
from veza_e2e.site.waterfall import waterfall

SUMMARY = ("Receipt", "The nine steps", "Acceptance")
"""The sections that a printed page begins with; the others are its annex."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link in the head of a page."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class SessionPage:
    """A session's page."""

    report: ReportView
    due: Markup
    """The mark by which a browser tells how long what is due still has."""
    links: tuple[Link, ...]
    receipt: Section
    summary: tuple[Section, ...]
    compared: tuple[Section, ...]
    annex: tuple[Section, ...]
    flow: Markup
    timeline: Markup
    addenda: tuple[Fact, ...]
    files: tuple[Fact, ...]

    @property
    def contents(self) -> tuple[str, ...]:
        """The titles of all sections, in order."""
        named = (section.title for section in (self.receipt, *self.summary, *self.compared, *self.annex))
        return (*named, "Addenda", "Record")


def session_page(
    lines: Sequence[Line],
    report: ReportView,
    addenda: Sequence[Addendum] = (),
    *,
    known: dict[str, Run] | None = None,
    links: Sequence[Link] = (),
    files: Sequence[Fact] = (),
) -> SessionPage:
    """Return the values of a page.

    Args:
        lines: the session's lines.
        report: what its report says, addenda included.
        addenda: what was learnt later.
        known: the sessions that began before this one, the oldest first, to compare it with.
        links: where the page leads, beside its own events.
        files: what is offered beside it.
    """
    sections = {section.title: section for section in report.sections}
    return SessionPage(
        report=report,
        due=due_mark(window) if (window := statement_due(report.summary)) else Markup(),
        links=tuple(links),
        receipt=sections[SUMMARY[0]],
        summary=tuple(sections[title] for title in SUMMARY[1:]),
        compared=tuple(_compared(run_of(lines, report), report, known or {})),
        annex=tuple(section for title, section in sections.items() if title not in SUMMARY),
        flow=money_flow(lines, report.summary, addenda),
        timeline=waterfall(lines),
        addenda=tuple(_addenda(addenda)),
        files=tuple(files),
    )


def _compared(run: Run, report: ReportView, known: dict[str, Run]) -> list[Section]:
    found = []
    before = previous(run.environment, run.session, known)
    if before is not None:
        found.append(with_previous(run, before))
    dry = known.get((report.summary.dry_run or {}).get("session", ""))
    if dry is not None:
        found.append(with_dry_run(run, dry))
    return found


def _addenda(addenda: Sequence[Addendum]) -> list[Fact]:
    return [Fact(f"Addendum {item.number} (event {item.seq}), {item.at[:10]}", item.told) for item in addenda]
