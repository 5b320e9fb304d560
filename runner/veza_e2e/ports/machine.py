"""The machine that a command runs on: its clock, and how it starts a rehearsal backend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from veza import SystemClock
from veza_e2e.config import Secrets
from veza_e2e.ports.protocols import Clock

StartRehearsal = Callable[[Path, Secrets, Sequence[str]], AbstractContextManager[str]]
"""Runs a rehearsal backend, given its folder, its account and its faults; yields the base URL."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The parts that a command takes from the machine. Tests pass in others."""

    clock: Clock = field(default_factory=SystemClock)
    start_rehearsal: StartRehearsal | None = None
    """How the embedded backend is started; None starts a child process."""
