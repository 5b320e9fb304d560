"""A session at a glance: what a list of sessions says of each, as plain values that can be stored and read again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from veza_e2e.evidence.model import Decision, ItemStatus, Summary
from veza_e2e.frozen import dataclass
from veza_e2e.journal.events import Outcome, WaitingFor


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What `sessions` shows, and what makes a session a candidate for a live run's dry-run. No evidence."""

    session: str | None
    environment: str
    release: str | None
    live: bool
    live_requested: bool
    rehearsal: bool
    funds: Literal["test", "real"]
    outcome: Outcome
    waiting_for: WaitingFor | None
    decision: Decision
    rehearsed_decision: Decision | None
    dry_run: str | None
    """The session that it cites as its dry-run."""
    abandoned: str | None
    ended: bool
    last_at: str
    money: str
    """What the account says, in one line."""
    account: str
    """The account's state."""
    settled: bool
    refund_by: Literal["backend", "dashboard", "nobody"]
    """Who can refund what is open; nobody while a refund is on its way, or a dispute is open."""
    disputed: bool
    refund_requested: bool
    refunded_at: str | None
    statement: ItemStatus
    statement_reason: str
    statement_shown: bool
    """Whether a statement was recorded that shows the refund."""
    uncompared: tuple[str, ...]
    """The rules R1 to R6 that were not checked."""
    by_rows: tuple[str, ...]
    """What the latest rows contradict, of an ended session: later ones can show that it was put right."""
    payment_id: str | None
    refund_id: str | None

    @property
    def held(self) -> Glance:
        """The same, without a GO."""
        decision: Decision = "PENDING" if self.decision == "GO" else self.decision
        rehearsed: Decision | None = "PENDING" if self.rehearsed_decision == "GO" else self.rehearsed_decision
        return replace(self, decision=decision, rehearsed_decision=rehearsed)


def glance(seen: Summary | Glance) -> Glance:
    """Return a session at a glance."""
    if isinstance(seen, Glance):
        return seen
    statement = seen.item("bank_statement")
    return Glance(
        session=seen.session,
        environment=seen.environment,
        release=seen.release,
        live=seen.live,
        live_requested=seen.live_requested,
        rehearsal=seen.rehearsal,
        funds=seen.funds,
        outcome=seen.outcome,
        waiting_for=seen.waiting_for,
        decision=seen.decision,
        rehearsed_decision=seen.rehearsed_decision,
        dry_run=seen.dry_run["session"] if seen.dry_run else None,
        abandoned=seen.abandoned,
        ended=seen.ended,
        last_at=seen.last_at,
        money=seen.money.sentence,
        account=str(seen.money.state),
        settled=seen.money.settled,
        refund_by=_refund_by(seen),
        disputed=seen.money.disputed,
        refund_requested=seen.refund_requested,
        refunded_at=seen.refunded_at,
        statement=statement.status,
        statement_reason=statement.reason,
        statement_shown=seen.statement_shown,
        uncompared=tuple(one.id for one in seen.reconciliation if one.status == "not_checked"),
        by_rows=tuple(_by_rows(seen)) if seen.ended and seen.refund_requested else (),
        payment_id=seen.payment_id,
        refund_id=seen.refund_id,
    )


def _by_rows(seen: Summary) -> Iterator[str]:
    if any(one.id == "R5" and one.status == "differs" for one in seen.reconciliation):
        yield "R5 differs"
    if seen.license_by_rows in {"not_met", "pending"}:
        yield "the database does not call the license revoked"


def _refund_by(seen: Summary) -> Literal["backend", "dashboard", "nobody"]:
    money = seen.money
    if money.disputed or money.on_its_way:
        return "nobody"
    elsewhere = bool(money.elsewhere) and not money.refundable
    return "dashboard" if seen.ended or elsewhere or seen.step("order").status == "failed" else "backend"
