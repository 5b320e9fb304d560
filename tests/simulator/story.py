"""Shrinks a failing history, and tells it in at most 20 lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from simulator.history import Told, live, simpler
from simulator.plan import Plan

MOST_LINES = 20
MOST_TRIES = 60
Play = Callable[[Plan, Path], Told]


def shrunk(plan: Plan, kind: str, root: Path, *, play: Play = live) -> Told:
    """The simplest history found that still violates `kind`."""
    told = play(plan, root)
    tries = 0
    again = True
    while again and tries < MOST_TRIES:
        again = False
        for one in simpler(told.plan):
            tries += 1
            tried = play(one, root)
            if any(found == kind for found, _ in tried.violations):
                told, again = tried, True
                break
    return told


def tell(told: Told) -> str:
    """A history in at most 20 lines: what deviated, what happened, what was violated."""
    said = ", ".join(f"{name}={value!r}" for name, value in told.plan.deviations.items()) or "nothing deviates"
    lines = [f"seed {told.plan.seed}: {said}"]
    room = MOST_LINES - len(lines)
    story = told.story
    if len(story) > room:
        first = next((n for n, line in enumerate(story) if "!!" in line), len(story) - 1)
        end = min(len(story), max(first + 2, room - 1))
        story = ["…", *story[max(0, end - room + 1) : end]]
    unseen = [f"!! {kind}: {text}" for kind, text in told.violations if not any(f"!! {kind}" in line for line in story)]
    return "\n".join([*lines, *story, *unseen][:MOST_LINES])
