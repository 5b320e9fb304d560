"""What README says was measured stands in the pages that it links; a page of measurements says what, when, on what."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from benchmarks import __main__ as bench
from benchmarks.targets import HEAD, all_told

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


def test_make_bench_tells_the_targets_of_each_part_and_how_many_are_reached(capsys: pytest.CaptureFixture[str]) -> None:
    print("| a | table |")
    assert not all_told([("a run, x another", 1.234, 1.5), ("a build, s", 31, 30.0)])
    beside = bench.section("bench_beside", capsys.readouterr().out)
    table = [*HEAD, "| a run, x another | 1.23 | 1.5 | reached |", "| a build, s | 31.00 | 30 | **not reached** |"]
    assert "\n\n| a | table |\n\n" + "\n".join(table) in beside
    assert DATED.search(beside)
    site = bench.section("bench_site", "figures", failed=True)
    assert "It failed.\n\n```\nfigures\n```" in site
    page = bench.page({"bench_site": site, "bench_beside": beside})
    assert "1 of 2 targets reached. Not reached:\n\n- a build, s\n\n" in page
    assert "\n\nNot measured: What a command costs before it does anything; An unattended walk" in page
    assert "target: " not in page
    assert bench.page(bench.sections_of(page)) == page, "a part can be measured again, and the others stay"
