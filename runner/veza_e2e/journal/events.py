"""The events that a journal can hold: frozen, one class per type.

Steps and ports emit them; terminal, log, report and site only consume them. The class name is the line's `type`.
Amounts are integer minor units, times RFC 3339 in UTC, durations whole milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from veza_e2e.canonical import JSON
from veza_e2e.frozen import dataclass

SCHEMA = 1
WALKTHROUGH = "2"
"""The order of the steps' questions and calls. A recording is replayed by the version that made it."""
WALKTHROUGHS = ("1", "2")
"""The versions that this one can resume and replay."""

StepName = Literal["login", "products", "order", "pay", "completed", "license", "transfers", "refund", "revoked"]
STEPS: tuple[StepName, ...] = (
    "login", "products", "order", "pay", "completed", "license", "transfers", "refund", "revoked",
)  # fmt: skip
Outcome = Literal["passed", "failed", "incomplete", "refused"]
WaitingFor = Literal["operator", "completion", "transfer", "refund", "reversal"]
CheckStatus = Literal["ok", "warn", "blocked"]
Target = Literal["api", "processor", "checkout", "rehearsal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in a session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted(Event):
    """The first event: the options, and the versions in use."""

    schema: int
    walkthrough: str
    session: str
    tools: Mapping[str, str]
    environment: str
    base_url: str
    account: str
    """The operator's e-mail address, masked."""
    account_digest: str
    """16 bits of the address's SHA-256, to find unresolved sessions of the same account; see `journal.account`."""
    live_requested: bool
    unattended: bool
    release: str | None
    product: str | None
    """The product chosen with `--product`."""
    refund: bool | None
    """`--refund`, `--no-refund`, or None if the operator is to be asked."""
    idempotency: bool
    """Whether this environment honours `Idempotency-Key`."""
    max_amount_cents: int
    max_amount_currency: str
    poll_timeout_ms: int
    operator: str | None
    """The display name from the configuration."""
    links: Mapping[str, str]
    """canary_release, go_no_go, hyperswitch_dashboard, stripe_dashboard: as configured."""
    faults: tuple[str, ...] = ()
    loopback: bool = False
    """Whether the backend is on this machine, and so may be polled more often."""
    grace_ms: int = 60_000
    """How long a license may lag behind its order."""
    checkout_hosts: tuple[str, ...] = ()
    dry_run: Mapping[str, str] | None = None
    """`{session, hash, ended_at}` of the dry-run that a live run relies on; see `archive.dry_run`."""
    others: Mapping[str, str] | None = None
    """Other sessions that the archive held when this one began, with the last hash of each: those that no session names
    with this hash yet. None in journals of earlier versions, whose first manifest names them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreflightChecked(Event):
    """One check of the gate."""

    name: str
    status: CheckStatus
    message: str
    hint: str | None = None
    """What to do if the status is not ok."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreflightFinished(Event):
    """The result of the gate, and what the backend said about itself."""

    passed: bool
    reported_environment: str | None
    live: bool
    """`/status` says live, prod or production."""
    rehearsal: bool
    """Whether it is the rehearsal backend, whatever environment it claims."""
    funds: Literal["test", "real"]
    expected_cents: int | None
    """The price of the product to buy, if known."""
    expected_currency: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionResumed(Event):
    """Another process continued the session."""

    tools: Mapping[str, str]
    walkthrough: str = "1"
    """The version that continues; journals of version 1 do not say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TailCut(Event):
    """The journal ended in an unterminated line, which was cut."""

    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallIntended(Event):
    """A request that may change something is about to be sent; synced to disk before its first byte."""

    call: int
    """Numbers the calls of a session from 1; CallFinished or CallFailed of the same number follows."""
    step: StepName | None
    """None outside the nine steps (the pre-flight, a re-read)."""
    operation: str | None
    """The operationId, if the contract has this request."""
    target: Target
    method: str
    url: str
    idempotency_key: str | None
    body_digest: str | None
    """SHA-256 of the canonical form of the redacted body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFinished(Event):
    """A request was answered."""

    call: int
    step: StepName | None
    operation: str | None
    target: Target
    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: Mapping[str, JSON] | None
    """Redacted, as one of `{"json": …}`, `{"form": {…}}`, `{"text": …}`, `{"withheld": why, "bytes": n}`."""
    status: int
    response_headers: Mapping[str, str]
    response_body: Mapping[str, JSON] | None
    request_id: str | None
    started_at: str
    elapsed_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFailed(Event):
    """A request was sent, or tried, and no complete response came."""

    call: int
    step: StepName | None
    operation: str | None
    target: Target
    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: Mapping[str, JSON] | None
    error: str
    """The exception's class name."""
    message: str
    started_at: str
    elapsed_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Event):
    """The operator was asked a question."""

    step: StepName | None
    question: str
    """The question's name: `charge_anyway`, `product`, `amount`, `paid`, `vat`, `refund`; `transfers` and `reversals`,
    each also with `_right`, `_late` or `_skipped` behind it.
    """
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Event):
    """The operator's answer, or an unattended run's."""

    step: StepName | None
    question: str
    answer: str
    """Redacted; for pasted rows only the number of lines."""
    waited_ms: int
    by: Literal["operator", "script"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserOpened(Event):
    """The checkout page was offered."""

    step: StepName
    url: str
    by: Literal["operator", "script"]
    opened: bool
    """False if no browser could be started, so that the URL was only printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted(Event):
    """A step of the walkthrough began (again, after a resume)."""

    step: StepName


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished(Event):
    """A step passed."""

    step: StepName
    result: Mapping[str, JSON]
    """The step's frozen result: ids, amounts and statuses, no secret."""
    observed: str
    """One line for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailed(Event):
    """A step failed for good; nothing turns this into a pass."""

    step: StepName
    finding: str
    """A name such as `declined`, `not_paid`, `amount_differs`, `license_missing`."""
    observed: str
    meaning: str
    """What it means for the money."""
    todo: str
    """What the operator can do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPaused(Event):
    """A step cannot finish now; it can be resumed (such as paid but not completed, or refund pending)."""

    step: StepName
    finding: str
    observed: str
    meaning: str
    todo: str
    waiting_for: WaitingFor


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSkipped(Event):
    """A step was left out by choice."""

    step: StepName
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionInterrupted(Event):
    """A signal, the end of input or the operator's `q` ended the process; no answer was given."""

    reason: str
    """`SIGINT`, `SIGTERM`, `SIGHUP`, `end of input`, `left`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionAbandoned(Event):
    """The operator abandoned the session."""

    reason: str
    accepted_cents: int | None = None
    """The open amount that the operator gave up, if any."""
    accepted_currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded(Event):
    """The last event: nothing is appended after it."""

    outcome: Outcome
    views: Mapping[str, str]
    """The SHA-256 of each view by file name. The views show the events before this one."""
    template: str
    """The version of the templates that made the views."""
    account: str | None = None
    """The account's state; None in journals of version 0.1.0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent(Event):
    """An event of a type that this version does not know: kept, never interpreted."""

    name: str
    data: Mapping[str, JSON] = field(default_factory=dict)
