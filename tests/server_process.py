"""Starts the server of a test, and waits until it says that it is ready."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from surroundings import PATIENCE


def started(
    command: Sequence[str], ready: str, folder: Path, user: str | None = None, env: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start a server; fail the test with what it said, if it ends or is not ready within PATIENCE.

    Args:
        command: the program and its arguments.
        ready: what a line of its output holds once it is ready.
        folder: where it runs.
        user: who runs it; None is who runs the test.
        env: its environment; None is that of the test.
    """
    process = subprocess.Popen(
        command, cwd=folder, user=user, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    )
    assert process.stdout is not None
    late = threading.Timer(PATIENCE, process.kill)
    late.start()
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if ready in line:
                return process
    finally:
        late.cancel()
    process.communicate()
    pytest.fail(f"{Path(command[0]).name} did not start: {''.join(said[-5:]) or 'it said nothing'}")
