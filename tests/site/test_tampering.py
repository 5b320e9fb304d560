"""Each tampering with the archive is found, or `verify` had said beforehand, by name, that it could not be proven."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tampering import TAMPERINGS, Outcome, Trial, found, kinds, make, verified

pytestmark = pytest.mark.process
ONLY_SIGNED = [name for name, one in TAMPERINGS.items() if one.of == "signed"]


@pytest.fixture(scope="module")
def unsigned(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    folder = tmp_path_factory.mktemp("unsigned")
    return Trial(make(folder, signed=False), folder / "aside")


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    folder = tmp_path_factory.mktemp("signed")
    return Trial(make(folder, signed=True), folder / "aside")


@pytest.mark.parametrize("seed", [1, 3])
@pytest.mark.parametrize("name", kinds(signed=False))
def test_with_an_archive_that_nobody_signed(unsigned: Trial, name: str, seed: int) -> None:
    assert "missed" not in str(unsigned.outcome(name, seed))


@pytest.mark.parametrize("name", ONLY_SIGNED)
def test_with_a_signed_archive(signed: Trial, name: str) -> None:
    """What is not told apart by its signatures is tried with the unsigned archive."""
    assert signed.outcome(name, 1) == Outcome("found", "found")


def test_whoever_writes_all_anew_passes_as_was_said(unsigned: Trial) -> None:
    """The positive control: this adversary makes no mistake that the checks could find by chance."""
    for name in ("all written anew", "the newest session gone", "the newest session written anew"):
        assert unsigned.outcome(name, 2).verify == "said before"


def test_what_nobody_tampered_with_is_not_blamed(unsigned: Trial, signed: Trial, tmp_path: Path) -> None:
    for trial in (unsigned, signed):
        root = tmp_path / f"copy-{trial.world.signed}" / "archive"
        shutil.copytree(trial.world.root, root)
        after = verified(trial.world, root)
        assert not found(trial.before, after, signed=trial.world.signed)
        assert not any(said.startswith("damaged") for said in after.values())
