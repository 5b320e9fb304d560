"""The entry point of `veza-e2e` and `python -m veza_e2e`."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from contextlib import suppress

_SELDOM = 250_000
"""New objects between two collections: nearly all that a command makes it keeps, so that looking finds little."""


def main() -> int:
    """Check that the machine has what is needed, then run the command.

    Returns:
        The exit code.
    """
    if sys.platform not in {"linux", "darwin"}:
        sys.stderr.write(f"veza-e2e runs on Linux and macOS, not on {sys.platform}; on Windows use WSL.\n")
        return 2
    _open_input()
    gc.set_threshold(_SELDOM)
    try:
        run = _command()
    except KeyboardInterrupt:  # from here on the command says more of itself
        sys.stderr.write("\nveza-e2e: interrupted by SIGINT\n  nothing was begun\n")
        return 130
    if run is None:
        sys.stderr.write("veza-e2e needs the extra: pip install 'veza[e2e]'\n")
        return 2
    code = run()
    with suppress(KeyboardInterrupt):  # the command has ended, so its exit code stands
        _spare_the_exit()
        gc.freeze()  # else Python looks through everything once more before it exits
    return code


def _command() -> Callable[[], int] | None:
    """Import the command; return None if click is not installed."""
    try:
        import click  # noqa: F401, PLC0415 - asked for before anything else
    except ModuleNotFoundError:
        return None
    from veza_e2e.cli.app import main as run  # noqa: PLC0415
    from veza_e2e.ports.interrupts import none_dropped  # noqa: PLC0415

    return none_dropped()(run)


def _spare_the_exit() -> None:
    """Drop output that nobody can read; else Python retries at exit and replaces our exit code by 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _open_input() -> None:
    """Give a process without standard input an empty one; else the journal would get descriptor 0 and be read."""
    if sys.stdin is None:
        sys.stdin = open(os.open(os.devnull, os.O_RDONLY), encoding="utf-8")  # noqa: PTH123, SIM115 - for good


if __name__ == "__main__":
    sys.exit(main())
