"""What is due for a session: when the bank statement must show a refund, and what to do about open money.

Business days follow the TARGET2 calendar. The owner's checklist expects the refund after 5 to 7 of them; after 10 it is
overdue.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache
from typing import Literal, TypeAlias

from veza_e2e.evidence.glance import Glance, glance
from veza_e2e.evidence.model import Summary
from veza_e2e.frozen import dataclass
from veza_e2e.money.order_account import AccountState

NOTHING = "nothing is due"
DueState = Literal["not due yet", "due", "late", "OVERDUE"]

EARLIEST, LATEST, OVERDUE_AFTER = 5, 7, 10
_SATURDAY = 5


@cache
def _closed(year: int) -> frozenset[date]:
    # Importing the calendar takes 0.1 s, and most commands never need it.
    from holidays.financial.european_central_bank import EuropeanCentralBank  # noqa: PLC0415

    return frozenset(EuropeanCentralBank(years=year))  # type: ignore[no-untyped-call]


def is_business_day(day: date) -> bool:
    """Whether TARGET2 is open on `day`."""
    return day.weekday() < _SATURDAY and day not in _closed(day.year)


def add_business_days(day: date, count: int) -> date:
    """Return the business day that is `count` business days after `day`."""
    while count:
        day += timedelta(days=1)
        count -= is_business_day(day)
    return day


@dataclass(frozen=True, slots=True)
class Due:
    """When a refund must be on the statement."""

    earliest: date
    latest: date
    overdue_after: date

    def state(self, today: date) -> DueState:
        """Return whether the refund is not due yet, due, late or overdue on `today`."""
        if today < self.earliest:
            return "not due yet"
        if today <= self.latest:
            return "due"
        return "late" if today <= self.overdue_after else "OVERDUE"


def due(refunded: date) -> Due:
    """Return when a refund of the day `refunded` must be on the statement."""
    return Due(*(add_business_days(refunded, count) for count in (EARLIEST, LATEST, OVERDUE_AFTER)))


def statement_due(summary: Summary | Glance) -> Due | None:
    """Return when the bank statement must show a session's refund; None if none is awaited, as for test funds."""
    seen = glance(summary)
    awaited = seen.funds == "real" and seen.statement == "pending" and not seen.statement_shown
    return due(date.fromisoformat(seen.refunded_at[:10])) if awaited and seen.refunded_at else None


Command: TypeAlias = Callable[..., str]
"""Returns the command line for some words, in the session's environment."""


@dataclass(frozen=True, slots=True)
class Todo:
    """Something to do about money or evidence that is open."""

    said: str
    """What is open, and what to do."""
    command: str
    otherwise: str = ""
    """Another way, with its command."""

    @property
    def text(self) -> str:
        """All of it in one line."""
        return f"{self.said} with: {self.command}{self.otherwise}"


def todos(summary: Summary | Glance, command: Command | None = None) -> tuple[Todo, ...]:
    """Return what to do about money and evidence that are open, the most urgent first.

    Args:
        summary: the session, whole or at a glance.
        command: writes a command; None for one without the options of a terminal.
    """
    seen = glance(summary)
    write = command or (lambda *words: shlex.join(["veza-e2e", "--env", seen.environment, *words]))
    found = [*(_dispute(seen, write) if seen.disputed else _money(seen, write)), *_unseen(seen, write)]
    if seen.statement == "not_met":
        asked = f"{seen.statement_reason}: ask the bank, then record what it shows"
        found.append(Todo(asked, bank_command(str(seen.session), write)))
    return tuple(found)


def still_open(summary: Summary | Glance, command: Command | None = None) -> str | None:
    """Return `todos` in one line, with the commands; None if there is nothing to do."""
    return "; ".join(todo.text for todo in todos(summary, command)) or None


def nothing_due(summary: Summary | None) -> str:
    """Return what is said if nothing is due: it does not sound as if all were well."""
    if summary is None:
        return NOTHING
    unmet = [one.id.replace("_", " ") for one in summary.acceptance if one.status == "not_met"]
    unmet = unmet or [f"step {one.number} failed" for one in summary.steps if one.status == "failed"]
    return f"{NOTHING}, though not all is met: {', '.join(unmet)}" if unmet else NOTHING


def _money(seen: Glance, write: Command) -> Iterator[Todo]:
    """Yield what the account says and the next command. It advises a second refund only if all saw the first fail."""
    if seen.settled or (not seen.live_requested and seen.account != AccountState.CHARGED):
        return
    again, attest = write("resume", str(seen.session)), _dashboard(seen, write)
    if seen.abandoned:
        todo = "record what comes back"
        if seen.account == AccountState.CHARGED:
            advised = "refund the payment at the processor's dashboard, then record it"
            todo = f"refund nothing on top of it; {todo}" if seen.refund_by == "nobody" else advised
        yield Todo(f"abandoned, {seen.money}: {todo}", attest)
        return
    match seen.account:
        case AccountState.CHARGED if seen.refund_by == "dashboard":
            yield Todo(f"{seen.money}: refund it at the processor's dashboard, then look again", again)
        case AccountState.CHARGED if seen.refund_by == "backend":
            yield Todo(f"{seen.money}: get it back", again)
        case AccountState.CHARGED:
            yield Todo(f"{seen.money}: refund nothing on top of it; look again", again)
        case AccountState.AT_RISK:
            yield Todo(f"{seen.money}: continue", again)
        case _:
            other = f"; or record what the processor's dashboard shows with: {attest}"
            yield Todo(f"{seen.money}: look again", again, other)


def _dispute(seen: Glance, write: Command) -> Iterator[Todo]:
    """Yield what to do about a dispute, which decides by itself who gets the money."""
    if seen.live_requested or seen.account == AccountState.CHARGED:
        said = f"{seen.money}: answer the dispute at the processor's dashboard, refund nothing on top of it"
        yield Todo(f"{said}, then look again", write("resume", str(seen.session)))


def _unseen(seen: Glance, write: Command) -> Iterator[Todo]:
    """Yield what later rows can put right, and which comparisons of a run that passed nobody has made."""
    if not seen.live_requested or not seen.refund_requested:
        return
    if seen.by_rows:
        yield Todo(
            f"{' and '.join(seen.by_rows)}: once that is put right, supply the rows", write("rows", str(seen.session))
        )
    if seen.outcome != "passed":
        return
    by_rows = [one for one in seen.uncompared if one in {"R2", "R5"}]
    by_hand = [one for one in seen.uncompared if one in {"R1", "R4", "R6"}]
    if by_rows:
        yield Todo(f"{' and '.join(by_rows)} not compared: supply the rows", write("rows", str(seen.session)))
    if by_hand:
        yield Todo(f"{', '.join(by_hand)} not compared: record the dashboard", _dashboard(seen, write))


def _dashboard(seen: Glance, write: Command) -> str:
    known = ("--payment", seen.payment_id or "ID", "--charged", "AMOUNT", "--refund", seen.refund_id or "ID")
    return write("attest", "dashboard", "--session", str(seen.session), "--by", "NAME", *known, "--refunded", "AMOUNT")


def bank_command(session: str, command: Command) -> str:
    """Return the command that records what the bank statement shows."""
    return command("bank", session, "--seen", "credit", "--date", "YYYY-MM-DD", "--amount", "AMOUNT")
