"""What other sessions cost: commands in archives of 1, 1,000 and 3,000 sessions, and a journal of 100 MB.

CPU seconds of the command with its children, since machines are busy; each figure is the least of several. `run` is
beside one session, so that both have something to look at.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from benchmarks.archives import Walk, generate, walk
from benchmarks.targets import all_told

from veza_e2e.archive.folders import JOURNAL
from veza_e2e.archive.sessions import LOG, REPORT, Archive
from veza_e2e.journal import GENESIS
from veza_e2e.journal.chain import chain
from veza_e2e.journal.events import CallFinished, Event, SessionEnded
from veza_e2e.report import template_version

SIZES = (1, 1000, 3000)
COMMANDS = {
    "run": ("run", "--unattended", "--refund"),
    "sessions": ("sessions",),
    "sessions, index lost": ("sessions",),
    "verify --all": ("verify", "--all"),
}
ROUNDS = {"run": 5, "sessions": 5}
"""How often each is measured; once if it is not here."""
AT_MOST = {"run": 1.1, "sessions": 1.5}
"""At 1,000 sessions, against one."""
MIB = (25, 100)
"""The sizes of the large journals, whose views are not rendered again."""
PEAK_MB = 200
"""The most memory that `verify` may take for the largest one."""
MS_A_SESSION = 28 / 3
LINEAR = 1.25
"""How much more a session may cost at 3,000 than at 1,000."""


def cpu(archive: Path, words: tuple[str, ...]) -> float:
    """Return the CPU seconds of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "veza_e2e", "--archive", str(archive), "--json", *words]
    done = subprocess.run(command, cwd=archive.parent, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert isinstance(json.loads(done.stdout), dict)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured(archives: dict[int, Path], name: str) -> dict[tuple[str, int], float]:
    """Return the least of several measurements by size. The sizes take turns, as a machine's pace changes."""
    times: dict[tuple[str, int], float] = {}
    for _ in range(ROUNDS.get(name, 1)):
        for size, archive in archives.items():
            if name.endswith("index lost"):
                for index in archive.parent.glob(".veza-e2e/index/*"):
                    index.unlink()
            took = cpu(archive, COMMANDS[name])
            times[name, size] = min(took, times.get((name, size), took))
    return times


def verdicts(found: dict[tuple[str, int], float], sizes: list[int]) -> list[tuple[str, float, float]]:
    """Return each number that was promised, with what was measured."""
    one, *many = sizes
    promised = [(f"{name} at {many[0]:,} sessions, x at {one}", found[name, many[0]] / found[name, one], most)
                for name, most in AT_MOST.items()]  # fmt: skip
    own = [1000 * (found["verify --all", n] - found["verify --all", one]) / (n - one) for n in many]
    promised += [
        (f"verify --all, ms CPU a session at {n:,}", ms, MS_A_SESSION) for n, ms in zip(many, own, strict=True)
    ]
    if len(many) > 1:
        a, b = many[:2]
        promised.append((f"verify --all, a session at {b:,}, x at {a:,}", own[1] / own[0], LINEAR))
        for name in AT_MOST:
            more = [(found[name, n] - found[name, one]) / n for n in (a, b)]
            grown = (more[1] * b) / max(more[0] * a, 0.05 * found[name, one])  # below 5 % is noise
            promised.append((f"{name}, what more it costs at {b:,}, x at {a:,}", grown, LINEAR * b / a))
    return promised


def large(root: Path, mib: int, walked: Walk) -> Path:
    """Write a session of so many MiB: a real one, one of whose calls came again and again; return its archive."""
    start = walked.lines[0]
    poll = next(one.event for one in walked.lines if isinstance(one.event, CallFinished))
    folder = Archive(root).folder(str(getattr(start.event, "session", "")), datetime.fromisoformat(start.at))
    folder.mkdir(parents=True)
    last, size = start, 0
    with (folder / JOURNAL).open("wb") as file:
        event: Event = start.event
        while size < mib << 20:
            last, data = chain(1 if size == 0 else last.seq + 1, start.at, event, GENESIS if size == 0 else last.hash)
            event, size = poll, size + file.write(data)
        views = dict.fromkeys((LOG, REPORT), hashlib.sha256(b"").hexdigest())
        ended = SessionEnded(outcome="passed", views=views, template=template_version())
        file.write(chain(last.seq + 1, start.at, ended, last.hash)[1])
    for name in (LOG, REPORT):
        (folder / name).touch()
    return root


def large_journals(folder: Path, walked: Walk) -> bool:
    """Print what large journals cost `verify`, in time and memory; return whether that is linear and bounded."""
    took, peak = [], 0.0
    for mib in MIB:
        archive = large(folder / f"{mib} MiB" / "archive", mib, walked)
        command = [sys.executable, "-c", _PEAK, "--archive", str(archive), "--json", "verify"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, cwd=archive.parent, capture_output=True, check=True, encoding="utf-8")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime - before.ru_utime)
        peak = int(done.stderr.splitlines()[-1]) / 1e3
        print(f"verify of a journal of {mib:>3} MiB: {took[-1]:.1f} s CPU, {peak:.0f} MB of memory at most")
    grown = took[1] / took[0] * MIB[0] / MIB[1]
    return all_told(
        (
            (f"verify, a MiB of a journal of {MIB[1]}, x of {MIB[0]}", grown, LINEAR),
            (f"verify of a journal of {MIB[1]} MiB, MB of memory", peak, PEAK_MB),
        )
    )


_PEAK = """
import resource, sys
from veza_e2e.cli.app import main
code = main()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""
"""The command line, which says at its end how many KB of memory it took."""


def main() -> int:
    """Print what was measured beside the limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=list(SIZES), help="how many sessions; the first is one")
    sizes: list[int] = parser.parse_args().sizes
    found: dict[tuple[str, int], float] = {}
    with tempfile.TemporaryDirectory() as folder:
        walked = walk()
        archives = {size: Path(folder) / str(size) / "archive" for size in sizes}
        for size, archive in archives.items():
            generate(archive, size, walked)
        for name in COMMANDS:
            found |= measured(archives, name)
        bounded = large_journals(Path(folder), walked)
    print(f"{'CPU seconds, with so many sessions':<40}", *(f"{size:>8}" for size in sizes))
    for name in COMMANDS:
        print(f"{name:<40}", *(f"{found[name, size]:>8.2f}" for size in sizes))
    return int(not (all_told(verdicts(found, sizes)) and bounded))


if __name__ == "__main__":
    sys.exit(main())
