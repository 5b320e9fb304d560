"""The command, some seconds ahead of the machine's clock: `python later.py SECONDS WORD …`."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta

from veza import SystemClock
from veza_e2e.cli.app import main
from veza_e2e.ports.machine import Machine


class Ahead(SystemClock):
    """The machine's clock, moved on as far as a test says; nothing waits for it."""

    def __init__(self, seconds: int = 0) -> None:
        self.seconds = seconds

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.seconds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:], Machine(Ahead(int(sys.argv[1])))))
