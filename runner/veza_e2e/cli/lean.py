"""Skips optional imports to keep start-up fast.

Only for the process of the command line, never for a program that imports this package.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, util


def without_httpx_cli() -> None:
    """Keep httpx from importing its command line (rich, Pygments). Call this before importing httpx."""
    # None makes Python raise ImportError, as if the module were not installed.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]


def without_pydantic_plugins() -> None:
    """Keep pydantic from looking through every installed package for plugins, which could also see secrets."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


@contextmanager
def only_httpx_stub() -> Iterator[None]:
    """Let what is imported in the block import vcrpy's modules alone.

    The package itself imports every HTTP client that it could patch, asyncio and YAML. What records and replays here
    needs only its stub for httpx. Who imports vcrpy later gets all of it.
    """
    spec = None if "vcr" in sys.modules else util.find_spec("vcr")
    if spec is None:
        yield
        return
    sys.modules["vcr"] = util.module_from_spec(spec)  # it has its folder, so that its modules are found
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "vcr"]:
            del sys.modules[name]


def import_recorder() -> None:
    """Import what records a walkthrough."""
    with only_httpx_stub():
        import_module("veza_e2e.cassettes.record")
