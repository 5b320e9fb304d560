"""The buyer's payments in the processor's list: whether it showed them all, and which may be the order's."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from veza_e2e.frozen import dataclass
from veza_e2e.money.doubt import made_since
from veza_e2e.money.payment_states import UNTAKEN, created_of
from veza_e2e.ports.payments import ProcessorPayment

PAGE = 100
"""How many payments are asked for at once: the most that the processor gives."""
PAGES = 10
"""How many pages are read: a buyer of more payments is not read to the end."""
MOST_UNTOLD = 20
"""How many payments that tell no order are read one by one."""
_COUNTS = ("size", "count", "total_count")


@dataclass(frozen=True, slots=True)
class ListedPayment:
    """A line of the list."""

    payment_id: str
    customer: str | None
    order_id: str | None
    """The order that its metadata names."""
    reference: str | None
    created: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of the list."""

    lines: tuple[ListedPayment, ...]
    told: int
    """How many payments there are by its own word; 0 if it does not say."""
    unnamed: int
    """How many lines name no payment."""


def page_of(answer: object) -> Page:
    """Return one answer of the list.

    Raises:
        TypeError: it is no list of payments.
    """
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or not isinstance(data, list):
        raise TypeError("no list of payments")
    rows = [one for one in data if isinstance(one, dict) and isinstance(one.get("payment_id"), str)]
    counts = (answer.get(name) for name in _COUNTS)
    told = max((one for one in counts if isinstance(one, int) and not isinstance(one, bool)), default=0)
    return Page(tuple(map(_line, rows)), told, len(data) - len(rows))


def _line(row: Mapping[str, Any]) -> ListedPayment:
    customer = row.get("customer_id")
    return ListedPayment(
        payment_id=row["payment_id"],
        customer=customer if isinstance(customer, str) else None,
        order_id=order_of(row),
        reference=reference_of(row),
        created=created_of(row),
    )


def order_of(data: Mapping[str, Any]) -> str | None:
    """Return the order that a payment names in its metadata."""
    named = data.get("metadata")
    order_id = named.get("order_id") if isinstance(named, dict) else None
    return None if order_id in {None, ""} else str(order_id)


def reference_of(data: Mapping[str, Any]) -> str | None:
    """Return what the shop calls the order of a payment: its id, or a number of its own."""
    told = data.get("merchant_order_reference_id")
    return told if isinstance(told, str) and told else None


class Names:
    """By what a payment is known to be the order's, or another's.

    Args:
        order_id: the order.
        found: the payments that the order names.
        accepted_at: when the backend took the order. One that the order names, and that was made since, is the order's
            though it tells only a number of the shop's own.
    """

    def __init__(self, order_id: str, found: Collection[ProcessorPayment], accepted_at: datetime) -> None:
        self._order_id, self._accepted_at = order_id, accepted_at
        since = (one for one in found if one.order_id is None and made_since(one.created, accepted_at))
        known = (*(one for one in found if one.order_id == order_id), *since)
        self._references = {order_id, *(one.reference for one in known if one.reference is not None)}
        self._referring = any(one.reference in self._references for one in found)

    def own(self, payment: ListedPayment | ProcessorPayment) -> bool:
        """Whether a payment says that it is the order's; by a number of the shop's own only if it was made since."""
        named = self._order_id in {payment.order_id, payment.reference}
        return named or (self._by_number(payment) and made_since(payment.created, self._accepted_at))

    def _by_number(self, payment: ListedPayment | ProcessorPayment) -> bool:
        return payment.order_id is None and payment.reference in self._references

    def other(self, payment: ListedPayment | ProcessorPayment) -> bool:
        """Whether a payment says that it is another order's.

        A reference says so only if those of the order's own payments are known to be the order's.
        """
        if self.own(payment) or self._by_number(payment):
            return False
        return payment.order_id is not None or (self._referring and payment.reference is not None)

    def unclear(self, payment: ProcessorPayment) -> bool:
        """Whether a payment names no order, but a reference of which nobody knows whose it is."""
        named = self.own(payment) or self._by_number(payment)
        return payment.order_id is None and payment.reference is not None and not named


def missing_of(
    lines: Collection[str], pages: Sequence[Page], found: Iterable[ProcessorPayment], *, ended: bool
) -> str | None:
    """Return why a list is not the whole of a buyer's payments; None if it is.

    Args:
        lines: the payments that all pages showed.
        pages: the answers.
        found: the buyer's payments that were read one by one.
        ended: whether the last page ended the list.
    """
    absent = [one.payment_id for one in found if one.payment_id not in lines]
    if absent:
        return f"the processor's list of the buyer's payments lacks {absent[0]}"
    told = max(one.told for one in pages)
    if told > len(lines):
        return f"the processor's list shows {len(lines)} of the buyer's {told} payments"
    if any(one.unnamed for one in pages):
        return "the processor's list has a line that names no payment"
    return None if ended else f"the processor's list was read to its {len(lines)}th payment, and may hold more"


def harmless(payment: ProcessorPayment) -> bool:
    """Whether a payment has received nothing, and reserved nothing: whose it is makes no difference."""
    return payment.status in UNTAKEN and not payment.taken
