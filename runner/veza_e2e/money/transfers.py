"""The rules over rows of seller_transfers: booked after the payment (R2), and reversed after the refund (R5).

Pure: the steps judge with them what they read, and the evidence what the journal and its addenda hold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final, TypeAlias

from veza.money import Money
from veza_e2e.canonical import JSON
from veza_e2e.journal.findings import FindingCode
from veza_e2e.money.transfer_rows import (
    OrderFacts,
    Problem,
    Rows,
    Status,
    TransferStatus,
    Verdict,
    cents_of,
    complete,
    counted,
    gravest,
    named,
    readable,
    refuse_untold,
    same,
    told_by,
    transfers_of,
)

LATE: Final = timedelta(hours=24)
"""How long a transfer may lag behind the completion, and a reversal behind the refund."""
_REVERSED = frozenset({TransferStatus.REVERSED, TransferStatus.PARTIALLY_REVERSED})
_UNPAID = frozenset({TransferStatus.CANCELLED, TransferStatus.FAILED})
Sides: TypeAlias = Sequence[tuple[int, int]]
"""What was paid out by each row, and what of it was reversed."""


def booking(rows: Rows, order: OrderFacts, *, refund_asked: bool = False, absent: Collection[str] = ()) -> Verdict:
    """Judge whether the seller's transfers are booked, and explain the total (R2). A cancelled one counts zero.

    Args:
        rows: all rows of the query, as read or pasted.
        order: what the API said of the order.
        refund_asked: whether a refund was asked for before the rows were read, so that they may be reversed.
        absent: the columns that the table does not have; nothing is asked of them.
    """
    whole = complete(rows)
    try:
        every = readable(rows, order)
        found, tax = counted(every), _tax(rows, order)
        wrong = gravest([
            *(partial(_refuse_status, row, refund_asked=refund_asked) for row in found),
            partial(_refuse_order, rows, order.total, tax),
            *(partial(_refuse_row, row, order, refund_asked=refund_asked) for row in found),
            partial(_refuse_sellers, found),
        ])  # fmt: skip
        if wrong is not None:
            raise wrong
        checked = bool(order.seller_id) and all(row.get("seller_id") is not None for row in found)
    except Problem as problem:
        return replace(problem.verdict, complete=whole)
    cancelled = [row for row in every if row not in found]
    only_told = tax if tax and order.tax is None else None
    verdict = Verdict("booked", seller_checked=checked, complete=whole, tax=only_told)
    verdict = _explained(found, order.total, tax, verdict, cancelled)
    untold = gravest(partial(refuse_untold, row, absent) for row in found)
    if untold is not None and verdict.status != "wrong":
        return replace(untold.verdict, complete=whole)
    if verdict.status == "booked" and (told := _unnamed(found, "stripe_transfer_id", absent)):
        finding = FindingCode.TRANSFER_NOT_BOOKED
        return Verdict("late", f"{told} without a Stripe id", finding=finding, complete=whole)
    if verdict.status != "wrong" or not cancelled:
        return verdict
    told = f"{named(cancelled[0])} is 'cancelled'"
    if refund_asked:
        return Verdict("unread", f"{told}: the refund came before it was paid out", complete=whole)
    return replace(verdict, problem=f"{told}; {verdict.problem}", finding=FindingCode.TRANSFER_NOT_BOOKED)


def reversal(rows: Rows, order: OrderFacts, *, before: Rows = (), absent: Collection[str] = ()) -> Verdict:
    """Judge whether the seller's transfers were reversed after the refund (R5).

    Rows that were never paid out count zero on both sides.

    Args:
        rows: all rows of the query, read after the refund.
        order: what the API said of the order.
        before: the rows as they were booked before the refund; empty if they were not read.
        absent: the columns that the table does not have.
    """
    whole = complete(rows)
    if "reversed_amount_cents" in absent:
        return Verdict("unread", "the table does not say how much was reversed", complete=whole)
    earlier = _by_id(transfers_of(before))
    try:
        found = readable(rows, order, after_refund=True)
    except Problem as problem:
        return replace(problem.verdict, complete=whole)
    held = gravest([
        partial(_refuse_change, found, earlier),
        *(partial(_reversed, row, earlier) for row in found),
        *(partial(refuse_untold, row, absent) for row in found),
    ])  # fmt: skip
    if held is not None and held.verdict.status == "wrong":
        return replace(held.verdict, complete=whole)
    pairs = [(row, side) for row in found if (side := _told_sides(row, earlier)) is not None]
    known, sides = [row for row, _ in pairs], [side for _, side in pairs]
    paid, back = (Money(sum(side[i] for side in sides), order.total.currency) for i in (0, 1))
    compared = len(known) == len(found)  # else the sums are not the whole
    verdict = Verdict("reversed", left=paid if compared else None, right=back if compared else None, complete=whole)
    open_ = _unreversed(known, sides, earlier, order) or _unproven(known, sides, earlier, absent)
    if held is not None and (open_ is None or open_[0] == "unclear"):
        return replace(held.verdict, complete=whole)
    if open_ is None:
        return verdict
    if paid == back:
        verdict = Verdict("reversed", complete=whole)  # equal sums that prove nothing are not compared
    return replace(verdict, status=open_[0], problem=open_[1], finding=FindingCode.TRANSFER_NOT_REVERSED)


def _unreversed(
    found: Rows, sides: Sides, earlier: Mapping[str, Mapping[str, JSON]], order: OrderFacts
) -> tuple[Status, str] | None:
    """Return what is not as it was transferred: more of a transfer was reversed, less, or it is not paid out yet."""
    currency = order.total.currency
    for row, (out, in_) in zip(found, sides, strict=True):
        if in_ > out:
            return "wrong", f"{Money(in_, currency)} of {named(row)} were reversed, more than {Money(out, currency)}"
    paid, back = (Money(sum(side[i] for side in sides), currency) for i in (0, 1))
    short = [pair for pair in zip(found, sides, strict=True) if pair[1][1] < pair[1][0]]
    pending = any(row.get("status") == TransferStatus.PENDING for row in found)
    if not short and not pending:
        return None
    told = f"{paid} were transferred to the seller, {back} reversed"
    if not short:
        told = "a transfer is still pending: it may yet be paid out"
    errors = _errors((row for row, _ in short), earlier)
    return ("refused", f"{told} ({', '.join(errors)})") if errors else ("late", told)


def _unproven(
    found: Rows, sides: Sides, earlier: Mapping[str, Mapping[str, JSON]], absent: Collection[str]
) -> tuple[Status, str] | None:
    """Return why what was wholly reversed, by its amount, does not prove it."""
    back = [row for row, side in zip(found, sides, strict=True) if side[1]]
    errors = _errors(back, earlier)
    if "stripe_reversal_id" not in absent and (twice := _twice(back, "stripe_reversal_id")):
        return "wrong", f"Stripe reversal {', '.join(twice)} stands in several rows"
    if told := _unnamed(back, "stripe_reversal_id", absent):
        why = f"{told} without the Stripe id of a reversal"
        return ("refused", f"{why} ({', '.join(errors)})") if errors else ("late", why)
    return ("unclear", f"the rows tell both a reversal and an error ({', '.join(errors)})") if errors else None


def _unnamed(found: Rows, column: str, absent: Collection[str]) -> str | None:
    """Return which row Stripe's id is not told of yet; None if all are, or the table has no such column."""
    row = None if column in absent else next((one for one in found if not one.get(column)), None)
    if row is None:
        return None
    return f"{named(row)} is {'reversed' if column == 'stripe_reversal_id' else row['status']}"


def _refuse_status(row: Mapping[str, JSON], *, refund_asked: bool) -> None:
    status = row.get("status")
    why = f" ({row['error_message']})" if row.get("error_message") else ""
    told = f"{named(row)} is {str(status)!r}{why}"
    if status in {None, TransferStatus.COMPLETED} or (refund_asked and status in _REVERSED):
        return
    if status == TransferStatus.PENDING:
        raise Problem("late", told, FindingCode.TRANSFER_NOT_BOOKED)
    if refund_asked and status == TransferStatus.CANCELLED:
        raise Problem("unread", f"{told}: the refund came before it was paid out")
    known = "" if status in list(TransferStatus) else ", a status that this version does not know"
    raise Problem("wrong", f"{told}{known}", FindingCode.TRANSFER_NOT_BOOKED)


def _tax(rows: Rows, order: OrderFacts) -> Money:
    """Return the tax that R2 counts with: the API's, else the database's, else none."""
    if order.tax is not None:
        return order.tax
    told = sorted({Money(one, order.total.currency) for one in told_by(rows, "tax_amount_cents")})
    if len(told) > 1 or any(one.minor < 0 for one in told):
        taxes = " and ".join(map(str, told))
        raise Problem("wrong", f"the order's tax is {taxes} in the database", FindingCode.TRANSFER_DIFFERS)
    return next(iter(told), Money(0, order.total.currency))


def _refuse_order(rows: Rows, total: Money, tax: Money) -> None:
    """Compare the database's order with the API's."""
    for name, expected in (("total_amount_cents", total), ("tax_amount_cents", tax)):
        for told in told_by(rows, name):
            if told != expected.minor:
                what = name.partition("_")[0]
                raise Problem(
                    "wrong",
                    f"the order's {what} is {Money(told, total.currency)} in the database, and {expected} by the API",
                    FindingCode.TRANSFER_DIFFERS,
                )


def _refuse_row(row: Mapping[str, JSON], order: OrderFacts, *, refund_asked: bool) -> None:
    seller = row.get("seller_id")
    if seller is not None and order.seller_id and not same(seller, order.seller_id):
        raise Problem(
            "wrong",
            f"{named(row)} is booked to seller {seller}, the product's seller is {order.seller_id}",
            FindingCode.TRANSFER_SELLER,
        )
    if not refund_asked and (cents_of(row, "reversed_amount_cents") or row.get("stripe_reversal_id")):
        raise Problem("wrong", f"{named(row)} was reversed already, before the refund", FindingCode.TRANSFER_NOT_BOOKED)


def _refuse_sellers(found: Rows) -> None:
    sellers = sorted({str(row["seller_id"]) for row in found if row.get("seller_id") is not None})
    if not all(same(one, sellers[0]) for one in sellers):
        raise Problem(
            "wrong", f"the transfers are booked to several sellers: {', '.join(sellers)}", FindingCode.TRANSFER_SELLER
        )
    if twice := _twice(found, "stripe_transfer_id"):
        raise Problem(
            "wrong",
            f"Stripe transfer {', '.join(twice)} stands in several rows",
            FindingCode.TRANSFER_DIFFERS,
        )


def _twice(rows: Rows, column: str) -> list[str]:
    told = [str(row[column]) for row in rows if row.get(column)]
    return sorted({one for one in told if told.count(one) > 1})


def _explained(found: Rows, total: Money, tax: Money, verdict: Verdict, cancelled: Rows) -> Verdict:
    """Return the verdict with R2's sides; a fee, amount or status that is not told leaves the sum unknown."""
    currency, owed = total.currency, total - tax
    fees = [cents_of(row, "platform_fee_cents") for row in found]
    if None in fees or any(row.get(name) is None for row in found for name in ("amount_cents", "status")):
        return replace(verdict, left=owed)
    paid = Money(sum(cents_of(row, "amount_cents") or 0 for row in found) + sum(fee or 0 for fee in fees), currency)
    verdict = replace(verdict, left=owed, right=paid)
    if paid != owed:
        told = f"the total without tax is {owed}, the transfers and fees are {paid}: {owed - paid} are unexplained"
        return replace(verdict, status="wrong", problem=told, finding=FindingCode.TRANSFER_DIFFERS)
    # The query's own sum has the cancelled rows in it.
    more = sum(cents_of(row, name) or 0 for row in cancelled for name in ("amount_cents", "platform_fee_cents"))
    # It counts a tax that the database does not tell as none.
    untold = 0 if [*told_by(found, "tax_amount_cents")] else tax.minor
    over = [cents for cents in told_by(found, "unexplained_cents") if cents not in {0, -more, untold, untold - more}]
    if over:
        told = f"the database itself leaves {Money(over[0], currency)} of the total unexplained"
        return replace(verdict, status="wrong", problem=told, finding=FindingCode.TRANSFER_DIFFERS)
    return verdict


def _by_id(rows: Rows) -> dict[str, Mapping[str, JSON]]:
    """Return the rows by their transfer's id; without one, rows cannot be told apart."""
    return {str(row["transfer_id"]): row for row in rows if row.get("transfer_id") is not None}


def _refuse_change(found: Rows, earlier: Mapping[str, Mapping[str, JSON]]) -> None:
    """Refuse rows that are no longer those that were booked."""
    now = _by_id(found)
    gone = sorted(earlier.keys() - now.keys())
    if gone:
        raise Problem("unread", f"transfer {', '.join(gone)} was seen before the refund, and is not visible now")
    for name, row in earlier.items():
        was, is_ = cents_of(row, "amount_cents"), cents_of(now[name], "amount_cents")
        if is_ is not None and was != is_:
            told = f"transfer {name} was booked with {was} minor units, and has {is_} now"
            raise Problem("wrong", told, FindingCode.TRANSFER_DIFFERS)
        if row.get("status") == TransferStatus.COMPLETED and now[name].get("status") in _UNPAID:
            told = f"transfer {name} was completed, and is {now[name]['status']!s} now"
            raise Problem("wrong", told, FindingCode.TRANSFER_NOT_REVERSED)


def _reversed(row: Mapping[str, JSON], earlier: Mapping[str, Mapping[str, JSON]]) -> tuple[int, int]:
    """Return what was paid out by a row and what of it was reversed, in minor units.

    Where an amount or a status is not told, what the row said before the refund counts: it proves no reversal, and may
    contradict one.

    Raises:
        Problem: a status that is not known, or a side that is not told.
    """
    was = earlier.get(str(row.get("transfer_id")), {})
    status, amount, said = row.get("status"), cents_of(row, "amount_cents"), cents_of(row, "reversed_amount_cents")
    if status is not None and status not in list(TransferStatus):
        told = f"{named(row)} is {str(status)!r}, a status that this version does not know"
        raise Problem("wrong", told, FindingCode.TRANSFER_NOT_REVERSED)
    if status in _UNPAID or status == TransferStatus.PENDING:
        return 0, 0
    if said is None and status in _REVERSED:
        raise Problem("unread", f"{named(row)} is {status!s}, and how much of it is not told")
    amount = cents_of(was, "amount_cents") if amount is None else amount
    paid_out = status is not None or was.get("status") == TransferStatus.COMPLETED or bool(said)
    if amount is None or not paid_out:
        raise Problem("unread", f"what {named(row)} paid out is not told")
    return amount, said or 0


def _told_sides(row: Mapping[str, JSON], earlier: Mapping[str, Mapping[str, JSON]]) -> tuple[int, int] | None:
    try:
        return _reversed(row, earlier)
    except Problem:
        return None


def _errors(found: Iterable[Mapping[str, JSON]], earlier: Mapping[str, Mapping[str, JSON]]) -> list[str]:
    """Return the errors that rows tell, without those from before the refund."""
    told = set()
    for row in found:
        error, old = row.get("error_message"), earlier.get(str(row.get("transfer_id")), {}).get("error_message")
        if error and error != old:
            told.add(str(error))
    return sorted(told)
