"""What rows of seller_transfers say: those that were read or supplied last, and nothing that they leave out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from veza.money import Money
from veza_e2e.canonical import JSON
from veza_e2e.frozen import dataclass
from veza_e2e.journal.addenda import Addendum, Attestation, RowsSupplied
from veza_e2e.journal.readings import RowsRead
from veza_e2e.journal.story import Story, cents_of, text_of
from veza_e2e.money.transfer_rows import counted

_SOURCES: Mapping[str, str] = {
    "database": "database", "pasted": "rows, as pasted", "rehearsal": "rehearsal backend's books"
}  # fmt: skip
_CURRENCIES = ("transfer_currency", "currency")


@dataclass(frozen=True, slots=True)
class Booked:
    """The sums of an order's rows, as texts; each is None if a row does not tell it."""

    seq: int
    at: str
    witness: str
    seller: str | None
    fee: str | None
    reversed: str | None
    reversal_ids: tuple[str, ...]
    back: bool
    """Whether any row says that some of it was reversed."""


def booked(story: Story, addenda: Sequence[Addendum | Attestation] = ()) -> Booked | None:
    """Return what the latest rows say; None if no row was seen."""
    supplied = [one for one in addenda if isinstance(one, RowsSupplied) and one.rows]
    if supplied:
        last = max(supplied, key=lambda one: one.number)
        return _sums(last.seq, last.at, last.source, last.rows)
    read = [(line, event) for line, event in story.of(RowsRead) if event.final and event.rows]
    return _sums(read[-1][0].seq, read[-1][0].at, read[-1][1].source, read[-1][1].rows) if read else None


def _sums(seq: int, at: str, source: str, every: Sequence[Mapping[str, JSON]]) -> Booked:
    rows = counted(every)
    ids = (text_of(row.get("stripe_reversal_id")) for row in rows)
    return Booked(
        seq,
        at,
        _SOURCES.get(source, source),
        _sum(rows, "amount_cents"),
        _sum(rows, "platform_fee_cents"),
        _sum(rows, "reversed_amount_cents"),
        tuple(one for one in ids if one),
        any(cents_of(row.get("reversed_amount_cents")) for row in rows),
    )


def _sum(rows: Sequence[Mapping[str, JSON]], column: str) -> str | None:
    amounts = [cents_of(row.get(column)) for row in rows]
    known = [one for one in amounts if one is not None]
    if len(known) != len(rows):
        return None
    told = ((text_of(row.get(name)) for name in _CURRENCIES) for row in rows)
    currencies = {next((one for one in names if one), "").strip().upper() for names in told}
    if currencies == {""}:
        return f"{sum(known)} minor units, currency not told"
    try:
        return str(Money(sum(known), currencies.pop())) if len(currencies) == 1 else None
    except ValueError:
        return None
