"""Writes the SQL for seller_transfers that the operator runs, and shows its rows.

The table's columns are assumed; only its existence is a fact. So the SQL first lists the real columns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from veza.money import Money
from veza_e2e.canonical import JSON
from veza_e2e.ledger_names import LedgerNames, TableNames

ASSUMED: Final = LedgerNames()

COLUMNS = (
    "order_id", "total_amount_cents", "tax_amount_cents", "currency", "transfer_id", "seller_id",
    "stripe_transfer_id", "amount_cents", "platform_fee_cents", "transfer_currency", "status",
    "reversed_amount_cents", "stripe_reversal_id", "error_message", "unexplained_cents", "row_count",
)  # fmt: skip
OPTIONAL = ("license_status",)
"""Read if the configuration names the table of licenses, or if it is pasted."""
AMOUNTS = frozenset(name for name in COLUMNS if name.endswith("_cents"))
"""The columns that hold whole minor units."""
_OF_THE_ORDER = frozenset({"total_amount_cents", "tax_amount_cents", "unexplained_cents"})
WHOLE = AMOUNTS | {"row_count"}
"""The columns that hold whole numbers."""
_PLAIN_ID = re.compile(r"-?[0-9]{1,19}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[0-9A-Fa-f]{32}")
_BIGINT = 2**63


def query(order_id: str, names: LedgerNames = ASSUMED) -> str:
    """Return the SELECT for one order, with our names for its columns. Each row carries the number of rows.

    An integer or a UUID is compared as what the column is, any other id as text.

    Raises:
        ValueError: the id holds a character that no SQL text can hold.
    """
    o, t = partial(_output, names.orders, "o"), partial(_output, names.transfers, "t")
    order = [names.transfers.expression("t", name) for name in ("created_at", "id") if names.transfers.has(name)]
    key, foreign = names.orders.expression("o", "id"), names.transfers.expression("t", "order_id")
    return f"""\
SELECT {o("id", "order_id")}, {o("total_amount_cents")}, {o("tax_amount_cents")}, {o("currency")},
       {t("id", "transfer_id")}, {t("seller_id")}, {t("stripe_transfer_id")}, {t("amount_cents")},
       {t("platform_fee_cents")}, {t("currency", "transfer_currency")}, {t("status")},
       {t("reversed_amount_cents")}, {t("stripe_reversal_id")}, {t("error_message")},
       {_unexplained(names)},{_license(names)}
       count(*) OVER () AS row_count
  FROM {names.orders.relation} o LEFT JOIN {names.transfers.relation} t ON {foreign} = {key}
 WHERE {key}{_equals(order_id)}
 ORDER BY {", ".join(order or ["status"])};"""  # noqa: S608 - a quoted literal, and names that were checked


def _output(names: TableNames, alias: str, column: str, label: str | None = None) -> str:
    expression = names.expression(alias, column)
    shown = label or column
    return expression if expression == f"{alias}.{shown}" else f"{expression} AS {shown}"


def _unexplained(names: LedgerNames) -> str:
    """Return the column of what the rows leave of the total: unknown if one of its parts is."""
    known = names.orders.has("total_amount_cents", "tax_amount_cents") and names.transfers.has("platform_fee_cents")
    if not known:
        return "NULL AS unexplained_cents"
    o, t = partial(names.orders.expression, "o"), partial(names.transfers.expression, "t")
    return f"""{o("total_amount_cents")} - coalesce({o("tax_amount_cents")}, 0)
         - coalesce(sum({t("amount_cents")} + {t("platform_fee_cents")}) OVER (), 0)
         AS unexplained_cents"""


def _license(names: LedgerNames) -> str:
    licenses = names.licenses
    if licenses is None:
        return ""
    status, order_id = licenses.expression("l", "status"), licenses.expression("l", "order_id")
    return f"""
       (SELECT string_agg(DISTINCT {status}::text, ', ') FROM {licenses.relation} l
         WHERE {order_id} = {names.orders.expression("o", "id")}) AS license_status,"""  # noqa: S608 - checked names


def script(order_id: str, names: LedgerNames = ASSUMED) -> str:
    """Return the script for psql: read-only; it lists the table's real columns first.

    Raises:
        ValueError: the id holds a character that no SQL text can hold.
    """
    schema = f" AND table_schema = '{names.transfers.schema}'" if names.transfers.schema else ""
    return f"""\
BEGIN READ ONLY;
SELECT column_name, data_type FROM information_schema.columns
 WHERE table_name = '{names.transfers.table}'{schema} ORDER BY ordinal_position;
{query(order_id, names)}
ROLLBACK;"""  # noqa: S608 - as above


def _equals(order_id: str) -> str:
    if _PLAIN_ID.fullmatch(order_id) and not (order_id.lstrip("-").isdecimal() and not _is_bigint(order_id)):
        return f" = '{order_id}'"
    return f"::text = {_quoted(order_id)}"


def _is_bigint(digits: str) -> bool:
    return len(digits.lstrip("-")) == 32 or -_BIGINT <= int(digits) < _BIGINT  # noqa: PLR2004 - a UUID without hyphens


def _quoted(text: str) -> str:
    """Return a literal that means the same whatever the server's and the terminal's settings.

    Raises:
        ValueError: a character cannot stand in a text of PostgreSQL.
    """
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"the order id {text!r:.80} holds a character that no SQL text can hold")
    if text.isascii() and text.isprintable() and "\\" not in text:
        return "'" + text.replace("'", "''") + "'"
    shown = (one if one.isascii() and one.isprintable() and one not in "'\\" else f"\\U{ord(one):08X}" for one in text)
    return f"E'{''.join(shown)}'"


def expanded(rows: Sequence[Mapping[str, JSON]]) -> str:
    """Return the rows as `psql -x` prints them: a block each, which no terminal is too narrow for."""
    width = max(map(len, COLUMNS))
    lines = []
    for number, row in enumerate(rows, 1):
        lines.append(f"-[ RECORD {number} ]".ljust(width + 1, "-") + "+" + "-" * 38)
        lines += [f"{name:<{width}} | {_shown(row.get(name))}".rstrip() for name in COLUMNS]
    return "\n".join(lines)


def _shown(value: JSON) -> str:
    return "" if value is None else " ".join(str(value).replace("|", "¦").split())


def blocks(rows: Sequence[Mapping[str, JSON]]) -> str:
    """Return the rows for a narrow terminal, a block each, amounts as money; what is not there is left out."""
    lines: list[str] = []
    for number, row in enumerate(rows, 1):
        shown = {name: _told(row, name) for name, value in row.items() if value is not None and name != "row_count"}
        lines.append(f"row {number} of {len(rows)}")
        lines += [f"  {name:<21} {value}" for name, value in shown.items()]
    return "\n".join(lines)


def _told(row: Mapping[str, JSON], name: str) -> str:
    """Return a value for people: an amount as money, in the currency of its table."""
    value = _shown(row[name])
    code = _shown(row.get("currency" if name in _OF_THE_ORDER else "transfer_currency")).upper()
    if name not in AMOUNTS or not code:
        return value
    try:
        return f"{Money(int(value), code)}  ({value})"
    except ValueError:  # what was pasted is no whole number, or no currency
        return value
