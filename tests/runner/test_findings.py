"""Findings have fixed names: each is documented, and each is one that a step can end with."""

from __future__ import annotations

import re
from pathlib import Path

from veza_e2e.journal.findings import FindingCode

ROOT = Path(__file__).parents[2]


def test_the_docs_name_every_finding_and_no_other() -> None:
    page = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `([a-z_]+)` \| (.+) \|$", page, re.MULTILINE))
    assert documented == {str(code): code.description for code in FindingCode}


def test_every_finding_is_one_that_a_step_can_end_with() -> None:
    rooms = [ROOT / "runner" / "veza_e2e" / room for room in ("steps", "engine", "money")]
    source = "".join(path.read_text(encoding="utf-8") for room in rooms for path in sorted(room.glob("*.py")))
    assert [code.name for code in FindingCode if f"FindingCode.{code.name}" not in source] == []
