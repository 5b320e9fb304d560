"""What was promised of a number, beside what was measured: a line that `make bench` collects into one table."""

from __future__ import annotations

from collections.abc import Iterable

MARK = "target: "
HEAD = ["| what was promised | measured | at most | |", "|---|--:|--:|---|"]


def told(what: str, found: float, most: float) -> bool:
    """Print a row of the table; return whether the target is reached."""
    reached = found <= most
    print(f"{MARK}| {what} | {found:.2f} | {most:.3g} | {'reached' if reached else '**not reached**'} |")
    return reached


def all_told(targets: Iterable[tuple[str, float, float]]) -> bool:
    """Print a row for each name, measured number and most; return whether all are reached."""
    missed = [target for target in targets if not told(*target)]
    return not missed


def collected(text: str) -> tuple[str, list[str]]:
    """Return what a benchmark printed without its targets, and their rows."""
    lines = text.splitlines()
    rest = [line for line in lines if not line.startswith(MARK)]
    return "\n".join(rest).strip(), [line.removeprefix(MARK) for line in lines if line.startswith(MARK)]
