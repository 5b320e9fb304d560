"""Gets the rows of seller_transfers: from a connection, or pasted by the operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal, cast

from veza.money import Money
from veza_e2e.canonical import JSON
from veza_e2e.journal.events import CallIntended, Event, StepFinished, StepName, StepStarted
from veza_e2e.journal.findings import FindingCode
from veza_e2e.journal.readings import RowsRead
from veza_e2e.money.transfer_rows import OrderFacts, Rows, Verdict, tax_told
from veza_e2e.money.transfer_rows import absent as columns_absent
from veza_e2e.money.transfers import LATE
from veza_e2e.ports import seller_transfers
from veza_e2e.ports.protocols import LedgerReading
from veza_e2e.steps.context import Context, TimedOut
from veza_e2e.steps.results import PlacedOrder
from veza_e2e.steps.step import Failed, resume_and
from veza_e2e.steps.waiting import waiting_for

Judge = Callable[[Rows], Verdict]
_ONCE_NOT_NEEDED = {"stripe_transfer_id", "stripe_reversal_id", "transfer_currency"}


def asks(context: Context) -> bool:
    """Whether a person may be asked what version 1 of the walkthrough did not ask: its recordings hold no answer."""
    return not context.options.first and not context.options.unattended


def has_books(context: Context) -> bool:
    """Whether there are books to ask: a backend on this machine is no rehearsal backend unless it says so."""
    return context.options.rehearsal and context.ledger.source == "rehearsal"


def facts_of(context: Context, order: PlacedOrder, seller_id: str | None = None) -> OrderFacts:
    """Return what the rules over the rows need to know of the order, as the API last told it."""
    tax = tax_told(context.account(), order.order_id, order.total)
    if context.options.first:
        tax = Money(order.tax_cents, order.currency)
    return OrderFacts(order.order_id, order.total, tax, seller_id)


def refund_was_asked(context: Context) -> bool:
    """Whether a refund was asked for, so that the rows may be reversed already."""
    asked = any(isinstance(e, CallIntended) and e.operation == "requestRefund" for e in context.journal.events())
    return asked or (not context.options.first and refund_seen_at(context) is not None)


def script_of(context: Context, order: PlacedOrder) -> str:
    """Return the SQL for the operator.

    Raises:
        Failed: no SQL can hold the order's id.
    """
    try:
        return seller_transfers.script(order.order_id, context.names)
    except ValueError as error:
        raise Failed(
            FindingCode.ORDER_ID_UNSAFE, str(error), meaning=context.account().said, todo=resume_and(context)
        ) from error


def absent_columns(context: Context, order: PlacedOrder) -> frozenset[str]:
    """Return the columns that the configuration says the tables do not have."""
    absent = columns_absent(script_of(context, order))
    # Version 1 of the walkthrough took pastes without them, and its recordings hold them.
    return absent | _ONCE_NOT_NEEDED if context.options.first else absent


def read_judged(context: Context, order: PlacedOrder, judge: Judge) -> tuple[LedgerReading, Verdict | None]:
    """Read the rows from the connection, and again while they are late: as long as a license is waited for.

    Returns:
        The last reading, and its verdict; None if there are no rows to judge.
    """
    last = LedgerReading(None)

    def read() -> LedgerReading:
        nonlocal last
        last = read_rows(context, order)
        return last

    def settled(reading: LedgerReading) -> bool:
        return reading.rows is None or judge(reading.rows).status != "late"

    try:
        if not context.options.first:
            waiting = waiting_for(context, order, "waiting for the rows of seller_transfers")
            context.wait(read, settled, timeout=context.options.grace, waiting=waiting, told=lambda _: "rows: not yet")
        else:
            read()
    except TimedOut:
        pass
    return last, None if last.rows is None else judge(last.rows)


def read_rows(context: Context, order: PlacedOrder, *, always: bool = False) -> LedgerReading:
    """Read the rows from the connection; record them if they are others than before, or `always`."""
    try:
        sql = seller_transfers.query(order.order_id, context.names)
    except ValueError:
        return LedgerReading(None)
    reading = context.ledger.rows(sql, order.order_id)
    if reading.rows is None:
        return reading
    clean = tuple(_ours(row) for row in reading.rows)
    source = context.ledger.source
    if always or clean != _last_read(context):
        record_rows(context, source, sql, clean)
    return LedgerReading(clean)


def _ours(row: Mapping[str, JSON]) -> dict[str, JSON]:
    names = (*seller_transfers.COLUMNS, *(name for name in seller_transfers.OPTIONAL if name in row))
    return {name: row.get(name) for name in names}


def _last_read(context: Context) -> Sequence[Mapping[str, JSON]] | None:
    """Return the rows that this step read last, since it was begun."""
    for event in reversed(list(context.journal.events())):
        if isinstance(event, StepStarted):
            return None
        if isinstance(event, RowsRead):
            return event.rows
    return None


def record_rows(
    context: Context,
    source: Literal["pasted", "database", "rehearsal"],
    sql: str,
    rows: Sequence[Mapping[str, JSON]],
    problem: str = "",
) -> None:
    """Record rows that were read or pasted, redacted; or why a paste could not be used."""
    shown = tuple(context.recorder.redactor.members(row)[0] for row in rows)
    step = context.recorder.step
    if step is not None:
        context.journal.append(
            RowsRead(
                step=step,
                source=source,
                sql=sql,
                rows=shown,
                final=not problem,
                problem=context.recorder.redactor.text(problem) or None,
            )
        )


def supplied(context: Context, judge: Judge, *steps: StepName) -> Verdict | None:
    """Return the verdict over the rows that were read or pasted last, as with `veza-e2e rows`; None if all is not well.

    So nobody is asked twice for rows that are on record.
    """
    read = [event for event in context.journal.events() if isinstance(event, RowsRead) and event.step in steps]
    kept = [event.rows for event in read if event.final]
    verdict = judge(kept[-1]) if kept and not context.options.first else None
    return verdict if verdict and verdict.status in {"booked", "reversed"} else None


def completed_at(context: Context) -> datetime | None:
    """Return when the completion was first seen."""
    return _first(context, lambda event: isinstance(event, StepFinished) and event.step == "completed")


def refund_seen_at(context: Context) -> datetime | None:
    """Return when the refund was first seen: rows may have been read long before, while it was pending."""
    main = context.account().main
    return None if main is None else main.refund_seen_at


def _first(context: Context, wanted: Callable[[Event], bool]) -> datetime | None:
    return next((datetime.fromisoformat(line.at) for line in context.journal.lines if wanted(line.event)), None)


def booked_rows(context: Context) -> Rows:
    """Return the rows that step 7 found booked."""
    for event in context.journal.events():
        if isinstance(event, StepFinished) and event.step == "transfers":
            rows = event.result.get("rows")
            return cast("list[Mapping[str, JSON]]", rows) if isinstance(rows, list | tuple) else ()
    return ()


def over(context: Context, since: datetime | None) -> bool:
    """Whether what may be late is missing by now.

    Args:
        context: the step's.
        since: when what it follows was first seen; None if that is not on record.
    """
    return since is not None and context.clock.now() - since >= LATE
