"""`sign`: signs a session's newest manifest with an OpenSSH key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from veza_e2e.archive.files import ArchiveError
from veza_e2e.archive.signatures import sign as sign_file
from veza_e2e.archive.signatures import signature_of
from veza_e2e.cli.lookup import in_its_environment, settings_of, stored_session, verify_command
from veza_e2e.cli.output import Exit, Invocation, Item, Stop, items
from veza_e2e.journal import DamagedError


@click.command()
@click.argument("session")
@click.option(
    "--key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An OpenSSH private key, or its public key if the SSH agent holds it. Default: [signing] key.",
)
@click.pass_obj
def sign(invocation: Invocation, session: str, key: Path | None) -> None:
    """Sign a session's newest manifest with an OpenSSH key."""
    from veza_e2e.verify import verify  # noqa: PLC0415 - the templates are slow to import

    key = key or settings_of(invocation).signing.key
    if key is None:
        raise Stop(Exit.USAGE, "nothing says which key signs", "name one: --key FILE, or [signing] key")
    stored = stored_session(invocation, session)
    try:
        reading = stored.read()
    except (DamagedError, OSError) as error:
        raise Stop(Exit.DAMAGED, str(error), f"what is damaged: {verify_command(stored)}") from error
    if not reading.ended:
        hint = f"end it first: {in_its_environment(invocation, stored).command('resume', stored.session)}"
        raise Stop(Exit.REFUSED, f"session {stored.session} has not ended: a signature would not fit its end", hint)
    damage = [check for check in verify(stored) if check.status == "damaged"]
    if damage:
        raise Stop(Exit.DAMAGED, f"{damage[0].name}: {damage[0].message}", f"what is damaged: {verify_command(stored)}")
    try:
        manifest = replace(stored, signs=None).vouch()
        if signature_of(manifest).exists():
            raise Stop(
                Exit.REFUSED,
                f"session {stored.session} is signed already: {manifest.name}",
                f"check it: {verify_command(stored)}",
            )
        signature = sign_file(manifest, key)
    except (ArchiveError, OSError) as error:
        raise Stop(Exit.FAILED, str(error), "a key to sign with: ssh-keygen -t ed25519 -f KEY") from error
    items(invocation, [Item(signature.name, "ok", str(signature))], ok=True)
