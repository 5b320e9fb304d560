"""`render`: makes a session's views again from its journal."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from veza_e2e.archive.files import ArchiveError
from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.cli.lookup import chosen_sessions, stored_session
from veza_e2e.cli.output import Exit, Invocation, Item, Stop, items
from veza_e2e.cli.writing import write_file
from veza_e2e.journal import DamagedError, Reading
from veza_e2e.journal.events import SessionEnded

ELSEWHERE = Path("build/views")
"""The folder for views made with newer templates than the session's own; these must not enter the archive."""


@click.command()
@click.argument("session", nargs=-1)
@click.option(
    "--single-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write one session's page to FILE instead: one HTML file, which can be mailed.",
)
@click.pass_obj
def render(invocation: Invocation, *, session: tuple[str, ...], single_file: Path | None) -> None:
    """Write report.md and session.log again from the journal. Without SESSION, of every session.

    The files of an ended session are never replaced: if this version writes them differently, the new ones go to
    build/views.
    """
    if single_file is not None:
        _mailed(invocation, session, single_file)
        return
    rows = [_rendered(stored) for stored in chosen_sessions(invocation, session)]
    damaged = any(row.status == "damaged" for row in rows)
    items(invocation, rows, ok=not damaged)
    if damaged:
        raise click.exceptions.Exit(Exit.DAMAGED)


def _mailed(invocation: Invocation, session: tuple[str, ...], path: Path) -> None:
    from veza_e2e.report import ReportError  # noqa: PLC0415 - the templates are slow to import
    from veza_e2e.site.single_file import single_file  # noqa: PLC0415 - as above

    if len(session) != 1:
        raise Stop(
            Exit.USAGE, "--single-file is of one session: name it", f"list them: {invocation.command('sessions')}"
        )
    stored = stored_session(invocation, session[0])
    try:
        content = single_file(stored)
    except (DamagedError, ArchiveError, ReportError, OSError) as error:
        items(invocation, [Item(stored.session, "damaged", f"{stored.journal}: {error}")], ok=False)
        raise click.exceptions.Exit(Exit.DAMAGED) from error
    write_file("--single-file", path, content, Archive(stored.folder.parents[2]))
    items(invocation, [Item(stored.session, "ok", f"{path}, {len(content)} bytes")], ok=True)


def _rendered(stored: Stored) -> Item:
    from veza_e2e.report import ReportError  # noqa: PLC0415 - the templates are slow to import
    from veza_e2e.report import render as views_of  # noqa: PLC0415

    try:
        reading = stored.read()
        views = views_of(reading.lines)
    except (DamagedError, ReportError, OSError) as error:
        return Item(stored.session, "damaged", f"{stored.journal}: {error}")
    if not reading.ended or _unchanged(reading, views):
        folder, why = stored.folder, "ok"
    else:
        folder, why = ELSEWHERE / stored.session, "elsewhere"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in views.items():
        (folder / name).write_bytes(content)
    return Item(stored.session, why, f"{', '.join(sorted(views))} in {folder}")


def _unchanged(reading: Reading, views: dict[str, bytes]) -> bool:
    last = reading.lines[-1].event
    assert isinstance(last, SessionEnded)
    return all(hashlib.sha256(content).hexdigest() == last.views.get(name) for name, content in views.items())
