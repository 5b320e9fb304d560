"""Make the editable install's path file relative: `python tools/relative_paths.py`.

Python 3.11 reads a `.pth` file in the locale's encoding. With `LC_ALL=C` it cannot read one that names a folder such as
`veza ü`, and then starts with a traceback in every process. A relative line is plain ASCII wherever the checkout lies.
"""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Rewrite the lines that lie below the checkout."""
    packages = Path(sysconfig.get_path("purelib")).resolve()
    for path in packages.glob("*veza*.pth"):
        lines = [Path(os.fsdecode(line)) for line in path.read_bytes().splitlines()]
        ours = [Path(os.path.relpath(line, packages)) if line.is_relative_to(ROOT) else line for line in lines]
        path.write_bytes(b"".join(os.fsencode(line) + b"\n" for line in ours))


if __name__ == "__main__":
    main()
