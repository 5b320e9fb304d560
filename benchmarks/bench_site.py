"""The site of a thousand sessions: CPU seconds to build it, the search index, the largest page.

One real rehearsal is walked through; its journal is told again under a thousand ids over four years: see `archives`.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.archives import generate

SESSIONS = 1000
LIMITS = {"cpu_s": 60.0, "search_index_mb": 4.0, "page_kb": 150.0}
ROOT = Path(__file__).parents[1]


def measure(sessions: int = SESSIONS) -> dict[str, float]:
    """Return CPU seconds of `site build`, the search index in MB, the largest page in KB."""
    with tempfile.TemporaryDirectory() as folder:
        archive, out, root = (Path(folder) / name for name in ("archive", "site", "checkout"))
        generate(archive, sessions)
        root.mkdir()
        shutil.copy(ROOT / "mkdocs.yml", root)
        for name in ("docs", "sdk"):
            shutil.copytree(ROOT / name, root / name)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "veza_e2e", "--archive", str(archive), "site", "build", "--out", str(out)]
        subprocess.run(command, check=True, cwd=root, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        pages = [path.stat().st_size for path in out.rglob("*.html")]
        return {
            "cpu_s": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
            "search_index_mb": round((out / "search" / "search_index.json").stat().st_size / 1e6, 2),
            "page_kb": round(max(pages) / 1e3, 1),
            "site_mb": round(sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 1e6, 1),
        }


def main() -> int:
    """Print what was measured beside the limits."""
    measured = measure(int(sys.argv[1]) if len(sys.argv) > 1 else SESSIONS)
    for name, value in measured.items():
        print(f"site {name:<16} {value:>8} (limit {LIMITS.get(name, '-')})")
    return int(any(measured[name] > limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
