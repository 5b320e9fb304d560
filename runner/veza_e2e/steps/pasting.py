"""Lets the operator run the SQL and paste what psql prints: read completely, or asked again; `skip` always leads on."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, NoReturn

from veza_e2e.canonical import JSON
from veza_e2e.money.transfer_rows import Rows, Verdict, same
from veza_e2e.money.transfers import LATE
from veza_e2e.ports import psql_output, seller_transfers
from veza_e2e.ports.protocols import Left
from veza_e2e.ports.screen import plain
from veza_e2e.steps.context import Context
from veza_e2e.steps.results import PlacedOrder
from veza_e2e.steps.rows import Judge, asks, has_books, record_rows, script_of

Question = Literal["transfers", "reversals"]
_END = "End with an empty line or `.`"
ADVICE = "Paste what `psql -X --csv` prints, or type `skip` to go on without the rows; Ctrl-C leaves"


class RowsSkipped(Exception):  # noqa: N818 - the operator's choice, not an error
    """The operator goes on without the rows, for a reason that is on record."""


class StillLate(Exception):  # noqa: N818 - not an error: it may come yet
    """The rows are not there yet, and the operator or the waiting goes on without them."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.problem)
        self.verdict = verdict


def paste_judged(
    context: Context, order: PlacedOrder, question: Question, judge: Judge, *, why: str, expired: bool
) -> Verdict:
    """Let the operator paste the rows; while they are late, ask whether to paste again, go on or leave.

    Args:
        context: the step's.
        order: the order.
        question: what is asked, as the events name it.
        judge: the rule over the rows.
        why: why they are not read from a connection; empty if there is none.
        expired: whether what is not there by now is missing, so that there is nothing to wait for.

    Raises:
        RowsSkipped: the operator goes on without them.
        StillLate: the operator goes on while they are late.
        Left: the operator leaves.
    """
    while True:
        verdict = judge(paste_rows(context, order, question, why))
        if verdict.status != "late" or expired or not asks(context):
            return verdict
        typed = context.ask(
            f"{question}_late",
            f"{plain(verdict.problem)}. Late is not missing: "
            f"it may come within {LATE // timedelta(hours=1)} hours.\n"
            "`wait` to paste again, `go on` to the next step, `q` to leave",
            lambda answer: None if answer in {"wait", "go on", "q"} else "Please type wait, go on or q.",
        )
        if typed == "q":
            raise Left
        if typed == "go on":
            raise StillLate(verdict)


def paste_rows(context: Context, order: PlacedOrder, question: Question, why: str = "") -> Rows:
    """Let the operator run the SQL and paste what psql prints, until it can be read.

    Raises:
        RowsSkipped: the operator goes on without them.
    """
    sql = script_of(context, order)
    text = f"{plain(why[:1].upper() + why[1:])}.\n" if why else ""
    text += f"{_ASKED[question]}:\n\n{sql}\n"
    context.asked(question, text)
    since = context.clock.monotonic()
    peek = (lambda: context.ledger.peek(order.order_id) or "") if has_books(context) else None
    shown = "\n".join([text, *_how(context, order, sql, peek=peek is not None)])
    while True:
        pasted = context.operator.paste(question, shown, peek)
        if pasted.strip().lower() == "skip" and asks(context):
            _skip(context, question, since)
        try:
            rows = _parsed(context, order, pasted)
        except psql_output.PasteError as error:
            context.answered(question, f"{len(pasted.splitlines())} lines, not usable", since)
            problem = plain(str(error))  # it quotes the paste and the backend's id: neither makes a line of its own
            record_rows(context, "pasted", sql, (), problem)
            shown = f"That cannot be used: {problem}.\n{ADVICE}.\n{_END}"
            continue
        context.answered(question, f"{len(pasted.splitlines())} lines", since)
        if context.yes(f"{question}_right", f"Read as:\n{seller_transfers.blocks(rows)}\nIs this what psql printed?"):
            record_rows(context, "pasted", sql, rows)
            return rows
        record_rows(context, "pasted", sql, rows, "the operator says that psql printed something else")
        shown = "Please paste it again."


_ASKED = {
    "transfers": "Run this in psql on the backend's database and paste what it prints",
    "reversals": "After the refund, run this in psql once more and paste what it prints",
}


def _how(context: Context, order: PlacedOrder, sql: str, *, peek: bool) -> list[str]:
    path = context.ledger.script(sql, order.order_id)
    lines = []
    if path is not None:
        lines += ["It is in a file too:", f'  psql -X --csv -f {shlex.quote(path)} "$VEZA_DATABASE_URL"']
    words = ["`@file` reads a file"]
    words += ["`skip` goes on without the rows"] * asks(context)
    words += ["`s` shows what psql would print on this rehearsal backend"] * peek
    return [*lines, f"Paste the rows here. {', '.join(words)}.", _END]


def _skip(context: Context, question: Question, since: float) -> NoReturn:
    context.answered(question, "skip", since)
    reason = context.ask(
        f"{question}_skipped",
        "The rows are not checked then; `veza-e2e rows` supplies them later.\nWhy? (it stands in the report)",
        lambda answer: None if answer else "Please give a reason.",
    )
    raise RowsSkipped(reason)


def _parsed(context: Context, order: PlacedOrder, pasted: str) -> tuple[dict[str, JSON], ...]:
    needed = psql_output.ONCE_NEEDED if context.options.first else seller_transfers.COLUMNS
    return parsed(pasted, order.order_id, needed)


def parsed(pasted: str, order_id: str, needed: Sequence[str] | frozenset[str]) -> tuple[dict[str, JSON], ...]:
    """Return the rows of an order that was pasted, or is in a file.

    Raises:
        PasteError: it is not the query's output, or not of this order.
    """
    rows = psql_output.parse(pasted, needed=needed)
    others = sorted({str(row["order_id"]) for row in rows if not same(row["order_id"], order_id.strip())})
    if others:
        raise psql_output.PasteError(f"it is about order {', '.join(others)[:80]}, not {order_id}")
    return rows
