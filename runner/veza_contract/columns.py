r"""The tables that psql describes: `\d`, `\d+`, or the columns from information_schema, in any of psql's formats."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

_NAME_HEADS: Final = frozenset({"column", "colonne", "spalte", "columna", "colonna", "coluna", "column_name"})
_TYPE_HEADS: Final = frozenset({"type", "typ", "tipo", "data_type"})
_TITLE: Final = re.compile(r"[\"«»„“]\s?([^\"«»„“”]+?)\s?[\"«»”“]")
_RULE: Final = re.compile(r"[\s|+─┼│╪═╔╗┌┐├┤└┘┬┴-]+")
_REFERENCE: Final = re.compile(r'FOREIGN KEY \("?(\w+)"?\) REFERENCES (?:"?(\w+)"?\.)?"?(\w+)"?\("?(\w+)"?\)')
_NO_RELATION: Final = re.compile(
    r"Did not find any relation|relation .* does not exist|permission denied", re.IGNORECASE
)


@dataclass(slots=True)
class Table:
    """A table as it is.

    Attributes:
        name: empty where the format does not tell it (CSV).
        schema: empty likewise.
        columns: the type by the name.
        role: `seller_transfers` or `orders`, where the operator says so.
        references: by column, the schema (or empty), table and column that it refers to.
    """

    name: str
    schema: str
    columns: dict[str, str] = field(default_factory=dict)
    role: str = ""
    references: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """As SQL names it."""
        return ".".join(part for part in (self.schema, self.name) if part) or "a table without its name"


def tables(text: str, role: str = "") -> list[Table]:
    """Return the tables that a text describes; none if it describes none."""
    found: list[Table] = []
    title = ""
    lines = iter(text.splitlines())
    for line in lines:
        for separator in ("|", "│", ",", "\t"):
            head = [cell.lower() for cell in _cells(line, separator)]
            if _is_head(head):
                found += _read(head, lines, separator, _title(title), role)
                break
        else:
            title = line if line.strip() and not _RULE.fullmatch(line) else title
            for column, schema, table, key in _REFERENCE.findall(line) if found else ():
                found[-1].references[column] = (schema, table, key)
    return [table for table in found if table.columns]


def refusal(text: str) -> str:
    """Say why psql described nothing that can be read; empty if it does not look like psql's."""
    if "-[ RECORD" in text:
        return r"is psql's expanded form: say \x off first"
    return r"psql knows no such table, or may not see it: look for it with \dt *.*" if _NO_RELATION.search(text) else ""


def _cells(line: str, separator: str) -> list[str]:
    if separator == ",":
        return [cell.strip() for cell in next(csv.reader([line]), [])]
    line = line.strip()
    if line[:1] in {"|", "│"} and line[-1:] == line[:1]:  # with a border around it
        line = line[1:-1]
    return [cell.strip() for cell in line.split(separator)]


def _is_head(cells: Sequence[str]) -> bool:
    if {"column_name", "data_type"} <= set(cells):
        return True
    return len(cells) > 1 and cells[0] in _NAME_HEADS and cells[1] in _TYPE_HEADS


def _title(line: str) -> tuple[str, str]:
    found = _TITLE.search(line)
    schema, _, name = (found[1] if found else "").rpartition(".")
    return schema, name


def _read(head: Sequence[str], lines: Iterator[str], separator: str, title: tuple[str, str], role: str) -> list[Table]:
    """Read the rows below a head, up to the first line that is not a row."""
    at = {name: head.index(name) for name in ("column_name", "data_type", "table_name", "table_schema") if name in head}
    name_at, type_at = at.get("column_name", 0), at.get("data_type", 1)
    found: dict[tuple[str, str], Table] = {}
    for line in lines:
        if _RULE.fullmatch(line) and line.strip():
            continue
        cells = _cells(line, separator)
        if len(cells) != len(head):
            break
        own = (cells[at["table_schema"]] if "table_schema" in at else title[0],
               cells[at["table_name"]] if "table_name" in at else title[1])  # fmt: skip
        if cells[name_at]:
            table = found.setdefault(own, Table(own[1], own[0], role=role))
            table.columns[cells[name_at]] = cells[type_at]
    return list(found.values())
