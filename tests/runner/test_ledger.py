"""seller_transfers: what enters the SQL, and how psql's answer is read, whatever its format."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from amount import share
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from veza_e2e import ledger_names
from veza_e2e.canonical import JSON
from veza_e2e.money.transfer_rows import absent
from veza_e2e.ports.psql_output import ONCE_NEEDED, PasteError, parse
from veza_e2e.ports.seller_transfers import COLUMNS, blocks, query, script
from veza_e2e.ports.seller_transfers import expanded as psql_x

ORDER = "7d3f0e5e-93f5-4c1c-8d3a-0e0d3a1b2c3d"
ROW: dict[str, JSON] = {
    "order_id": ORDER, "total_amount_cents": 1000, "tax_amount_cents": 0, "currency": "EUR", "transfer_id": "t-1",
    "seller_id": "s-1", "stripe_transfer_id": "tr_1", "amount_cents": 900, "platform_fee_cents": 100,
    "transfer_currency": "EUR", "status": "completed", "reversed_amount_cents": 0, "stripe_reversal_id": None,
    "error_message": None, "unexplained_cents": 0, "row_count": 1,
}  # fmt: skip
NUMBERS = [name for name in COLUMNS if name.endswith("_cents")]
CELL = st.text(st.characters(exclude_categories=("Cs", "Cc", "Z")) | st.sampled_from(" :;'\"`$(){}<>"), max_size=12)


def counted(*rows: dict[str, JSON]) -> tuple[dict[str, JSON], ...]:
    """As the query has them: each row carries the number of rows."""
    return tuple(row | {"row_count": len(rows)} for row in rows)


def cells(row: dict[str, JSON]) -> list[str]:
    return ["" if row[name] is None else str(row[name]) for name in COLUMNS]


def as_csv(*rows: dict[str, JSON]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([COLUMNS, *map(cells, rows)])
    return out.getvalue()


def delimited(separator: str, *rows: dict[str, JSON]) -> str:
    lines = [separator.join(COLUMNS), *(separator.join(cells(row)) for row in rows)]
    return "\n".join([*lines, f"({len(rows)} row{'' if len(rows) == 1 else 's'})"])


def table(rows: Sequence[Mapping[str, JSON]]) -> str:
    """As psql prints them, aligned."""
    told = [["" if row.get(name) is None else " ".join(str(row[name]).split()) for name in COLUMNS] for row in rows]
    widths = [max(len(name), *(len(line[i]) for line in told), 0) for i, name in enumerate(COLUMNS)]
    lines = [" | ".join(name.center(width) for name, width in zip(COLUMNS, widths, strict=True))]
    lines.append("+".join("-" * (width + (1 if i in {0, len(widths) - 1} else 2)) for i, width in enumerate(widths)))
    lines += [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in told]
    return "\n".join([*lines, f"({len(rows)} row{'' if len(rows) == 1 else 's'})"])


def expanded(*rows: dict[str, JSON]) -> str:
    lines = []
    for number, row in enumerate(rows, 1):
        lines.append(f"-[ RECORD {number} ]---------+------------------")
        lines += [f"{name:<22} | {cell}".rstrip() for name, cell in zip(COLUMNS, cells(row), strict=True)]
    return "\n".join(lines)


LISTING = """BEGIN
      column_name      |        data_type
-----------------------+--------------------------
 id                    | uuid
 order_id              | uuid
 amount_cents          | bigint
(3 rows)

"""
FORMATS = {
    "aligned": lambda *rows: LISTING + table(rows) + "\n\nROLLBACK\nTime: 1,234 ms",
    "unaligned": lambda *rows: (
        "BEGIN\ncolumn_name|data_type\nid|uuid\n(1 row)\n" + delimited("|", *rows) + "\nROLLBACK"
    ),
    "tab": lambda *rows: "column_name\tdata_type\nid\tuuid\n" + delimited("\t", *rows) + "\nROLLBACK",
    "csv": lambda *rows: "BEGIN\ncolumn_name,data_type\nid,uuid\n" + as_csv(*rows) + "ROLLBACK\nTime: 1,234 ms",
    "expanded": lambda *rows: (
        "-[ RECORD 1 ]\ncolumn_name | id\ndata_type | uuid\n\n" + expanded(*rows) + "\n\nROLLBACK"
    ),
    "windows line ends": lambda *rows: (LISTING + table(rows)).replace("\n", "\r\n"),
}


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_is_read(form: str) -> None:
    second = ROW | {"transfer_id": "t-2", "amount_cents": -5, "error_message": "balance too low"}
    assert parse(FORMATS[form](ROW)) == (ROW,)
    assert parse(FORMATS[form](*counted(ROW, second))) == counted(ROW, second)


@pytest.mark.parametrize("form", FORMATS)
def test_an_order_without_a_transfer_is_a_row_of_nulls(form: str) -> None:
    empty = dict.fromkeys(COLUMNS) | {"order_id": ORDER, "total_amount_cents": 500, "row_count": 1}
    assert parse(FORMATS[form](empty)) == (empty,)


NULLS = {"null", "NULL", "(null)", "[null]", "<null>", "\u2205"}
"""Texts that stand for no value, since psql may print them for it."""


@settings(max_examples=share(40))
@given(
    st.sampled_from(sorted(set(FORMATS) - {"aligned", "windows line ends"})),
    st.lists(st.tuples(CELL, CELL, st.integers(-(10**17), 10**17)), min_size=1, max_size=3),
)
def test_hostile_cells_are_cells(form: str, given_rows: list[tuple[str, str, int]]) -> None:
    rows = []
    for status, message, amount in given_rows:
        clean = [" ".join(text.split()).replace("|", "/") for text in (status, message)]
        assume("-[ RECORD" not in clean[1])
        rows.append(ROW | {"status": clean[0] or None, "error_message": clean[1] or None, "amount_cents": amount})
    assume(not {row[name] for row in rows for name in ("status", "error_message")} & NULLS)
    assert parse(FORMATS[form](*counted(*rows))) == counted(*rows)


@given(st.text(max_size=200))
def test_whatever_is_pasted_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(PasteError):
        assert parse(text)


@pytest.mark.parametrize("form", ["aligned", "unaligned", "tab", "csv", "expanded"])
def test_a_cut_answer_is_refused_and_never_read_as_fewer_rows(form: str) -> None:
    rows = counted(*(ROW | {"transfer_id": f"t-{number}", "amount_cents": number} for number in (1, 2, 3)))
    text = {
        "aligned": table(rows), "unaligned": delimited("|", *rows), "tab": delimited("\t", *rows),
        "csv": as_csv(*rows), "expanded": expanded(*rows),
    }[form]  # fmt: skip
    lines = text.split("\n")
    for cut in range(1, len(lines)):
        broken = [*lines[:cut], lines[cut][: len(lines[cut]) // 2], *lines[cut + 1 :]]
        if not lines[cut].strip("-+ ") or lines[cut].startswith(("(", "-[")):
            continue
        try:
            read = parse("\n".join(broken))
        except PasteError:
            continue
        assert len(read) == 3, f"line {cut} was cut, and rows went missing"


def test_the_number_of_rows_that_psql_names_must_be_there() -> None:
    whole = table(counted(ROW, ROW | {"transfer_id": "t-2"})).split("\n")
    for told in ("(2 rows)", "(2 Zeilen)", "(2 lignes)"):
        with pytest.raises(PasteError, match="psql printed 2 rows, 1 were pasted"):
            parse("\n".join([*whole[:3], told]))
        assert len(parse("\n".join([*whole[:4], told]))) == 2


@pytest.mark.parametrize("form", FORMATS)
def test_a_last_row_that_was_left_out_is_noticed_whatever_the_format(form: str) -> None:
    rows = counted(ROW, ROW | {"transfer_id": "t-2"}, ROW | {"transfer_id": "t-3"})
    with pytest.raises(PasteError, match="row_count says 3, 2 rows were read"):
        parse(FORMATS[form](*rows[:2]))


def test_a_row_that_is_broken_in_two_is_refused() -> None:
    head, line, row, second, foot = table(counted(ROW, ROW | {"transfer_id": "t-2"})).split("\n")
    for part in (row, second):
        broken = "\n".join([head, line, *(r if r != part else f"{r[:60]}\n{r[60:]}" for r in (row, second)), foot])
        with pytest.raises(PasteError):
            parse(broken)


def test_a_cell_of_several_lines_is_one_cell() -> None:
    text = table([ROW | {"error_message": "first line"}]).split("\n")
    empty = " | ".join("" if name != "error_message" else "second" for name in COLUMNS)
    text[2] = text[2].replace("first line", "first line+")
    (row,) = parse("\n".join([*text[:3], empty, text[3]]))
    assert row["error_message"] == "first line second"
    (row,) = parse(expanded(ROW | {"error_message": "first+\n                       | second"}))
    assert row["error_message"] == "first second"
    (row,) = parse(as_csv(ROW | {"error_message": "first\nsecond, third"}))
    assert row["error_message"] == "first\nsecond, third"


@pytest.mark.parametrize("cell", ["a\x0bb", "a\u2028b", "a\x1cb", "a\x85b"])
def test_only_psqls_line_ends_end_a_line(cell: str) -> None:
    (row,) = parse(delimited("|", ROW | {"error_message": cell}))
    assert row["error_message"] == cell


@pytest.mark.parametrize("null", ["(null)", "[null]", "NULL", "\u2205"])
def test_an_operators_own_null_is_a_null(null: str) -> None:
    text = delimited("|", ROW | {"stripe_reversal_id": null, "error_message": null})
    assert parse(text) == (ROW,)


@pytest.mark.parametrize("number", ["1.0", "1e3", "0x10", "1,000", "١٢", "900 EUR", "1" * 19, "--1", "NaN"])
def test_an_amount_is_a_whole_number_of_minor_units(number: str) -> None:
    with pytest.raises(PasteError, match="amount_cents is"):
        parse(delimited("|", ROW | {"amount_cents": number}))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        *((text, "begins with order_id, was not found") for text in ("", "\n\n", "q", ".", LISTING, "\x00,\x00")),
        ("ERROR:  relation does not exist", "psql printed an error: relation does not exist"),
        ("psql:a.sql:3: FEHLER:  Relation fehlt", "psql printed an error: Relation fehlt"),
        (",".join(COLUMNS), "does not know the order"),
        (LISTING + " | ".join(COLUMNS) + "\n---+---\n(0 rows)", "does not know the order"),
        ("order_id | amount_cents | platform_fee_cents | status\n1|2|3|x", "lacks the columns total_amount_cents, tax"),
        (as_csv(ROW).replace("seller_id", "seller"), "lacks the column seller_id$"),
        (expanded(ROW).replace("row_count", "count    "), "lacks the column row_count$"),
    ],
)
def test_what_is_no_answer_says_what_is_missing(text: str, told: str) -> None:
    with pytest.raises(PasteError, match=told):
        parse(text)


def test_a_recording_of_the_first_walkthrough_holds_fewer_columns() -> None:
    (row,) = parse("order_id,amount_cents,platform_fee_cents,status\n1,2,3,completed", needed=ONCE_NEEDED)
    assert (row["order_id"], row["amount_cents"], row["row_count"]) == ("1", 2, None)


FORGED = "x|0|2\n" + "|".join(cells(ROW)) + "\n(2 rows)"


@pytest.mark.parametrize("form", ["aligned", "unaligned", "tab"])
def test_no_cell_hides_a_row_or_makes_one(form: str) -> None:
    lines = {"aligned": " | ", "unaligned": "|", "tab": "\t"}[form]
    for message in (f"first:+{lines}second", "first\nsecond", FORGED.replace("|", lines)):
        rows = counted(ROW | {"error_message": message}, ROW | {"transfer_id": "t-2"})
        with pytest.raises(PasteError):
            parse(delimited(lines, *rows))


HIDDEN = """
 order_id | total_amount_cents | tax_amount_cents | currency | transfer_id | seller_id | stripe_transfer_id | \
amount_cents | platform_fee_cents | transfer_currency |  status   | reversed_amount_cents | stripe_reversal_id | \
    error_message     | unexplained_cents | row_count
----------+-----
        6 |                500 |                0 | EUR      |          11 |         9 | tr_a               | \
         450 |                 50 | EUR               | completed |                     0 |                    | \
first try failed:    +|              -500 |         2
          |                    |                  |          |             |           |                    | \
             |                    |                   |           |                       |                    | \
{below} |                   |
        6 |                500 |                0 | EUR      |          12 |         9 | tr_b               | \
         450 |                 50 | EUR               | completed |                     0 |                    | \
                      |              -500 |         2
(2 rows)
"""


def test_a_message_of_two_lines_hides_no_second_transfer() -> None:
    rows = parse(HIDDEN.format(below="acct_x / insufficient "))
    assert [row["stripe_transfer_id"] for row in rows] == ["tr_a", "tr_b"]
    assert rows[0]["error_message"] == "first try failed: acct_x / insufficient"
    with pytest.raises(PasteError, match="a cell holds the separator"):
        parse(HIDDEN.format(below="acct_x | insufficient "))


def test_what_the_terminal_was_too_narrow_for_is_not_put_together() -> None:
    wrapped = HIDDEN.replace("first try failed:    +|", "first try failed:    .|")
    with pytest.raises(PasteError, match="without psql's mark"):
        parse(wrapped.format(below="acct_x"))


def test_the_output_of_two_runs_is_refused() -> None:
    with pytest.raises(PasteError, match="paste the output of one run"):
        parse(table([ROW]) + "\n" + table([ROW]))


@given(
    st.text(max_size=60)
    | st.sampled_from(["1; DROP TABLE orders", "1'--", "'", "\\'; --", "", " 1", "1\n", "0x1", "\uff11", "ord_1 :x"])
)
def test_an_id_enters_the_sql_as_one_literal(order_id: str) -> None:
    try:
        sql = query(order_id)
    except ValueError:
        return
    (where,) = [line for line in sql.split("\n") if "WHERE" in line]
    literal = re.fullmatch(r" WHERE o\.id(?:::text)? = (E?)'((?:[^'\\]|''|\\U[0-9A-F]{8})*)'", where)
    assert literal is not None
    assert where.isascii()
    shown = literal[2].replace("''", "'")
    assert order_id == (re.sub(r"\\U([0-9A-F]{8})", lambda m: chr(int(m[1], 16)), shown) if literal[1] else shown)


@pytest.mark.parametrize("order_id", ["42", "-1", ORDER, ORDER.upper(), ORDER.replace("-", "")])
def test_integers_and_uuids_do(order_id: str) -> None:
    assert f" WHERE o.id = '{order_id}'\n" in query(order_id)


@pytest.mark.parametrize("order_id", ["ord_1", "9" * 19, "1 OR 1=1"])
def test_another_id_is_compared_as_text_whatever_the_column_is(order_id: str) -> None:
    assert f" WHERE o.id::text = '{order_id}'\n" in query(order_id)
    assert f" WHERE o.id::text = '{order_id}'\n" in script(order_id)


@pytest.mark.parametrize("order_id", ["ord\x001", "\ud800"])
def test_what_no_text_of_postgresql_can_hold_is_refused_by_name(order_id: str) -> None:
    for make in (query, script):
        with pytest.raises(ValueError, match="no SQL text can hold"):
            make(order_id)


def test_licenses_are_asked_for_where_the_configuration_names_their_table() -> None:
    assert "license" not in query(ORDER)
    names = ledger_names.read({"licenses": {"table": "grants", "order_id": "sale"}})
    assert 'FROM "grants" l\n         WHERE l."sale" = o.id) AS license_status,' in query(ORDER, names)
    assert ledger_names.read(names.document()) == names
    (row,) = parse(as_csv(ROW).replace("row_count", "license_status,row_count").replace(",1\n", ",revoked,1\n"))
    assert row["license_status"] == "revoked"
    wrong: tuple[Any, ...] = ({"status": False}, {"major_units": []}, 1)
    for licenses in wrong:
        with pytest.raises(ValueError, match=r"licenses\b"):
            ledger_names.read({"licenses": licenses})


def test_the_sql_tells_which_columns_the_table_does_not_have() -> None:
    names = ledger_names.read({"platform_fee_cents": False, "stripe_transfer_id": False})
    for sql in (query("x NULL AS status", names), script("x NULL AS status", names)):
        assert absent(sql) == {"platform_fee_cents", "stripe_transfer_id", "unexplained_cents"}
    assert absent(script(ORDER)) == frozenset()


def test_rows_are_shown_a_block_each_for_a_narrow_terminal() -> None:
    shown = blocks([ROW | {"error_message": "a\nb"}, ROW]).split("\n")
    assert shown[0] == "row 1 of 2"
    assert "  error_message         a b" in shown
    assert "  amount_cents          9.00 EUR  (900)" in shown
    assert "  total_amount_cents    10.00 EUR  (1000)" in shown
    assert max(map(len, shown)) <= 60
    assert "  amount_cents          x" in blocks([ROW | {"amount_cents": "x"}])
    assert "  amount_cents          900" in blocks([ROW | {"transfer_currency": None}]).split("\n")


def test_what_the_rehearsal_shows_in_the_place_of_psql_is_a_block_a_row_and_can_be_pasted_back() -> None:
    rows = counted(ROW, ROW | {"transfer_id": "t-2"})
    shown = psql_x(rows)
    assert parse(shown) == rows
    assert max(map(len, shown.split("\n"))) < 79


def test_other_names_are_asked_for_and_told_by_ours() -> None:
    names = ledger_names.read({
        "schema": "billing", "table": "Payouts", "id": False, "created_at": False, "amount_cents": "user",
        "platform_fee_cents": "fee", "major_units": ["platform_fee_cents"],
        "orders": {"schema": "shop", "table": "order", "total_amount_cents": "total_cents"},
    })  # fmt: skip
    lines = script(ORDER, names).split("\n")
    assert lines[2] == " WHERE table_name = 'Payouts' AND table_schema = 'billing' ORDER BY ordinal_position;"
    text = "\n".join(lines)
    assert 'FROM "shop"."order" o LEFT JOIN "billing"."Payouts" t ON t.order_id = o.id\n' in text
    for output in (
        'o."total_cents" AS total_amount_cents', "o.tax_amount_cents,", "NULL AS transfer_id",
        't."user" AS amount_cents', 'trim_scale(t."fee"::numeric * 100) AS platform_fee_cents', "ORDER BY status;",
    ):  # fmt: skip
        assert output in text
    assert ledger_names.read(names.document()) == names


@pytest.mark.parametrize(
    "table",
    [{"platform_fee_cents": False}, {"orders": {"tax_amount_cents": False}}, {"orders": {"total_amount_cents": False}}],
)
def test_what_is_unexplained_is_unknown_where_a_part_of_it_is(table: dict[str, Any]) -> None:
    assert "\n       NULL AS unexplained_cents,\n" in query(ORDER, ledger_names.read(table))


def test_the_script_is_a_read_only_transaction_that_shows_the_real_columns_first() -> None:
    lines = script(ORDER).split("\n")
    assert lines[0] == "BEGIN READ ONLY;"
    assert "information_schema.columns" in lines[1]
    assert max(map(len, lines)) < 80, "no line is broken in the middle of a name"
    assert lines[-1] == "ROLLBACK;"
