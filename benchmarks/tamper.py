"""`make tamper`: 500 seeded tamperings with archives, and who finds them: `verify`, and the strangers' verifier."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from tampering import NOT_ITS_PART, Trial, kinds, make  # noqa: E402 - beside the tests

from veza_e2e.verify import LIMITS  # noqa: E402 - after the path is set

PAGE = ROOT / "docs" / "tamper.md"
COUNT = 500
OUTCOMES = ("found", "said before", NOT_ITS_PART, "missed")


def main() -> int:
    """Tamper, write the page; 1 if anything was missed."""
    began, missed, tried = time.monotonic(), [], 0
    counted: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for signed in (False, True):
            place = Path(folder) / ("signed" if signed else "unsigned")
            trial = Trial(make(place, signed=signed), place / "aside")
            names = kinds(signed=signed)
            for seed in range(COUNT // 2):
                name = names[seed % len(names)]
                outcome = trial.outcome(name, seed)
                tried += 1
                counted["verify", outcome.verify] += 1
                counted["stranger", outcome.stranger] += 1
                if "missed" in {outcome.verify, outcome.stranger}:
                    missed.append(f"{name}, {'signed' if signed else 'unsigned'}, seed {seed}: {outcome}")
    rows = [
        f"| {who} | {' | '.join(str(counted[key, what]) for what in OUTCOMES)} |"
        for key, who in (("verify", "`veza-e2e verify`"), ("stranger", "`verify_session.py`"))
    ]
    PAGE.write_text(
        "# Tampered with, and found\n\n"
        f"{tried} seeded tamperings with an archive of four sessions, half of them with a signed one: over journal,\n"
        "views, addenda, attestations, signatures, manifests, folder names, two sessions and the whole archive, among\n"
        "them full rewrites with and without a stranger's signature. Each must be found, or the verifier must have\n"
        "said beforehand, by name, that it could not prove this. `verify` has found a tampering with a signed archive\n"
        "if `--require-signature` ends with 6, and one with another archive if it ends with 6, or if a row that was\n"
        "not there before says what is not ok. `verify_session.py` checks a session: attestations that nobody lists,\n"
        "and whole sessions that are gone, are not its part.\n\n"
        f"| verifier | {' | '.join(OUTCOMES)} |\n|---|--:|--:|--:|--:|\n" + "\n".join(rows) + "\n\n"
        f"What it says before: *{LIMITS}*\n\n"
        f"Measured {datetime.now(UTC):%Y-%m-%d} by `make tamper` in {(time.monotonic() - began) / 60:.1f} minutes on "
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}.\n",
        encoding="utf-8",
    )
    print(f"{tried} tamperings, {len(missed)} missed", *missed, sep="\n  ")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
