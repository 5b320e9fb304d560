"""Commands on whether a session's files are what they were: render, verify, sign."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from veza_e2e.archive import Archive, ArchiveError, Stored
from veza_e2e.cli.lookup import archives, stored_session
from veza_e2e.cli.output import Exit, Invocation, Item, Stop, items, say
from veza_e2e.events import SessionEnded
from veza_e2e.journal import DamagedError, Reading

ELSEWHERE = Path("build/views")
"""Where views go that may not stand in the archive: made by other templates than the session's own."""


def _chosen(invocation: Invocation, prefixes: tuple[str, ...]) -> list[Stored]:
    if prefixes:
        return [stored_session(invocation, prefix) for prefix in prefixes]
    return [stored for archive in archives(invocation) for stored in archive.sessions()]


@click.command()
@click.argument("session", nargs=-1)
@click.pass_obj
def render(invocation: Invocation, session: tuple[str, ...]) -> None:
    """Make the views again from the journal; of all sessions where none is named.

    An ended session's own views are never replaced by others: where the templates have changed since, the new views
    go to build/views.
    """
    rows = [_rendered(stored) for stored in _chosen(invocation, session)]
    damaged = any(row.status == "damaged" for row in rows)
    items(invocation, rows, ok=not damaged)
    if damaged:
        raise click.exceptions.Exit(Exit.DAMAGED)


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


@click.command()
@click.argument("session", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every session; also where none is named.")
@click.pass_obj
def verify(invocation: Invocation, session: tuple[str, ...], *, everything: bool) -> None:
    """Check the chain, the digests of the views, the addenda and the signatures; offline."""
    from veza_e2e.verify import LIMITS  # noqa: PLC0415 - the templates are slow to import
    from veza_e2e.verify import verify as checks_of  # noqa: PLC0415

    rows = []
    for stored in _chosen(invocation, () if everything else session):
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


@click.command()
@click.argument("session")
@click.option(
    "--key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="An OpenSSH private key, or the public key of one that the agent holds.",
)
@click.pass_obj
def sign(invocation: Invocation, session: str, key: Path) -> None:
    """Sign a session's journal and addenda with an OpenSSH key (ssh-keygen -Y)."""
    from veza_e2e.verify import sign as sign_file  # noqa: PLC0415 - the templates are slow to import
    from veza_e2e.verify import signature_of  # noqa: PLC0415

    stored = stored_session(invocation, session)
    try:
        reading = stored.read()
    except (DamagedError, OSError) as error:
        raise Stop(Exit.DAMAGED, str(error)) from error
    if not reading.ended:
        hint = f"veza-e2e resume {stored.session}"
        raise Stop(Exit.REFUSED, f"session {stored.session} has not ended: a signature would not fit its end", hint)
    unsigned = [path for path in (stored.journal, *stored.addendum_files()) if not signature_of(path).exists()]
    if not unsigned:
        raise Stop(Exit.REFUSED, f"session {stored.session} is signed already")
    try:
        for path in unsigned:
            sign_file(path, key)
    except ArchiveError as error:
        raise Stop(Exit.FAILED, str(error)) from error
    items(invocation, [Item(signature_of(path).name, "ok", str(signature_of(path))) for path in unsigned], ok=True)
