"""contract coverage: every documented answer, by direction, counted; the page in the docs is the one it writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from veza_contract import spec

from .conftest import CONTRACT, ROOT, Done

PAGE = ROOT / "docs/contract-coverage.md"
C = 8


def _rows(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]


@pytest.mark.process
@pytest.mark.slow
def test_every_documented_answer_is_held_and_the_page_says_how_often(
    veza_e2e: Callable[..., Done], tmp_path: Path
) -> None:
    (tmp_path / "cassettes").symlink_to(ROOT / "cassettes")
    done = veza_e2e("--json", "contract", "coverage", "--write", "coverage.md")
    assert [item for item in done.document["items"] if item["status"] != "covered"] == []
    assert done.code == 0, done.err
    ours = spec.read(spec.load(CONTRACT))
    wanted = {f"{operation.id} {status}" for operation in ours.operations for status in operation.responses}
    assert {item["name"] for item in done.document["items"]} == wanted
    assert {item["status"] for item in done.document["items"]} == {"covered"}
    made, committed = (
        _rows((tmp_path / "coverage.md").read_text(encoding="utf-8")),
        _rows(PAGE.read_text(encoding="utf-8")),
    )
    answered = {row[0] for row in made[2:] if row[C - 1] != "0"}
    assert answered == {operation.id for operation in ours.operations}, "schemathesis had an answer of each operation"
    # What the backend answers to generated requests differs a little from run to run.
    for row in (*made, *committed):
        del row[C - 1]
    assert made == committed, "veza-e2e contract coverage --write docs/contract-coverage.md"
