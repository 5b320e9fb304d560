"""Reads the seller's transfers: from the rehearsal backend, from a database, or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import httpx

from veza_e2e.canonical import JSON
from veza_e2e.ports import seller_transfers as ledger


class NoLedger:
    """No ledger to read: the operator runs the SQL."""

    source: Literal["pasted", "database", "rehearsal"] = "pasted"

    def rows(self, sql: str, order_id: str) -> Sequence[Mapping[str, JSON]] | None:
        """See `protocols.Ledger`."""
        return None

    def peek(self, order_id: str) -> str | None:
        """See `protocols.Ledger`."""
        return None


class RehearsalLedger:
    """The rehearsal backend's books.

    Args:
        client: reaches the rehearsal backend. Not recorded, since it stands in for the operator's psql.
        read: whether to read rows from it. If not, they are shown on request, and the operator pastes them.
    """

    source: Literal["pasted", "database", "rehearsal"] = "rehearsal"

    def __init__(self, client: httpx.Client, *, read: bool) -> None:
        self._client = client
        self._read = read

    def rows(self, sql: str, order_id: str) -> Sequence[Mapping[str, JSON]] | None:
        """See `protocols.Ledger`."""
        return self._booked(order_id) if self._read else None

    def peek(self, order_id: str) -> str | None:
        """See `protocols.Ledger`."""
        rows = self._booked(order_id)
        return None if rows is None else ledger.table(rows)

    def _booked(self, order_id: str) -> list[dict[str, JSON]] | None:
        """Return the rows; None if the backend on this machine is not a rehearsal backend."""
        try:
            books = self._client.get("/rehearsal/books", params={"order_id": order_id})
        except httpx.HTTPError:
            return None
        if books.status_code != httpx.codes.OK:
            return None
        rows = [_joined(order_id, row) for row in books.json()["transfers"]]
        return rows or [dict.fromkeys(ledger.COLUMNS) | {"order_id": order_id}]


def _joined(order_id: str, row: Mapping[str, Any]) -> dict[str, JSON]:
    joined: dict[str, JSON] = {name: row.get(name) for name in ledger.COLUMNS}
    return {**joined, "order_id": order_id, "transfer_id": row["id"], "transfer_currency": row["currency"]}


class DatabaseLedger:
    """A read-only connection to the backend's PostgreSQL.

    Args:
        dsn: the connection string, a secret.
    """

    source: Literal["pasted", "database", "rehearsal"] = "database"

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def rows(self, sql: str, order_id: str) -> Sequence[Mapping[str, JSON]] | None:
        """See `protocols.Ledger`. Returns None, so that the operator is asked, if the database cannot be reached.

        So too if an amount is not a whole number: the table has other units or names than configured.
        """
        import psycopg  # noqa: PLC0415 - only a session with a database needs it
        from psycopg.rows import dict_row  # noqa: PLC0415

        try:
            with psycopg.connect(self._dsn, connect_timeout=10, row_factory=dict_row) as connection:
                connection.read_only = True
                # A prepared statement is only one, so no second one can leave the read-only transaction.
                rows = connection.execute(sql.encode(), prepare=True).fetchall()
        except psycopg.Error:
            return None
        plain = [{name: _plain(value) for name, value in row.items()} for row in rows]
        # An amount such as 4.50 is not counted as nothing: it is refused with its name once it is pasted.
        exact = all(isinstance(row.get(name), int | None) for row in plain for name in ledger.AMOUNTS)
        return plain if exact else None

    def peek(self, order_id: str) -> str | None:
        """See `protocols.Ledger`."""
        return None


def _plain(value: object) -> JSON:
    if value is None or isinstance(value, bool | int | str):
        return value
    text = str(value)
    return int(text) if isinstance(value, Decimal) and text.removeprefix("-").isdigit() else text
