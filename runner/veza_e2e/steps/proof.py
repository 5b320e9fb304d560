"""Steps 6 and 7: the license is there, and the seller's transfer is booked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from veza import License, LicenseStatus
from veza.money import Money
from veza_e2e import ledger
from veza_e2e.canonical import JSON
from veza_e2e.events import RowsRead
from veza_e2e.results import Buyer, ChosenProduct, GrantedLicense, PlacedOrder, Transfers
from veza_e2e.run import Failed, step
from veza_e2e.session import Session, TimedOut

CHARGED = "The card was charged. The refund is open: resume the session to get the money back."
RESUME = "Resume to refund, and report the finding to the backend's makers."


class TransferStatus(StrEnum):
    """The states of a seller transfer (assumed)."""

    PENDING = "pending"
    COMPLETED = "completed"
    REVERSED = "reversed"
    PARTIALLY_REVERSED = "partially_reversed"
    FAILED = "failed"
    CANCELLED = "cancelled"


_BOOKED = frozenset({TransferStatus.PENDING, TransferStatus.COMPLETED})


@step("license", GrantedLicense)
def verify_license(session: Session, buyer: Buyer, product: ChosenProduct, order: PlacedOrder) -> GrantedLicense:
    """Find the license of this buyer, product and order (operation listMyLicenses)."""
    _ = buyer  # licenses/mine lists the caller's own: the buyer is the one who is logged in

    def ours(licenses: Sequence[License]) -> list[License]:
        return [one for one in licenses if one.order_id == order.order_id and one.product_id == product.product_id]

    try:
        licenses = session.wait(
            lambda: ours(session.api.licenses.mine(order_id=order.order_id)), bool, timeout=session.options.grace
        )
    except TimedOut:
        raise Failed(
            "license_missing",
            f"no license for order {order.order_id} and product {product.product_id} "
            f"{session.options.grace:.0f} s after the order was completed",
            meaning=CHARGED,
            todo=RESUME,
        ) from None
    if len(licenses) > 1:
        raise Failed(
            "several_licenses",
            f"order {order.order_id} granted {len(licenses)} licenses: {', '.join(one.id for one in licenses)}",
            meaning=CHARGED,
            todo=RESUME,
        )
    found = licenses[0]
    if found.status is not LicenseStatus.ACTIVE:
        raise Failed(
            "license_not_active",
            f"license {found.id} is {str(found.status)!r}, not active",
            meaning=CHARGED,
            todo=RESUME,
        )
    return GrantedLicense(
        license_id=found.id,
        status=str(found.status),
        product_id=found.product_id,
        order_id=found.order_id,
        granted_at=found.granted_at.isoformat(),
    )


@step("transfers", Transfers)
def check_transfers(session: Session, order: PlacedOrder) -> Transfers:
    """Read the seller's transfers and compare their sum with the order's total (R2)."""
    try:
        sql = ledger.script(order.order_id)
    except ValueError as error:
        raise Failed("order_id_unsafe", str(error), meaning=CHARGED, todo=RESUME) from error
    rows = read_rows(session, order)
    if rows is None:
        rows = _pasted(session, order, sql)
    booked = _booked(order, rows)
    paid = Money(sum(_cents(row, "amount_cents") + _cents(row, "platform_fee_cents") for row in booked), order.currency)
    owed = order.total - Money(order.tax_cents, order.currency)
    if not session.compare("R2", owed, paid, session.call("getOrder")):
        raise Failed(
            "transfer_differs",
            f"the total without tax is {owed}, the transfers and fees are {paid}: {owed - paid} are unexplained",
            meaning=CHARGED,
            todo=RESUME,
        )
    return Transfers(tuple(booked), (owed - paid).minor, confirmed=True, currency=order.currency)


def read_rows(session: Session, order: PlacedOrder) -> Sequence[Mapping[str, JSON]] | None:
    """Return the rows where they can be read without the operator, else None; so too where the id is unsafe in SQL."""
    try:
        sql = ledger.query(order.order_id)
    except ValueError:
        return None
    rows = session.ledger.rows(sql, order.order_id)
    if rows is None:
        return None
    clean = tuple({name: row.get(name) for name in ledger.COLUMNS} for row in rows)
    _read(session, session.ledger.source, sql, clean)
    return clean


def _read(session: Session, source: str, sql: str, rows: Sequence[Mapping[str, JSON]], problem: str = "") -> None:
    shown = tuple(_redacted(session, row) for row in rows)
    step = session.recorder.step
    if step is not None:
        session.journal.append(
            RowsRead(
                step=step,
                source="database" if source == "database" else "rehearsal" if source == "rehearsal" else "pasted",
                sql=sql,
                rows=shown,
                final=not problem,
                problem=session.recorder.redactor.text(problem) or None,
            )
        )


def _redacted(session: Session, row: Mapping[str, JSON]) -> dict[str, JSON]:
    text = session.recorder.redactor.text
    return {name: text(value) if isinstance(value, str) else value for name, value in row.items()}


def _pasted(session: Session, order: PlacedOrder, sql: str) -> Sequence[Mapping[str, JSON]]:
    text = f"Run this in psql on the backend's database and paste what it prints:\n\n{sql}\n"
    session.asked("transfers", text)
    since = session.clock.monotonic()
    printed = session.ledger.peek(order.order_id)
    peek = None if printed is None else lambda: printed
    hint = " On the rehearsal backend `s` shows what psql would print." if peek else ""
    shown = f"{text}\nEnd with an empty line or `.` (`@file` reads a file).{hint}"
    while True:
        pasted = session.operator.paste("transfers", shown, peek)
        try:
            rows = ledger.parse(pasted)
            _related(rows, order)
        except ledger.PasteError as error:
            session.answered("transfers", f"{len(pasted.splitlines())} lines, not usable", since)
            _read(session, "pasted", sql, (), str(error))
            shown = f"That cannot be used: {error}. Please paste it again."
            continue
        session.answered("transfers", f"{len(pasted.splitlines())} lines", since)
        _read(session, "pasted", sql, rows)
        if session.yes("transfers_right", f"Read as:\n{ledger.table(rows)}\nIs this what psql printed?"):
            return rows
        shown = "Please paste it again."


def _related(rows: Sequence[Mapping[str, JSON]], order: PlacedOrder) -> None:
    # PostgreSQL prints a UUID in small letters, whatever the API does.
    others = sorted({str(row["order_id"]).lower() for row in rows} - {order.order_id.lower()})
    if others:
        raise ledger.PasteError(f"it is about order {', '.join(others)[:80]}, not {order.order_id}")


def _booked(order: PlacedOrder, rows: Sequence[Mapping[str, JSON]]) -> list[Mapping[str, JSON]]:
    found = [row for row in rows if row.get("amount_cents") is not None]
    if not found:
        raise Failed(
            "transfer_missing",
            f"seller_transfers has no row for order {order.order_id}",
            meaning=CHARGED,
            todo=RESUME,
        )
    for row in found:
        status = row.get("status")
        if status not in _BOOKED:
            why = f" ({row['error_message']})" if row.get("error_message") else ""
            known = "" if status in list(TransferStatus) else ", a status that this version does not know"
            raise Failed(
                "transfer_not_booked",
                f"transfer {row.get('transfer_id')} is {str(status)!r}{why}{known}",
                meaning=CHARGED,
                todo=RESUME,
            )
        currency = row.get("transfer_currency") or row.get("currency")
        if currency != order.currency:
            raise Failed(
                "transfer_currency",
                f"transfer {row.get('transfer_id')} is in {currency}, the order in {order.currency}",
                meaning=CHARGED,
                todo=RESUME,
            )
    return found


def _cents(row: Mapping[str, JSON], name: str) -> int:
    value = row.get(name)
    return value if isinstance(value, int) else 0
