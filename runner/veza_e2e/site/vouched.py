"""Says who vouches for a session's files: its newest manifest, and who signed that."""

from __future__ import annotations

from pathlib import Path

from veza_e2e.archive.manifests import digest_of
from veza_e2e.archive.sessions import Stored
from veza_e2e.archive.signatures import check, signature_of
from veza_e2e.verify.manifests import manifests


def vouched(stored: Stored, policy: Path | None) -> str:
    """Return the newest manifest's name and digest, and who signed it."""
    held = stored.manifests()
    if not held:
        return signed(stored, policy)
    return f"{held[-1].name}, SHA-256 {digest_of(held[-1])}, {signed(stored, policy)}"


def signed(stored: Stored, policy: Path | None) -> str:
    """Return who signed a session's files. A signature of a manifest that does not fit them does not count.

    Args:
        stored: the session.
        policy: OpenSSH's allowed signers file; None if nothing says who may sign.
    """
    held = stored.manifests()
    if not held:
        return "not signed: no manifest vouches for the files"
    if any(row.status == "damaged" for row in manifests(stored, None, digest_of)):
        return "not signed as they are: the manifests do not fit the files; veza-e2e verify says more"
    if left := [path.name for path in stored.unlisted()]:
        return f"not signed as they are: no manifest lists {', '.join(left)}"
    return _signer(held[-1], policy) if signature_of(held[-1]).is_file() else "not signed"


def _signer(manifest: Path, policy: Path | None) -> str:
    if policy is None:
        return "signed; veza-e2e verify says by whom"
    found = check(manifest, policy)
    if found.status == "damaged":
        return "signed by no key that may sign; veza-e2e verify says more"
    return found.message if found.status == "ok" else f"signed; by whom was not checked: {found.message}"
