"""The result of a check, and what no check can prove."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias

from veza_e2e.archive.signatures import SUFFIX
from veza_e2e.frozen import dataclass

Digest: TypeAlias = Callable[[Path], str]
"""Returns the SHA-256 of a file, in hex; raises OSError if it cannot be read."""
CheckStatus = Literal["ok", "open", "not signed", "not checked", "damaged"]
LIMITS = (
    "What this cannot show: digests show that the files fit each other, not who wrote them. Without signatures, "
    "somebody who writes journal, views, addenda and manifests anew leaves no trace. Somebody who takes signatures "
    "away leaves files that are not signed: only --require-signature finds that. Even with signatures, what came "
    "last can be taken away without a trace: the newest manifest with all that only it lists, and the newest "
    "sessions, which no other session names. Whoever holds an allowed key can sign anything, at any time. An open "
    "session has no end, so nothing vouches for its last lines. Compare what matters with a copy that somebody else "
    "keeps, and with the records of the processor and the bank."
)


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check."""

    name: str
    status: CheckStatus
    message: str


def lacks_signature(check: Check) -> bool:
    """Whether a row says that no allowed key vouches for a file: it is not signed, or no manifest lists it."""
    of_a_file = check.name.endswith(SUFFIX) or check.name.startswith(("addendum-", "attestation "))
    return of_a_file and check.status != "ok"
