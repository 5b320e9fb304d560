"""For the simulator's tests: the simulated machine's folder, and little garbage to collect."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def root() -> Iterator[Path]:
    memory = Path("/dev/shm")  # the simulated disk is in memory where the machine has such a file system
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder) / "machine"


@pytest.fixture(autouse=True, scope="module")
def _little_garbage() -> Iterator[None]:
    """Let the collector look only at what the histories make, not at all modules."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
