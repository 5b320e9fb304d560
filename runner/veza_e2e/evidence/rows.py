"""What the latest rows of seller_transfers say: R2, R5 and the license."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal, TypeAlias

from veza.money import Money
from veza_e2e.evidence.facts import LicensesRead
from veza_e2e.evidence.model import ItemStatus
from veza_e2e.frozen import dataclass
from veza_e2e.journal.addenda import Addendum, RowsSupplied
from veza_e2e.journal.events import (
    CallIntended,
    SessionInterrupted,
    SessionResumed,
    StepFailed,
    StepFinished,
    StepPaused,
    StepSkipped,
    StepStarted,
)
from veza_e2e.journal.readings import RowsRead
from veza_e2e.journal.story import Story, cents_of, text_of
from veza_e2e.money.account import Account
from veza_e2e.money.transfer_rows import REVOKED, OrderFacts, Rows, Verdict, absent, license_status, tax_told
from veza_e2e.money.transfers import LATE, booking, reversal

_Found: TypeAlias = tuple[int, datetime, str, Rows]


@dataclass(frozen=True, slots=True)
class LicenseColumn:
    """What the last rows that tell it say of the order's licenses in the database."""

    seq: int
    at: datetime
    states: str


@dataclass(frozen=True, slots=True)
class SuppliedRows:
    """What rows say.

    Attributes:
        seq: the event, or the addendum.
        at: when they were read.
        booking: whether the seller's transfers are booked (R2).
        reversal: whether they were reversed (R5); None if no refund was asked for.
        license: the state of the order's licenses in the database after the refund, by these rows or, if they do not
            tell, by earlier ones; None if none told.
    """

    seq: int
    at: datetime
    booking: Verdict
    reversal: Verdict | None
    license: LicenseColumn | None

    @property
    def not_reversed(self) -> Literal["not_met", "pending"] | None:
        """What rows make of a refund that do not show the transfers as reversed; None if they do not tell."""
        match None if self.reversal is None else self.reversal.status:
            case "wrong" | "refused":
                return "not_met"
            case "late":
                return "pending"
            case _:
                return None


def supplied_rows(story: Story, account: Account, addenda: Sequence[Addendum]) -> SuppliedRows | None:
    """Return what the latest rows say, if `rows` recorded any; None also if there is no order that they could be of.

    Rows that a step read since are later than those.
    """
    return _judged(story, account, _later(story, addenda))


def rows_after_refund(story: Story, account: Account, supplied: SuppliedRows | None) -> SuppliedRows | None:
    """Return what the latest rows say that were read after the refund: those of step 9, unless others were supplied."""
    read = [(line, e) for line, e in story.of(RowsRead) if e.final and e.step == "revoked"]
    last = _judged(story, account, [(line.seq, _at(line.at), event.sql, event.rows) for line, event in read])
    if supplied is None or supplied.reversal is None:
        return last
    return supplied if last is None or supplied.license else replace(supplied, license=last.license)


def _judged(story: Story, account: Account, found: Sequence[_Found]) -> SuppliedRows | None:
    order = _order(story, account)
    if not found or order is None:
        return None
    seq, at, sql, rows = found[-1]
    main = account.main
    asked_at = next((_at(line.at) for line, e in story.of(CallIntended) if e.operation == "requestRefund"), None)
    seen_at = None if main is None else main.refund_seen_at
    refunded_at = min((one for one in (asked_at, seen_at) if one is not None), default=None)
    refunded = refunded_at is not None and refunded_at <= at
    booked = booking(rows, order, refund_asked=refunded, absent=absent(sql))
    back = reversal(rows, order, before=_before(story), absent=absent(sql)) if refunded else None
    completed = story.last_of_step(StepFinished, "completed")
    since = _at(completed[0].at) if completed else None
    late = None if back is None else _timely(back, at, seen_at)
    return SuppliedRows(seq, at, _timely(booked, at, since), late, _license(found, refunded_at))


def _license(found: Sequence[_Found], since: datetime | None) -> LicenseColumn | None:
    """Return what the last rows tell that were read since the refund, and tell it."""
    later = [one for one in found if since is not None and one[1] >= since]
    told = [LicenseColumn(seq, at, states) for seq, at, _, rows in later if (states := license_status(rows))]
    return told[-1] if told else None


def _later(story: Story, addenda: Sequence[Addendum]) -> list[_Found]:
    running = False
    found: list[_Found] = []
    for line in story.lines:
        event = line.event
        if isinstance(event, StepStarted):
            running = True
        elif isinstance(
            event, StepFinished | StepFailed | StepPaused | StepSkipped | SessionInterrupted | SessionResumed
        ):
            running = False
        elif isinstance(event, RowsRead) and event.final and (found or not running):
            found.append((line.seq, _at(line.at), event.sql, event.rows))
    later = sorted((one for one in addenda if isinstance(one, RowsSupplied)), key=lambda one: one.number)
    return [*found, *((one.seq, _at(one.at), one.sql, one.rows) for one in later)]


def _order(story: Story, account: Account) -> OrderFacts | None:
    placed, product = story.result("order"), story.result("products")
    order_id, currency = text_of(placed.get("order_id")), text_of(placed.get("currency"))
    cents = cents_of(placed.get("total_cents"))
    if order_id is None or currency is None or cents is None:
        return None
    total = Money(cents, currency)
    return OrderFacts(order_id, total, tax_told(account, order_id, total), text_of(product.get("seller_id")))


def _before(story: Story) -> Rows:
    rows = story.result("transfers").get("rows")
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list | tuple) else ()


def _timely(verdict: Verdict, at: datetime, since: datetime | None) -> Verdict:
    """Return the verdict; what is late is missing 24 hours after what it follows."""
    if verdict.status != "late" or since is None or at - since < LATE:
        return verdict
    return replace(verdict, status="wrong", problem=f"{verdict.problem}, after more than 24 hours")


def how_reversed(rows: SuppliedRows | None, said: str | None) -> str:
    """Return why the latest rows leave R5 open, and how it can be supplied; `said` is what each witness says."""
    back = None if rows is None else rows.reversal
    if back is None or not back.problem:
        return "supply the rows with `rows`"
    told = f"{back.problem} ({said})" if said else back.problem
    if back.status == "unclear":
        return f"{told}; record what the Stripe dashboard shows with `attest dashboard --reversed`"
    return f"{told}; look again with `rows`"


def license_by(
    rows: SuppliedRows | None, account: Account, looked: Sequence[LicensesRead]
) -> tuple[ItemStatus, Sequence[int], str] | None:
    """Return what the license column proves, or contradicts; None if the API's word stands alone.

    Args:
        rows: the latest rows that were read after the refund.
        account: the session's money.
        looked: what the API said of the licenses after the refund.
    """
    main = account.main
    column = None if rows is None else rows.license
    if column is None or _changed_since(column, looked):
        return None
    if column.states == REVOKED:
        return None if looked else ("met", [column.seq], "revoked by the database")
    if main is None or main.refund_seen_at is None or column.at < main.refund_seen_at:
        return None
    by_api = f", and {', '.join(map(str, looked[-1].statuses))} by the API" if looked else ""
    seen = [looked[-1].seq] if looked else []
    late = column.at - main.refund_seen_at < LATE  # a replica lags, as the rows themselves may
    told = f"a license is {column.states} by the database{by_api}; look again with `rows`"
    return "pending" if late else "not_met", [*seen, column.seq], told


def _changed_since(column: LicenseColumn, looked: Sequence[LicensesRead]) -> bool:
    """Whether the API has said something new since the rows: one that says what it said before outdates nothing."""
    before = [one for one in looked if one.seq < column.seq][-1:]
    after = [one for one in looked if one.seq > column.seq]
    return bool(after) and [set(one.statuses) for one in before] != [set(after[-1].statuses)]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
