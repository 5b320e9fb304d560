"""The receipt: what was charged, refunded, reversed and credited, by each witness, and what stands on the statement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from veza_e2e.evidence import Summary
from veza_e2e.frozen import dataclass
from veza_e2e.journal.addenda import Addendum, Attestation, BankStatement
from veza_e2e.journal.story import Story
from veza_e2e.money.figures import Figure
from veza_e2e.money.order_account import OrderAccount
from veza_e2e.report.booked import booked
from veza_e2e.report.cells import Cell, Id
from veza_e2e.report.told import Told, descriptor, moment, order_told, result_of


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a receipt."""

    what: str
    amount: str
    date: str
    id: Cell
    witness: str
    seqs: tuple[int, ...]


NONE = "not told"
_WITNESSES: Mapping[str, str] = {
    "backend": "backend", "processor": "processor", "person": "a person, at a dashboard", "bank": "bank statement"
}  # fmt: skip


def receipt(summary: Summary, story: Story, addenda: Sequence[Addendum | Attestation] = ()) -> tuple[Entry, ...]:
    """Return the lines of a session's receipt."""
    times = {line.seq: line.at for line in story.lines}
    times |= {one.seq: one.at for one in addenda if not isinstance(one, Attestation)}
    return (
        *_charges(summary, story, times),
        *_vat(summary, story),
        *_refunds(summary, story, times),
        *_reversal(story, addenda),
        *_statement(summary, story),
    )


def _charges(summary: Summary, story: Story, times: Mapping[int, str]) -> Iterator[Entry]:
    told = result_of(story, "completed", "completed_at")
    for order in summary.money.orders:
        for one in order.charged:
            what = "Charged" if one.amount is None or one.amount.minor else "Not charged"
            yield _entry(what, one, _when(one, told, times), _paid(order, one))


def _refunds(summary: Summary, story: Story, times: Mapping[int, str]) -> Iterator[Entry]:
    told = result_of(story, "revoked", "refunded_at")
    for order in summary.money.orders:
        for one in order.refunded:
            if one.by == "bank" and summary.bank is not None:
                yield _credited(summary.bank, one)
            else:
                what = "Refunded" if one.amount is None or one.amount.minor else "Not refunded"
                yield _entry(what, one, _when(one, told, times), _returned(order, one))


def _entry(what: str, one: Figure, when: tuple[str, tuple[int, ...]], named: str) -> Entry:
    told = NONE if one.amount is None else str(one.amount) + (" so far" if one.pending else "")
    day, seqs = when
    return Entry(what, told, day, Id(named) if named else NONE, _WITNESSES[one.by], tuple({one.seq, *seqs}))


def _when(one: Figure, told: Told | None, times: Mapping[int, str]) -> tuple[str, tuple[int, ...]]:
    """Return the time that the backend tells, with its event; else when the witness was heard."""
    if told is not None and one.by == "backend" and one.amount:
        return moment(told.text), (told.seq,)
    return (f"seen {moment(times[one.seq])}" if one.seq in times else NONE), ()


def _paid(order: OrderAccount, one: Figure) -> str:
    match one.by:
        case "processor":
            return ", ".join(each.payment_id for each in order.latest)
        case "person":
            return ", ".join(dict.fromkeys(each.payment_id for each in order.persons if each.payment_id))
        case _:
            return next((each.payment_id for each in reversed(order.reads) if each.payment_id), "")


def _returned(order: OrderAccount, one: Figure) -> str:
    match one.by:
        case "processor":
            return ", ".join(back.refund_id for each in order.latest for back in each.refunds if back.refund_id)
        case "person":
            return ", ".join(dict.fromkeys(each.refund_id for each in order.persons if each.refund_id))
        case _:
            return next((each.refund_id for each in reversed(order.reads) if each.refund_id), "")


def _credited(bank: BankStatement, one: Figure) -> Entry:
    what = {"credit": "Credited", "charge-dropped": "Charge dropped"}.get(bank.seen, "Not on the statement yet")
    told = NONE if one.amount is None else str(one.amount)
    return Entry(what, told, bank.date, Id(bank.reference) if bank.reference else NONE, _WITNESSES["bank"], (one.seq,))


def _vat(summary: Summary, story: Story) -> Iterator[Entry]:
    order = order_told(story)
    if order is not None:
        named = Id(summary.order_id) if summary.order_id else NONE
        yield Entry("VAT on the order", order.vat or NONE, "", named, _WITNESSES["backend"], (order.seq,))


def _reversal(story: Story, addenda: Sequence[Addendum | Attestation]) -> Iterator[Entry]:
    rows = booked(story, addenda)
    if rows is not None:
        ids = Id(", ".join(rows.reversal_ids)) if rows.reversal_ids else NONE
        seen = f"seen {moment(rows.at)}"
        yield Entry("Reversed at the seller", rows.reversed or NONE, seen, ids, rows.witness, (rows.seq,))


def _statement(summary: Summary, story: Story) -> Iterator[Entry]:
    """Yield what the bank's line says; before it is there, what the processor tells the bank to write."""
    bank, told = summary.bank, descriptor(story)
    if bank is not None and not any(one.by == "bank" for one in summary.money.figures("refunded")):
        what = "Not on the statement yet" if bank.seen == "nothing" else "On the statement"
        yield Entry(what, NONE, bank.date, NONE, _WITNESSES["bank"], (bank.seq,))
    if bank is not None and bank.reference:
        yield Entry("Statement line", "", bank.date, Id(bank.reference), _WITNESSES["bank"], (bank.seq,))
    elif told is not None:
        yield Entry("Statement line", "", "", Id(told.text), _WITNESSES["processor"], (told.seq,))
