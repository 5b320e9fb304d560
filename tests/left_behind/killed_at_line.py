"""Runs `veza-e2e` and kills it with SIGKILL where it is about to write a chosen line.

    python killed_at_line.py PATTERN SHARE -- ARGUMENTS

The line is the first written to a file that the regular expression PATTERN fits. SHARE is what still gets onto the disk
of it: `none`, `half` or `whole`.
"""

from __future__ import annotations

import os
import re
import signal
import sys


def main() -> int:
    pattern, share = re.compile(sys.argv[1].encode()), sys.argv[2]
    write = os.write

    def at(descriptor: int, data: bytes) -> int:
        line = bytes(data)
        if not pattern.search(line):
            return write(descriptor, line)
        write(descriptor, {"none": b"", "half": line[: len(line) // 2], "whole": line}[share])
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    os.write = at  # type: ignore[assignment]

    from veza_e2e.cli.app import main as command  # noqa: PLC0415 - the call is wrapped first

    return command(sys.argv[4:])


if __name__ == "__main__":
    sys.exit(main())
