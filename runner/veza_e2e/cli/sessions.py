"""`sessions`: lists all sessions; those with something due come first."""

from __future__ import annotations

import click

from veza_e2e.archive.index import glances
from veza_e2e.cli.lookup import archives
from veza_e2e.cli.output import Exit, Invocation, Item, items, say
from veza_e2e.cli.session_line import session_line


@click.command()
@click.pass_obj
def sessions(invocation: Invocation) -> None:
    """List the sessions: outcome, money, decision, and what is due."""
    rows = []
    for archive in archives(invocation):
        for stored, seen in glances(archive):
            if isinstance(seen, str):
                rows.append(Item(stored.session, "damaged", seen))
            else:
                rows.append(Item(stored.session, seen.outcome, session_line(invocation, seen)))
    rows.sort(key=lambda row: row.name, reverse=True)
    items(invocation, rows, ok=all(row.status != "damaged" for row in rows))
    if not rows and not invocation.json:
        say("No sessions yet.")
    if any(row.status == "damaged" for row in rows):
        raise click.exceptions.Exit(Exit.DAMAGED)
