"""Compares amounts and ids, R1 to R6: as the steps recorded it, as a person read it, and as the witnesses say later."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from veza.money import Money
from veza_e2e.evidence.facts import refund_requested_by
from veza_e2e.evidence.later import Later
from veza_e2e.evidence.model import ComparisonStatus, Reconciliation
from veza_e2e.evidence.rows import SuppliedRows, rows_after_refund
from veza_e2e.journal.events import StepFinished
from veza_e2e.journal.readings import Compared
from veza_e2e.journal.story import Story, cents_of, text_of
from veza_e2e.money.account import Account
from veza_e2e.money.figures import Figure, current
from veza_e2e.money.order_account import AccountState, OrderAccount
from veza_e2e.money.told import PersonRead
from veza_e2e.money.transfer_rows import Verdict, counted

RULES: Mapping[str, str] = {
    "R1": "order total = processor's amount = amount received",
    "R2": "total - tax = transfers + platform fees",
    "R3": "total = list price + tax - discount",
    "R4": "refunds and voided captures = amount received",
    "R5": "reversed = transferred",
    "R6": "each refund belongs to a payment of the order",
}


def reconcile(
    story: Story, later: Later, persons: Sequence[PersonRead], *, refund_kept: bool
) -> tuple[Reconciliation, ...]:
    """Return R1 to R6. What was not read, or not told, is not checked.

    A comparison that differed once stays different, since what it compared cannot change later: what was agreed to,
    charged or transferred, and of which payment a refund is. Where money was only late, the latest comparison counts:

    - R1, if the processor had received nothing yet.
    - R4, since refunds arrive after the order says so; also if the witnesses were only heard since, and not compared.
    - R5, if the transfers are the same: a reversal that was refused, or missing, can be made later.
    - R2 and R5, if later rows do not show any more what the steps found equal.
    - R6, if every payment that had a refund then is still named: a refund was listed, or its payment found, later.

    Args:
        story: the session.
        later: its money, and what was learnt after the steps: rows that were supplied, and what the witnesses say now.
        persons: what people read at a dashboard, in the order in which they said it.
        refund_kept: whether the operator kept the purchase, so that there is no refund to compare.
    """
    account = later.account
    person = {one.id: one for one in _by_hand(account, persons, _transferred(story))}
    rows = later.rows or _uncompared_rows(story, account)
    by_rows = {one.id: _beside(one, person.get(one.id), persons) for one in _by_rows(rows)}
    by_hand = by_rows | {name: one for name, one in person.items() if _counts(one, by_rows.get(name), rows)}
    now = {one.id: one for one in _now(story, later)}
    for name, said in now.items():
        if said.status == "differs" or name not in by_hand:
            by_hand[name] = said
    found = (_compared(story, name, by_hand.get(name), by_rows.get(name), refund_kept=refund_kept) for name in RULES)
    returned = account.main is not None and account.main.state is AccountState.RETURNED
    back = now.get("R4") if returned else None
    arrived = back is not None and back.status == "equal"
    return tuple(back if back and arrived and (one.id, one.status) == ("R4", "differs") else one for one in found)


def _compared(
    story: Story, name: str, by_hand: Reconciliation | None, by_rows: Reconciliation | None, *, refund_kept: bool
) -> Reconciliation:
    # A side that was not told made no comparison, whatever an earlier version recorded.
    compared = [(line.seq, event) for line, event in story.of(Compared) if event.id == name and not _untold(event)]
    if not compared or (by_hand is not None and by_hand.status == "differs"):
        kept = refund_kept and name in {"R4", "R5", "R6"}
        none: ComparisonStatus = "not_applicable" if kept else "not_checked"
        return by_hand or Reconciliation(name, RULES[name], none, None, None, ())
    latest = compared[-1][1]
    if by_rows is not None and latest.equal and by_hand is not None and by_hand.status == "not_checked":
        return by_hand  # the rows are later than every step
    if name == "R5" and by_rows is not None and by_rows.status == "equal" and by_rows.left == latest.left:
        return by_rows
    differing = [pair for pair in compared if not pair[1].equal and not (latest.equal and _was_late(pair[1], latest))]
    seq, event = (differing or compared)[-1]
    evidence = (*story.answers(event.calls), seq, *(by_hand.evidence if by_hand else ()))
    status: ComparisonStatus = "differs" if differing else "equal"
    return Reconciliation(name, RULES[name], status, event.left, event.right, evidence)


_NOTHING_YET = re.compile(r"received 0(\.0+)? [A-Z]{3}$")


def _untold(event: Compared) -> bool:
    """Whether the processor did not tell what it received, and what it asked for is the order's total."""
    asked, _, _ = event.left.partition(", ")
    r1 = event.id == "R1" and event.right == f"{asked}, received not told"
    return r1 or (event.id == "R4" and "not told" in {event.left, event.right})


def _was_late(earlier: Compared, latest: Compared) -> bool:
    """Whether an earlier comparison differed only because money, or word of it, had not arrived yet."""
    match earlier.id:
        case "R1":
            return earlier.left == latest.left and bool(_NOTHING_YET.search(earlier.right))
        case "R4":
            return True
        case "R5":
            return earlier.left == latest.left
        case "R6":
            return _named(earlier.right) <= _named(latest.right)
        case _:
            return False


def _named(payments: str) -> set[str]:
    return set(payments.split(", ")) - {"none"}


def _uncompared_rows(story: Story, account: Account) -> SuppliedRows | None:
    """Return what the rows of step 9 say, if it did not compare them since."""
    compared = max((line.seq for line, event in story.of(Compared) if event.id == "R5"), default=0)
    rows = rows_after_refund(story, account, None)
    return None if rows is None or rows.seq < compared else replace(rows, booking=Verdict("unread"))


def _by_rows(rows: SuppliedRows | None) -> Iterator[Reconciliation]:
    for name, verdict in (("R2", rows.booking), ("R5", rows.reversal)) if rows is not None else ():
        if rows is None or verdict is None or verdict.status == "unread":
            continue
        if verdict.compared and verdict.status != "late":
            equal = verdict.status in {"booked", "reversed"}
            yield _result(name, str(verdict.left), str(verdict.right), (rows.seq,), equal=equal)
        elif verdict.status != "booked":
            yield Reconciliation(name, RULES[name], "not_checked", None, None, (rows.seq,))


def _beside(rows: Reconciliation, person: Reconciliation | None, persons: Sequence[PersonRead]) -> Reconciliation:
    """Return what the rows say, with what a person said otherwise."""
    if person is None or person.status == rows.status or person.right is None:
        return rows
    said = f"{rows.right or 'not shown'} in the rows, {person.right} by a person"
    status = "differs" if person.status == "differs" else rows.status
    evidence = (*rows.evidence, *(one.seq for one in persons if one.reversed is not None))
    return replace(rows, status=status, left=rows.left or person.left, right=said, evidence=evidence)


def _counts(person: Reconciliation, rows: Reconciliation | None, supplied: SuppliedRows | None) -> bool:
    """Whether a person's word decides beside the rows: it does if they do not tell, or contradict themselves."""
    back = None if supplied is None or person.id != "R5" else supplied.reversal
    return rows is None or (back is not None and back.status == "unclear")


def _now(story: Story, later: Later) -> Iterator[Reconciliation]:
    """Compare what the processor and the backend said when they were asked again, or since they were compared."""
    order = later.account.main
    if order is None:
        return
    whole = not (later.rereads and later.last.unlisted)  # else another payment may hold more
    received = [one for one in order.charged if one.by == "processor" and one.amount is not None]
    again = [one for one in received if one.seq in later.seqs]
    if again and order.total is not None:
        sides = str(order.total), ", ".join(str(one.amount) for one in again)
        equal = {one.amount for one in again} == {order.total}
        if whole or not equal:
            yield _result("R1", *sides, (order.reads[-1].seq, *(one.seq for one in again)), equal=equal)
    if not refund_requested_by(story) and not any(one.amount for one in order.refunded):
        return
    charged = next(reversed(received or current(order.charged)), None)
    if charged is None:
        return
    said = [one for one in _heard_since(story, later, order) if one.amount is not None]
    other = [one for one in said if one.pending or one.amount != charged.amount]
    heard = other or [one for one in said if one.by == "processor"]
    if heard and (whole or other):
        sides = str(charged.amount), str(heard[-1].amount)
        if later.rereads or sides != _last_sides(story):
            yield _result("R4", *sides, (charged.seq, *(one.seq for one in heard)), equal=not other)


def _last_sides(story: Story) -> tuple[str, str] | None:
    """What a step compared last (R4)."""
    return next(((event.left, event.right) for _, event in reversed([*story.of(Compared)]) if event.id == "R4"), None)


def _heard_since(story: Story, later: Later, order: OrderAccount) -> list[Figure]:
    """What came back by the witnesses who were asked again after the end; else since a step last compared it (R4)."""
    if later.rereads:
        return [one for one in order.back if one.seq in later.seqs]
    compared = max((line.seq for line, event in story.of(Compared) if event.id == "R4"), default=None)
    witnesses = {"backend", "processor"}
    return [one for one in order.back if compared is not None and one.seq > compared and one.by in witnesses]


def _transferred(story: Story) -> tuple[int, Money] | None:
    """Return what step 7 saw transferred to the seller, and its event."""
    finished = story.last_of_step(StepFinished, "transfers")
    rows = finished[1].result.get("rows") if finished else None
    currency = text_of(finished[1].result.get("currency")) if finished else None
    if finished is None or currency is None or not isinstance(rows, list | tuple) or not rows:
        return None
    told = [row for row in rows if isinstance(row, Mapping)]
    amounts = [cents_of(row.get("amount_cents")) for row in counted(told)]
    if None in amounts or len(told) != len(rows):
        return None
    return finished[0].seq, Money(sum(one for one in amounts if one is not None), currency)


def _by_hand(
    account: Account, persons: Sequence[PersonRead], transferred: tuple[int, Money] | None
) -> Iterator[Reconciliation]:
    """Compare what a person read with the order, and with itself."""
    order = account.main
    if order is None:
        return
    charged = [one for one in order.charged if one.by == "person"]
    refunded = [one for one in order.refunded if one.by == "person"]
    strangers = _strangers(order, persons)
    if strangers and order.payment_ids:
        theirs = ", ".join(str(one.payment_id) for one in strangers)
        yield _result("R1", ", ".join(order.payment_ids), theirs, [one.seq for one in strangers], equal=False)
    elif charged and order.total is not None:
        yield _amounts("R1", order.total, charged[-1].amount, order.reads[-1].seq, charged[-1].seq)
    received = [one for one in charged if one.amount] or [one for one in order.charged if one.by == "processor"]
    if refunded and received:
        yield _amounts("R4", received[-1].amount, refunded[-1].amount, received[-1].seq, refunded[-1].seq)
    reversed_ = [one for one in persons if one.reversed is not None]
    if reversed_ and transferred is not None:
        yield _amounts("R5", transferred[1], reversed_[-1].reversed, transferred[0], reversed_[-1].seq)
    refunds = {one.refund_id: one for one in persons if one.refund_id and one.payment_id}
    named = [one for one in refunds.values() if one.refunded]
    if named and order.payment_ids:
        paid = sorted({str(one.payment_id) for one in named})
        known = set(paid) <= set(order.payment_ids)
        ours = ", ".join(paid if known else order.payment_ids)
        yield _result("R6", ours, ", ".join(paid), (order.reads[-1].seq, *(one.seq for one in named)), equal=known)


def _strangers(order: OrderAccount, persons: Sequence[PersonRead]) -> list[PersonRead]:
    """Return what a person last read of payments that received something and that the order does not name."""
    latest = {one.payment_id: one for one in persons if one.payment_id is not None and one.charged is not None}
    return [one for one in latest.values() if one.charged and one.payment_id not in order.payment_ids]


def _amounts(name: str, left: Money | None, right: Money | None, *evidence: int) -> Reconciliation:
    return _result(name, str(left), str(right), evidence, equal=left is not None and left == right)


def _result(name: str, left: str, right: str, evidence: Sequence[int], *, equal: bool) -> Reconciliation:
    return Reconciliation(
        name, RULES[name], "equal" if equal else "differs", left, right, tuple(dict.fromkeys(evidence))
    )
