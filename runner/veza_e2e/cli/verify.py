"""`verify`: checks a session's files, offline."""

from __future__ import annotations

from pathlib import Path

import click

from veza_e2e.archive.files import ArchiveError
from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.cli.lookup import archives, chosen_sessions
from veza_e2e.cli.output import Exit, Invocation, Item, items, say


@click.command()
@click.argument("session", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every session; also where none is named.")
@click.pass_obj
def verify(invocation: Invocation, session: tuple[str, ...], *, everything: bool) -> None:
    """Check the chain, the digests of the views, the addenda and the signatures; offline."""
    from veza_e2e.verify import LIMITS  # noqa: PLC0415 - the templates are slow to import
    from veza_e2e.verify import verify as checks_of  # noqa: PLC0415

    rows = []
    for stored in chosen_sessions(invocation, () if everything else session):
        signers = _signers(stored)
        checks = checks_of(stored, signers)
        rows += [Item(f"{stored.session} {check.name}", check.status, check.message) for check in checks]
    for archive in archives(invocation) if everything or not session else ():
        rows += _attestations(archive)
    damaged = any(row.status == "damaged" for row in rows)
    items(invocation, rows, ok=not damaged)
    say(f"What this cannot show: {LIMITS}.")
    if damaged:
        raise click.exceptions.Exit(Exit.DAMAGED)


def _signers(stored: Stored) -> Path | None:
    path = stored.folder.parents[2] / "allowed_signers"
    return path if path.is_file() else None


def _attestations(archive: Archive) -> list[Item]:
    try:
        return [Item(f"attestation {a.item}", "ok", f"by {a.by} at {a.at}") for a in archive.attestations()]
    except ArchiveError as error:
        return [Item("attestations", "damaged", str(error))]
