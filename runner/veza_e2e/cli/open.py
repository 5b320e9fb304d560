"""`open`: shows a session's page in the browser."""

from __future__ import annotations

import click

from veza_e2e.archive.files import ArchiveError
from veza_e2e.cli.lookup import settings_of, stored_session, verify_command
from veza_e2e.cli.output import Exit, Invocation, Item, Stop, items
from veza_e2e.journal import DamagedError, disk
from veza_e2e.ports.browser import open_file


@click.command("open")
@click.argument("session")
@click.pass_obj
def open(invocation: Invocation, session: str) -> None:  # noqa: A001 - a command's function has its name
    """Open a session's page in the browser.

    The page is one file, made from the journal, in .veza-e2e/pages. If no browser can be opened, the path is printed.
    """
    from veza_e2e.report import ReportError  # noqa: PLC0415 - the templates are slow to import
    from veza_e2e.site.single_file import single_file  # noqa: PLC0415 - as above

    settings, stored = settings_of(invocation), stored_session(invocation, session)
    try:
        content = single_file(stored)
    except (DamagedError, ArchiveError, ReportError, OSError) as error:
        raise Stop(Exit.DAMAGED, str(error), f"see what is damaged: {verify_command(stored)}") from error
    path = (settings.state / "pages" / f"{stored.session}.html").resolve()
    try:
        disk.make_ignored(settings.state)
        disk.replace(path, content)
    except OSError as error:
        elsewhere = invocation.command("render", stored.session, "--single-file", "FILE")
        raise Stop(Exit.FAILED, f"{path}: {error.strerror}", f"write it elsewhere: {elsewhere}") from error
    opened = open_file(path, window=settings.window)
    items(invocation, [Item(stored.session, "opened" if opened else "written", str(path))], ok=True)
