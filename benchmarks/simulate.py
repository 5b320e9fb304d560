"""`make simulate`: thousands of seeded histories in a simulated world, each checked after every command.

A failing history is shrunk and told; the table of what was reached goes into the documentation.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from simulator.history import live  # noqa: E402 - found through the line above
from simulator.plan import drawn  # noqa: E402
from simulator.story import shrunk, tell  # noqa: E402

PAGE = ROOT / "docs" / "simulate.md"
MEMORY = Path("/dev/shm")
MOST_STORIES = 12
Result = tuple[int, list[tuple[str, str]], Counter[str]]


def folder() -> tempfile.TemporaryDirectory[str]:
    """A folder in memory, if the machine has such a file system."""
    return tempfile.TemporaryDirectory(prefix="simulate-", dir=MEMORY if MEMORY.is_dir() else None)


def lived(seed: int) -> Result:
    """Live one history; a harness that breaks is a violation of its own."""
    with folder() as root:
        try:
            told = live(drawn(seed), Path(root) / "machine")
        except Exception as error:  # noqa: BLE001 - the other histories go on
            return seed, [("simulator", f"{type(error).__name__}: {error}"[:200])], Counter()
    return seed, told.violations, told.reached


def main() -> int:
    """Run the histories, print the failing ones, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, help="the first seed; a fresh one if it is left out")
    parser.add_argument("--histories", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", type=int, metavar="SEED", help="tell the history of this seed, shrunk, and end")
    parser.add_argument("--write", action="store_true", help="write docs/simulate.md")
    given = parser.parse_args()
    if given.only is not None:
        return only(given.only)
    first = given.seed if given.seed is not None else int.from_bytes(os.urandom(4)) * 1000
    print(f"{given.histories} histories from seed {first} on")
    begun = time.monotonic()
    reached: Counter[str] = Counter()
    failing: dict[str, list[int]] = {}
    with multiprocessing.get_context("spawn").Pool(given.processes, maxtasksperchild=500) as pool:
        for number, (seed, violations, counted) in enumerate(
            pool.imap_unordered(lived, range(first, first + given.histories), chunksize=10), 1
        ):
            reached.update(counted)
            for kind in {kind for kind, _ in violations}:
                failing.setdefault(kind, []).append(seed)
            if number % 500 == 0:
                wrong = sum(map(len, failing.values()))
                print(f"{number} in {(time.monotonic() - begun) / 60:.1f} minutes, {wrong} violations", flush=True)
    minutes = (time.monotonic() - begun) / 60
    stories(failing)
    if given.write:
        PAGE.write_text(page(given, first, minutes, reached, failing), encoding="utf-8")
    return 1 if failing else 0


def only(seed: int) -> int:
    """Tell one history."""
    with folder() as root:
        told = live(drawn(seed), Path(root) / "machine")
        if not told.violations:
            print(tell(told))
            return 0
        for kind in dict.fromkeys(kind for kind, _ in told.violations):
            print(tell(shrunk(told.plan, kind, Path(root) / "machine")), end="\n\n")
    return 1


def stories(failing: dict[str, list[int]]) -> None:
    """Print each kind of violation with its seeds, and the shrunk story of one."""
    for kind, seeds in sorted(failing.items(), key=lambda one: -len(one[1])):
        print(f"\n{kind}: {len(seeds)}, such as {', '.join(map(str, sorted(seeds)[:8]))}")
    for kind, seeds in sorted(failing.items())[:MOST_STORIES]:
        with folder() as root:
            if kind != "simulator":
                print(f"\n{tell(shrunk(drawn(min(seeds)), kind, Path(root) / 'machine'))}")


def page(
    given: argparse.Namespace, first: int, minutes: float, reached: Counter[str], failing: dict[str, list[int]]
) -> str:
    """The page with what was reached."""
    rows = [f"| {name} | {number:,} |" for name, number in sorted(reached.items())]
    wrong = "\n".join(f"- {kind}: {len(seeds)}" for kind, seeds in sorted(failing.items())) or "None."
    return (
        "# Simulated histories\n\n"
        f"{given.histories:,} histories of the real commands ran in a simulated world: API, processor, database,\n"
        "bank, operator, clock and disk. Each seed draws what goes wrong, and when. After each command the world's\n"
        "own books are compared with what the walkthrough says. A kill loses what was not synced to the disk.\n\n"
        f"Violations: {wrong}\n\n"
        "| reached | histories or times |\n|---|--:|\n" + "\n".join(rows) + "\n\n"
        f"Measured {datetime.now(UTC):%Y-%m-%d} by `make simulate` from seed {first} in {minutes:.1f} minutes with "
        f"{given.processes} processes,\n{platform.system()} {platform.machine()}, Python {platform.python_version()}.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
