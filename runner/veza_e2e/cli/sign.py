"""`sign`: signs a session's files with an OpenSSH key."""

from __future__ import annotations

from pathlib import Path

import click

from veza_e2e.archive.files import ArchiveError
from veza_e2e.cli.lookup import stored_session
from veza_e2e.cli.output import Exit, Invocation, Item, Stop, items
from veza_e2e.journal import DamagedError


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
