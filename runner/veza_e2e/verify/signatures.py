"""Checks a session's signatures: each fits its file and is by a key that the policy allows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from veza_e2e.archive.manifests import number_of
from veza_e2e.archive.sessions import Stored
from veza_e2e.archive.signatures import SUFFIX, check, signature_of
from veza_e2e.verify.checks import Check


def signatures(stored: Stored, policy: Path | None, *, ended: bool) -> Iterator[Check]:
    """Yield a row for each signature that is expected or there.

    Expected is that of the newest manifest, which vouches for all; without a manifest those of journal and addenda.
    """
    held = stored.manifests()
    expected = held[-1:] if held else [stored.journal, *stored.addendum_files()]
    signed = [path.with_suffix("") for path in sorted(stored.folder.glob(f"*{SUFFIX}"))]
    for path in signed:
        yield checked(path, policy)
    for path in (one for one in expected if one not in signed):
        yield Check(signature_of(path).name, "not signed", _unsigned(stored, path, ended=ended))


def checked(path: Path, policy: Path | None) -> Check:
    """Return the row of the signature of `path`."""
    if not path.is_file():
        return Check(signature_of(path).name, "damaged", f"{path}: was signed, and is gone")
    found = check(path, policy)
    return Check(signature_of(path).name, found.status, found.message)


def _unsigned(stored: Stored, path: Path, *, ended: bool) -> str:
    if not ended:
        return f"{path.name} is not signed: the session has not ended"
    older = [one for one in stored.manifests() if signature_of(one).is_file()]
    since = f"; manifest {number_of(older[-1])} is" if older else ""
    return f"{path.name} is not signed{since}: veza-e2e sign {stored.session} --key FILE"
