"""Token stores in a PostgreSQL database: `pip install veza[postgres]`."""

from __future__ import annotations

try:
    from veza._async.postgres_store import AsyncPostgresTokenStore
    from veza._sync.postgres_store import PostgresTokenStore
except ModuleNotFoundError as _error:
    if (_error.name or "").partition(".")[0] != "psycopg":
        raise
    text = "veza.stores.postgres needs psycopg 3: pip install 'veza[postgres]'"
    raise ModuleNotFoundError(text, name="psycopg") from None

__all__ = ["AsyncPostgresTokenStore", "PostgresTokenStore"]
