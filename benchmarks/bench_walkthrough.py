"""An unattended walkthrough with its report: wall time beyond the start-up of the rehearsal backend."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path

from benchmarks.targets import told

ROUNDS = 7
LIMIT = 1.0


def start_up(folder: Path) -> float:
    command = [sys.executable, "-m", "veza_rehearsal", "--contract", str(files("veza").joinpath("openapi.json"))]
    command += ["--database", f"sqlite:///{folder / 'startup.db'}", "--until-stdin-closes"]
    began = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        json.loads(process.stdout.readline())
        took = time.perf_counter() - began
        assert process.stdin
        process.stdin.close()
    return took


def walkthrough(folder: Path) -> float:
    command = [sys.executable, "-m", "veza_e2e", "--json", "run", "--unattended", "--refund"]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, check=True)
    took = time.perf_counter() - began
    assert json.loads(done.stdout)["outcome"] == "passed"
    return took


def main() -> int:
    beyond, starts = [], []
    with tempfile.TemporaryDirectory() as name:
        for number in range(ROUNDS):
            folder = Path(name) / str(number)
            folder.mkdir()
            starts.append(start_up(folder))
            beyond.append(walkthrough(folder) - starts[-1])
    print("| wall time, s | minimum | median | maximum |\n|---|--:|--:|--:|")
    for label, values in (
        ("start-up of the rehearsal backend", starts),
        ("beyond it: run --unattended --refund", beyond),
    ):
        print(f"| {label} | {min(values):.2f} | {statistics.median(values):.2f} | {max(values):.2f} |")
    return int(
        not told("wall time of an unattended walkthrough beyond the start-up, s", statistics.median(beyond), LIMIT)
    )


if __name__ == "__main__":
    sys.exit(main())
