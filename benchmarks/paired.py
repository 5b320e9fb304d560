"""What commands cost in CPU and wall time, run by turns so that what else the machine does falls on each of them."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROUNDS = 9
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Cost:
    cpu: float
    wall: float


def cost(command: list[str], where: Path, variables: Mapping[str, str] | None = None) -> Cost:
    """Run a command and return what it cost; its own children count once they have ended."""
    began = time.perf_counter()
    # Each may keep what it compiled, as an installed package has it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(
        command,
        cwd=where,
        env={**environment, **(variables or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return Cost(used.ru_utime + used.ru_stime, wall)


def by_turns(measures: Mapping[str, Callable[[], Cost]], rounds: int = ROUNDS) -> dict[str, list[Cost]]:
    """Return the costs of each, in rounds; a first one, which may compile, does not count."""
    found: dict[str, list[Cost]] = {name: [] for name in measures}
    for number in range(rounds + 1):
        for name, measure in measures.items():
            one = measure()
            if number:
                found[name].append(one)
    return found


def table(costs: Mapping[str, list[Cost]], base: str) -> list[str]:
    """Return the medians as rows of Markdown; the ratios are those within the rounds."""
    rows = ["| | CPU, s | wall, s | CPU, ratio | wall, ratio |", "|---|--:|--:|--:|--:|"]
    for name, found in costs.items():
        cpu = statistics.median(one.cpu for one in found)
        wall = statistics.median(one.wall for one in found)
        walls = statistics.median(one.wall / other.wall for one, other in zip(found, costs[base], strict=True))
        rows.append(f"| {name} | {cpu:.3f} | {wall:.3f} | {ratio(costs, name, base):.2f} | {walls:.2f} |")
    return rows


def ratio(costs: Mapping[str, list[Cost]], name: str, base: str) -> float:
    """Return the median of the ratios of CPU within the rounds."""
    return statistics.median(one.cpu / other.cpu for one, other in zip(costs[name], costs[base], strict=True))
