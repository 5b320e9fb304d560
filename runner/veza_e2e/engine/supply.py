"""Supplies rows of seller_transfers after the walkthrough, and says what they mean."""

from __future__ import annotations

from dataclasses import replace

from veza_e2e.engine.session import Stage
from veza_e2e.engine.walk import UnresumableError, context_of
from veza_e2e.frozen import dataclass
from veza_e2e.journal.events import WALKTHROUGH, StepFinished, StepName
from veza_e2e.journal.readings import RowsRead
from veza_e2e.money.transfer_rows import Rows, Verdict, license_status
from veza_e2e.money.transfers import booking, reversal
from veza_e2e.ports import seller_transfers
from veza_e2e.ports.psql_output import PasteError
from veza_e2e.steps.context import Context
from veza_e2e.steps.pasting import RowsSkipped, parsed, paste_rows
from veza_e2e.steps.results import ChosenProduct, PlacedOrder
from veza_e2e.steps.rows import (
    absent_columns,
    booked_rows,
    completed_at,
    facts_of,
    over,
    read_rows,
    record_rows,
    refund_seen_at,
    refund_was_asked,
    script_of,
)

__all__ = ["PasteError", "RowsSkipped", "Supplied", "supply"]


@dataclass(frozen=True, slots=True)
class Supplied:
    """Rows that were read or pasted now.

    Attributes:
        event: the rows, as the journal has them.
        booking: what they say of R2.
        reversal: what they say of R5; None if no refund was asked for.
        license: the licenses' status in the database; None if the rows do not tell.
    """

    event: RowsRead
    booking: Verdict
    reversal: Verdict | None
    license: str | None


def supply(stage: Stage, text: str | None) -> Supplied:
    """Read the rows from the connection, from `text`, or as the operator pastes them; append them to the journal.

    Raises:
        EndOfInput: the operator is gone.
        Failed: no SQL can hold the order's id.
        PasteError: `text` is not the query's output for this order.
        RowsSkipped: the operator goes on without rows.
        UnresumableError: the session has no order.
    """
    context = context_of(stage)
    context = replace(context, options=replace(context.options, walkthrough=int(WALKTHROUGH)))
    order, product = _bought(context)
    asked = refund_was_asked(context)
    step: StepName = "revoked" if asked else "transfers"
    since = refund_seen_at(context)
    stage.recorder.step = step
    try:
        rows = _rows(context, order, text, asked=asked)
    finally:
        stage.recorder.step = None
    event = next(event for event in reversed(list(context.journal.events())) if isinstance(event, RowsRead))
    absent = absent_columns(context, order)
    facts = facts_of(context, order, product.seller_id if product else None)
    booked = booking(rows, facts, refund_asked=asked, absent=absent)
    back = reversal(event.rows, facts, before=booked_rows(context), absent=absent) if asked else None
    return Supplied(
        event,
        _missing(booked) if over(context, completed_at(context)) else booked,
        back if back is None or not over(context, since) else _missing(back),
        license_status(rows),
    )


def _rows(context: Context, order: PlacedOrder, text: str | None, *, asked: bool) -> Rows:
    if text is not None:
        found = parsed(text, order.order_id, seller_transfers.COLUMNS)
        record_rows(context, "pasted", script_of(context, order), found)
        return found
    reading = read_rows(context, order, always=True)
    if reading.rows is not None:
        return reading.rows
    return paste_rows(context, order, "reversals" if asked else "transfers", reading.reason or "")


def _missing(verdict: Verdict) -> Verdict:
    """Return the verdict a day later, when what is late is missing."""
    if verdict.status != "late":
        return verdict
    return replace(verdict, status="wrong", problem=f"{verdict.problem}, after more than 24 hours")


def _bought(context: Context) -> tuple[PlacedOrder, ChosenProduct | None]:
    results = {event.step: event.result for event in context.journal.events() if isinstance(event, StepFinished)}
    if "order" not in results:
        raise UnresumableError("the session has no order whose rows could be read")
    product = ChosenProduct.from_json(results["products"]) if "products" in results else None
    return PlacedOrder.from_json(results["order"]), product
