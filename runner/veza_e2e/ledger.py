"""seller_transfers: the SQL that the operator runs, and how psql's answer is read.

The table's columns are assumed (only its existence is a fact), so the SQL first prints the real ones.
"""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections.abc import Mapping, Sequence

from veza_e2e.canonical import JSON

COLUMNS = (
    "order_id", "total_amount_cents", "tax_amount_cents", "currency", "transfer_id", "seller_id",
    "stripe_transfer_id", "amount_cents", "platform_fee_cents", "transfer_currency", "status",
    "reversed_amount_cents", "stripe_reversal_id", "error_message", "unexplained_cents",
)  # fmt: skip
_INTEGERS = frozenset(name for name in COLUMNS if name.endswith("_cents"))
_NEEDED = frozenset({"order_id", "amount_cents", "platform_fee_cents", "status"})
_INTEGER = re.compile(r"-?[0-9]{1,18}")


class PasteError(Exception):
    """What was pasted is not the query's answer; says why."""


def query(order_id: str) -> str:
    """Return the SELECT for one order, its id checked before it enters the text.

    Raises:
        ValueError: the id is neither a UUID nor an integer.
    """
    literal = _literal(order_id)
    return f"""\
SELECT o.id AS order_id, o.total_amount_cents, o.tax_amount_cents, o.currency,
       t.id AS transfer_id, t.seller_id, t.stripe_transfer_id, t.amount_cents, t.platform_fee_cents,
       t.currency AS transfer_currency, t.status, t.reversed_amount_cents, t.stripe_reversal_id, t.error_message,
       o.total_amount_cents - coalesce(o.tax_amount_cents, 0)
         - coalesce(sum(t.amount_cents + t.platform_fee_cents) OVER (), 0) AS unexplained_cents
  FROM orders o LEFT JOIN seller_transfers t ON t.order_id = o.id
 WHERE o.id = {literal}
 ORDER BY t.created_at, t.id;"""  # noqa: S608 - the only value in it is a UUID or an integer


def script(order_id: str) -> str:
    """Return what the operator runs in psql: read-only, the table's real columns first.

    Raises:
        ValueError: the id is neither a UUID nor an integer.
    """
    return f"""\
BEGIN READ ONLY;
SELECT column_name, data_type FROM information_schema.columns
 WHERE table_name = 'seller_transfers' ORDER BY ordinal_position;
{query(order_id)}
ROLLBACK;"""  # noqa: S608 - as above


def _literal(order_id: str) -> str:
    if _INTEGER.fullmatch(order_id):
        return order_id
    try:
        return f"'{uuid.UUID(order_id)}'"
    except ValueError:
        raise ValueError(
            f"the order id {order_id!r:.80} is neither a UUID nor an integer, so it does not enter any SQL"
        ) from None


def table(rows: Sequence[Mapping[str, JSON]]) -> str:
    """Return the rows as psql prints them."""
    cells = [[_shown(row.get(name)) for name in COLUMNS] for row in rows]
    widths = [max(len(name), *(len(line[i]) for line in cells), 0) for i, name in enumerate(COLUMNS)]
    lines = [" | ".join(name.center(width) for name, width in zip(COLUMNS, widths, strict=True))]
    lines.append("+".join("-" * (width + (1 if i in {0, len(widths) - 1} else 2)) for i, width in enumerate(widths)))
    lines += [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    return "\n".join([*lines, f"({len(rows)} row{'' if len(rows) == 1 else 's'})"])


def _shown(value: JSON) -> str:
    return "" if value is None else " ".join(str(value).replace("|", "¦").split())


def parse(text: str) -> tuple[dict[str, JSON], ...]:
    """Return the rows that psql printed: aligned, unaligned, tab-separated, CSV or expanded.

    The listing of the columns that the script prints first is passed over.

    Raises:
        PasteError: there is no such answer in `text`.
    """
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    rows = _expanded(lines) if any(line.startswith("-[ RECORD") for line in lines) else _tabular(lines)
    if not rows:
        raise PasteError("no row with the columns " + ", ".join(sorted(_NEEDED)) + " was found in it")
    return tuple(_typed(row) for row in rows)


def _expanded(lines: Sequence[str]) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for line in lines:
        if line.startswith("-[ RECORD"):
            rows.append({})
        elif rows and "|" in line:
            name, _, value = line.partition("|")
            rows[-1][name.strip()] = value.strip()
    return [row for row in rows if row.keys() >= _NEEDED]


def _tabular(lines: Sequence[str]) -> list[dict[str, str]]:
    for start, line in enumerate(lines):
        for separator in ("|", "\t", ","):
            header = [cell.strip() for cell in _cells(line, separator)]
            if set(header) >= _NEEDED:
                return _rows(lines[start + 1 :], header, separator)
    return []


def _cells(line: str, separator: str) -> list[str]:
    if separator == ",":
        return next(csv.reader(io.StringIO(line)), [])
    return line.split(separator)


def _rows(lines: Sequence[str], header: Sequence[str], separator: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for line in lines:
        if set(line) <= set("-+| ") or re.fullmatch(r"\(\d+ rows?\)", line.strip()):
            continue
        cells = [cell.strip() for cell in _cells(line, separator)]
        if len(cells) != len(header):
            if rows or separator not in line:
                break
            raise PasteError(f"a row has {len(cells)} cells under {len(header)} columns; was a line broken or cut?")
        rows.append(dict(zip(header, cells, strict=True)))
    return rows


def _typed(row: Mapping[str, str]) -> dict[str, JSON]:
    typed: dict[str, JSON] = {}
    for name in COLUMNS:
        value = row.get(name, "")
        if value == "":
            typed[name] = None
        elif name in _INTEGERS:
            if not _INTEGER.fullmatch(value):
                raise PasteError(f"{name} is {value!r:.40}, which is not a whole number of minor units")
            typed[name] = int(value)
        else:
            typed[name] = value
    return typed
