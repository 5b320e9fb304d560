"""Reads the seller's transfers: from the rehearsal backend, from a database, or not at all."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from decimal import Decimal
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any, Final, Literal

import httpx

from veza_e2e.canonical import JSON
from veza_e2e.ports import seller_transfers as ledger
from veza_e2e.ports.protocols import LedgerReading

if TYPE_CHECKING:
    import psycopg

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST = 200
_LONGEST_NAME = 60


class _Scripts:
    """Writes the SQL for psql to a file.

    Args:
        scripts: the folder; None writes nothing.
    """

    def __init__(self, scripts: Path | None) -> None:
        self._scripts = scripts

    def script(self, sql: str, order_id: str) -> str | None:
        """See `protocols.Ledger`."""
        if self._scripts is None:
            return None
        path = self._scripts / f"order-{_UNSAFE.sub('_', order_id)[:_LONGEST_NAME]}.sql"
        try:
            self._scripts.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{sql}\n", encoding="utf-8")
        except OSError:
            return None
        return str(path)


class NoLedger(_Scripts):
    """No ledger to read: the operator runs the SQL."""

    source: Literal["pasted", "database", "rehearsal"] = "pasted"

    def __init__(self, scripts: Path | None = None) -> None:
        super().__init__(scripts)

    def rows(self, sql: str, order_id: str) -> LedgerReading:
        """See `protocols.Ledger`."""
        return LedgerReading(None)

    def peek(self, order_id: str) -> str | None:
        """See `protocols.Ledger`."""
        return None


class RehearsalLedger(_Scripts):
    """The rehearsal backend's books.

    Args:
        client: reaches the rehearsal backend. Not recorded, since it stands in for the operator's psql.
        read: whether to read rows from it. If not, they are shown on request, and the operator pastes them.
        scripts: see `_Scripts`.
    """

    source: Literal["pasted", "database", "rehearsal"] = "rehearsal"

    def __init__(self, client: httpx.Client, *, read: bool, scripts: Path | None = None) -> None:
        super().__init__(scripts)
        self._client = client
        self._read = read

    def rows(self, sql: str, order_id: str) -> LedgerReading:
        """See `protocols.Ledger`."""
        return self._booked(order_id) if self._read else LedgerReading(None)

    def peek(self, order_id: str) -> str | None:
        """See `protocols.Ledger`."""
        reading = self._booked(order_id)
        return reading.reason if reading.rows is None else ledger.expanded(reading.rows)

    def _booked(self, order_id: str) -> LedgerReading:
        """Return the rows in the books; why not, if the backend on this machine answers anything else."""
        unread = "the rehearsal backend's books cannot be read"
        try:
            books = self._client.get("/rehearsal/books", params={"order_id": order_id})
        except httpx.HTTPError as error:
            return LedgerReading(None, f"{unread}: {type(error).__name__}")
        if books.status_code != httpx.codes.OK:
            return LedgerReading(None, f"{unread}: it answered {books.status_code}")
        try:
            rows = [_joined(order_id, row) for row in books.json()["transfers"]]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return LedgerReading(None, f"{unread}: its answer is no books")
        rows = rows or [dict.fromkeys(ledger.COLUMNS) | {"order_id": order_id}]
        return LedgerReading([{**row, "row_count": len(rows)} for row in rows])


def _joined(order_id: str, row: Mapping[str, Any]) -> dict[str, JSON]:
    joined: dict[str, JSON] = {name: row.get(name) for name in ledger.COLUMNS}
    return {**joined, "order_id": order_id, "transfer_id": row["id"], "transfer_currency": row["currency"]}


class DatabaseLedger(_Scripts):
    """A read-only connection to the backend's PostgreSQL, directly or through a pool.

    Args:
        dsn: the connection string, a secret.
        scripts: see `_Scripts`.
        limit: seconds that one reading may take.
        deferred: defers signals (`Interrupts.deferred`).
    """

    source: Literal["pasted", "database", "rehearsal"] = "database"

    def __init__(
        self,
        dsn: str,
        scripts: Path | None = None,
        *,
        limit: float = 30.0,
        deferred: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        super().__init__(scripts)
        self._deferred = deferred
        self._dsn = dsn
        self._limit = limit

    def rows(self, sql: str, order_id: str) -> LedgerReading:
        """See `protocols.Ledger`. The reason never holds a part of the connection string.

        Amounts that are not whole numbers are refused: the table has other units or names than configured.
        """
        import psycopg  # noqa: PLC0415 - only a session with a database needs it

        filtered = False
        try:
            try:
                rows = self._selected(sql, security="off")
            except psycopg.errors.InsufficientPrivilege as error:
                if "row-level security" not in str(error):
                    raise
                filtered = True
                rows = self._selected(sql, security="on")
        except psycopg.Error as error:
            return LedgerReading(None, self._why(error))
        plain = [{name: _plain(value) for name, value in row.items()} for row in rows]
        if filtered and all(row.get("amount_cents") is None for row in plain):
            return LedgerReading(None, "row level security may hide the rows from this user of the database")
        if filtered:
            plain = [{**row, "row_count": None} for row in plain]  # nobody can say that none is hidden
        for name in sorted(ledger.WHOLE):
            # An amount such as 4.50 is not counted as nothing: it is refused with its name once it is pasted.
            if not all(isinstance(row.get(name), int | None) for row in plain):
                return LedgerReading(None, f"{name} is not a whole number of minor units in this database")
        return LedgerReading(plain)

    def trial(self) -> str | None:
        """Connect and read nothing; return why that fails, or None."""
        reading = self.rows("SELECT 1 AS tried", "")
        return reading.reason

    def peek(self, order_id: str) -> str | None:
        """See `protocols.Ledger`."""
        return None

    def _selected(self, sql: str, *, security: Literal["on", "off"]) -> list[dict[str, Any]]:
        """Return the rows; without row level security the server refuses what it would have filtered."""
        with self._connection() as connection:
            for name, value in (("statement_timeout", "15s"), ("lock_timeout", "5s"), ("row_security", security)):
                connection.execute(f"SET LOCAL {name} = '{value}'".encode())
            with connection.cursor() as cursor:
                # The extended protocol takes one statement, so no second one can leave the read-only transaction.
                return list(cursor.stream(sql.encode()))

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        """Yield a read-only connection whose socket is shut down at the time limit, so that no server blocks us."""
        import psycopg  # noqa: PLC0415
        from psycopg.rows import dict_row  # noqa: PLC0415

        # A pool in transaction mode knows no prepared statement of an earlier transaction.
        with psycopg.connect(
            self._dsn, connect_timeout=max(2, min(10, int(self._limit))), prepare_threshold=None, row_factory=dict_row
        ) as connection:
            connection.read_only = True
            descriptor = os.dup(connection.pgconn.socket)
            with socket.socket(fileno=descriptor) as line:
                timer = Timer(self._limit, _shut, (line,))
                timer.daemon = True
                with self._deferred():  # psycopg expects signals, a thread that is being started does not
                    timer.start()
                try:
                    yield connection
                finally:
                    with self._deferred():
                        timer.cancel()
                        timer.join()

    @staticmethod
    def _why(error: psycopg.Error) -> str:
        message = error.diag.message_primary
        if message is not None and not (error.sqlstate or "").startswith(("08", "28", "3D")):
            return f"the database says: {message:.{_LONGEST}}"
        if error.sqlstate is not None:
            return _STATES.get(error.sqlstate[:2], f"the database refused the connection ({error.sqlstate})")
        told = str(error).lower()
        return next((why for part, why in _TOLD if part in told), "the database cannot be reached")


def _shut(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


_STATES: Final = {
    "28": "the database refused the user or the password of VEZA_DATABASE_URL",
    "3D": "the server has no database of the name in VEZA_DATABASE_URL",
}
_TOLD: Final = (
    ("timeout", "the database did not answer in time"),
    ("timed out", "the database did not answer in time"),
    ("refused", "the connection was refused"),
    ("resolve", "the database's host is not known"),
    ("translate host", "the database's host is not known"),
    ("name or service", "the database's host is not known"),
    ("password", "the database refused the user or the password of VEZA_DATABASE_URL"),
    ("authentication", "the database refused the user or the password of VEZA_DATABASE_URL"),
    ("does not exist", "the server has no such database or user as in VEZA_DATABASE_URL"),
    ("closed", "the database ended the connection, or did not answer in time"),
    ("ssl", "no encrypted connection to the database could be made"),
    ("connection info", "VEZA_DATABASE_URL is not a connection string"),
    ("connection option", "VEZA_DATABASE_URL is not a connection string"),
    ("uri", "VEZA_DATABASE_URL is not a connection string"),
)
"""What libpq says while it connects, in words that hold no part of the connection string."""


def _plain(value: object) -> JSON:
    if value is None or isinstance(value, bool | int | str):
        return value
    text = str(value)
    return int(text) if isinstance(value, Decimal) and text.removeprefix("-").isdigit() else text
