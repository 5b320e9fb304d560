"""The site of 1,000 and of 3,000 sessions: CPU seconds to build it and to add a session, size, filters and search.

One real rehearsal is walked through; its journal is told again under a thousand ids over four years: see `archives`.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from benchmarks.archives import generate
from benchmarks.targets import all_told
from playwright.sync_api import sync_playwright

SIZES = (1000, 3000)
LIMITS = {
    "cpu_s": ("building it, s CPU", 30.0),
    "one_more_cpu_s": ("building it again with one session more, s CPU", 12.0),
    "search_index_mb": ("its search index, MB", 4.0),
    "page_kb": ("its largest page, kB", 150.0),
    "site_mb": ("all of it, MB", 120.0),
    "filter_ms": ("the slowest key of a filter, ms", 16.0),
    "first_search_s": ("the first search, s", 1.0),
}
"""What each is called, and the most that it may be at the first size."""
LINEAR = {"cpu_s": 1.1, "one_more_cpu_s": 1.1, "site_mb": 1.1}
"""At most this many times what the number of sessions grows by."""
PASSES = 5
"""How often a text is typed into a filter. A key counts with its median, or another process would count as a key."""
ROOT = Path(__file__).parents[1]


def measure(sessions: int) -> dict[str, float]:
    """Return CPU seconds of a build and of one with a session more, sizes, and how quick the archive's page is."""
    with tempfile.TemporaryDirectory() as folder:
        archive, out, root = (Path(folder) / name for name in ("archive", "site", "checkout"))
        generate(archive, sessions)
        root.mkdir()
        shutil.copy(ROOT / "mkdocs.yml", root)
        for name in ("docs", "sdk", "templates/skeleton"):
            shutil.copytree(ROOT / name, root / name)
        newest = max(archive.glob("*/*/*"), key=lambda path: path.name)
        newest.rename(root / "newest")
        whole = _built(archive, root, out)
        (root / "newest").rename(newest)
        pages = [path.stat().st_size for path in out.rglob("*.html")]
        return {
            "cpu_s": whole,
            "one_more_cpu_s": _built(archive, root, out),
            "search_index_mb": round((out / "search" / "search_index.json").stat().st_size / 1e6, 2),
            "page_kb": round(max(pages) / 1e3, 1),
            "site_mb": round(sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 1e6, 1),
            **_felt(out),
        }


def _built(archive: Path, root: Path, out: Path) -> float:
    """Build the site; return the CPU seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "veza_e2e", "--archive", str(archive), "site", "build", "--out", str(out)]
    subprocess.run(command, check=True, cwd=root, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1)


TYPED = """text => {
  const field = document.querySelector(".veza-filters input");
  const took = [];
  for (let end = 1; end <= text.length; end++) {
    field.value = text.slice(0, end);
    const begun = performance.now();
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    document.body.offsetHeight;
    took.push(performance.now() - begun);
  }
  return took;
}"""


def _felt(out: Path) -> dict[str, float]:
    """Return what the slowest key of a filter takes, and the site's first search, in Chromium."""
    archive, sought = out / "archive" / "payment-e2e", f"pay_{7:020d}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page, passes = browser.new_page(), list[list[float]]()
        for _ in range(PASSES):
            page.goto((archive / "index.html").as_uri())
            passes.append(page.evaluate(TYPED, sought))
        slowest = max(map(statistics.median, zip(*passes, strict=True)))
        page.goto((out / "index.html").as_uri())
        page.get_by_role("textbox", name="Search").click()
        begun = time.perf_counter()
        page.keyboard.insert_text(sought)
        page.keyboard.press("End")
        page.locator(".md-search-result__link").first.wait_for()
        took = time.perf_counter() - begun
        browser.close()
    return {"filter_ms": round(slowest, 1), "first_search_s": round(took, 2)}


def main() -> int:
    """Print what was measured beside the limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=list(SIZES), help="how many sessions")
    sizes: list[int] = parser.parse_args().sizes
    found = {size: measure(size) for size in sizes}
    print(f"{'with so many sessions':<34}", *(f"{size:>8}" for size in sizes))
    for name in LIMITS:
        print(f"{name:<34}", *(f"{found[size][name]:>8}" for size in sizes))
    targets = [
        (f"a site of {sizes[0]:,}: {what}", found[sizes[0]][name], most) for name, (what, most) in LIMITS.items()
    ]
    for before, after in pairwise(sizes):
        for name, most in LINEAR.items():
            grown = found[after][name] / found[before][name]
            targets.append((f"a site of {after:,}: {LIMITS[name][0]}, x of {before:,}", grown, most * after / before))
    return int(not all_told(targets))


if __name__ == "__main__":
    sys.exit(main())
