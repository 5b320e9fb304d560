"""The reading after the refund, a part of step 9: the seller's transfers were reversed (R5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from veza import Order
from veza_e2e.canonical import JSON
from veza_e2e.journal.events import StepFinished
from veza_e2e.journal.findings import FindingCode
from veza_e2e.journal.readings import RowsRead
from veza_e2e.money.transfer_rows import Rows, Verdict
from veza_e2e.money.transfers import reversal
from veza_e2e.steps.context import Context
from veza_e2e.steps.results import PlacedOrder
from veza_e2e.steps.rows import (
    RowsSkipped,
    StillLate,
    absent_columns,
    asks,
    facts_of,
    over,
    paste_judged,
    read_judged,
)
from veza_e2e.steps.step import Failed, Paused


def check_reversals(context: Context, order: PlacedOrder, done: Order) -> None:
    """Read the rows after the refund, and compare what was transferred with what was reversed (R5).

    What nobody reads is not checked, and fails nothing: the operator may go on without the rows.

    Args:
        context: the step's.
        order: the order that was bought.
        done: the order as it is refunded.

    Raises:
        Failed: the reversal was refused, or is still missing 24 hours after the refund was seen.
        Paused: it is not there yet.
        Left: the operator leaves.
    """
    before, absent = _booked(context), absent_columns(context, order)
    facts = facts_of(order)

    def judge(rows: Rows) -> Verdict:
        return reversal(rows, facts, before=before, absent=absent)

    try:
        reading, verdict = read_judged(context, order, judge)
        if (verdict is None or verdict.status == "unread") and asks(context) and not absent & {"reversed_amount_cents"}:
            why = verdict.problem if verdict else reading.reason or ""
            expired = over(context, _first_seen(context))
            verdict = paste_judged(context, order, "reversals", judge, why=why, expired=expired)
    except RowsSkipped:
        return
    except StillLate as late:
        verdict = late.verdict
    if verdict is not None and verdict.status != "unread":
        _conclude(context, verdict, str(done.status))


def _conclude(context: Context, verdict: Verdict, status: str) -> None:
    late = verdict.status == "late" and context.options.walkthrough > 1 and not over(context, _first_seen(context))
    if late:
        raise Paused(
            verdict.finding or FindingCode.TRANSFER_NOT_REVERSED,
            f"the order is {status}; {verdict.problem}",
            meaning=f"The seller's transfer is not reversed yet. {context.account().said}",
            todo="Resume later, or supply the rows with `veza-e2e rows`: a reversal may follow within 24 hours.",
            waiting_for="reversal",
        )
    if verdict.compared:
        context.compare("R5", verdict.left, verdict.right, context.call("getOrder"))
    if verdict.status == "reversed":
        return
    raise Failed(
        verdict.finding or FindingCode.TRANSFER_NOT_REVERSED,
        verdict.problem,
        meaning=f"The platform pays for what the seller keeps. {context.account().said}",
        todo="Reverse the transfer at the Stripe dashboard, and report it to the backend's makers.",
    )


def _booked(context: Context) -> Rows:
    """Return the rows that step 7 found booked."""
    for event in context.journal.events():
        if isinstance(event, StepFinished) and event.step == "transfers":
            rows = event.result.get("rows")
            return cast("list[Mapping[str, JSON]]", rows) if isinstance(rows, list | tuple) else ()
    return ()


def _first_seen(context: Context) -> datetime | None:
    """Return when the rows were first read after the refund was seen."""
    for line in context.journal.lines:
        if isinstance(line.event, RowsRead) and line.event.step == "revoked":
            return datetime.fromisoformat(line.at)
    return None
