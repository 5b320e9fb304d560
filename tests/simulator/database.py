"""The simulated database: runs the walkthrough's own SQL over the books, and prints it as psql does."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from collections.abc import Sequence
from typing import Any

from simulator.world import World

Table = tuple[list[str], list[tuple[object, ...]]]
_STATEMENT = re.compile(r"SELECT\b(?:(?!;\s*$)(?!;\s*\n).)*?\bJOIN\b.*?;", re.DOTALL | re.IGNORECASE)
_CAST = re.compile(r"::[a-z_]+")


class _Joined:
    """PostgreSQL's string_agg(DISTINCT text, text)."""

    def __init__(self) -> None:
        self._seen: dict[Any, None] = {}

    def step(self, *values: Any) -> None:
        if values[0] is not None:
            self._seen[values[0]] = None

    def finalize(self) -> Any:
        return ", ".join(self._seen) or None


def query_in(text: str) -> str | None:
    """The query over orders and their transfers, in a prompt or in a file."""
    found = _STATEMENT.findall(text)
    return found[-1] if found else None


def run(world: World, sql: str) -> Table:
    """Run one SELECT."""
    with sqlite3.connect(":memory:") as database:
        database.create_aggregate("string_agg", -1, _Joined)
        _fill(database, world)
        plain = _CAST.sub("", sql).replace("DISTINCT", "").rstrip("; \n")
        cursor = database.execute(plain)
        names = [column[0] for column in cursor.description]
        rows: list[tuple[object, ...]] = cursor.fetchall()
    database.close()
    return names, rows


def _fill(database: sqlite3.Connection, world: World) -> None:
    database.execute("CREATE TABLE orders (id TEXT, total_amount_cents, tax_amount_cents, currency)")
    database.execute(
        "CREATE TABLE seller_transfers (id TEXT, order_id TEXT, seller_id TEXT, stripe_transfer_id, stripe_account_id, "
        "amount_cents, platform_fee_cents, currency, status, reversed_amount_cents, stripe_reversal_id, reversed_at, "
        "error_message, attempts, created_at, updated_at)"
    )
    orders = [(one.id, one.total, one.tax, one.currency) for one in world.orders.values()]
    database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", orders)
    transfers = [
        (
            one.id, one.order, one.seller, one.stripe, "acct_1", one.amount, one.fee, one.currency, one.status,
            one.reversed, one.reversal, None, one.error, 1, one.created.isoformat(), None,
        )
        for one in world.transfers
    ]  # fmt: skip
    database.executemany(f"INSERT INTO seller_transfers VALUES ({', '.join('?' * 16)})", transfers)


def printed(table: Table, kind: str) -> str:
    """The result as psql prints it."""
    names, rows = table
    cells = [["" if value is None else str(value) for value in row] for row in rows]
    if kind == "csv":
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerows([names, *cells])
        return out.getvalue().rstrip("\n")
    footer = f"({len(rows)} row{'' if len(rows) == 1 else 's'})"
    if kind == "unaligned":
        return "\n".join(["|".join(names), *("|".join(row) for row in cells), footer])
    if kind == "tabs":
        return "\n".join(["\t".join(names), *("\t".join(row) for row in cells)])
    if kind == "expanded":
        return _expanded(names, cells)
    return "\n".join([*_aligned(names, cells), footer])


def _expanded(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    width = max(len(name) for name in names)
    lines: list[str] = []
    for number, row in enumerate(rows, 1):
        lines.append(f"-[ RECORD {number} ]".ljust(width + 1, "-") + "+---------")
        for name, cell in zip(names, row, strict=True):
            first, *more = cell.split("\n")
            lines.append(f"{name.ljust(width)} | {first}" + ("+" if more else ""))
            lines += [f"{' ' * width} | {line}" for line in more]
    return "\n".join(lines)


def _aligned(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [
        max(len(name), *(len(line) for row in rows for line in row[i].split("\n")), 0) for i, name in enumerate(names)
    ]
    lines = [" " + " | ".join(name.center(width) for name, width in zip(names, widths, strict=True))]
    lines.append("+".join("-" * (width + 2) for width in widths))
    for row in rows:
        parts = [cell.split("\n") for cell in row]
        for n in range(max(len(part) for part in parts)):
            shown = []
            for part, width in zip(parts, widths, strict=True):
                text = part[n] if n < len(part) else ""
                shown.append(text.ljust(width) + ("+" if n + 1 < len(part) else " "))
            lines.append(" " + "| ".join(shown).rstrip())
    return lines
