"""`make bench`: every benchmark in turn; each prints its table and says whether its numbers were reached."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ORDER = ("bench_walkthrough", "bench_sdk", "bench_replay", "bench_site")


def main() -> int:
    """Run them; 1 where one of them failed or missed its numbers."""
    here = Path(__file__).parent
    missed = []
    for name in ORDER:
        path = here / f"{name}.py"
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, str(path)], check=False, cwd=here.parent).returncode:
            missed.append(name)
    if missed:
        print(f"not reached: {', '.join(missed)}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
