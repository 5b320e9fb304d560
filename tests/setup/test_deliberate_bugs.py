"""The bugs that the long runs put into a copy of the source can still be put there."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks import mutants_backend, mutants_bugs, simulate_bugs
from benchmarks.mutants_bugs import Bug

BUGS = [
    *((simulate_bugs.ROOT / "runner/veza_e2e", one) for one in simulate_bugs.BUGS),
    *((mutants_bugs.SDK, one) for one in mutants_bugs.BY_HAND),
    *((mutants_backend.BACKEND, one) for one in mutants_backend.BUGS),
]


@pytest.mark.parametrize(("package", "bug"), BUGS, ids=[bug.name for _, bug in BUGS])
def test_the_source_still_has_the_place_of_a_deliberate_bug(package: Path, bug: Bug) -> None:
    assert bug.old in (package / bug.file).read_text(encoding="utf-8"), f"{bug.file} has changed: write the bug anew"
