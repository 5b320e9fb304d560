"""PostgreSQL behind the same interface as SQLite. Returns ids and times as text, as the API shows them."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, LiteralString, cast

import psycopg
from psycopg.adapt import Loader
from psycopg.rows import dict_row

from veza_rehearsal.clock import stamp
from veza_rehearsal.schema import ADDED, FILL_IN, statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg.abc import Buffer

    from veza_rehearsal.database import Row, Value


class _TextLoader(Loader):
    def load(self, data: Buffer) -> str:
        return bytes(data).decode()


class _StampLoader(Loader):
    def load(self, data: Buffer) -> str:
        return stamp(datetime.fromisoformat(bytes(data).decode()))


class PostgresDatabase:
    """A PostgreSQL database.

    Args:
        dsn: Its address. Missing tables are made in the default schema.

    Raises:
        OSError: It cannot be reached.
    """

    failures: tuple[type[Exception], ...] = (psycopg.Error,)

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        try:
            self._connection = self._connect()
        except psycopg.Error as error:
            raise OSError(str(error).strip()) from error
        with self.transaction():
            for statement in statements(
                serial="BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
                uuid="UUID",
                time="TIMESTAMPTZ",
                bigint="BIGINT",
            ):
                self.run(statement)
            for table, name, kind in ADDED:
                added = kind.format(time="TIMESTAMPTZ", bigint="BIGINT")
                self.run(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {name} {added}")
            self.run(FILL_IN)

    def _connect(self) -> psycopg.Connection[Row]:
        connection = psycopg.connect(self._dsn, autocommit=True, row_factory=dict_row)
        connection.adapters.register_loader("uuid", _TextLoader)
        connection.adapters.register_loader("timestamptz", _StampLoader)
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute("SET client_min_messages TO warning")
        return connection

    def all(self, sql: str, *values: Value) -> list[Row]:
        """Return the rows of a query."""
        return self._connection.execute(_placed(sql), values).fetchall()

    def one(self, sql: str, *values: Value) -> Row | None:
        """Return the first row of a query, if any."""
        return self._connection.execute(_placed(sql), values).fetchone()

    def run(self, sql: str, *values: Value) -> int:
        """Run a statement; return the number of changed rows."""
        return self._connection.execute(_placed(sql), values).rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit at the end of the block; roll back if the block raises."""
        if self._connection.closed:
            self._connection = self._connect()
        with self._connection.transaction():
            yield

    def answers(self) -> bool:
        """Whether the server can be reached; reconnects if it was away."""
        try:
            with self.transaction():
                return self.one("SELECT 1 AS one") is not None
        except psycopg.Error:
            return False

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _placed(sql: str) -> LiteralString:
    # Every statement is a literal of this package, in which a question mark always stands for a value.
    placed: Any = sql.replace("?", "%s")
    return cast("LiteralString", placed)
