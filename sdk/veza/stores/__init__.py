"""Token stores for the replicas on several machines. Each module needs an extra of its own.

`veza.stores.redis` needs `veza[redis]`, `veza.stores.postgres` needs `veza[postgres]`. For the processes of one
machine, `veza.FileTokenStore` needs neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from veza.stores import postgres as postgres
    from veza.stores import redis as redis

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name in __all__:
            from importlib import import_module  # noqa: PLC0415  (an import that needs no driver does without)

            return import_module(f"veza.stores.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["postgres", "redis"]
