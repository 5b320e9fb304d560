"""The columns that the SQL of step 7 uses, against those that the tables have; and the mapping that mends it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from veza_contract.columns import Table
from veza_contract.findings import Change, Verdict

SQL_FILE: Final = "runner/veza_e2e/ports/seller_transfers.py"
_WHOLE: Final = re.compile(r"bigint|integer|smallint|int[248]?|bigserial|serial|numeric\(\d+(,0)?\)")
_DECIMAL: Final = re.compile(r"numeric|decimal|money|real|double precision|float[48]?")
_INEXACT: Final = re.compile(r"real|double precision|float[48]?")
_FAMILIES: Final = (
    ("a whole number", _WHOLE),
    ("a uuid", re.compile("uuid")),
    ("a text", re.compile("text|char|citext")),
)
_SYNONYMS: Final = {
    "state": "status", "commission": "fee", "application": "platform", "failure": "error", "reason": "message",
    "reversal": "reversed", "vendor": "seller", "creator": "seller", "artist": "seller", "purchase": "order",
    "vat": "tax", "payout": "transfer",
}  # fmt: skip
_ANY_AMOUNT: Final = frozenset({"amount", "total"})
_LIKE, _SURE, _APART, _ROLE = 0.6, 0.9, 0.05, 0.5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the SQL asks of a table.

    Attributes:
        role: the table by its assumed name.
        setting: what stands before its settings in `[env.NAME.ledger]`: nothing, or `orders.`.
        table: the real name, as configured.
        schema: the same; None where the search path finds it.
        kinds: `id`, `text`, `money` or `time` by the assumed name of each column.
        real: the real name as configured; None for a column that the table does not have.
        needed: the columns that cannot be left out.
        major: the amounts that are configured to be in major units.
    """

    role: str
    setting: str
    table: str
    schema: str | None
    kinds: Mapping[str, str]
    real: Mapping[str, str | None]
    needed: Sequence[str]
    major: frozenset[str]


@dataclass(slots=True)
class Mended:
    """The settings that make the SQL fit a table, in the order of the file; a comment beside what is a guess."""

    setting: str
    values: dict[str, object] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    major: set[str] = field(default_factory=set)


def role_of(table: Table, wanted: tuple[Wanted, Wanted]) -> str:
    """Return which table of ours it is: as the operator says, by its name, by its columns; empty if nothing tells.

    Args:
        table: the table.
        wanted: what is asked of seller_transfers, and of orders.
    """
    if table.role:
        return table.role
    for one in wanted:
        if table.name == one.table and one.schema in {None, table.schema}:
            return one.role
    booked, sold = wanted
    belongs = max((_score(booked, "order_id", real, type_) for real, type_ in table.columns.items()), default=0)
    likely = booked if belongs >= _SURE else sold
    return likely.role if _share(table, likely) >= _ROLE else ""


def _share(table: Table, wanted: Wanted) -> float:
    columns = table.columns.items()
    found = (max((_score(wanted, name, real, type_) for real, type_ in columns), default=0) for name in wanted.kinds)
    return sum(score >= _LIKE for score in found) / len(wanted.kinds)


def compare(table: Table, wanted: Wanted) -> tuple[list[Change], Mended]:
    """Return what of a table differs from what the SQL asks for, and the settings that mend it."""
    mended = Mended(wanted.setting, {}, {}, set(wanted.major))
    changes = list(_place(table, wanted, mended))
    lacking = [name for name, real in wanted.real.items() if real is not None and real not in table.columns]
    taken = {real for real in wanted.real.values() if real is not None and real in table.columns}
    guesses = _guesses(table, wanted, lacking, taken)
    for name, asked in wanted.real.items():
        real, chosen = asked, guesses.get(name, ())
        if name in lacking:
            changes.append(_missing(table, wanted, mended, name, chosen))
            real = chosen[0] if len(chosen) == 1 else None
        elif asked != name:
            mended.values[name] = False if asked is None else asked
        if asked is None and name in table.columns:
            changes.append(_change(wanted, Verdict.DRIFT, name, "is said to be no column, but the table has it"))
        if real is not None and wanted.kinds[name] == "money":
            changes += _money(wanted, mended, name, real, table.columns[real])
    spare = sorted(table.columns.keys() - taken - {real for some in guesses.values() for real in some})
    if spare:
        changes.append(_change(wanted, Verdict.BEYOND, "columns", f"the SQL does not use {', '.join(spare)}"))
    if mended.major:
        mended.values["major_units"] = sorted(mended.major)
    return sorted(changes, key=lambda change: list(Verdict).index(change.verdict)), mended


def _change(wanted: Wanted, verdict: Verdict, column: str, message: str, setting: str = "") -> Change:
    file = f"[env.NAME.ledger] {wanted.setting}{setting}" if setting else ""
    return Change(verdict, wanted.role, "", column, message, file=file)


def _place(table: Table, wanted: Wanted, mended: Mended) -> Iterator[Change]:
    name, schema = table.name or wanted.table, table.schema or wanted.schema
    if name != wanted.role:
        mended.values["table"] = name
    if schema is not None and (schema != "public" or wanted.schema is not None):
        mended.values["schema"] = schema
    asked = ".".join(part for part in (wanted.schema, wanted.table) if part)
    if name != wanted.table:
        yield _change(
            wanted, Verdict.BREAK, "table", f"it is {table.label}; the SQL asks for {asked}", f'table = "{name}"'
        )
    if schema not in {wanted.schema, "public"}:
        message = f"it is in {schema}; the SQL asks for {asked}"
        yield _change(wanted, Verdict.BREAK, "schema", message, f'schema = "{schema}"')


def _guesses(table: Table, wanted: Wanted, lacking: Sequence[str], taken: set[str]) -> dict[str, tuple[str, ...]]:
    """Return for each column that is lacking the one that it is likely called; several where none stands out."""
    scored = sorted(
        ((_score(wanted, name, real, type_), name, real)
         for name in lacking for real, type_ in table.columns.items() if real not in taken),
        reverse=True,
    )  # fmt: skip
    found: dict[str, tuple[str, ...]] = {}
    used: set[str] = set()
    for score, name, real in scored:
        if score < _LIKE or name in found or real in used:
            continue
        rivals = [other for s, n, other in scored if n == name and other not in used and score - s < _APART]
        found[name] = tuple(rivals)
        used.update(rivals if len(rivals) == 1 else ())
    return found


def _score(wanted: Wanted, name: str, real: str, type_: str) -> float:
    """How likely a column is what another is assumed to be called."""
    amount = wanted.kinds[name] == "money"
    if amount != bool(_WHOLE.fullmatch(type_) or _DECIMAL.match(type_)) and (amount or wanted.kinds[name] != "id"):
        return 0
    own, other = _tokens(name), _tokens(real)
    if amount and own - _ANY_AMOUNT and not (own - _ANY_AMOUNT) & other:
        return 0  # an amount that is reversed is not just any amount
    common = len(own & other) / len(own | other)
    if common and (own <= other or other <= own):
        return 0.6 + 0.4 * common
    return common if amount else max(common, difflib.SequenceMatcher(None, name, real.lower()).ratio())


def _tokens(name: str) -> frozenset[str]:
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    return frozenset(_SYNONYMS.get(word.lower(), word.lower()) for word in words) - {"cents", "id"} or frozenset({"id"})


def _missing(table: Table, wanted: Wanted, mended: Mended, name: str, found: Sequence[str]) -> Change:
    asked = wanted.real[name]
    if len(found) == 1:
        mended.values[name], mended.remarks[name] = found[0], f"{table.columns[found[0]]}: is it this column?"
        message = f"no column {asked}: is it {found[0]} ({table.columns[found[0]]})?"
        return _change(wanted, Verdict.BREAK, name, message, f'{name} = "{found[0]}"')
    several = f": is it {' or '.join(found)}?" if found else "; none is like it"
    if name in wanted.needed or found:
        mended.values[name], mended.remarks[name] = None, f"which column is it{several if found else '?'}"
        return _change(wanted, Verdict.BREAK, name, f"no column {asked}{several}", f'{name} = "…"')
    mended.values[name], mended.remarks[name] = False, "the table has no such column: what it would say stays unknown"
    return _change(wanted, Verdict.BREAK, name, f"no column {asked}{several}", f"{name} = false")


def _money(wanted: Wanted, mended: Mended, name: str, real: str, type_: str) -> Iterator[Change]:
    whole, major = bool(_WHOLE.fullmatch(type_)), name in wanted.major
    if whole and major:
        message = f"{real} is {type_}, a whole number, but major_units says that it holds 5.00"
        yield _change(wanted, Verdict.BREAK, name, message, "major_units")
        mended.major.discard(name)
    elif not whole and not _DECIMAL.match(type_):
        yield _change(wanted, Verdict.BREAK, name, f"{real} is {type_}, which is no amount", f'{name} = "…"')
    elif not whole and not major:
        message = f"{real} is {type_}: amounts such as 5.00, it seems; the SQL expects whole minor units, such as 500"
        yield _change(wanted, Verdict.BREAK, name, message, f'major_units = ["{name}"]')
        mended.major.add(name)
    elif whole and not real.endswith("_cents"):
        yield _change(wanted, Verdict.DRIFT, name, f"{real} is {type_}: minor units, if it holds 500 for 5.00; look")
    if _INEXACT.match(type_):
        yield _change(wanted, Verdict.DRIFT, name, f"{real} is {type_}, which keeps amounts inexactly")


def referred(transfers: Table, column: str, orders: Wanted) -> tuple[list[Change], Mended]:
    """Return what a foreign key tells of orders, where psql has not described it."""
    schema, name, key = transfers.references.get(column, (orders.schema or "", orders.table, str(orders.real["id"])))
    mended = Mended(orders.setting)
    changes = list(_place(Table(name, schema), orders, mended))
    if key != orders.real["id"]:
        mended.values["id"] = key
        changes.append(_change(orders, Verdict.BREAK, "id", f"the foreign key names {key}", f'id = "{key}"'))
    return changes, mended


def joined(transfers: Table, orders: Table, foreign: str, key: str) -> list[Change]:
    """Return what keeps PostgreSQL from joining the two tables: ids of two kinds."""
    left, right = (_family(table.columns.get(name, "")) for table, name in ((transfers, foreign), (orders, key)))
    if left == right or not left or not right:
        return []
    message = f"{foreign} is {left}, {key} of orders {right}: PostgreSQL compares them only with a cast"
    return [Change(Verdict.BREAK, "seller_transfers", "", "order_id", message, file=SQL_FILE)]


def _family(type_: str) -> str:
    return next((name for name, pattern in _FAMILIES if pattern.match(type_)), "")


def toml(environment: str, mended: Sequence[Mended]) -> str:
    """Return the tables of the configuration, ready to paste; empty where nothing is to be said."""
    blocks = []
    for one in mended:
        lines = []
        for name in sorted(one.values, key=lambda key: (key not in {"schema", "table"}, key == "major_units")):
            value, remark = one.values[name], one.remarks.get(name, "")
            line = f'# {name} = "…"' if value is None else f"{name} = {json.dumps(value, ensure_ascii=False)}"
            lines.append(f"{line:<44} # {remark}" if remark else line)
        if lines:
            blocks.append(
                "\n".join([f"[env.{environment}.ledger{'.' + one.setting[:-1] if one.setting else ''}]", *lines])
            )
    return "\n\n".join(blocks)
