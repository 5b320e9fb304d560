"""`make simulate`: thousands of seeded histories in a simulated world, each checked after every command.

A failing history is shrunk and told; the table of what was reached goes into the documentation.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.pool import Pool
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from simulator.history import live  # noqa: E402 - found through the line above
from simulator.outcome import FIXED, OUTCOMES  # noqa: E402
from simulator.plan import DEVIATIONS, DIALECT, NETWORK, drawn  # noqa: E402
from simulator.story import shrunk, tell  # noqa: E402

from veza_e2e.journal.findings import FindingCode  # noqa: E402
from veza_e2e.money.order_account import AccountState  # noqa: E402

PAGE = ROOT / "docs" / "simulate.md"
MEMORY = Path("/dev/shm")
MOST_STORIES = 12
SLICE = 100
NEVER = {
    FindingCode.DEFECT: "a history with it is a violation",
    FindingCode.ORDER_ID_UNSAFE: "the SDK refuses such an id before, as a part of a path",
}
"""The findings that no history may reach, and why."""


@dataclass
class Batch:
    """What the histories of one seed reached."""

    first: int
    histories: int
    minutes: float = 0
    reached: Counter[str] = field(default_factory=Counter)
    failing: dict[str, list[int]] = field(default_factory=dict)


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
    parser.add_argument("--batches", type=int, default=1, help="how many seeds, each with so many histories")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", type=int, metavar="SEED", help="tell the history of this seed, shrunk, and end")
    parser.add_argument("--write", action="store_true", help="write docs/simulate.md")
    parser.add_argument(
        "--results", type=Path, metavar="FILE", help="the batches of earlier runs, kept here: the page tells them too"
    )
    parser.add_argument("--first", action="store_true", help="end at the first violation")
    parser.add_argument(
        "--accept", action="store_true", help="keep the outcomes of the fixed histories as they are now"
    )
    given = parser.parse_args()
    if given.accept:
        return accept()
    if given.only is not None:
        return only(given.only)
    batches = earlier(given.results)
    for number in range(given.batches):
        fresh = given.seed is None or number > 0
        batches.append(batch(given, int.from_bytes(os.urandom(4)) * 100_000 if fresh else given.seed))
        if given.first and batches[-1].failing:
            return 1
        if given.results is not None:
            given.results.write_text(json.dumps([vars(one) for one in batches], indent=1), encoding="utf-8")
        if given.write:
            PAGE.write_text(page(given, batches), encoding="utf-8")
    return 1 if any(one.failing for one in batches) else 0


def earlier(kept: Path | None) -> list[Batch]:
    """The batches that earlier runs kept."""
    if kept is None or not kept.is_file():
        return []
    told = json.loads(kept.read_text(encoding="utf-8"))
    return [Batch(**{**one, "reached": Counter(one["reached"])}) for one in told]


def batch(given: argparse.Namespace, first: int) -> Batch:
    """Run the histories of one seed, and print the failing ones."""
    print(f"{given.histories} histories from seed {first} on")
    begun = time.monotonic()
    done = Batch(first, given.histories)
    with multiprocessing.get_context("spawn").Pool(given.processes, maxtasksperchild=1000) as pool:
        for number, (seed, violations, counted) in enumerate(slices(pool, first, given.histories), 1):
            done.reached.update(counted)
            for kind in dict.fromkeys(kind for kind, _ in violations):
                done.failing.setdefault(kind, []).append(seed)
                print(f'{kind}: make simulate ARGS="--only {seed}"', flush=True)
            if given.first and violations:
                print(f"found after {number}: {violations[0][0]} (seed {seed})", flush=True)
                pool.close()  # a pool that is terminated while it hands out work may wait for ever
                pool.join()
                return done
            if number % 500 == 0:
                wrong = sum(map(len, done.failing.values()))
                print(f"{number} in {(time.monotonic() - begun) / 60:.1f} minutes, {wrong} violations", flush=True)
    done.minutes = (time.monotonic() - begun) / 60
    stories(done.failing)
    return done


def slices(pool: Pool, first: int, histories: int) -> Iterator[Result]:
    """Live the histories, a few at a time, so that little is left to do when nobody asks any more."""
    for start in range(first, first + histories, SLICE):
        yield from pool.imap_unordered(lived, range(start, min(start + SLICE, first + histories)), chunksize=5)


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


def accept() -> int:
    """Write the outcomes of the fixed histories; whoever commits them reads the difference."""
    with folder() as root:
        outcomes = [live(drawn(seed), Path(root) / "machine").outcome for seed in range(FIXED)]
    OUTCOMES.write_text("\n".join(outcomes), encoding="utf-8")
    return 0


def stories(failing: dict[str, list[int]]) -> None:
    """Print each kind of violation with its seeds, and the shrunk story of one."""
    for kind, seeds in sorted(failing.items(), key=lambda one: -len(one[1])):
        print(f"\n{kind}: {len(seeds)}, such as {', '.join(map(str, sorted(seeds)[:8]))}")
    for kind, seeds in sorted(failing.items())[:MOST_STORIES]:
        with folder() as root:
            if kind != "simulator":
                print(f"\n{tell(shrunk(drawn(min(seeds)), kind, Path(root) / 'machine'))}")


def expected() -> dict[str, list[str]]:
    """What should be reached, by the heading of its table."""
    drawn_values = [
        f"{name} {value}" for table in (DIALECT, DEVIATIONS) for name, values in table.items() for value in values
    ]
    return {
        "What deviates": [*dict.fromkeys(drawn_values), *NETWORK, "live True"],
        "States and decisions": [
            *(f"account {one}" for one in AccountState),
            *(f"outcome {one}" for one in ("passed", "failed", "incomplete", "refused")),
            *(f"decision {one}" for one in ("PENDING", "GO", "NO-GO")),
            *(f"waiting_for {one}" for one in ("operator", "completion", "transfer", "refund", "reversal")),
        ],
        "Findings": [f"finding {one}" for one in FindingCode if one not in NEVER],
        "Exits": [f"exit {code} of {name}" for name in ("run", "resume") for code in (0, 1, 3, 4, 130, None)],
    }


def page(given: argparse.Namespace, batches: list[Batch]) -> str:
    """The page with what was reached."""
    reached = sum((one.reached for one in batches), Counter[str]())
    tables = []
    left = dict(reached)
    for heading, names in expected().items():
        others = sorted(name for name in left if name.split(" ")[0] in {one.split(" ")[0] for one in names})
        rows = [f"| {name} | {left.pop(name, 0):,} |" for name in dict.fromkeys([*names, *others])]
        tables.append(f"## {heading}\n\n| reached | times |\n|---|--:|\n" + "\n".join(rows))
    kills = Counter({name.removeprefix("killed at "): number for name, number in left.items() if "killed at" in name})
    rows = [f"| {name} | {number:,} |" for name, number in kills.most_common()]
    tables.append("## Killed\n\n| at | times |\n|---|--:|\n" + "\n".join(rows))
    seeds = [f"| {one.first} | {one.histories:,} | {one.minutes:.1f} | {violations(one)} |" for one in batches]
    histories = sum(one.histories for one in batches)
    wrong = sum(len(seeds) for one in batches for seeds in one.failing.values())
    return (
        "# Simulated histories\n\n"
        "The real commands run in a simulated world: API, processor, database, bank, operator, clock and disk. Each\n"
        "seed draws what goes wrong, and when. After each command the world's own books are compared with what the\n"
        "walkthrough says. A kill loses what was not synced to the disk.\n\n"
        "| first seed | histories | minutes | violations |\n|---|--:|--:|---|\n" + "\n".join(seeds) + "\n\n"
        f"In all {histories:,} histories, {wrong} violations. The tables add up all seeds. Two findings are not in\n"
        "them: " + "; ".join(f"`{one}` ({why})" for one, why in NEVER.items()) + ".\n\n" + "\n\n".join(tables) + "\n\n"
        f"Measured {datetime.now(UTC):%Y-%m-%d} by `make simulate` with {given.processes} processes, "
        f"{platform.system()} {platform.machine()},\nPython {platform.python_version()}.\n"
    )


def violations(one: Batch) -> str:
    """The violations of a seed's histories, by kind."""
    return "; ".join(f"{kind}: {len(seeds)}" for kind, seeds in sorted(one.failing.items())) or "none"


if __name__ == "__main__":
    sys.exit(main())
