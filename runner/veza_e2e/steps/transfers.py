"""Step 7: checks that the seller's transfer is booked."""

from __future__ import annotations

from veza_e2e.journal.findings import FindingCode
from veza_e2e.money.transfer_rows import Rows, Verdict, transfers_of
from veza_e2e.money.transfers import booking
from veza_e2e.steps.context import Context
from veza_e2e.steps.pasting import RowsSkipped, StillLate, paste_judged
from veza_e2e.steps.results import ChosenProduct, PlacedOrder, Transfers
from veza_e2e.steps.rows import (
    absent_columns,
    asks,
    completed_at,
    facts_of,
    over,
    read_judged,
    refund_was_asked,
    supplied,
)
from veza_e2e.steps.step import Failed, Paused, Skipped, resume_and, step


@step("transfers", Transfers)
def check_transfers(context: Context, order: PlacedOrder, product: ChosenProduct) -> Transfers:
    """Read the seller's transfers, and compare their sum with the order's total (R2).

    Where the table has no fee, the sum is unknown: nothing is compared.

    Raises:
        Failed: the rows are wrong, or still missing 24 hours after the completion.
        Paused: they are not there yet; the walkthrough goes on to the refund.
        Skipped: the operator goes on without them, or they cannot tell any more.
    """
    judged: list[Rows] = []
    absent = absent_columns(context, order)
    facts, asked = facts_of(context, order, product.seller_id), refund_was_asked(context)

    def judge(rows: Rows) -> Verdict:
        judged.append(rows)
        return booking(rows, facts, refund_asked=asked, absent=absent)

    try:
        reading, verdict = read_judged(context, order, judge)
        hidden = verdict is not None and verdict.status == "unread" and not transfers_of(judged[-1])
        if verdict is None or (hidden and asks(context)):
            why = verdict.problem if verdict else reading.reason or ""
            verdict = supplied(context, judge, "transfers", "revoked")
            if verdict is None:
                expired = over(context, completed_at(context))
                verdict = paste_judged(context, order, "transfers", judge, why=why, expired=expired)
    except RowsSkipped as reason:
        raise Skipped(str(reason)) from None
    except StillLate as late:
        verdict = late.verdict
    return _result(context, order, verdict, transfers_of(judged[-1]))


def _result(context: Context, order: PlacedOrder, verdict: Verdict, rows: Rows) -> Transfers:
    if verdict.compared and verdict.status != "late":
        context.compare("R2", verdict.left, verdict.right, context.call("getOrder"))
    finding = verdict.finding or FindingCode.TRANSFER_MISSING
    if verdict.status == "late" and not context.options.first and not over(context, completed_at(context)):
        raise Paused(
            finding,
            verdict.problem,
            meaning=context.account().said,
            todo="Resume later, or supply the rows with `veza-e2e rows`: a transfer may follow within 24 hours.",
            waiting_for="transfer",
        )
    if verdict.status == "unread":
        raise Skipped(verdict.problem)
    if verdict.status != "booked":
        raise Failed(finding, verdict.problem, meaning=context.account().said, todo=resume_and(context))
    left, right = verdict.left, verdict.right
    return Transfers(
        tuple(rows),
        None if left is None or right is None else (left - right).minor,
        confirmed=True,
        currency=order.currency,
        seller_checked=verdict.seller_checked,
        complete=verdict.complete,
        database_tax_cents=None if verdict.tax is None else verdict.tax.minor,
    )
