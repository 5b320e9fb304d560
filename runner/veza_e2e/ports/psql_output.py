"""Reads what psql printed for the query of `seller_transfers`: completely, or not at all."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from veza_e2e.canonical import JSON
from veza_e2e.ports.seller_transfers import COLUMNS, OPTIONAL, WHOLE

ONCE_NEEDED: Final = frozenset({"order_id", "amount_cents", "platform_fee_cents", "status"})
"""What version 1 of the walkthrough asked of a paste."""
_KNOWN: Final = frozenset({*COLUMNS, *OPTIONAL})
_TELLING: Final = 3
"""A line with so many of our columns is the query's head, and not the listing of the table's columns."""
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_FOOTER = re.compile(r"\(([0-9]{1,9}) [^()|]{1,20}\)")
_RECORD = re.compile(r"[-─]\[ \S{1,40} [0-9]{1,9} \]")
_RULE = frozenset("-+ ─┼┬┴├┤┌┐└┘│")
_TIMING = re.compile(r"\w{1,20}: [0-9.,]{1,20} ms.*")
_ERROR = re.compile(r"(?:psql:\S* )?(?:ERROR|FATAL|FEHLER|ERREUR|psql: error):\s+(.+)")
_BELOW = ("+", "↵")
"""psql's mark for a cell that goes on below."""
_NULLS = frozenset({"", "(null)", "[null]", "<null>", "NULL", "null", "∅"})
"""What psql prints for a null, by default or with a common setting."""


class PasteError(Exception):
    """The pasted text is not the query's output; the message says why."""


def begun(lines: Sequence[str]) -> bool:
    """Whether the output of the query has begun, after the listing of the columns."""
    if any(_RECORD.match(line) for line in lines):
        return any(line.partition("|")[0].strip() == "platform_fee_cents" for line in lines)
    return any(all(name in line for name in ONCE_NEEDED) for line in lines)


def parse(text: str, *, needed: Collection[str] = COLUMNS) -> tuple[dict[str, JSON], ...]:
    """Return the rows that psql printed: CSV, aligned, unaligned, tab-separated or expanded.

    Skips the listing of the columns, which the script prints first.

    Args:
        text: what was pasted.
        needed: the columns that must be there.

    Raises:
        PasteError: `text` does not hold the query's output, or only a part of it.
    """
    # Split at psql's own line ends only: a cell may hold others that str.splitlines knows.
    lines = [line.rstrip("\r") for line in text.split("\n") if line.strip()]
    try:
        rows = _expanded(lines, needed) if any(map(_RECORD.match, lines)) else _tabular(lines, needed)
    except csv.Error as error:
        raise PasteError(f"it cannot be read as CSV: {error}") from error
    typed = tuple(_typed(row) for row in rows)
    counts = {row["row_count"] for row in typed} - ({None} if "row_count" not in needed else set())
    if counts - {len(typed)}:
        told = " and ".join(sorted("nothing" if one is None else str(one) for one in counts))
        read = f"{len(typed)} row{' was' if len(typed) == 1 else 's were'} read"
        raise PasteError(f"row_count says {told}, {read}: a line may be broken or cut")
    return typed


def _expanded(lines: Sequence[str], needed: Collection[str]) -> list[dict[str, str]]:
    records: list[dict[str, str]] = []
    last = ""
    for line in lines:
        if _RECORD.match(line):
            records.append({})
        elif records and "|" in (line := line.replace("│", "|", 1)):
            name, _, value = (part.strip() for part in line.partition("|"))
            last, value = (name, value) if name else (last, _joined(records[-1].get(last, ""), value))
            records[-1][last] = value
    rows = [record for record in records if len(_KNOWN & record.keys()) >= _TELLING]
    if not rows:
        raise _none(lines)
    if any(row.keys() != rows[0].keys() for row in rows):
        raise PasteError("a record lacks columns; was it cut?")
    _complete(rows[0], needed)
    return rows


def _tabular(lines: Sequence[str], needed: Collection[str]) -> list[dict[str, str]]:
    told: frozenset[str] = frozenset()
    for start, line in enumerate(lines):
        for separator in ("|", "│", "\t", ","):
            header = next(_records([line], separator), [])
            if set(header) >= set(needed):
                return _rows(_records(lines[start + 1 :], separator), header, separator)
            told = max(told, _KNOWN & set(header), key=len)
    if len(told) >= _TELLING:
        _complete(told, needed)
    raise _none(lines)


def _complete(told: Collection[str], needed: Collection[str]) -> None:
    missing = [name for name in needed if name not in told]
    if missing:
        raise PasteError(f"the paste lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}")


def _none(lines: Sequence[str]) -> PasteError:
    for line in lines:
        if found := _ERROR.match(line):
            return PasteError(f"psql printed an error: {found[1]:.200}")
    return PasteError("the query's output, which begins with order_id, was not found in it")


def _records(lines: Sequence[str], separator: str) -> Iterator[list[str]]:
    if separator == ",":
        # Only in CSV may a record span several lines.
        found: Iterable[list[str]] = csv.reader(io.StringIO("\n".join(lines)))
    else:
        found = (line.split(separator) for line in lines)
    return ([cell.strip() for cell in cells] for cells in found)


def _rows(records: Iterator[list[str]], header: Sequence[str], separator: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    over = False
    for cells in records:
        footer = _FOOTER.fullmatch(cells[0]) if len(cells) == 1 else None
        if footer is not None and not over and int(footer[1]) != len(rows):
            raise PasteError(f"psql printed {footer[1]} rows, {len(rows)} were pasted; was a line broken or cut?")
        if len(cells) == 1:
            over = over or not set(cells[0]) <= _RULE
            continue
        if _TIMING.fullmatch(separator.join(cells)):
            over = True
            continue
        if over or len(cells) != len(header):
            raise PasteError(_broken(cells, header, over=over))
        row = dict(zip(header, cells, strict=True))
        if rows and not row["order_id"] and separator in "|│":
            rows[-1] = {name: _joined(rows[-1][name], row[name]) for name in header}
        else:
            rows.append(row)
    if not rows:
        raise PasteError("it has no row: this database does not know the order, or the rows were cut off")
    return rows


def _broken(cells: Sequence[str], header: Sequence[str], *, over: bool) -> str:
    if over:
        return "there are more lines of a table after the query's output; paste the output of one run"
    return (
        f"a row has {len(cells)} cells under {len(header)} columns; a line was broken or cut, "
        "or a cell holds the separator"
    )


def _joined(above: str, below: str) -> str:
    """Return a cell with its next line, which psql prints below; it marks the line above."""
    if not below:
        return above
    if not above.endswith(_BELOW):
        raise PasteError("a cell goes on in the next line without psql's mark for it")
    return f"{above[:-1].rstrip()} {below}"


def _typed(row: Mapping[str, str]) -> dict[str, JSON]:
    typed: dict[str, JSON] = {}
    for name in (*COLUMNS, *(name for name in OPTIONAL if name in row)):
        value = row.get(name, "")
        if value in _NULLS:
            typed[name] = None
        elif name in WHOLE:
            if not _INTEGER.fullmatch(value):
                raise PasteError(f"{name} is {value!r:.40}, which is not a whole number of minor units")
            typed[name] = int(value)
        else:
            typed[name] = value
    return typed
