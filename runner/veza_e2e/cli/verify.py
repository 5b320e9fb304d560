"""`verify`: checks the archive's files, offline."""

from __future__ import annotations

from pathlib import Path

import click

from veza_e2e.archive.sessions import Stored
from veza_e2e.cli.lookup import archives, chosen_sessions, policy_of
from veza_e2e.cli.output import Exit, Invocation, Item, Stop, items, say


@click.command()
@click.argument("session", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Check every session. The same as naming none.")
@click.option(
    "--allowed-signers",
    "signers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Whose signatures count: an OpenSSH allowed-signers file. Default: [signing] allowed_signers.",
)
@click.option(
    "--require-signature", is_flag=True, help="Treat a file that no allowed key has signed as damaged (exit 6)."
)
@click.pass_obj
def verify(
    invocation: Invocation, session: tuple[str, ...], *, everything: bool, signers: Path | None, require_signature: bool
) -> None:
    """Check the archive's files for changes. Works offline.

    Looks at journals, reports, addenda (what was recorded later), manifests (the lists of files) and signatures.
    """
    from veza_e2e.verify import (  # noqa: PLC0415 - the templates are slow to import
        LIMITS,
        Check,
        lacks_signature,
        verify_archive,
        verify_several,
    )

    policy = policy_of(invocation, signers, required=require_signature)
    chosen = _chosen(invocation, () if everything else session)
    checks: list[tuple[str, Check]] = []
    for stored, found in zip(chosen, verify_several(chosen, policy), strict=True):
        checks += [(f"{stored.session} ", check) for check in found]
    whole = everything or not session
    for archive in archives(invocation) if whole else ():
        checks += [("", check) for check in verify_archive(archive, policy)]
    if not whole:
        checks.append(("", Check("sessions", "ok", f"{len(chosen)} checked, of those in the archive")))
    unsigned = require_signature and any(lacks_signature(check) for _, check in checks)
    broken = unsigned or any(check.status == "damaged" for _, check in checks)
    items(invocation, [Item(f"{of}{one.name}", one.status, one.message) for of, one in checks], ok=not broken)
    if unsigned:
        say("Signatures are required, and an allowed key does not vouch for every file: see the rows that are not ok.")
    say(LIMITS)
    if broken:
        raise click.exceptions.Exit(Exit.DAMAGED)


def _chosen(invocation: Invocation, prefixes: tuple[str, ...]) -> list[Stored]:
    """Return the sessions to check; of one that is there several times, each.

    Raises:
        Stop: there is none.
    """
    found = chosen_sessions(invocation, prefixes)
    if not found:
        where = ", ".join(str(archive.root) for archive in archives(invocation))
        raise Stop(Exit.USAGE, f"no session found in {where}", "name the archive: veza-e2e --archive DIR verify")
    if not prefixes:
        return found
    ids = {stored.session for stored in found}
    return [stored for archive in archives(invocation) for stored in archive.sessions() if stored.session in ids]
