# Written by sdk/generate.py; not edited by hand.
"""A store for several machines: a table of a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, Final

import psycopg
from psycopg import errors, sql
from psycopg.rows import tuple_row

from veza._stores import secrets_of_dsn, store_error, whole_dsn
from veza._sync.leased import LeasedStore

_CREATE: Final = """
CREATE TABLE IF NOT EXISTS {table} (
    name text PRIMARY KEY,
    content text,
    holder text NOT NULL,
    held_until timestamptz NOT NULL
)
"""
# The clock is the server's, and that of this moment: not of the transaction's begin.
_ACQUIRE: Final = """
INSERT INTO {table} AS kept (name, holder, held_until)
VALUES (%(name)s, %(holder)s, clock_timestamp() + make_interval(secs => %(lease)s))
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
WHERE kept.held_until <= clock_timestamp()
"""
_RELEASE: Final = "UPDATE {table} SET held_until = '-infinity' WHERE name = %(name)s AND holder = %(holder)s"
_WRITE: Final = "UPDATE {table} SET content = %(content)s WHERE name = %(name)s AND holder = %(holder)s"
_READ: Final = "SELECT content FROM {table} WHERE name = %(name)s"


class PostgresTokenStore(LeasedStore):
    """A token store in a table of a PostgreSQL database. Each statement is a transaction of its own.

    There are no locks of a session, no prepared statements and no connection that is kept, so it works through
    pgbouncer in transaction mode. `create()` makes the table, or its statement in the documentation does.

    Args:
        database: its URL or DSN, or a function that returns a context with a connection, such as `pool.connection`.
        name: the row: one for each account.
        table: the table, with its schema if need be (`auth.veza_login`).
        lease: seconds after which the lock of a replica that was killed ends. A login must take no longer.

    Raises:
        InvalidRequestError: the DSN is malformed.
    """

    def __init__(
        self,
        database: str | Callable[[], AbstractContextManager[psycopg.Connection[Any]]],
        *,
        name: str = "veza",
        table: str = "veza_login",
        lease: float = 30.0,
    ) -> None:
        super().__init__(name, lease)
        self._table = sql.Identifier(*table.split("."))
        self._connection = None if isinstance(database, str) else database
        self._dsn = whole_dsn(database) if isinstance(database, str) else None
        self._secrets = secrets_of_dsn(database) if isinstance(database, str) else ()

    def create(self) -> None:
        """Make the table, unless it is there.

        Raises:
            TokenStoreError: the database cannot be used, or the account may not make tables.
        """
        with self._connected() as connection:
            self._made(connection)

    def _made(self, connection: psycopg.Connection[Any]) -> None:
        # Another replica makes it too: the table, its name, or the type of its rows is there by then.
        with suppress(errors.DuplicateTable, errors.UniqueViolation, errors.DuplicateObject):
            self._changed(connection, _CREATE)

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        try:
            if self._connection is not None:
                with self._connection() as connection:
                    yield connection
            elif self._dsn is not None:
                with psycopg.Connection.connect(
                    self._dsn.get_secret_value(), autocommit=True, prepare_threshold=None
                ) as connection:
                    yield connection
        except psycopg.Error as error:
            # Not its details: they can quote the row.
            text = error.diag.message_primary or str(error)
            hint = "; create() makes the table" if isinstance(error, errors.UndefinedTable) else ""
            raise store_error("PostgreSQL", f"{type(error).__name__}: {text}{hint}", self._secrets) from None

    def _acquire(self, connection: psycopg.Connection[Any], holder: str) -> bool:
        return self._changed(connection, _ACQUIRE, holder=holder, lease=self._lease)

    def _release(self, connection: psycopg.Connection[Any], holder: str) -> None:
        self._changed(connection, _RELEASE, holder=holder)

    def _write(self, connection: psycopg.Connection[Any], holder: str, text: str) -> bool:
        return self._changed(connection, _WRITE, holder=holder, content=text)

    def _read(self, connection: psycopg.Connection[Any]) -> str | None:
        with self._transaction(connection), connection.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(self._statement(_READ), {"name": self._name}, prepare=False)
            row = cursor.fetchone()
        return None if row is None else str(row[0]) if row[0] is not None else None

    def _changed(self, connection: psycopg.Connection[Any], statement: str, **values: object) -> bool:
        try:
            with self._transaction(connection):
                parameters = {"name": self._name, **values}
                done = connection.execute(self._statement(statement), parameters, prepare=False)
                return done.rowcount == 1
        except errors.SerializationFailure:  # at a stricter isolation than PostgreSQL's own: another was first
            return False

    def _transaction(self, connection: psycopg.Connection[Any]) -> AbstractContextManager[object]:
        """Return what commits a statement: nothing need be sent for that on a connection of our own."""
        return nullcontext() if self._connection is None else connection.transaction()

    def _statement(self, text: str) -> sql.Composed:
        return sql.SQL(text).format(table=self._table)
