"""Reads the files of addenda and attestations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from veza_e2e.archive.files import ArchiveError
from veza_e2e.canonical import JSON, dumps
from veza_e2e.evidence import Addendum, AddendumError, Attestation, unseal


def sealed(path: Path) -> tuple[Addendum | Attestation, str]:
    """Return the addendum or attestation in a file, and its hash.

    Raises:
        ArchiveError: it cannot be read, or does not hold what it claims.
    """
    try:
        data = path.read_bytes()
        members: Mapping[str, JSON] = json.loads(data)
        if not isinstance(members, dict) or dumps(members).encode() + b"\n" != data:
            raise ArchiveError(f"{path}: is not in its canonical form")
        return unseal(members), str(members["hash"])
    except (ValueError, TypeError, RecursionError, OSError) as error:
        raise ArchiveError(f"{path}: is not JSON, or cannot be read") from error
    except AddendumError as error:
        raise ArchiveError(f"{path}: {error}") from error


def attestation_in(path: Path) -> Attestation:
    """Return the attestation in a file.

    Raises:
        ArchiveError: it cannot be read, or is not an attestation.
    """
    found = sealed(path)[0]
    if not isinstance(found, Attestation):
        raise ArchiveError(f"{path}: is not an attestation")
    return found
