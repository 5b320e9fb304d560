"""Says what one session shows of each risk that the operator holds, and no more than it shows."""

from __future__ import annotations

from collections.abc import Sequence

from veza_e2e.evidence import Summary
from veza_e2e.evidence.due import statement_due
from veza_e2e.evidence.facts import refund_requested_by
from veza_e2e.journal.addenda import Addendum, Attestation, BankStatement
from veza_e2e.journal.events import Asked, BrowserOpened, PreflightFinished, SessionStarted, StepFinished
from veza_e2e.journal.story import Story, text_of
from veza_e2e.report.cells import Fact
from veza_e2e.report.told import amount, list_price, order_told

_AGREED = ("vat", "amount")
"""The questions that show the order's total."""


def risks(
    summary: Summary, story: Story, started: SessionStarted, addenda: Sequence[Addendum | Attestation] = ()
) -> list[Fact]:
    """Return the operator's risks, each with what this session shows about it."""
    return [
        _price(story, started),
        _card(story),
        _live(story, started),
        _vat(story),
        _statement(summary, story, addenda),
    ]


def _price(story: Story, started: SessionStarted) -> Fact:
    price, limit = list_price(story), amount(started.max_amount_cents, started.max_amount_currency)
    said = "No product was chosen" if price is None else f"The product's list price was {price.text}"
    seqs = (story.lines[0].seq, *([] if price is None else [price.seq]))
    return Fact("Test product of about 5 EUR", f"{said}; the limit was {limit}.", seqs)


def _card(story: Story) -> Fact:
    title = "Personal card, not corporate"
    paid, opened = story.last_of_step(StepFinished, "pay"), story.last(BrowserOpened)
    if paid is not None:
        how = text_of(paid[1].result.get("how"))
        said = {
            "script": "The script paid on the checkout page; no card of a person was used.",
            "operator": "The operator said that they paid. Whose card it was, no event shows.",
        }.get(how or "", "The order moved on while it could be paid. Whose card it was, no event shows.")
        return Fact(title, said, (paid[0].seq,))
    if opened is not None:
        return Fact(title, "The checkout page was offered; nobody confirmed a payment.", (opened[0].seq,))
    return Fact(title, "No checkout page was offered.")


def _live(story: Story, started: SessionStarted) -> Fact:
    title, first = "Sandbox against live confusion", story.lines[0].seq
    asked = f"--live was {'' if started.live_requested else 'not '}given"
    gate = story.last(PreflightFinished)
    if gate is None:
        return Fact(title, f"The pre-flight did not finish; {asked}.", (first,))
    reported = gate[1].reported_environment
    called = f"called itself {reported}" if reported else "did not say what it is"
    return Fact(title, f"The backend {called}; {asked}; the funds were {gate[1].funds} funds.", (first, gate[0].seq))


def _vat(story: Story) -> Fact:
    title, order = "VAT line in the EU", order_told(story)
    if order is None:
        return Fact(title, "No order was told.")
    vat = "The order tells no VAT" if order.vat is None else f"VAT on the order: {order.vat}"
    shown = _shown_before_payment(story, order.total)
    if shown is None:
        return Fact(title, f"{vat}. No question before the payment showed the total.", (order.seq,))
    return Fact(title, f"{vat}. The total of {order.total} was shown before the payment.", (order.seq, shown))


def _shown_before_payment(story: Story, total: str | None) -> int | None:
    """Return the question that showed the order's total before the checkout page was first offered."""
    offered = min((line.seq for line, _ in story.of(BrowserOpened)), default=story.lines[-1].seq + 1)
    for line, event in story.of(Asked):
        if event.question in _AGREED and line.seq < offered and total and total in event.text:
            return line.seq
    return None


def _statement(summary: Summary, story: Story, addenda: Sequence[Addendum | Attestation]) -> Fact:
    title = "Bank-statement lag inside the refund window"
    gate, asked = story.last(PreflightFinished), refund_requested_by(story)
    if gate is None or gate[1].funds != "real":
        said = "Test funds: no bank statement will show them." if gate else "The pre-flight did not finish."
        return Fact(title, said, (gate[0].seq,) if gate else ())
    statements = [one for one in addenda if isinstance(one, BankStatement)]
    if statements:
        last = max(statements, key=lambda one: one.number)
        return Fact(title, f"{last.told[:1].upper()}{last.told[1:]}.", (last.seq,))
    if not asked and not summary.money.came_back:
        return Fact(title, "No refund was asked for.", (gate[0].seq,))
    window = statement_due(summary)
    if window is None:
        return Fact(title, "No refund was seen yet, so no day is due for the statement.", asked)
    seqs = tuple(one.seq for one in summary.money.figures("refunded") if one.amount)
    days = f"between {window.earliest} and {window.latest}, overdue after {window.overdue_after}"
    return Fact(title, f"The statement is expected to show the refund {days}.", (*asked, *seqs))
