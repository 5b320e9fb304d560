"""A figure: an amount that a witness named; and which figures stand beside each other now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import combinations
from typing import Final, Literal, TypeAlias

from veza.money import Money
from veza_e2e.frozen import dataclass
from veza_e2e.money.told import OrderRead, PersonRead

FigureKind: TypeAlias = Literal["charged", "refunded"]
KINDS: Final[tuple[FigureKind, ...]] = ("charged", "refunded")
UNDER_WAY: Final = frozenset({"requested", "pending", "review"})
"""States of a refund that has not ended."""
_MOST: Final = 10
"""Of how many refunds it is tried which ones a witness counts."""
Witness: TypeAlias = Literal["backend", "processor", "person", "bank"]


@dataclass(frozen=True, slots=True)
class Figure:
    """An amount that a witness named."""

    kind: FigureKind
    by: Witness
    seq: int
    amount: Money | None
    """None if the witness says that it moved, and not how much."""
    pending: bool = False
    """Whether more of it is on its way."""
    since: int = 0
    """The event since which the witness has been saying so; 0 is `seq`."""

    @property
    def told(self) -> str:
        """The figure, for people."""
        verb = "charged" if self.kind == "charged" else "back"
        if self.amount is None:
            return f"{verb} an amount that is not told"
        return f"{verb} {self.amount}" + (" so far" if self.pending else "")


def current(figures: Sequence[Figure]) -> list[Figure]:
    """Leave out what a witness said before another one saw more: money that moves later is no contradiction.

    A refund that the backend calls pending, or whose amount it does not tell, contradicts nobody who saw it arrive.
    What a person or the bank says may be mistyped: it stands beside another figure, and settles nothing.
    """
    kept = []
    for one in figures:
        others = [other for other in figures if other.by != one.by]
        untold = one.amount is None and one.by == "backend" and one.kind == "refunded"
        # Who was last heard before the refund says nothing of how much came back.
        if untold and any(other.amount and other.seq >= (one.since or one.seq) for other in others):
            continue
        if any(_outdone(one, other) for other in others):
            continue
        kept.append(one)
    return kept


def _outdone(one: Figure, other: Figure) -> bool:
    """Whether the other witness saw more money move after this one had looked."""
    if one.amount is None or other.amount is None or one.amount.currency != other.amount.currency:
        return False
    if one.kind == "refunded" and one.by == "processor" and one.pending:
        return False  # who pays out says that it has not ended: only the processor can say that it has
    late = one.by == "backend" and one.kind == "refunded" and one.pending
    if one.by == "backend" and one.kind == "refunded" and one.amount and not late:
        return False  # it names what came back, and no more is on its way by its word: a larger figure contradicts it
    by_hand = other.by in {"person", "bank"}
    if by_hand and not (one.by == "backend" and one.kind == "refunded" and not one.amount):
        return False
    return one.amount < other.amount and (late or one.seq < (other.since or other.seq))


def by_hand(kind: FigureKind, persons: Iterable[PersonRead], payments: Collection[str]) -> Iterator[Figure]:
    """Yield the last word of a person on each payment or refund, added up.

    Args:
        kind: what is added up.
        persons: what was read at dashboards, in the order of the events.
        payments: those that the order names, or that name the order.
    """
    said = last_said(kind, persons)
    if not said:
        return
    last = max(seq for seq, _ in said.values())
    others = any(amount for about, (_, amount) in said.items() if about not in payments)
    if kind == "charged" and others and payments and not any(about in payments for about in said):
        yield Figure(kind, "person", last, None)  # of a further payment only: what all have together nobody said
        return
    for total in sums([amount for _, amount in said.values()]):
        yield Figure(kind, "person", last, total)


def last_said(kind: FigureKind, persons: Iterable[PersonRead]) -> dict[str | None, tuple[int, Money]]:
    """Return the last word of a person on each payment or refund, with its event."""
    said: dict[str | None, tuple[int, Money]] = {}
    for one in persons:
        amount, about = (one.charged, one.payment_id) if kind == "charged" else (one.refunded, one.refund_id)
        if amount is not None:
            said[about] = one.seq, amount
    return said


def is_some_of(amount: Money, refunds: Sequence[Money]) -> bool:
    """Whether an amount is that of some of several refunds, and not of all."""
    minors = [one.minor for one in refunds if one.minor and one.currency == amount.currency]
    if len(minors) < len(refunds) or len(minors) > _MOST:
        return False
    some = (chosen for count in range(1, len(minors)) for chosen in combinations(minors, count))
    return any(sum(chosen) == amount.minor for chosen in some)


def sums(amounts: Sequence[Money]) -> list[Money]:
    """Add up what is of one currency."""
    return [
        Money(sum(one.minor for one in amounts if one.currency == code), code)
        for code in sorted({one.currency for one in amounts})
    ]


def most(figures: Sequence[Figure]) -> Money | None:
    """Return the largest amount; None if none was told, or they differ in currency."""
    amounts = [one.amount for one in figures if one.amount is not None]
    positive = [one for one in amounts if one.minor] or amounts
    return max(positive, key=lambda one: one.minor) if len({one.currency for one in positive}) == 1 else None


def backend_back(reads: Sequence[OrderRead], total: Money | None) -> Figure:
    """Return what the backend says came back of an order that was paid.

    Args:
        reads: what it said of the order, in the order of the events; at least one.
        total: the order's total.
    """
    last = reads[-1]
    status, refund, told, pending = last.status, last.refund_status, last.refunded, False
    zero = None if total is None else Money(0, total.currency)
    before = any(one.refund_status == "succeeded" or one.status == "refunded" for one in reads[:-1])
    if status == "refund_failed" or refund == "failed":
        told = None if last.refunded else zero
    elif refund in UNDER_WAY or status == "refund_pending":
        # What is told beside a refund that has not ended is what was asked for; what came back before is no less.
        earlier = [one.refunded for one in _of_others(reads) if one.refund_status == "succeeded" and one.refunded]
        told, pending = next(reversed(earlier), zero), True
    elif refund == "succeeded" or (status == "refunded" and refund is None):
        told = None if _told_more(reads) else last.refunded
    elif refund is None and (status == "completed" or (status == "disputed" and not before)):
        told = None if total is None else last.refunded or zero
    elif before:
        told = last.refunded or None  # after a refund a zero says nothing
    return Figure("refunded", "backend", last.seq, told, pending, _same_since(reads))


def _told_more(reads: Sequence[OrderRead]) -> bool:
    """Whether another refund alone brought more than the order tells now, which is no total then."""
    now = reads[-1].refunded
    done = [one.refunded for one in _of_others(reads) if one.refund_status == "succeeded" and one.refunded]
    return now is not None and any(one.currency == now.currency and one > now for one in done)


def _of_others(reads: Sequence[OrderRead]) -> list[OrderRead]:
    """What was told of other refunds than the last one."""
    last = reads[-1].refund_id
    return [one for one in reads if last is not None and one.refund_id not in {None, last}]


def _same_since(reads: Sequence[OrderRead]) -> int:
    """Return the event since which the backend has been saying of the refund what it says now."""
    said = [(one.status, one.refund_status, one.refunded) for one in reads]
    other = next((i for i in reversed(range(len(said))) if said[i] != said[-1]), -1)
    return reads[other + 1].seq
