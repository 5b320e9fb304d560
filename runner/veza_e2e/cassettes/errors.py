"""What goes wrong with recordings.

CassetteError: a file cannot be used. Mismatch: the walkthrough did something else than was recorded; it passes through
every `except Exception`, so that no retry can swallow it. ProcessKilled: the recorded process was killed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

PREFLIGHT = "pre-flight"
"""What stands in messages for the step of what comes before the first one."""


class CassetteError(Exception):
    """A file of a recording cannot be used.

    Attributes:
        path: the file.
        place: where in it, such as `interaction 7 (step pay)`; empty for the whole of it.
        reason: what is wrong.
    """

    def __init__(self, path: Path, place: str, reason: str) -> None:
        super().__init__(f"{path}: {place}: {reason}" if place else f"{path}: {reason}")
        self.path = path
        self.place = place
        self.reason = reason


class Mismatch(BaseException):
    """A replay differs from its recording.

    Attributes:
        step: the walkthrough's step, None before the first.
        place: what was compared, such as `interaction 7`.
        differences: what differs, redacted, one line each.
    """

    def __init__(self, step: str | None, place: str, differences: Sequence[str]) -> None:
        lines = "; ".join(differences)
        super().__init__(f"step {step or PREFLIGHT}: {place}: {lines}")
        self.step = step
        self.place = place
        self.differences = tuple(differences)


class ProcessKilled(BaseException):
    """The recorded process got no further than this."""
