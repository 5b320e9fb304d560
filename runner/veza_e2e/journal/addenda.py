"""Addenda, which hold what is learnt after a session, and attestations, a person's statements about a release.

An addendum continues the journal's sequence numbers and cites its last hash, so evidence can name it like an event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from veza.money import Money
from veza_e2e.canonical import JSON
from veza_e2e.frozen import dataclass

SeenAtBank = Literal["credit", "charge-dropped", "nothing"]


class AddendumError(Exception):
    """An addendum's file is damaged or altered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFile:
    """A file that the operator keeps. Only its digest and size enter the archive."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BankStatement:
    """What the operator's bank statement shows of the refund."""

    session: str
    session_hash: str
    """The hash of the journal's last event."""
    number: int
    """1 for a session's first addendum."""
    seq: int
    """The journal's last sequence number plus `number`."""
    at: str
    """When it was recorded."""
    seen: SeenAtBank
    date: str
    """The day on the statement, ISO 8601."""
    amount_cents: int | None = None
    currency: str | None = None
    reference: str | None = None
    evidence: EvidenceFile | None = None
    note: str | None = None
    previous: str | None = None
    """The hash of the previous addendum; None in the first one, and in those of versions without this member."""

    @property
    def told(self) -> str:
        """What it says, for people."""
        amount = _amount(self.amount_cents, self.currency)
        said = [f"bank statement: {self.seen} on {self.date}" + (f", {amount}" if amount else "")]
        said += [f"{name}: {value}" for name in ("reference", "note") if (value := getattr(self, name))]
        return ", ".join(said) + _file(self.evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """The state of the order when an ended session was re-checked (operation getOrder)."""

    session: str
    session_hash: str
    """The hash of the journal's last event."""
    number: int
    """1 for a session's first addendum."""
    seq: int
    """The journal's last sequence number plus `number`."""
    at: str
    """When it was read."""
    order_status: str
    """Empty if the order could not be read, and only the processor answered; `not found` if the backend says 404."""
    refund_status: str | None
    refunded_cents: int | None
    """None if the order did not tell how much came back."""
    currency: str
    failed: bool
    """Whether a refund failed after the session had seen its success."""
    observed: str
    """One line for the operator."""
    previous: str | None = None
    """As in BankStatement."""
    order_id: str | None = None
    """None in addenda of version 0.1.0, which read the session's one order."""
    payments: tuple[Mapping[str, JSON], ...] = ()
    """The orders' payments at the processor, in the form of its answers; empty if it did not tell."""
    licenses: tuple[str, ...] = ()
    """The states of the order's licenses."""
    unread: tuple[str, ...] = ()
    """The orders' payments that the processor did not tell, though it told others."""
    others: tuple[Mapping[str, JSON], ...] = ()
    """The session's other orders, with the members that this one has of its order."""
    unlisted: bool = False
    """Whether the processor told payments, and not which others there are."""

    @property
    def told(self) -> str:
        """What it says, for people."""
        return f"read again: {self.observed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """What a person read at the processor's or Stripe's dashboard, of an ended session."""

    session: str
    session_hash: str
    """The hash of the journal's last event."""
    number: int
    """1 for a session's first addendum."""
    seq: int
    """The journal's last sequence number plus `number`."""
    at: str
    """When it was recorded."""
    by: str
    """Who read it."""
    currency: str
    payment_id: str | None = None
    charged_cents: int | None = None
    refund_id: str | None = None
    refunded_cents: int | None = None
    reversed_cents: int | None = None
    """How much of the seller's transfers was reversed."""
    evidence: EvidenceFile | None = None
    note: str | None = None
    previous: str | None = None
    """As in BankStatement."""

    @property
    def told(self) -> str:
        """What it says, for people."""
        said = (
            (f"payment {self.payment_id} charged", self.charged_cents),
            (f"refund {self.refund_id} of" if self.refund_id else "refunded", self.refunded_cents),
            ("reversed", self.reversed_cents),
        )
        figures = [f"{what} {_amount(cents, self.currency)}" for what, cents in said if cents is not None]
        note = f", note: {self.note}" if self.note else ""
        return f"read at the dashboard by {self.by}: {', '.join(figures)}{note}" + _file(self.evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsSupplied:
    """Rows of seller_transfers that were read after the session."""

    session: str
    session_hash: str
    """The hash of the journal's last event."""
    number: int
    """1 for a session's first addendum."""
    seq: int
    """The journal's last sequence number plus `number`."""
    at: str
    """When they were read."""
    source: str
    """`pasted`, `database` or `rehearsal`."""
    sql: str
    rows: tuple[Mapping[str, JSON], ...]
    previous: str | None = None
    """As in BankStatement."""

    @property
    def told(self) -> str:
        """What it says, for people."""
        return f"rows of seller_transfers, {self.source}: {len(self.rows)}"


Addendum: TypeAlias = BankStatement | Reread | Dashboard | RowsSupplied
ADDENDA = (BankStatement, Reread, Dashboard, RowsSupplied)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """A person's statement about something that no machine can check, such as EX-9."""

    id: str
    """A ULID, so that attestations of several people never conflict."""
    item: str
    by: str
    at: str
    release: str | None = None
    evidence: EvidenceFile | None = None
    note: str | None = None
    session: str | None = None
    """The damaged session that an `unrelated` is about."""


def _amount(cents: int | None, currency: str | None) -> str:
    if cents is None or currency is None:
        return ""
    try:
        return str(Money(cents, currency))
    except ValueError:
        return f"{cents} minor units of {currency}"


def _file(evidence: EvidenceFile | None) -> str:
    return f"; the file has {evidence.bytes} bytes and SHA-256 {evidence.sha256}" if evidence else ""
