"""Errors of recordings and replays.

CassetteError: a file cannot be used. Mismatch: the walkthrough did not do what was recorded; it passes through every
`except Exception`, so that no retry can swallow it. ProcessKilled: the recorded process was killed at this point.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

PREFLIGHT = "pre-flight"
"""The name that messages give to everything before the first step."""


class CassetteError(Exception):
    """A file of a recording cannot be used.

    Attributes:
        path: the file.
        place: where in the file, such as `interaction 7 (step pay)`; empty for the whole file.
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
        differences: the differences, redacted, one line each.
    """

    def __init__(self, step: str | None, place: str, differences: Sequence[str]) -> None:
        lines = "; ".join(differences)
        super().__init__(f"step {step or PREFLIGHT}: {place}: {lines}")
        self.step = step
        self.place = place
        self.differences = tuple(differences)


class ProcessKilled(BaseException):
    """The recorded process was killed at this point."""
