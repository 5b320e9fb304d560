"""Opens the database: SQLite, or PostgreSQL by DSN, with the same SQL."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from veza_rehearsal.database import Database, Row, Value
from veza_rehearsal.schema import ADDED, FILL_IN, statements

if TYPE_CHECKING:
    from collections.abc import Iterator


class SqliteDatabase:
    """A database in a file, in write-ahead mode. Commits survive a kill -9.

    Args:
        path: The file; made if missing.
    """

    failures: tuple[type[Exception], ...] = (sqlite3.Error,)

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
        self._connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            self._connection.execute(f"PRAGMA {pragma}").close()
        with self.transaction():
            for statement in statements(
                serial="INTEGER PRIMARY KEY AUTOINCREMENT", uuid="TEXT", time="TEXT", bigint="INTEGER"
            ):
                self._connection.execute(statement)
            for table, name, kind in ADDED:
                if self.one("SELECT name FROM pragma_table_info(?) WHERE name = ?", table, name) is None:
                    added = kind.format(time="TEXT", bigint="INTEGER")
                    self._connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {added}")
            self._connection.execute(FILL_IN)

    def all(self, sql: str, *values: Value) -> list[Row]:
        """Return the rows of a query."""
        return [dict(row) for row in self._connection.execute(sql, values)]

    def one(self, sql: str, *values: Value) -> Row | None:
        """Return the first row of a query, if any."""
        row = self._connection.execute(sql, values).fetchone()
        return None if row is None else dict(row)

    def run(self, sql: str, *values: Value) -> int:
        """Run a statement; return the number of changed rows."""
        return self._connection.execute(sql, values).rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit at the end of the block; roll back if the block raises."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def answers(self) -> bool:
        """Whether the file can be read."""
        try:
            return self.one("SELECT 1 AS one") is not None
        except sqlite3.Error:
            return False

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def connect(url: str) -> Database:
    """Open the database, and make missing tables.

    Args:
        url: `sqlite:///PATH` or a PostgreSQL DSN.

    Returns:
        The connection.

    Raises:
        OSError: The database cannot be opened.
        ValueError: The URL is of neither kind.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1:
        # As in SQLAlchemy: three slashes before a relative path, four before an absolute one.
        path = unquote(parts.path[1:])
        try:
            return SqliteDatabase(path)
        except sqlite3.Error as error:
            raise OSError(f"{path}: {error}") from error
    if parts.scheme in {"postgresql", "postgres"}:
        from veza_rehearsal.postgres import PostgresDatabase  # noqa: PLC0415 - psycopg costs 0.15 s

        return PostgresDatabase(url)
    raise ValueError(f"no database {parts.scheme}://…: use sqlite:///PATH or postgresql://HOST/NAME")
