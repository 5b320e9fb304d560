"""The account: what was charged, what came back and what may be out, by which witness. A pure fold over the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from veza.money import Money
from veza_e2e.journal import Line
from veza_e2e.journal.story import Story
from veza_e2e.money.sightings import FigureKind, Seen, Sighting, see


class AccountState(StrEnum):
    """How a session stands with the card; each word about money follows from it."""

    UNTOUCHED = "untouched"
    """Nothing was charged, and nothing can be."""
    AT_RISK = "at risk"
    """An order can be paid, or may have been; no charge was seen."""
    CHARGED = "charged"
    """More was received than came back."""
    RETURNED = "returned"
    """All that was received came back."""
    UNKNOWN = "unknown"
    """Witnesses disagree, or a needed one does not answer."""


@dataclass(frozen=True, slots=True)
class Account:
    """One session's money, as far as it was seen."""

    seen: Seen

    @property
    def state(self) -> AccountState:
        """The state that the figures make; absent is unknown, never zero."""
        if self.charged_cents is None:
            return AccountState.AT_RISK
        if not self.charged_cents:
            return AccountState.UNTOUCHED
        if self.refund_open is None:
            return AccountState.UNKNOWN
        return AccountState.CHARGED if self.refund_open else AccountState.RETURNED

    def figures(self, kind: FigureKind) -> tuple[Sighting, ...]:
        """Return the amounts of a kind that a witness named, each with its witness and event."""
        return tuple(one for one in self.seen.figures if one.kind == kind)

    @property
    def open(self) -> Money | None:
        """What was charged and did not come back; None if that is not known."""
        if self.charged_cents is None or self.refunded_cents is None or self.currency is None:
            return None
        return Money(max(self.charged_cents - self.refunded_cents, 0), self.currency)

    @property
    def charged_cents(self) -> int | None:
        """What the card was charged, in minor units; None if nothing tells."""
        return self.seen.charged

    @property
    def refunded_cents(self) -> int | None:
        """What came back, in minor units; None if nothing tells."""
        return self.seen.refunded

    @property
    def currency(self) -> str | None:
        """The order's currency."""
        return self.seen.currency

    @property
    def moved(self) -> bool:
        """Whether a charge was seen."""
        return bool(self.charged_cents)

    @property
    def refund_open(self) -> bool | None:
        """Whether a charge was seen that has not wholly come back; None if an amount is not known."""
        if self.charged_cents == 0:
            return False
        if self.charged_cents is None or self.refunded_cents is None:
            return None
        return self.charged_cents > self.refunded_cents

    @property
    def may_be_out(self) -> bool:
        """Whether a charge is known not to have come back, or none can be ruled out.

        A refund whose amount nobody told is not among it: only the decision waits for that.
        """
        return self.state in {AccountState.AT_RISK, AccountState.CHARGED}

    @property
    def sentence(self) -> str:
        """What the card was charged and what came back, for people."""
        if self.charged_cents is None:
            return "whether the card was charged is not known"
        if not self.charged_cents:
            return "nothing was charged"
        if self.currency is None:
            return f"charged {self.charged_cents} minor units of a currency that is not known"
        back = self.refunded_cents
        came = "how much came back is not known" if back is None else f"refunded {Money(back, self.currency)}"
        return f"charged {Money(self.charged_cents, self.currency)}, {came}"

    def read_again(self, refunded_cents: int | None, currency: str, seq: int) -> Account:
        """Return the account once the order was read again after the session."""
        told = refunded_cents if self.currency in {None, currency} else None
        return Account(replace(self.seen, refunded=told, refunded_by=(seq,)))


def fold(lines: Sequence[Line]) -> Account:
    """Return the account that the lines of one session make."""
    return Account(see(Story(lines)))
