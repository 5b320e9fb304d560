"""`make bench`: every benchmark in turn; each says which of its targets it reached. Written to the docs."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.targets import HEAD, collected

ORDER = (
    "bench_startup",
    "bench_beside",
    "bench_walkthrough",
    "bench_sdk",
    "bench_replay",
    "bench_redaction",
    "bench_site",
    "bench_archive",
)
DOCS = Path(__file__).parents[1] / "docs"
OF_ITS_OWN = {"bench_sdk": DOCS / "sdk" / "benchmarks.md"}
"""Benchmarks that print a whole page."""
WHAT = {
    "bench_startup": "What a command costs before it does anything",
    "bench_beside": "A walkthrough beside Robot Framework",
    "bench_walkthrough": "An unattended walkthrough with its report",
    "bench_replay": "Replay",
    "bench_redaction": "Redaction while cookies rotate",
    "bench_site": "The site of 1,000 and of 3,000 sessions",
    "bench_archive": "An archive of 1,000 sessions",
}


def processor() -> str:
    """Return the processor's name, as far as the system tells it."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or "unnamed"


def page(printed: dict[str, str], failed: list[str], seconds: float) -> str:
    """Return the page that is committed to the docs."""
    found = {name: collected(printed[name]) for name in WHAT}
    rows = [row for _, targets in found.values() for row in targets]
    missed = sum("not reached" in row for row in rows)
    lines = [
        "# The numbers", "",
        f"Measured {datetime.now(UTC):%Y-%m-%d} by `make bench` in {seconds / 60:.1f} minutes on {os.cpu_count()}",
        f"cores ({processor()}), {platform.system()} {platform.machine()}, Python {platform.python_version()}.",
        "Ratios are of one run; machines differ.", "",
        f"{len(rows) - missed} of {len(rows)} targets reached.",
        *([f"Failed: {', '.join(failed)}."] if failed else []),
        "What the SDK costs has [a page of its own](sdk/benchmarks.md).", "",
        *HEAD, *rows,
    ]  # fmt: skip
    for name, title in WHAT.items():
        text = found[name][0]
        if text:
            lines += ["", f"## {title}", "", *([text] if text.startswith("|") else ["```", text, "```"])]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run them; 1 where one of them failed or missed its numbers."""
    missed, failed, printed, began = [], [], {}, time.monotonic()
    for name in ORDER:
        print(f"== {name}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}"]
        done = subprocess.run(command, check=False, cwd=DOCS.parent, stdout=subprocess.PIPE, encoding="utf-8")
        print(done.stdout, flush=True)
        printed[name] = done.stdout
        if done.returncode:
            missed.append(name)
            if "not reached" not in done.stdout:
                failed.append(name)
    (DOCS / "benchmarks.md").write_text(page(printed, failed, time.monotonic() - began), encoding="utf-8")
    for name, path in OF_ITS_OWN.items():
        path.write_text(printed[name], encoding="utf-8")
    if missed:
        print(f"not reached: {', '.join(missed)}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
