"""Shared by `bank` and `attest`: notes, and the digest of an evidence file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from veza_e2e.config import read_secrets
from veza_e2e.evidence import EvidenceFile
from veza_e2e.redaction import Redactor

EVIDENCE = click.option(
    "--evidence",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Only its digest and size are kept.",
)
NOTE = click.option("--note", help="A remark in your own words.")


def redactor_of_notes() -> Redactor:
    from veza_e2e.bootstrap import known_secrets  # noqa: PLC0415 - slow to import, and only here

    return Redactor(known_secrets(read_secrets()))


def evidence_file(path: Path | None) -> EvidenceFile | None:
    if path is None:
        return None
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return EvidenceFile(sha256=digest.hexdigest(), bytes=path.stat().st_size)
