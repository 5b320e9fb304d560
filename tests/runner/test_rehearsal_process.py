"""The embedded rehearsal backend's start: what is in the way is said, and nothing waits for ever."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from veza_e2e.config import Secrets
from veza_e2e.rehearsal_process import RehearsalError, _listening, rehearsal_account, run_backend


@pytest.mark.parametrize("held", [b"none\n", b"\xff\xfe"])
def test_a_damaged_port_file_is_named(tmp_path: Path, held: bytes) -> None:
    (tmp_path / "port").write_bytes(held)
    with (
        pytest.raises(RehearsalError, match=r"/port: is damaged: .*; remove it"),
        run_backend(tmp_path, rehearsal_account(Secrets())),
    ):
        pytest.fail("it began")


@pytest.mark.process
def test_a_backend_that_says_nothing_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    (tmp_path / "stderr.log").touch()
    silent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with silent, pytest.raises(RehearsalError, match="it said nothing"):
        _listening(silent, tmp_path, seconds=0.2)
    assert silent.returncode == -9
