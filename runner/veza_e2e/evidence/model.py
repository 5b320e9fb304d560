"""The judgement of a session: frozen values that `--json`, the report and the site show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from veza_e2e.canonical import JSON
from veza_e2e.frozen import dataclass
from veza_e2e.journal.addenda import BankStatement
from veza_e2e.journal.events import Outcome, StepName, WaitingFor
from veza_e2e.money.account import Account
from veza_e2e.money.figures import KINDS, FigureKind

StepStatus = Literal["passed", "failed", "skipped", "pending"]
ItemStatus = Literal["met", "not_met", "pending", "not_checked", "not_applicable"]
ItemName = Literal[
    "preflight", "dry_run", "order_completed", "amount_matches", "license_granted",
    "transfer_booked", "refund_completed", "license_revoked", "bank_statement",
]  # fmt: skip
ComparisonStatus = Literal["equal", "differs", "not_checked", "not_applicable"]
Decision = Literal["GO", "NO-GO", "PENDING"]


@dataclass(frozen=True, slots=True)
class Step:
    """One of the nine steps, as far as the journal shows it."""

    number: int
    name: StepName
    status: StepStatus
    observed: str
    trace: tuple[int, ...]
    """Sequence numbers of the events that prove it."""
    finding: str | None = None
    meaning: str | None = None
    todo: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One of the nine acceptance items; never met without evidence."""

    id: ItemName
    title: str
    status: ItemStatus
    evidence: tuple[int, ...]
    """Sequence numbers of events, then of addenda, whose numbers continue the journal's."""
    reason: str
    """Why the status is what it is, in one line."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A comparison of amounts or ids, R1 to R6."""

    id: str
    rule: str
    status: ComparisonStatus
    left: str | None
    right: str | None
    evidence: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """A session, with everything that was concluded about it."""

    session: str | None
    environment: str
    release: str | None
    live: bool
    """The backend calls itself live."""
    live_requested: bool
    rehearsal: bool
    funds: Literal["test", "real"]
    outcome: Outcome
    waiting_for: WaitingFor | None
    decision: Decision
    reason: str
    """Why the decision is what it is."""
    rehearsed_decision: Decision | None
    """What the decision would be, had the money been real; None off the rehearsal backend."""
    money: Account
    order_id: str | None
    payment_id: str | None
    refund_id: str | None
    refund_requested: bool
    refunded_at: str | None
    steps: tuple[Step, ...]
    acceptance: tuple[Item, ...]
    reconciliation: tuple[Reconciliation, ...]
    license_by_rows: ItemStatus | None
    """What the latest rows make of a license that the API did not call otherwise; None if they do not tell."""
    bank: BankStatement | None
    """The latest bank statement, which corrects earlier ones."""
    started_at: str
    last_at: str
    events: int
    last_hash: str
    ended: bool
    abandoned: str | None
    """Why the operator abandoned it."""
    dry_run: Mapping[str, str] | None
    others: Mapping[str, str] | None
    """See SessionStarted: the sessions that were there when it began."""

    @property
    def refund_open(self) -> bool | None:
        """See `Account.refund_open`."""
        return self.money.refund_open

    @property
    def statement_shown(self) -> bool:
        """Whether a bank statement was recorded that shows the refund, with its amount."""
        return self.bank is not None and self.bank.seen != "nothing" and self.bank.amount_cents is not None

    def item(self, name: ItemName) -> Item:
        """Return the acceptance item of this id."""
        return next(item for item in self.acceptance if item.id == name)

    def step(self, name: StepName) -> Step:
        """Return the step of this name."""
        return next(step for step in self.steps if step.name == name)

    def to_json(self, paths: Mapping[str, str] | None = None) -> dict[str, JSON]:
        """Return the JSON document of `run`, `resume` and `show`.

        Args:
            paths: of journal, log and report; None if nothing was stored.
        """
        document: dict[str, JSON] = {
            "session": self.session,
            "environment": self.environment,
            "release": self.release,
            "live": self.live,
            "rehearsal": self.rehearsal,
            "funds": self.funds,
            "outcome": self.outcome,
            "waiting_for": self.waiting_for,
            "decision": self.decision,
            "decision_reason": self.reason,
            "refund_open": self.refund_open,
            "account": str(self.money.state),
            "money": {
                "charged_cents": self.money.charged_cents,
                "refunded_cents": self.money.refunded_cents,
                "currency": self.money.currency,
                "witnesses": {kind: _figures(self.money, kind) for kind in KINDS},
            },
            "order_id": self.order_id,
            "payment_id": self.payment_id,
            "refund_id": self.refund_id,
            "steps": [_step_json(step) for step in self.steps],
            "acceptance": [
                {"id": i.id, "title": i.title, "status": i.status, "evidence": list(i.evidence)}
                for i in self.acceptance
            ],
            "reconciliation": [
                {"id": r.id, "status": r.status, "left": r.left, "right": r.right} for r in self.reconciliation
            ],
            "paths": dict(paths) if paths else None,
        }
        if self.rehearsed_decision is not None:
            document["rehearsed_decision"] = self.rehearsed_decision
        return document


def _figures(money: Account, kind: FigureKind) -> list[JSON]:
    return [
        {"by": one.by, "amount": None if one.amount is None else str(one.amount), "seq": one.seq}
        for one in money.figures(kind)
    ]


def _step_json(step: Step) -> dict[str, JSON]:
    return {
        "number": step.number,
        "name": step.name,
        "status": step.status,
        "observed": step.observed,
        "trace": list(step.trace),
    }
