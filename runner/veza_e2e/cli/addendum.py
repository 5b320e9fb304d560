"""Shared by `bank` and `attest`: notes, and the digest of an evidence file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from veza.money import Money
from veza_e2e.cli.output import Exit, Stop
from veza_e2e.evidence import EvidenceFile

EVIDENCE = click.option(
    "--evidence",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that shows it. Only its digest and size are kept.",
)
NOTE = click.option("--note", help="A remark in your own words.")


def amount_of(option: str, text: str | None, currency: str | None, *, least: int = 1) -> Money | None:
    """Return the amount that an option gives; None if it is not given.

    Args:
        option: its name.
        text: as typed: "5.00 EUR", or "5.00" in the session's currency.
        currency: the session's; None if it is not known.
        least: the smallest amount that makes sense, in minor units.

    Raises:
        Stop: it is not such an amount.
    """
    if text is None:
        return None
    hint = 'write it as "5.00 EUR"'
    try:
        found = Money.parse(text.upper()) if " " in text.strip() else Money.from_major(text.strip(), currency or "")
    except ValueError as error:
        raise Stop(Exit.USAGE, f"{option} {text!r:.30} is not an amount", hint) from error
    if found.minor < least:
        raise Stop(Exit.USAGE, f"{option} {text!r:.30} is not an amount of money that was seen", hint)
    return found


def evidence_file(path: Path | None) -> EvidenceFile | None:
    if path is None:
        return None
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return EvidenceFile(sha256=digest.hexdigest(), bytes=path.stat().st_size)
