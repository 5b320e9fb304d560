"""Writes the archive as plain Markdown into a foreign docs folder, for a site that somebody else's mkdocs builds."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from markupsafe import Markup

from veza_e2e.archive.files import ArchiveError
from veza_e2e.archive.releases import beside_cited, releases_of
from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.evidence import summarise
from veza_e2e.frozen import dataclass
from veza_e2e.journal import DamagedError
from veza_e2e.report import ReportError, templates
from veza_e2e.report.escape import typed
from veza_e2e.report.head import money_line
from veza_e2e.report.view import view
from veza_e2e.site import release_report
from veza_e2e.site.board import Card, board
from veza_e2e.site.releases import Entry, slug

WRITTEN = ".veza-e2e-pages"
"""A file that says that the folder holds nothing but what was written here, which the next time may replace."""


class ForeignError(Exception):
    """The folder holds something that was not written here."""


@dataclass(frozen=True, slots=True)
class Pages:
    """What was written."""

    sessions: int
    damaged: tuple[str, ...]
    """The damaged sessions, which are shown as such."""


def write_into(archive: Archive, folder: Path) -> Pages:
    """Write an index, a page for each release and one for each session.

    Args:
        archive: the sessions.
        folder: a folder of its own below the docs; what was written there before is replaced.

    Raises:
        ForeignError: the folder holds something else.
        OSError: it cannot be written.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / WRITTEN).is_file():
        raise ForeignError(f"{folder} holds pages that were not written here")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "releases").mkdir(parents=True)
    (folder / WRITTEN).write_text("", encoding="utf-8")
    shown = releases_of(archive, Entry)
    for release in shown.releases:
        (folder / f"releases/{slug(release.name)}.md").write_bytes(release_report.report(release))
    decided = board(shown, "", markdown=True)
    sessions = [(stored, _session(stored, folder)) for stored in archive.sessions()]
    lines = [
        "# Payment walkthroughs",
        "",
        *_table(("Release", "Decision", "Reason", "Due", "Next"), map(_decided, (*decided.cards, *decided.waiting))),
        "",
        "## Sessions",
        "",
        *_table(("Session", "Environment", "Outcome", "Money"), [row for _, row in sessions]),
    ]
    (folder / "index.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Pages(len(sessions), tuple(stored.session for stored, row in sessions if row[2] == "damaged"))


def _decided(card: Card) -> tuple[str, ...]:
    """Return a release's row in the index."""
    reason = card.reason if card.money is None else f"{card.money}; {card.reason}"
    due = "; ".join(Markup.escape(one).striptags() for one in card.due)
    then = f"{card.advice} {card.next}" if card.next else card.advice
    return _link(card.name, card.url), f"{card.decision} ({card.funds})", reason, due or "nothing", then


def _session(stored: Stored, folder: Path) -> tuple[str, ...]:
    """Write a session's page and its journal; return its row in the index."""
    place = Path(*stored.folder.parts[-3:])
    (folder / place).mkdir(parents=True)
    try:
        reading = stored.read()
        addenda = stored.addenda(reading)
        told = view(reading.lines, addenda, beside_cited(stored, summarise(reading.lines, addenda)))
    except (DamagedError, ArchiveError, ReportError, OSError) as error:
        text = f"# Session {stored.session}\n\nIts files are damaged: {typed(error)}\n"
        (folder / place / "index.md").write_text(text, encoding="utf-8")
        return _link(stored.session, f"{place.as_posix()}/index.md"), "", "damaged", ""
    page = templates.markdown().get_template("report.md").render(page=told)
    (folder / place / "index.md").write_text(page, encoding="utf-8")
    shutil.copyfile(stored.journal, folder / place / stored.journal.name)
    summary = told.summary
    shown = _link(stored.session, f"{place.as_posix()}/index.md")
    return shown, summary.environment, summary.outcome, money_line(summary)


def _link(text: str, page: str) -> Markup:
    return Markup(f"[{typed(text)}]({page})")  # noqa: S704 - escaped, and a path of ours


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    found = [*rows] or [["none yet", *[""] * (len(headings) - 1)]]
    yield f"| {' | '.join(headings)} |"
    yield f"|{'---|' * len(headings)}"
    yield from (f"| {' | '.join(map(typed, row))} |" for row in found)
