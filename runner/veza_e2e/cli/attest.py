"""`attest`: records a person's statement about something that no machine can check."""

from __future__ import annotations

import re
from pathlib import Path

import click

from veza_e2e.cli.addendum import EVIDENCE, NOTE, evidence_file, redactor_of_notes
from veza_e2e.cli.lookup import home, written
from veza_e2e.cli.output import Exit, Invocation, Item, Stop, items
from veza_e2e.evidence import Attestation
from veza_e2e.journal import timestamp

_ITEM = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@click.command()
@click.argument("item")
@click.option("--by", required=True, metavar="NAME", help="Who says so.")
@click.option("--release", metavar="NAME", help="The release it is said of; all of them where this is left out.")
@EVIDENCE
@NOTE
@click.pass_obj
def attest(
    invocation: Invocation, *, item: str, by: str, release: str | None, evidence: Path | None, note: str | None
) -> None:
    """Record a person's word for something that no machine can see, such as ex-9."""
    from ulid import ULID  # noqa: PLC0415 - only here

    name = item.lower()
    if not _ITEM.fullmatch(name):
        raise Stop(Exit.USAGE, f"{item!r:.40} is not the name of an item", "letters, digits and hyphens, such as ex-9")
    if not by.strip():
        raise Stop(Exit.USAGE, "--by names nobody")
    if release is not None and not release.strip():
        raise Stop(Exit.USAGE, "--release names no release", "leave it out where it is said of every release")
    redactor = redactor_of_notes()
    attestation = Attestation(
        id=str(ULID.from_datetime(invocation.machine.clock.now())),
        item=name,
        by=redactor.text(by.strip()),
        at=timestamp(invocation.machine.clock.now()),
        release=redactor.text(release) if release else None,
        evidence=evidence_file(evidence),
        note=redactor.text(note) if note else None,
    )
    path = written(lambda: home(invocation).attest(attestation))
    scope = f"for release {attestation.release}" if attestation.release else "for every release"
    items(invocation, [Item(name, "ok", f"attested by {attestation.by} {scope}: {path}")], ok=True)
