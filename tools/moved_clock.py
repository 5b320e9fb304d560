"""What each Python under libfaketime imports at its start, for libfaketime's sake; `tools/anywhere.py` sees to that.

- libfaketime leaves a sleep on the monotonic clock with EINVAL: this one waits for the same time in another way.
- It reads the C library's environment at each timed wait of any thread, and the process crashes if another thread
  changes a variable at that moment. So that environment stays as it is, and child processes get Python's own.
"""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Mapping
from functools import wraps
from typing import Any

_start: Any = subprocess.Popen.__init__


def _sleep(seconds: float) -> None:
    select.select((), (), (), seconds)


@wraps(_start)
def _started(self: Any, *positional: Any, env: Mapping[str, str] | None = None, **named: Any) -> None:
    _start(self, *positional, env=dict(os.environ) if env is None else env, **named)


def _nothing(*_: object) -> None:
    pass


for _owner, _name, _better in (
    (time, "sleep", _sleep),
    (os, "putenv", _nothing),
    (os, "unsetenv", _nothing),
    (subprocess.Popen, "__init__", _started),
):
    setattr(_owner, _name, _better)
