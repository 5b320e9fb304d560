"""`make bench`: every benchmark in turn; each says which of its targets it reached. Written to the docs."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
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


def section(name: str, printed: str, *, failed: bool = False) -> str:
    """Return a part of the page: what was measured when and on what, and its targets."""
    text, targets = collected(printed)
    made = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({processor()}), {platform.system()}"
    lines = [f"## {WHAT[name]}", "", f"{made} {platform.machine()}, Python {platform.python_version()}.", ""]
    lines += ["It failed.", ""] if failed else []
    if text:
        lines += [*([text] if text.startswith("|") else ["```", text, "```"]), ""]
    return "\n".join([*lines, *([*HEAD, *targets] if targets else [])]).rstrip() + "\n"


def page(sections: Mapping[str, str]) -> str:
    """Return the page that is committed to the docs."""
    rows = [
        line for text in sections.values() for line in text.splitlines() if line.endswith(("reached |", "reached** |"))
    ]
    missed = [row.split(" | ")[0].strip("| ") for row in rows if row.endswith("** |")]
    unmeasured = [title for name, title in WHAT.items() if name not in sections]
    lines = [
        "# The numbers", "",
        "Written by `make bench`, or in part by `python -m benchmarks NAME`. Ratios are of one run; machines differ.",
        "What the SDK costs has [a page of its own](sdk/benchmarks.md).", "",
        f"{len(rows) - len(missed)} of {len(rows)} targets reached.{' Not reached:' if missed else ''}", "",
        *(f"- {what}" for what in missed), *([""] if missed else []),
        *([f"Not measured: {'; '.join(unmeasured)}.", ""] if unmeasured else []),
    ]  # fmt: skip
    return "\n".join(lines) + "\n" + "\n".join(sections[name] for name in WHAT if name in sections)


def sections_of(text: str) -> dict[str, str]:
    """Return the parts of a page, each by the name of its benchmark."""
    parts = {part.partition("\n")[0]: part for part in text.split("\n## ")[1:]}
    return {name: f"## {parts[title].rstrip()}\n" for name, title in WHAT.items() if title in parts}


def main() -> int:
    """Run them, or those that are named; 1 if one of them failed or missed a target."""
    names = [f"bench_{name.removeprefix('bench_')}" for name in sys.argv[1:]] or ORDER
    if unknown := [name for name in names if name not in ORDER]:
        raise SystemExit(f"no benchmark {', '.join(unknown)}; there are: {', '.join(ORDER)}")
    path = DOCS / "benchmarks.md"
    sections, missed = sections_of(path.read_text(encoding="utf-8")), []
    for name in names:
        print(f"== {name}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}"]
        done = subprocess.run(command, check=False, cwd=DOCS.parent, stdout=subprocess.PIPE, encoding="utf-8")
        print(done.stdout, flush=True)
        if done.returncode:
            missed.append(name)
        if name in OF_ITS_OWN:
            OF_ITS_OWN[name].write_text(done.stdout, encoding="utf-8")
        else:
            sections[name] = section(
                name, done.stdout, failed=done.returncode != 0 and "not reached" not in done.stdout
            )
            path.write_text(page(sections), encoding="utf-8")
    if missed:
        print(f"not reached: {', '.join(missed)}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
