"""The real names of the tables that step 7 reads, where they are not the assumed ones: `[env.NAME.ledger]`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final, Literal, TypeAlias

from veza_e2e.frozen import dataclass

Kind: TypeAlias = Literal["id", "text", "money", "time"]

TRANSFERS: Final[Mapping[str, Kind]] = {
    "id": "id", "order_id": "id", "seller_id": "id", "stripe_transfer_id": "text", "amount_cents": "money",
    "platform_fee_cents": "money", "currency": "text", "status": "text", "reversed_amount_cents": "money",
    "stripe_reversal_id": "text", "error_message": "text", "created_at": "time",
}  # fmt: skip
"""The columns of seller_transfers that the SQL uses, by their assumed names."""
ORDERS: Final[Mapping[str, Kind]] = {
    "id": "id", "total_amount_cents": "money", "tax_amount_cents": "money", "currency": "text",
}  # fmt: skip
"""The columns of orders that the SQL uses."""
LICENSES: Final[Mapping[str, Kind]] = {"order_id": "id", "status": "text"}
"""The columns of licenses that the SQL uses, if the table is configured."""
NEEDED: Final = {
    "seller_transfers": ("order_id", "amount_cents", "status"), "orders": ("id",), "licenses": ("order_id", "status"),
}  # fmt: skip
"""The columns without which there is no question to ask; any other may be `false`."""
PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,62}")
"""An identifier that may stand in the configuration; it is quoted in the SQL."""


@dataclass(frozen=True, slots=True)
class TableNames:
    """The real names of one table.

    Attributes:
        assumed: what the table is called where nothing is configured.
        table: its real name.
        schema: None to leave it to the connection's search path.
        columns: the real name by the assumed one, only where it differs; None if the table has no such column.
        major: the amounts, by their assumed names, that are kept as 5.00 and not as 500.
    """

    assumed: str
    table: str
    schema: str | None = None
    columns: Mapping[str, str | None] = field(default_factory=dict)
    major: frozenset[str] = frozenset()

    @property
    def relation(self) -> str:
        """The table as SQL names it."""
        name = _quoted(self.table, self.assumed)
        return name if self.schema is None else f"{_quoted(self.schema)}.{name}"

    def real(self, column: str) -> str | None:
        """Return the real name of a column; None if the table has none."""
        return self.columns.get(column, column)

    def has(self, *columns: str) -> bool:
        """Whether the table has all these columns."""
        return all(self.real(column) is not None for column in columns)

    def expression(self, alias: str, column: str) -> str:
        """Return the SQL that gives a column, amounts in minor units; `NULL` if the table has none."""
        real = self.real(column)
        if real is None:
            return "NULL"
        name = f"{alias}.{_quoted(real, column)}"
        return f"trim_scale({name}::numeric * 100)" if column in self.major else name


@dataclass(frozen=True, slots=True)
class LedgerNames:
    """The real names of seller_transfers, of orders and, if the SQL is to read them, of licenses."""

    transfers: TableNames = TableNames("seller_transfers", "seller_transfers")
    orders: TableNames = TableNames("orders", "orders")
    licenses: TableNames | None = None
    """None, unless `[env.NAME.ledger.licenses]` is there: the API tells the license's status."""

    def document(self) -> dict[str, Any]:
        """Return the table of the configuration that says this; empty where all names are the assumed ones."""
        said, orders = _document(self.transfers), _document(self.orders)
        said |= {"orders": orders} if orders else {}
        return said if self.licenses is None else said | {"licenses": _document(self.licenses)}


def _document(names: TableNames) -> dict[str, Any]:
    said: dict[str, Any] = {} if names.schema is None else {"schema": names.schema}
    if names.table != names.assumed:
        said["table"] = names.table
    said |= {name: False if real is None else real for name, real in names.columns.items()}
    return said | ({"major_units": sorted(names.major)} if names.major else {})


def _quoted(name: str, assumed: str | None = None) -> str:
    return name if name == assumed else f'"{name}"'


def read(table: Mapping[str, Any]) -> LedgerNames:
    """Read `[env.NAME.ledger]`.

    Raises:
        ValueError: a setting is unknown or of no use; the message begins with its name.
    """
    others = {name: table[name] for name in ("orders", "licenses") if name in table}
    for name, value in others.items():
        if not isinstance(value, dict):
            raise ValueError(f"{name} must be a table, not {value!r:.40}")  # noqa: TRY004 - as every other mistake
    own = {name: value for name, value in table.items() if name not in others}
    names = LedgerNames(
        _table("", own, "seller_transfers", TRANSFERS, {"orders", "licenses"}),
        _table("orders.", others.get("orders", {}), "orders", ORDERS),
        _table("licenses.", others["licenses"], "licenses", LICENSES) if "licenses" in others else None,
    )
    if not names.transfers.has("currency") and not names.orders.has("currency"):
        raise ValueError("currency and orders.currency are both false: amounts without a currency prove nothing")
    return names


def _table(
    where: str, table: Mapping[str, Any], assumed: str, known: Mapping[str, Kind], beside: set[str] | None = None
) -> TableNames:
    amounts = {"major_units"} if "money" in known.values() else set()
    settings = {"schema", "table", *amounts, *known, *(beside or ())}
    for key in table:
        if key not in settings:
            close = difflib.get_close_matches(key, settings, n=1)
            raise ValueError(f"{where}{key} is not a setting{f'; did you mean {close[0]}?' if close else ''}")
    columns: dict[str, str | None] = {}
    for name in known:
        if table.get(name) is False:
            if name in NEEDED[assumed]:
                raise ValueError(f"{where}{name} cannot be false: the SQL has no use without this column")
            columns[name] = None
        elif name in table:
            real = _identifier(f"{where}{name}", table[name], "or false, if the table has no such column")
            columns |= {} if real == name else {name: real}
    return TableNames(
        assumed,
        _identifier(f"{where}table", table.get("table", assumed)),
        _identifier(f"{where}schema", table["schema"]) if "schema" in table else None,
        columns,
        _major(where, table.get("major_units", []), known),
    )


def _identifier(where: str, value: object, otherwise: str = "") -> str:
    if isinstance(value, str) and PLAIN.fullmatch(value):
        return value
    rule = f"letters, digits and _, at most 63, no digit first{f', {otherwise}' if otherwise else ''}"
    raise ValueError(f"{where}: {value!r:.80} is not a plain SQL name ({rule})")


def _major(where: str, value: object, known: Mapping[str, Kind]) -> frozenset[str]:
    amounts = sorted(name for name, kind in known.items() if kind == "money")
    if isinstance(value, list) and all(isinstance(name, str) and name in amounts for name in value):
        return frozenset(value)
    raise ValueError(f"{where}major_units must be a list of {', '.join(amounts)}, not {value!r:.60}")
