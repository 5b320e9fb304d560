"""The machine that a command runs on: its clock, and how it starts a rehearsal backend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import field
from datetime import datetime
from pathlib import Path

from veza import SystemClock
from veza_e2e.config import Secrets
from veza_e2e.frozen import dataclass
from veza_e2e.ports.ids import new_session
from veza_e2e.ports.protocols import Clock, Ports

StartRehearsal = Callable[[Path, Secrets, Sequence[str]], AbstractContextManager[str]]
"""Runs a rehearsal backend, given its folder, its account and its faults; yields the base URL."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The parts that a command takes from the machine. Tests pass in others."""

    clock: Clock = field(default_factory=SystemClock)
    start_rehearsal: StartRehearsal | None = None
    """How the embedded backend is started; None starts a child process."""
    new_id: Callable[[datetime], str] = new_session
    """Makes the ULID of a session."""
    ports: Callable[[str | None], Ports] | None = None
    """Gives the ports of a session, for a simulated world; None takes this machine's own."""
