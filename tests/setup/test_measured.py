"""What README says was measured stands in the pages that it links; a page of measurements says what, when, on what."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from benchmarks import __main__ as bench
from benchmarks.targets import HEAD, all_told, collected

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ROWS = [line for line in README.partition("## What was measured")[2].partition("\n## ")[0].splitlines() if "](" in line]
NUMBER = re.compile(r"(?<![\w.])[0-9][0-9,.]*[0-9]|(?<![\w.,])[0-9](?![\w.,]*[0-9])")
DATED = re.compile(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]")


def pages_of(row: str) -> list[Path]:
    return [ROOT / link for link in re.findall(r"\]\(([^)#]+)\)", row)]


def counted(text: str) -> set[str]:
    """Return how many rows each table of a page has, and all of them."""
    sizes = [block.count("\n|") - 1 for block in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE)]
    return {f"{size:,}" for size in (*sizes, sum(sizes))}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[:40])
def test_each_number_of_readme_stands_in_the_page_that_it_is_taken_from(row: str) -> None:
    what, measured, _ = row.strip("|").split(" | ")
    claimed = set(NUMBER.findall(re.sub(r"\]\([^)]*\)", "]", f"{what} {measured}")))
    texts = [page.read_text(encoding="utf-8") for page in pages_of(row)]
    told = {number for text in texts for number in (*NUMBER.findall(text), *counted(text))}
    assert claimed <= told


def test_readme_shows_the_numbers_of_each_page_of_measurements() -> None:
    linked = {page for row in ROWS for page in pages_of(row)}
    assert len(ROWS) > 5
    assert all(page.is_file() for page in linked)
    assert {ROOT / "docs" / "benchmarks.md", *bench.OF_ITS_OWN.values()} <= linked


def test_the_pages_of_make_bench_say_when_and_on_what_they_were_measured() -> None:
    for page in (bench.DOCS / "benchmarks.md", *bench.OF_ITS_OWN.values()):
        text = page.read_text(encoding="utf-8")
        assert DATED.search(text), page
        assert re.search(r"[0-9]+\s+cores", text), page
        assert "Python 3." in text, page


def test_make_bench_collects_the_targets_into_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    printed = dict.fromkeys(bench.WHAT, "some figures")
    print("| a | table |")
    assert not all_told([("a run, x another", 1.234, 1.5), ("a build, s", 31, 30.0)])
    printed["bench_beside"] = capsys.readouterr().out
    page = bench.page(printed, ["bench_site"], 60)
    table = [
        *HEAD,
        "| a run, x another | 1.23 | 1.5 | reached |",
        "| a build, s | 31.00 | 30 | **not reached** |",
    ]
    assert "\n".join(table) in page
    assert "1 of 2 targets reached." in page
    assert "Failed: bench_site." in page
    assert collected(printed["bench_beside"])[0] == "| a | table |"
    assert page.count("target: ") == 0
    assert "## A walkthrough beside Robot Framework\n\n| a | table |" in page
