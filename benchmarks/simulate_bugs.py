"""Bugs put into a copy of the runner, one at a time: how many histories the simulator needs to find each.

`make simulate-bugs` writes a row for each into the docs; it ends with 1 if one is not found.
"""

# ruff: noqa: E501 - a line for each bug
from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.mutants_bugs import Bug

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "simulate-bugs.md"
MOST = 5_000
FIRST = 7_000_000


BUGS = (
    Bug("abandon asks nobody", "engine/abandon.py", "if not account.may_be_out:", "if not account.may_be_out or account.may_be_out:"),
    Bug("an order that can be paid is no risk", "money/order_account.py", "return AccountState.UNKNOWN if unpaid and silent else AccountState.AT_RISK", "return AccountState.UNTOUCHED"),
    Bug("a lost answer is sent again with another key", "steps/order.py", "created = _send(context, product, doubt.key or context.ids.key())", "created = _send(context, product, context.ids.key())"),
    Bug("only the first payment counts", "money/order_account.py", "sums([one for one in told if one] or told[:1])", "sums(told[:1])"),
    Bug("the statement's amount is not compared", "evidence/acceptance.py", "differing = [one for one in others if one.amount != shown]", "differing = [one for one in others if one.amount is None]"),
    Bug("an active license counts as revoked", "evidence/acceptance.py", 'revoked = all(status == "revoked" for status in last.statuses)', "revoked = bool(last.statuses)"),
    Bug("another seller's row is as good", "money/transfers.py", "if seller is not None and order.seller_id and not same(seller, order.seller_id):", "if seller is not None and not order.seller_id:"),
    Bug("a line is not synced", "journal/file.py", "                view = view[os.write(self._fd, view) :]\n            sync_file(self._fd)", "                view = view[os.write(self._fd, view) :]"),
    Bug("a failed session exits 0", "cli/calling.py", '"failed": Exit.FAILED', '"failed": Exit.PASSED'),
    Bug("a session ends while money is out", "engine/finish.py", "(summary.money.may_be_out and not refunded)", "(summary.money.may_be_out and refunded)"),
    Bug("a refund under way is asked for again", "steps/refund.py", "    if seen is not None and seen.pending:\n        return True", "    if seen is not None and seen.pending:\n        return False"),
    Bug("a list denies an order at once", "money/doubt.py", "CARRIED_OUT: Final = timedelta(minutes=5)", "CARRIED_OUT: Final = timedelta(0)"),
    Bug("late is missing", "steps/rows.py", "return since is not None and context.clock.now() - since >= LATE", "return since is not None"),
)  # fmt: skip


def found_after(bug: Bug) -> str:
    """Run histories on a copy with the bug until one is violated; return what the run said at last."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "runner"
        shutil.copytree(ROOT / "runner", copy, ignore=shutil.ignore_patterns("__pycache__"))
        (Path(folder) / "templates").symlink_to(ROOT / "templates")
        file = copy / "veza_e2e" / bug.file
        text = file.read_text(encoding="utf-8")
        if bug.old not in text:
            return f"not there any more: {bug.file} has changed"
        file.write_text(text.replace(bug.old, bug.new, 1), encoding="utf-8")
        ran = subprocess.run(
            [sys.executable, "-m", "benchmarks.simulate", "--seed", str(FIRST), "--histories", str(MOST), "--first"],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(copy)}, capture_output=True, encoding="utf-8", check=False,
        )  # fmt: skip
    lines = [line for line in ran.stdout.splitlines() if line.startswith("found")]
    return lines[-1] if lines else f"not found by {MOST} histories {ran.stderr[-200:]}"


def main() -> int:
    """Try each bug, or those whose names hold a word that is given; write the page if none is given."""
    rows = []
    for bug in BUGS:
        if len(sys.argv) > 1 and not any(word in bug.name for word in sys.argv[1:]):
            continue
        said = found_after(bug)
        rows.append(f"| {bug.name} | `{bug.file}` | {said} |")
        print(rows[-1], flush=True)
    if len(sys.argv) == 1:
        PAGE.write_text(page(rows), encoding="utf-8")
    return 0 if all("| found " in row for row in rows) else 1


def page(rows: list[str]) -> str:
    """The page of the docs."""
    return (
        "# Bugs that the simulator finds\n\n"
        "Each bug is put into a copy of the runner, alone. Then histories are lived, from one seed for all, until one\n"
        f"violates what must hold; at most {MOST:,}.\n\n"
        "| bug | in | the first violation |\n|---|---|---|\n" + "\n".join(rows) + "\n\n"
        f"Measured {datetime.now(UTC):%Y-%m-%d} by `make simulate-bugs`, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
