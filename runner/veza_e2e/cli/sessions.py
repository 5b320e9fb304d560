"""`sessions`: lists all sessions; those with something due come first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

import click
from ulid import ULID

from veza_e2e.archive.index import glances
from veza_e2e.cli.lookup import archives, verify_command
from veza_e2e.cli.output import Exit, Invocation, Item, items, labelled, say
from veza_e2e.cli.session_line import due_line, session_line
from veza_e2e.evidence import Glance
from veza_e2e.frozen import dataclass
from veza_e2e.ports.screen import plain

HEADINGS = ("STARTED (UTC)", "SESSION", "ENVIRONMENT", "OUTCOME", "DECISION")


@dataclass(frozen=True, slots=True)
class Row:
    """A session in the list."""

    session: str
    seen: Glance | str
    """Why it cannot be read, if it is damaged."""
    due: str | None
    """What is due, with its command; of a damaged one the command that says more."""

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells of the table, in the order of `HEADINGS`."""
        started = f"{ULID.from_str(self.session).datetime.astimezone(UTC):%Y-%m-%d %H:%M}"
        if isinstance(self.seen, str):
            return started, self.session, "", "damaged", ""
        return started, self.session, plain(self.seen.environment), self.seen.outcome, self.seen.decision

    @property
    def more(self) -> tuple[str, ...]:
        """The lines below the row: release and money, and what is due."""
        if isinstance(self.seen, str):
            return (f"{plain(self.seen)}; more: {plain(self.due or '')}",)
        release = f"release {plain(self.seen.release)}, " if self.seen.release else ""
        waits = f", waits for {self.seen.waiting_for}" if self.seen.waiting_for else ""
        gone = ", abandoned" if self.seen.abandoned else ""
        shown = f"{release}{self.seen.funds} funds, {plain(self.seen.money)}{waits}{gone}"
        return (shown, f"due: {plain(self.due)}") if self.due else (shown,)


@click.command()
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Show the first N only.")
@click.pass_obj
def sessions(invocation: Invocation, *, limit: int | None) -> None:
    """List the sessions: outcome, money, decision, what is due.

    Those with something due come first, then the newest.
    """
    rows = [
        Row(stored.session, seen, verify_command(stored) if isinstance(seen, str) else due_line(invocation, seen))
        for archive in archives(invocation)
        for stored, seen in glances(archive)
    ]
    rows.sort(key=lambda row: row.session, reverse=True)
    rows.sort(key=lambda row: row.due is None and not isinstance(row.seen, str))
    damaged = any(isinstance(row.seen, str) for row in rows)
    shown = rows[:limit]
    if invocation.json:
        items(invocation, [_item(invocation, row) for row in shown], ok=not damaged)
    elif rows:
        _print(shown)
    if not rows:
        say("No sessions yet. Begin with: veza-e2e run --unattended --refund")
    elif len(shown) < len(rows):
        say(f"{len(shown)} of {len(rows)} sessions")
    if damaged:
        raise click.exceptions.Exit(Exit.DAMAGED)


def _item(invocation: Invocation, row: Row) -> Item:
    if isinstance(row.seen, str):
        return Item(row.session, "damaged", row.seen)
    return Item(row.session, row.seen.outcome, session_line(invocation, row.seen))


def _print(rows: Sequence[Row]) -> None:
    table = [HEADINGS, *(row.cells for row in rows)]
    widths = [max(len(cells[number]) for cells in table) for number in range(len(HEADINGS))]
    for cells, row in zip(table, (None, *rows), strict=True):
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip())
        for line in row.more if row else ():
            labelled("    ", line)
