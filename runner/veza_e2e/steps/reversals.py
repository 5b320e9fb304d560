"""The reading after the refund, a part of step 9: the seller's transfers were reversed (R5)."""

from __future__ import annotations

from veza import Order
from veza_e2e.journal.findings import FindingCode
from veza_e2e.money.transfer_rows import Rows, Verdict
from veza_e2e.money.transfers import reversal
from veza_e2e.ports.screen import plain
from veza_e2e.steps.context import Context
from veza_e2e.steps.pasting import RowsSkipped, StillLate, paste_judged
from veza_e2e.steps.results import PlacedOrder
from veza_e2e.steps.rows import (
    absent_columns,
    asks,
    booked_rows,
    facts_of,
    over,
    read_judged,
    refund_seen_at,
    supplied,
)
from veza_e2e.steps.step import Failed, Paused

_LOOK = "Look at the Stripe dashboard, and record what was reversed with `attest dashboard --reversed`."


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
    before, absent = booked_rows(context), absent_columns(context, order)
    facts = facts_of(context, order)

    def judge(rows: Rows) -> Verdict:
        # The rows of step 7 are those of the journal; an error is the same as before only if both are redacted.
        shown = [context.recorder.redactor.members(row)[0] for row in rows]
        told = [{**row, "error_message": clean.get("error_message")} for row, clean in zip(rows, shown, strict=True)]
        return reversal(told, facts, before=before, absent=absent)

    try:
        reading, verdict = read_judged(context, order, judge)
        if (verdict is None or verdict.status == "unread") and asks(context) and not absent & {"reversed_amount_cents"}:
            why = verdict.problem if verdict else reading.reason or ""
            expired = over(context, refund_seen_at(context))
            verdict = supplied(context, judge, "revoked") or paste_judged(
                context, order, "reversals", judge, why=why, expired=expired
            )
    except RowsSkipped:
        return
    except StillLate as late:
        verdict = late.verdict
    if verdict is None or verdict.status == "unread":
        return
    if verdict.status == "unclear":
        context.operator.tell(f"R5 is not compared: {plain(verdict.problem)}. {_LOOK}")
        return
    _conclude(context, verdict, str(done.status))


def _conclude(context: Context, verdict: Verdict, status: str) -> None:
    late = verdict.status == "late" and not context.options.first and not over(context, refund_seen_at(context))
    if late:
        raise Paused(
            verdict.finding or FindingCode.TRANSFER_NOT_REVERSED,
            f"the order is {status}; {verdict.problem}",
            meaning=f"{_meaning(verdict)} {context.account().said}",
            todo="Resume later, or supply the rows with `veza-e2e rows`: a reversal may follow within 24 hours.",
            waiting_for="reversal",
        )
    if verdict.compared:
        context.compare("R5", verdict.left, verdict.right, context.call("getOrder"))
    if verdict.status == "reversed":
        return
    meaning, todo = _advice(verdict)
    raise Failed(
        verdict.finding or FindingCode.TRANSFER_NOT_REVERSED,
        verdict.problem,
        meaning=f"{meaning} {context.account().said}",
        todo=todo,
    )


def _meaning(verdict: Verdict) -> str:
    return (
        "The seller's transfer is not reversed yet." if verdict.compared else "The rows do not prove the reversal yet."
    )


def _advice(verdict: Verdict) -> tuple[str, str]:
    """Return what a failure means, and what to do: only what the seller was seen to keep can be reversed."""
    left, right = verdict.left, verdict.right
    if left is None or right is None:
        told = "Compare with the Stripe dashboard, and report it to the backend's makers."
        return "The rows do not prove the reversal.", told
    if left < right:
        told = "Reverse nothing more: compare with the Stripe dashboard, and report it to the backend's makers."
        return "The seller pays for what was reversed on top of it.", told
    told = "Reverse the transfer at the Stripe dashboard, and report it to the backend's makers."
    return "The platform pays for what the seller keeps.", told
