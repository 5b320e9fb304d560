"""What a row of seller_transfers must be, whatever is asked of it: readable, of the order, whole, in its currency."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final, Literal, TypeAlias

from veza.money import Money
from veza_e2e.canonical import JSON
from veza_e2e.frozen import dataclass
from veza_e2e.journal.findings import FindingCode
from veza_e2e.money.account import Account

Rows: TypeAlias = Sequence[Mapping[str, JSON]]
Status = Literal["booked", "reversed", "late", "refused", "wrong", "unclear", "unread"]


REVOKED: Final = "revoked"
"""What the database calls a license that was taken back."""
_GRAVITY: Final[Sequence[Status]] = ("wrong", "late", "unread")
_ABSENT = re.compile(r"\bNULL AS ([a-z_]+)")


class TransferStatus(StrEnum):
    """The assumed states of a seller transfer."""

    PENDING = "pending"
    COMPLETED = "completed"
    REVERSED = "reversed"
    PARTIALLY_REVERSED = "partially_reversed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What the walkthrough knows of the order, from the API.

    Attributes:
        order_id: the order's id.
        total: what was charged.
        tax: the tax in it, as the API last told it; None if it never did.
        seller_id: the product's seller; None if it is not known.
    """

    order_id: str
    total: Money
    tax: Money | None
    seller_id: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rows say.

    Attributes:
        status: `booked` or `reversed` if all is well; `late` if it may still come; `refused` if a reversal was;
            `wrong` for good; `unclear` if the rows contradict themselves; `unread` if they do not tell.
        problem: why it is not well, in words; empty if it is.
        left: the first side of R2 (total - tax) or R5 (transferred); None if the rules were not compared.
        right: the second side (transfers + fees, or reversed).
        finding: the finding's name; None if all is well or nothing was read.
        seller_checked: whether every row names the product's seller.
        complete: whether every row says that no row is missing; None if the rows carry no count.
        tax: the order's tax, if only the database tells it.
    """

    status: Status
    problem: str = ""
    left: Money | None = None
    right: Money | None = None
    finding: FindingCode | None = None
    seller_checked: bool = False
    complete: bool | None = None
    tax: Money | None = None

    @property
    def compared(self) -> bool:
        """Whether both sides are known."""
        return self.left is not None and self.right is not None


def tax_told(account: Account, order: str, total: Money) -> Money | None:
    """Return the tax that the API last told of an order; None if it never did."""
    reads = [one for known in account.orders if known.order_id == order for one in known.reads]
    told = [one.tax for one in reads if one.tax is not None and one.tax.currency == total.currency]
    return told[-1] if told else None


class Problem(Exception):  # noqa: N818 - ends a judgement, and becomes its verdict
    """The rows are not what they have to be."""

    def __init__(self, status: Status, text: str, finding: FindingCode | None = None) -> None:
        super().__init__(text)
        self.verdict = Verdict(status, text, finding=finding)


def absent(sql: str) -> frozenset[str]:
    """Return the columns that the table does not have, as a query says it: their figures are unknown."""
    return frozenset(_ABSENT.findall(sql.partition("\n  FROM ")[0]))


def transfers_of(rows: Rows) -> Rows:
    """Return the rows that are a transfer: an order without one is a row that only names the order."""
    return [row for row in rows if any(row.get(name) is not None for name in ("transfer_id", "amount_cents", "status"))]


def counted(rows: Rows) -> Rows:
    """Leave out cancelled transfers, which count zero, unless there are no others."""
    return [row for row in rows if row.get("status") != TransferStatus.CANCELLED] or rows


def complete(rows: Rows) -> bool | None:
    """Whether every row says that there are as many as there are; None if no row carries the count."""
    counts = {row.get("row_count") for row in rows}
    return None if counts <= {None} else counts == {len(rows)}


def license_status(rows: Rows) -> str | None:
    """Return the states of the order's licenses as the database has them; None if the rows do not tell.

    A row that does not tell keeps the others from proving that all are revoked, and hides no other state.
    """
    told = [row.get("license_status") for row in rows]
    states = {one.strip() for each in told if isinstance(each, str) for one in each.lower().split(",") if one.strip()}
    whole = all(isinstance(each, str) and each.strip() for each in told)
    return ", ".join(sorted(states)) if states and (whole or states != {REVOKED}) else None


def readable(rows: Rows, order: OrderFacts, *, after_refund: bool = False) -> Rows:
    """Return the transfers, if the rows are this order's and none is missing."""
    if not rows:
        raise Problem("unread", f"this database does not know the order {order.order_id}")
    others = sorted({str(row.get("order_id")) for row in rows if not same(row.get("order_id"), order.order_id)})
    if others:
        raise Problem(
            "wrong", f"the rows are of order {', '.join(others)}, not {order.order_id}", FindingCode.TRANSFER_MISSING
        )
    if complete(rows) is False:
        read = "1 row was" if len(rows) == 1 else f"{len(rows)} rows were"
        raise Problem("unread", f"{read} read, and row_count says that there are others")
    found = transfers_of(rows)
    if not found and after_refund:
        raise Problem("unread", f"no row of order {order.order_id} is visible: row level security may hide them")
    if not found:
        raise Problem("late", f"seller_transfers has no row for order {order.order_id}", FindingCode.TRANSFER_MISSING)
    for row in found:
        _refuse_amounts(row)
        _refuse_currency(row, order)
    return found


def _refuse_amounts(row: Mapping[str, JSON]) -> None:
    if row.get("amount_cents") is not None and cents_of(row, "amount_cents") is None:
        raise Problem("wrong", f"{named(row)} has no amount", FindingCode.TRANSFER_DIFFERS)
    for name in ("amount_cents", "platform_fee_cents", "reversed_amount_cents"):
        if (cents_of(row, name) or 0) < 0:
            raise Problem(
                "wrong",
                f"{name} of {named(row)} is negative: {row[name]}",
                FindingCode.TRANSFER_DIFFERS,
            )


def _refuse_currency(row: Mapping[str, JSON], order: OrderFacts) -> None:
    expected = order.total.currency
    told = (_code(row, name) for name in ("transfer_currency", "currency"))
    other = next((one for one in told if one and one.upper() != expected.upper()), None)
    if other is not None:
        raise Problem("wrong", f"{named(row)} is in {other}, the order in {expected}", FindingCode.TRANSFER_CURRENCY)


def refuse_untold(row: Mapping[str, JSON], absent: Collection[str]) -> None:
    """Refuse a transfer of which a needed member is not told: it is unknown, neither right nor wrong.

    The order's currency stands for the transfer's only where the table has no column.
    """
    currency = _code(row, "transfer_currency") or ("transfer_currency" in absent and _code(row, "currency"))
    told = {"status": row.get("status"), "amount": row.get("amount_cents"), "currency": currency or None}
    for name, value in told.items():
        if value is None:
            raise Problem("unread", f"the {name} of {named(row)} is not told")


def _code(row: Mapping[str, JSON], name: str) -> str:
    return str(row.get(name) or "").strip()


def gravest(checks: Iterable[Callable[[], object]]) -> Problem | None:
    """Make every check, and return the gravest problem: what is wrong for good is not hidden by what may come yet."""
    found = list[Problem]()
    for check in checks:
        try:
            check()
        except Problem as problem:
            found.append(problem)
    return min(found, key=lambda one: _GRAVITY.index(one.verdict.status), default=None)


def told_by(rows: Rows, name: str) -> Iterator[int]:
    return (cents for row in rows if (cents := cents_of(row, name)) is not None)


def cents_of(row: Mapping[str, JSON], name: str) -> int | None:
    value = row.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def same(one: JSON, other: str) -> bool:
    # PostgreSQL prints a UUID in lower case and with hyphens, whatever the API does.
    return _plain(str(one)) == _plain(other)


def _plain(identifier: str) -> str:
    plain = identifier.strip().lower().replace("-", "")
    return plain if len(plain) == 32 else identifier.strip()  # noqa: PLR2004 - the digits of a UUID


def named(row: Mapping[str, JSON]) -> str:
    name = row.get("transfer_id") or row.get("stripe_transfer_id")
    return "a transfer" if name is None else f"transfer {name}"
