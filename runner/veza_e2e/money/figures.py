"""A figure: an amount that a witness named; and which figures stand beside each other now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, Literal, TypeAlias

from veza.money import Money
from veza_e2e.frozen import dataclass
from veza_e2e.money.readings import PersonRead

FigureKind: TypeAlias = Literal["charged", "refunded"]
KINDS: Final[tuple[FigureKind, ...]] = ("charged", "refunded")
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
    said: dict[str | None, tuple[int, Money]] = {}
    for one in persons:
        amount, about = (one.charged, one.payment_id) if kind == "charged" else (one.refunded, one.refund_id)
        if amount is not None:
            said[about] = one.seq, amount
    last = max((seq for seq, _ in said.values()), default=0)
    others = any(amount for about, (_, amount) in said.items() if about not in payments)
    if kind == "charged" and others and payments and not any(about in payments for about in said):
        yield Figure(kind, "person", last, None)  # of a further payment only: what all have together nobody said
        return
    for total in sums([amount for _, amount in said.values()]):
        yield Figure(kind, "person", last, total)


def sums(amounts: Sequence[Money]) -> list[Money]:
    """Add up what is of one currency."""
    return [
        Money(sum(one.minor for one in amounts if one.currency == code), code)
        for code in sorted({one.currency for one in amounts})
    ]
