"""Skips optional imports to keep start-up fast.

Only for the process of the command line, never for a program that imports this package.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

_CLIENTS = ("aiohttp", "boto3", "botocore", "httplib2", "httpx2", "requests", "tornado", "urllib3")


def without_httpx_cli() -> None:
    """Keep httpx from importing its command line (rich, Pygments). Call this before importing httpx."""
    # None makes Python raise ImportError, as if the module were not installed.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]


@contextmanager
def without_clients() -> Iterator[None]:
    """Keep vcrpy from importing the HTTP clients that it could patch.

    The strict cassette patches no client, and urllib3 even opens a socket on import.
    """
    hidden = [name for name in _CLIENTS if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def import_recorder() -> None:
    """Import what records a walkthrough: vcrpy, without those clients."""
    with without_clients():
        import_module("veza_e2e.cassettes.record")
