"""Skips optional imports to keep start-up fast.

Only for the command line's own process, which nobody else imports into.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_CLIENTS = ("aiohttp", "boto3", "botocore", "httplib2", "httpx2", "requests", "tornado", "urllib3")


def without_httpx_cli() -> None:
    """Spare httpx the import of its own command line (rich, Pygments); to be called before httpx is imported."""
    # None is how Python is told that a module is not there.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]


@contextmanager
def without_clients() -> Iterator[None]:
    """Let vcrpy be imported without the HTTP clients that it could patch.

    The strict cassette patches none, and urllib3 even opens a socket when it is imported.
    """
    hidden = [name for name in _CLIENTS if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
