"""What other sessions cost: commands in archives of 1, 1,000 and 3,000 sessions, and a journal of 100 MB.

CPU seconds of the command with its children, since machines are busy; each figure is the least of several. `run` is
beside one session, so that both have something to look at.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.archives import generate, walk

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


def measured(archive: Path, name: str) -> float:
    """Return the least of several measurements."""
    times = []
    for _ in range(ROUNDS.get(name, 1)):
        if name.endswith("index lost"):
            for index in archive.parent.glob(".veza-e2e/index/*"):
                index.unlink()
        times.append(cpu(archive, COMMANDS[name]))
    return min(times)


def verdicts(found: dict[tuple[str, int], float], sizes: list[int]) -> list[tuple[str, float, float]]:
    """Return each number that was promised, with what was measured."""
    one, *many = sizes
    promised = [(f"{name} at {many[0]} / at {one}", found[name, many[0]] / found[name, one], most)
                for name, most in AT_MOST.items()]  # fmt: skip
    own = [1000 * (found["verify --all", n] - found["verify --all", one]) / (n - one) for n in many]
    promised += [(f"verify --all, ms a session at {n}", ms, MS_A_SESSION) for n, ms in zip(many, own, strict=True)]
    if len(many) > 1:
        a, b = many[:2]
        promised.append((f"verify --all, a session at {b} / at {a}", own[1] / own[0], LINEAR))
        for name in AT_MOST:
            more = [(found[name, n] - found[name, one]) / n for n in (a, b)]
            grown = (more[1] * b) / max(more[0] * a, 0.05 * found[name, one])  # below 5 % is noise
            promised.append((f"{name}, what more it costs at {b} / at {a}", grown, LINEAR * b / a))
    return promised


def main() -> int:
    """Print what was measured beside the limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=list(SIZES), help="how many sessions; the first is one")
    sizes: list[int] = parser.parse_args().sizes
    found: dict[tuple[str, int], float] = {}
    with tempfile.TemporaryDirectory() as folder:
        walked = walk()
        for size in sizes:
            archive = Path(folder) / str(size) / "archive"
            generate(archive, size, walked)
            found |= {(name, size): measured(archive, name) for name in COMMANDS}
    print(f"{'CPU seconds, with so many sessions':<40}", *(f"{size:>8}" for size in sizes))
    for name in COMMANDS:
        print(f"{name:<40}", *(f"{found[name, size]:>8.2f}" for size in sizes))
    missed = False
    for name, value, most in verdicts(found, sizes):
        missed |= value > most
        print(f"{name:<50} {value:>6.2f}  (at most {most:.2f}) {'MISSED' if value > most else 'ok'}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
