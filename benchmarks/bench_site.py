"""The site of a thousand sessions: CPU seconds to build it and to add one session, its size, its filters and search.

One real rehearsal is walked through; its journal is told again under a thousand ids over four years: see `archives`.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.archives import generate
from playwright.sync_api import sync_playwright

SESSIONS = 1000
LIMITS = {
    "cpu_s": 30.0, "one_more_cpu_s": 12.0, "search_index_mb": 4.0, "page_kb": 150.0, "site_mb": 120.0,
    "filter_ms": 16.0, "first_search_s": 1.0,
}  # fmt: skip
ROOT = Path(__file__).parents[1]


def measure(sessions: int = SESSIONS) -> dict[str, float]:
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
  return Math.max(...took);
}"""


def _felt(out: Path) -> dict[str, float]:
    """Return what the slowest key of a filter takes, and the site's first search, in Chromium."""
    archive, sought = out / "archive" / "payment-e2e", f"pay_{7:020d}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        page.goto((archive / "index.html").as_uri())
        slowest = page.evaluate(TYPED, sought)
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
    measured = measure(int(sys.argv[1]) if len(sys.argv) > 1 else SESSIONS)
    for name, value in measured.items():
        print(f"site {name:<16} {value:>8} (limit {LIMITS.get(name, '-')})")
    return int(any(measured[name] > limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
