"""Gets the rows of seller_transfers: from a database, or pasted by the operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from veza_e2e.canonical import JSON
from veza_e2e.journal.readings import RowsRead
from veza_e2e.ports import seller_transfers as ledger
from veza_e2e.steps.context import Context
from veza_e2e.steps.results import PlacedOrder


def read_rows(context: Context, order: PlacedOrder) -> Sequence[Mapping[str, JSON]] | None:
    """Return the rows; None if the operator has to read them, or if the id is unsafe in SQL."""
    try:
        sql = ledger.query(order.order_id, context.names)
    except ValueError:
        return None
    rows = context.ledger.rows(sql, order.order_id)
    if rows is None:
        return None
    clean = tuple({name: row.get(name) for name in ledger.COLUMNS} for row in rows)
    _read(context, context.ledger.source, sql, clean)
    return clean


def _read(context: Context, source: str, sql: str, rows: Sequence[Mapping[str, JSON]], problem: str = "") -> None:
    shown = tuple(context.recorder.redactor.members(row)[0] for row in rows)
    step = context.recorder.step
    if step is not None:
        context.journal.append(
            RowsRead(
                step=step,
                source="database" if source == "database" else "rehearsal" if source == "rehearsal" else "pasted",
                sql=sql,
                rows=shown,
                final=not problem,
                problem=context.recorder.redactor.text(problem) or None,
            )
        )


def paste_rows(context: Context, order: PlacedOrder, sql: str) -> Sequence[Mapping[str, JSON]]:
    text = f"Run this in psql on the backend's database and paste what it prints:\n\n{sql}\n"
    context.asked("transfers", text)
    since = context.clock.monotonic()
    printed = context.ledger.peek(order.order_id)
    peek = None if printed is None else lambda: printed
    hint = " On the rehearsal backend `s` shows what psql would print." if peek else ""
    shown = f"{text}\nEnd with an empty line or `.` (`@file` reads a file).{hint}"
    while True:
        pasted = context.operator.paste("transfers", shown, peek)
        try:
            rows = ledger.parse(pasted)
            _related(rows, order)
        except ledger.PasteError as error:
            context.answered("transfers", f"{len(pasted.splitlines())} lines, not usable", since)
            _read(context, "pasted", sql, (), str(error))
            shown = f"That cannot be used: {error}. Please paste it again."
            continue
        context.answered("transfers", f"{len(pasted.splitlines())} lines", since)
        _read(context, "pasted", sql, rows)
        if context.yes("transfers_right", f"Read as:\n{ledger.table(rows)}\nIs this what psql printed?"):
            return rows
        shown = "Please paste it again."


def _related(rows: Sequence[Mapping[str, JSON]], order: PlacedOrder) -> None:
    # PostgreSQL prints a UUID in lower case, whatever the API does.
    others = sorted({str(row["order_id"]).lower() for row in rows} - {order.order_id.lower()})
    if others:
        raise ledger.PasteError(f"it is about order {', '.join(others)[:80]}, not {order.order_id}")
