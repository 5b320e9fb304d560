"""Step 7: checks that the seller's transfer is booked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from veza.money import Money
from veza_e2e.canonical import JSON
from veza_e2e.journal.findings import FindingCode
from veza_e2e.ports import seller_transfers as ledger
from veza_e2e.steps.context import Context
from veza_e2e.steps.results import PlacedOrder, Transfers
from veza_e2e.steps.rows import paste_rows, read_rows
from veza_e2e.steps.step import RESUME, Failed, step


class TransferStatus(StrEnum):
    """The assumed states of a seller transfer."""

    PENDING = "pending"
    COMPLETED = "completed"
    REVERSED = "reversed"
    PARTIALLY_REVERSED = "partially_reversed"
    FAILED = "failed"
    CANCELLED = "cancelled"


_BOOKED = frozenset({TransferStatus.PENDING, TransferStatus.COMPLETED})


@step("transfers", Transfers)
def check_transfers(context: Context, order: PlacedOrder) -> Transfers:
    """Read the seller's transfers and compare their sum with the order's total (R2).

    Where the table has no fee, the sum is unknown: nothing is compared.
    """
    try:
        sql = ledger.script(order.order_id, context.names)
    except ValueError as error:
        raise Failed(FindingCode.ORDER_ID_UNSAFE, str(error), meaning=context.account().said, todo=RESUME) from error
    rows = read_rows(context, order)
    if rows is None:
        rows = paste_rows(context, order, sql)
    booked = _booked(context, order, rows)
    if not context.names.transfers.has("platform_fee_cents"):
        return Transfers(tuple(booked), None, confirmed=True, currency=order.currency)
    paid = Money(sum(_cents(row, "amount_cents") + _cents(row, "platform_fee_cents") for row in booked), order.currency)
    owed = order.total - Money(order.tax_cents, order.currency)
    if not context.compare("R2", owed, paid, context.call("getOrder")):
        raise Failed(
            FindingCode.TRANSFER_DIFFERS,
            f"the total without tax is {owed}, the transfers and fees are {paid}: {owed - paid} are unexplained",
            meaning=context.account().said,
            todo=RESUME,
        )
    return Transfers(tuple(booked), (owed - paid).minor, confirmed=True, currency=order.currency)


def _booked(context: Context, order: PlacedOrder, rows: Sequence[Mapping[str, JSON]]) -> list[Mapping[str, JSON]]:
    found = [row for row in rows if row.get("amount_cents") is not None]
    if not found:
        raise Failed(
            FindingCode.TRANSFER_MISSING,
            f"seller_transfers has no row for order {order.order_id}",
            meaning=context.account().said,
            todo=RESUME,
        )
    for row in found:
        status = row.get("status")
        if status not in _BOOKED:
            why = f" ({row['error_message']})" if row.get("error_message") else ""
            known = "" if status in list(TransferStatus) else ", a status that this version does not know"
            raise Failed(
                FindingCode.TRANSFER_NOT_BOOKED,
                f"transfer {row.get('transfer_id')} is {str(status)!r}{why}{known}",
                meaning=context.account().said,
                todo=RESUME,
            )
        currency = row.get("transfer_currency") or row.get("currency")
        if currency != order.currency:
            raise Failed(
                FindingCode.TRANSFER_CURRENCY,
                f"transfer {row.get('transfer_id')} is in {currency}, the order in {order.currency}",
                meaning=context.account().said,
                todo=RESUME,
            )
    return found


def _cents(row: Mapping[str, JSON], name: str) -> int:
    value = row.get(name)
    return value if isinstance(value, int) else 0
