"""Checks what belongs to no single session: attestations, stray and copied folders, and what no session names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from veza_e2e.archive.files import ArchiveError
from veza_e2e.archive.folders import JOURNAL
from veza_e2e.archive.manifests import ATTESTATIONS, attestation_files, named_by, newest
from veza_e2e.archive.sealed import attestation_in
from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.archive.signatures import SIGNERS, SUFFIX
from veza_e2e.verify.checks import Check
from veza_e2e.verify.signatures import checked

_OF_A_SESSION = re.compile(r"journal\.jsonl|session\.log|(addendum|manifest)-[0-9]+\.json")


def verify_archive(archive: Archive, policy: Path | None = None) -> tuple[Check, ...]:
    """Return the results of the checks of the whole archive, apart from those of each session.

    Args:
        archive: the archive.
        policy: OpenSSH's allowed signers file, if there is one.
    """
    sessions = archive.sessions()
    return (
        *_strays(archive, sessions),
        *_copies(sessions),
        *_attestations(archive, sessions, policy),
        *_unnamed(sessions),
        *_signers(archive),
        *([Check("sessions", "ok", f"{len(sessions)} in {archive.root}")] if sessions else []),
    )


def _strays(archive: Archive, sessions: list[Stored]) -> Iterator[Check]:
    known = {stored.folder for stored in sessions}
    found = {path.parent for path in archive.root.rglob("*") if _OF_A_SESSION.fullmatch(path.name.removesuffix(SUFFIX))}
    for folder in sorted(found - known):
        lacks = "is not where a session's folder is, or not named as one"
        why = lacks if (folder / JOURNAL).exists() else f"holds a session's files, but no {JOURNAL}"
        yield Check(folder.name, "damaged", f"{folder}: {why}")


def _copies(sessions: list[Stored]) -> Iterator[Check]:
    for session, count in Counter(stored.session for stored in sessions).items():
        if count > 1:
            yield Check(session, "damaged", f"is in the archive {count} times")


def _attestations(archive: Archive, sessions: list[Stored], policy: Path | None) -> Iterator[Check]:
    listed = {name for stored in sessions if (last := newest(stored.folder)) for name in last.attestations}
    for path in attestation_files(archive.root):
        try:
            said = attestation_in(path)
        except ArchiveError as error:
            yield Check(f"attestation {path.name}", "damaged", str(error))
            continue
        name = f"attestation {said.item}"
        if path.name != f"{said.id}-{said.item}.json":
            yield Check(name, "damaged", f"{path}: is the attestation {said.id} of {said.item}")
        elif path.name not in listed:
            yield Check(
                name, "not checked", f"by {said.by} at {said.at}; no manifest lists it: anybody may have put it there"
            )
        else:
            yield Check(name, "ok", f"by {said.by} at {said.at}")
    for path in sorted((archive.root / ATTESTATIONS).glob(f"*{SUFFIX}")):
        yield checked(path.with_suffix(""), policy)


def _unnamed(sessions: list[Stored]) -> Iterator[Check]:
    named = {name for stored in sessions for name in named_by(stored.folder)}
    last = sorted(stored.session for stored in sessions if stored.session not in named)
    if last:
        message = f"no other session names {', '.join(last)}: "
        yield Check("removal", "not checked", f"{message}nothing would show it if one of them were taken away")


def _signers(archive: Archive) -> Iterator[Check]:
    path = archive.root / SIGNERS
    if path.exists():
        yield Check(
            SIGNERS, "not checked",
            f"{path}: does not count, since whoever can rewrite the archive can rewrite it; keep it outside, and name "
            "it with --allowed-signers FILE or in [signing] allowed_signers",
        )  # fmt: skip
