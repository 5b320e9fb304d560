"""Checks many sessions, on all processors of the machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from veza_e2e.archive.sessions import Stored
from veza_e2e.verify.checks import Check
from veza_e2e.verify.session import verify

FEW = 32
"""So many sessions are checked sooner than other processes have started."""
_AT_ONCE = 8


def verify_several(sessions: Sequence[Stored], policy: Path | None = None) -> Iterator[tuple[Check, ...]]:
    """Iterate over the results of each session's checks, in the order of the sessions.

    Args:
        sessions: the sessions.
        policy: OpenSSH's allowed signers file, if there is one.
    """
    if not sessions:
        return
    yield verify(sessions[0], policy)  # before the processes start, which then have the templates compiled
    rest = sessions[1:]
    pool = _pool() if len(rest) > FEW else None
    if pool is None:
        yield from (verify(stored, policy) for stored in rest)
        return
    try:
        unsigned = [replace(stored, signs=None) for stored in rest]
        yield from pool.map(partial(verify, policy=policy), unsigned, chunksize=_AT_ONCE)
    finally:
        pool.shutdown(cancel_futures=True)


def _pool() -> ProcessPoolExecutor | None:
    """Return the processes; None if there is one processor, or the machine cannot share work between processes."""
    count = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    how = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    try:
        return ProcessPoolExecutor(count, mp_context=how, initializer=_uninterrupted) if count > 1 else None
    except (OSError, ImportError):
        return None


def _uninterrupted() -> None:
    """Leave Ctrl-C to the process that began this one; it ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
