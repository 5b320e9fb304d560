"""Writes the SQL for seller_transfers that the operator runs, and parses what psql prints.

The table's columns are assumed; only its existence is a fact. So the SQL first lists the real columns.
"""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from veza_e2e.canonical import JSON
from veza_e2e.ledger_names import LedgerNames, TableNames

ASSUMED: Final = LedgerNames()

COLUMNS = (
    "order_id", "total_amount_cents", "tax_amount_cents", "currency", "transfer_id", "seller_id",
    "stripe_transfer_id", "amount_cents", "platform_fee_cents", "transfer_currency", "status",
    "reversed_amount_cents", "stripe_reversal_id", "error_message", "unexplained_cents",
)  # fmt: skip
AMOUNTS = frozenset(name for name in COLUMNS if name.endswith("_cents"))
"""The columns that hold whole minor units."""
_NEEDED = frozenset({"order_id", "amount_cents", "platform_fee_cents", "status"})
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_ID = re.compile(r"-?[0-9]{1,19}")
_BIGINT = 2**63
_FOOTER = re.compile(r"\(([0-9]{1,9}) rows?\)")
_NULLS = frozenset({"", "(null)", "[null]", "<null>", "NULL", "null", "\u2205"})
"""What psql prints for a null, by default or with a common setting."""


class PasteError(Exception):
    """The pasted text is not the query's output; the message says why."""


def query(order_id: str, names: LedgerNames = ASSUMED) -> str:
    """Return the SELECT for one order. The id is checked before it enters the text; the output has our names.

    Raises:
        ValueError: the id is neither a UUID nor an integer.
    """
    literal = _literal(order_id)
    o, t = partial(_output, names.orders, "o"), partial(_output, names.transfers, "t")
    order = [names.transfers.expression("t", name) for name in ("created_at", "id") if names.transfers.has(name)]
    key, foreign = names.orders.expression("o", "id"), names.transfers.expression("t", "order_id")
    return f"""\
SELECT {o("id", "order_id")}, {o("total_amount_cents")}, {o("tax_amount_cents")}, {o("currency")},
       {t("id", "transfer_id")}, {t("seller_id")}, {t("stripe_transfer_id")}, {t("amount_cents")}, \
{t("platform_fee_cents")},
       {t("currency", "transfer_currency")}, {t("status")}, {t("reversed_amount_cents")}, \
{t("stripe_reversal_id")}, {t("error_message")},
       {_unexplained(names)} AS unexplained_cents
  FROM {names.orders.relation} o LEFT JOIN {names.transfers.relation} t ON {foreign} = {key}
 WHERE {key} = {literal}
 ORDER BY {", ".join(order or ["status"])};"""  # noqa: S608 - a UUID or an integer, and names that were checked


def _output(names: TableNames, alias: str, column: str, label: str | None = None) -> str:
    expression = names.expression(alias, column)
    shown = label or column
    return expression if expression == f"{alias}.{shown}" else f"{expression} AS {shown}"


def _unexplained(names: LedgerNames) -> str:
    """Return the expression for what the rows leave of the total: unknown if one of its parts is."""
    known = names.orders.has("total_amount_cents", "tax_amount_cents") and names.transfers.has("platform_fee_cents")
    if not known:
        return "NULL"
    o, t = partial(names.orders.expression, "o"), partial(names.transfers.expression, "t")
    return f"""{o("total_amount_cents")} - coalesce({o("tax_amount_cents")}, 0)
         - coalesce(sum({t("amount_cents")} + {t("platform_fee_cents")}) OVER (), 0)"""


def script(order_id: str, names: LedgerNames = ASSUMED) -> str:
    """Return the script for psql: read-only; it lists the table's real columns first.

    Raises:
        ValueError: the id is neither a UUID nor an integer.
    """
    schema = f" AND table_schema = '{names.transfers.schema}'" if names.transfers.schema else ""
    return f"""\
BEGIN READ ONLY;
SELECT column_name, data_type FROM information_schema.columns
 WHERE table_name = '{names.transfers.table}'{schema} ORDER BY ordinal_position;
{query(order_id, names)}
ROLLBACK;"""  # noqa: S608 - as above


def _literal(order_id: str) -> str:
    if _ID.fullmatch(order_id) and -_BIGINT <= int(order_id) < _BIGINT:
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


def begun(lines: Sequence[str]) -> bool:
    """Whether the output of the query has begun, after the listing of the columns."""
    if any(line.startswith("-[ RECORD") for line in lines):
        return any(line.partition("|")[0].strip() == "platform_fee_cents" for line in lines)
    return any(all(name in line for name in _NEEDED) for line in lines)


def parse(text: str) -> tuple[dict[str, JSON], ...]:
    """Return the rows that psql printed: aligned, unaligned, tab-separated, CSV or expanded.

    Skips the listing of the columns, which the script prints first.

    Raises:
        PasteError: `text` does not hold the query's output, or only a part of it.
    """
    # Split at psql's own line ends only: a cell may hold others that str.splitlines knows.
    lines = [line.rstrip("\r") for line in text.split("\n") if line.strip()]
    try:
        rows = _expanded(lines) if any(line.startswith("-[ RECORD") for line in lines) else _tabular(lines)
    except csv.Error as error:
        raise PasteError(f"it cannot be read as CSV: {error}") from error
    if not rows:
        raise PasteError("no row with the columns " + ", ".join(sorted(_NEEDED)) + " was found in it")
    return tuple(_typed(row) for row in rows)


def _expanded(lines: Sequence[str]) -> list[dict[str, str]]:
    records: list[dict[str, str]] = []
    last = ""
    for line in lines:
        if line.startswith("-[ RECORD"):
            records.append({})
        elif records and "|" in line:
            name, _, value = (part.strip() for part in line.partition("|"))
            last, value = (name, value) if name else (last, _joined(records[-1].get(last, ""), value))
            records[-1][last] = value
    rows = [record for record in records if "order_id" in record]
    if any(row.keys() != rows[0].keys() or not row.keys() >= _NEEDED for row in rows):
        raise PasteError("a record lacks columns; was it cut?")
    return rows


def _tabular(lines: Sequence[str]) -> list[dict[str, str]]:
    for start, line in enumerate(lines):
        for separator in ("|", "\t", ","):
            header = next(_records([line], separator), [])
            if set(header) >= _NEEDED:
                return _rows(_records(lines[start + 1 :], separator), header)
    return []


def _records(lines: Sequence[str], separator: str) -> Iterator[list[str]]:
    if separator == ",":
        # Only in CSV may a record span several lines.
        found: Iterable[list[str]] = csv.reader(io.StringIO("\n".join(lines)))
    else:
        found = (line.split(separator) for line in lines)
    return ([cell.strip() for cell in cells] for cells in found)


def _rows(records: Iterator[list[str]], header: Sequence[str]) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for cells in records:
        footer = _FOOTER.fullmatch(cells[0]) if len(cells) == 1 else None
        if footer is not None:
            if int(footer[1]) != len(rows):
                raise PasteError(f"psql printed {footer[1]} rows, {len(rows)} were pasted; was a line broken or cut?")
            break
        if len(cells) == 1 and set(cells[0]) <= set("-+ "):
            continue
        if len(cells) != len(header):
            if len(cells) > 1 and (not rows or cells[0] == rows[0][header[0]]):
                raise PasteError(
                    f"a row has {len(cells)} cells under {len(header)} columns; was a line broken or cut? "
                    "Where a cell holds the separator, use \\pset format csv"
                )
            break
        row = dict(zip(header, cells, strict=True))
        if rows and not row["order_id"]:
            # psql prints a cell's next line below, and marks the line above with a plus sign.
            rows[-1] = {name: _joined(rows[-1][name], row[name]) for name in header}
        else:
            rows.append(row)
    return rows


def _joined(above: str, below: str) -> str:
    return f"{above.removesuffix('+').rstrip()} {below}" if below else above


def _typed(row: Mapping[str, str]) -> dict[str, JSON]:
    typed: dict[str, JSON] = {}
    for name in COLUMNS:
        value = row.get(name, "")
        if value in _NULLS:
            typed[name] = None
        elif name in AMOUNTS:
            if not _INTEGER.fullmatch(value):
                raise PasteError(f"{name} is {value!r:.40}, which is not a whole number of minor units")
            typed[name] = int(value)
        else:
            typed[name] = value
    return typed
