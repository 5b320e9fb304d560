"""What a command costs before it does anything, beside an empty click program."""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.paired import BIN, by_turns, cost, ratio, table
from benchmarks.targets import all_told

EMPTY = """
import click

@click.group()
@click.version_option("1")
def main():
    "Does nothing."

@main.command()
def nothing():
    "Does nothing either."

main()
"""
BASE = "an empty click program, `--help`"
COMMANDS = {
    "`--version`": ["--version"],
    "`--help`": ["--help"],
    "`sessions`, of an empty archive": ["sessions"],
    "`verify --help`": ["verify", "--help"],
    "`run --help`": ["run", "--help"],
}
LIMITS = {"`--version`": 1.2, "`--help`": 1.5}


def main() -> int:
    """Measure and print; 1 where a limit is passed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        empty = folder / "empty.py"
        empty.write_text(EMPTY, encoding="utf-8")
        measures = {BASE: partial(cost, [sys.executable, str(empty), "--help"], folder)}
        for what, words in COMMANDS.items():
            measures[what] = partial(cost, [str(BIN / "veza-e2e"), *words], folder)
        costs = by_turns(measures, rounds=15)
    print("\n".join(table(costs, BASE)))
    of = "CPU of {}, x an empty click program"
    return int(not all_told((of.format(what), ratio(costs, what, BASE), most) for what, most in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
