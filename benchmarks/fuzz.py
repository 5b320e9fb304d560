"""`make fuzz`: walkthroughs against answers that the contract allows, until 20,000 answers were given."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parents[1]
TESTS = "tests/journeys/test_never_altered.py"
PAGE = ROOT / "docs" / "fuzz.md"
WALKTHROUGHS = 840
ANSWERS = 20_000


def main() -> int:
    """Run them and write the page; 1 if one differs, or if there were too few answers."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "found.xml"
        done = subprocess.run(
            [
                sys.executable, "-m", "pytest", "-q", "-n2", "-k", "any_answers", f"--junit-xml={found}", TESTS,
            ],
            cwd=ROOT, env={**os.environ, "VEZA_TEST_EXAMPLES": str(WALKTHROUGHS)}, check=False,
        )  # fmt: skip
        suite = ET.parse(found).getroot()
    cases = suite.findall(".//testcase")
    differ = [case.get("name") for case in cases if case.find("failure") is not None or case.find("error") is not None]
    answers = sum(int(one.get("value", "0")) for one in suite.findall(".//property[@name='answers']"))
    PAGE.write_text(
        "# Any answer that the contract allows\n\n"
        "Each walkthrough runs against a rehearsal backend whose answers get odd ids (such as look like a key, a card\n"
        "number or a token), and cookies, headers and extra members with the names of secrets and the values of ids,\n"
        "amounts and statuses. Every second one fails after the charge and is resumed to its refund. All must end as\n"
        "they would without redaction, with every id and amount as it came.\n\n"
        "| walkthroughs | answers | differ | minutes |\n|--:|--:|--:|--:|\n"
        f"| {len(cases)} | {answers:,} | {len(differ)} | {(time.monotonic() - began) / 60:.1f} |\n\n"
        f"Measured {datetime.now(UTC):%Y-%m-%d} by `make fuzz` on {os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}.\n",
        encoding="utf-8",
    )
    print(f"{len(cases)} walkthroughs, {answers:,} answers, {len(differ)} differ: {differ}")
    return int(done.returncode != 0 or bool(differ) or answers < ANSWERS)


if __name__ == "__main__":
    sys.exit(main())
