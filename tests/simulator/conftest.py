"""For the simulator's tests: the simulated machine's folder."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def root() -> Iterator[Path]:
    memory = Path("/dev/shm")  # the simulated disk is in memory where the machine has such a file system
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder) / "machine"
