"""What a test starts in: the same surroundings whatever the caller's shell, home folder and keyring hold.

Time zone, locale and umask stay as they are: the suite holds in each, and `make anywhere` changes them.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 300.0
"""Seconds after which a child process counts as hung; a busy machine is not a failure."""

_ROOM = 2**30
"""Bytes of memory that must be free for the tests' files."""
_KEPT = frozenset({
    "PATH", "PYTHONPATH", "PYTHONHASHSEED", "TMPDIR", "SYSTEMROOT", "TZ", "LANG",
    "LD_LIBRARY_PATH", "LD_PRELOAD", "PYTEST_CURRENT_TEST", "PYTEST_DEBUG_TEMPROOT", "VEZA_TEST_EXAMPLES",
})  # fmt: skip
_FAMILIES = ("LC_", "FAKETIME", "PYTEST_XDIST_", "PLAYWRIGHT_")
"""LD_PRELOAD and FAKETIME: a moved clock is moved for child processes too, or parent and child disagree."""


def kept(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a test may see."""
    return {name: value for name, value in variables.items() if name in _KEPT or name.startswith(_FAMILIES)}


def in_memory() -> str | None:
    """Return a folder in memory for what tests write; None if there is none to be used.

    A journal waits for the disk at every event, and the suite writes hundreds of journals. That a kill loses nothing is
    tested by killing processes: which file system holds their files makes no difference to that.
    """
    folder = Path("/dev/shm")
    if not os.access(folder, os.W_OK) or shutil.disk_usage(folder).free < _ROOM:
        return None
    return None if os.statvfs(folder).f_flag & os.ST_NOEXEC else str(folder)


def settle_in() -> None:
    """Give this process, and all that it starts, an empty home folder, no secret, no proxy and no keyring."""
    memory = in_memory()
    if memory is not None and "TMPDIR" not in os.environ:
        os.environ["TMPDIR"] = os.environ["PYTEST_DEBUG_TEMPROOT"] = memory
        tempfile.tempdir = None
    caches = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    home = tempfile.mkdtemp(prefix="veza-home-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    clean = {
        **kept(os.environ),
        "HOME": home,
        "XDG_CACHE_HOME": caches,  # what tools have downloaded; a setting is not among it
        "XDG_CONFIG_HOME": home,
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "GIT_CONFIG_NOSYSTEM": "1",
        "BROWSER": "true",
        "TERM": "xterm",
    }
    os.environ.clear()
    os.environ.update(clean)
    # What the caller ignores, as a job in the background ignores Ctrl-C and hang-ups, the tests do not.
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def environment(home: Path | None = None, /, **extra: str) -> dict[str, str]:
    """Return the environment of a child process: this one's, `home` in the place of its home folder, and `extra`."""
    own = {} if home is None else {"HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    return {**os.environ, **own, **extra}


@contextmanager
def variables(wanted: Mapping[str, str]) -> Iterator[None]:
    """Make this process's environment the wanted one for a while.

    Only what differs is set: the C library's readers on other threads, libfaketime among them, crash while a variable
    is added or removed, and here that is few moments instead of hundreds.
    """
    before = dict(os.environ)
    try:
        _set(wanted)
        yield
    finally:
        _set(before)


def _set(wanted: Mapping[str, str]) -> None:
    for name in set(os.environ) - set(wanted):
        del os.environ[name]
    for name, value in wanted.items():
        if os.environ.get(name) != value:
            os.environ[name] = value
