"""Addenda, which hold what is learnt after a session, and attestations, a person's statements about a release.

An addendum continues the journal's sequence numbers and cites its last hash, so evidence can name it like an event.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Literal, TypeAlias, get_args

from veza.money import Money
from veza_e2e.canonical import JSON, digest

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
    refund_status: str | None
    refunded_cents: int | None
    """None if the order did not tell how much came back."""
    currency: str
    failed: bool
    """Whether the refund failed after the session had seen its success."""
    observed: str
    """One line for the operator."""
    previous: str | None = None
    """As in BankStatement."""

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


def seal(value: Addendum | Attestation) -> dict[str, JSON]:
    """Return the content of an addendum's file: type, members, and the SHA-256 of their canonical form."""
    members: dict[str, JSON] = {"type": type(value).__name__}
    for f in fields(value):
        item = getattr(value, f.name)
        if isinstance(value, Attestation) and f.name == "session" and item is None:
            continue  # version 0.1.0 refuses members that it does not know
        members[f.name] = {"sha256": item.sha256, "bytes": item.bytes} if isinstance(item, EvidenceFile) else item
    return {**members, "hash": digest(members)}


def unseal(members: Mapping[str, JSON]) -> Addendum | Attestation:
    """Return the addendum or attestation that a file's content describes.

    Raises:
        AddendumError: a member is missing or of the wrong type, or the digest does not match.
    """
    rest = {key: value for key, value in members.items() if key != "hash"}
    if digest(rest) != members.get("hash"):
        raise AddendumError("does not have the hash it claims")
    kinds: dict[JSON, type[Addendum | Attestation]] = {
        "BankStatement": BankStatement,
        "Reread": Reread,
        "Dashboard": Dashboard,
        "RowsSupplied": RowsSupplied,
        "Attestation": Attestation,
    }
    named = rest.pop("type", None)
    kind = kinds.get(named) if isinstance(named, str) else None
    if kind is None:
        raise AddendumError(f"is of no known type: {members.get('type')!r:.40}")
    evidence = rest.get("evidence")
    try:
        if isinstance(evidence, Mapping):
            rest["evidence"] = EvidenceFile(**evidence)  # type: ignore[assignment, arg-type]
        if isinstance(rest.get("rows"), list):
            rest["rows"] = tuple(rest["rows"])  # type: ignore[arg-type]
        found = kind(**rest)  # type: ignore[arg-type]
    except TypeError as error:
        raise AddendumError("does not have the members of its type") from error
    _check(found)
    if isinstance(found, BankStatement) and (found.amount_cents is None) != (found.currency is None):
        raise AddendumError("has an amount without a currency, or a currency without an amount")
    return found


def _check(value: Addendum | Attestation | EvidenceFile) -> None:
    for f in fields(value):
        item = getattr(value, f.name)
        if isinstance(item, EvidenceFile):
            _check(item)
        elif not (item is None and "None" in str(f.type)) and not _MEMBERS[f.name](item):
            raise AddendumError(f"has a member {f.name} that is not what it has to be")


def _text(pattern: str) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value, re.DOTALL) is not None


def _whole(least: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_day(value: object) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_moment(value: object) -> bool:
    try:
        return isinstance(value, str) and value.endswith("Z") and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


_ULID, _SHA256 = _text("[0-7][0-9A-HJKMNP-TV-Z]{25}"), _text("[0-9a-f]{64}")
_SAID, _ANY, _CENTS = _text(r".*\S.*"), _text(".*"), _whole(0)
_MEMBERS: Mapping[str, Callable[[object], bool]] = {
    "id": _ULID,
    "session": _ULID,
    "session_hash": _SHA256,
    "previous": _SHA256,
    "sha256": _SHA256,
    "number": _whole(1),
    "seq": _whole(1),
    "bytes": _whole(0),
    "amount_cents": _CENTS,
    "charged_cents": _CENTS,
    "refunded_cents": _CENTS,
    "reversed_cents": _CENTS,
    "payment_id": _SAID,
    "refund_id": _SAID,
    "source": lambda value: isinstance(value, str) and value in {"pasted", "database", "rehearsal"},
    "sql": _ANY,
    "rows": lambda value: isinstance(value, tuple) and all(isinstance(row, Mapping) for row in value),
    "currency": _text("[A-Z]{3}"),
    "at": _is_moment,
    "date": _is_day,
    "seen": lambda value: isinstance(value, str) and value in get_args(SeenAtBank),
    "failed": lambda value: isinstance(value, bool),
    "item": _text("[a-z0-9][a-z0-9-]{0,63}"),
    "by": _SAID,
    "release": _SAID,
    "observed": _SAID,
    "order_status": _ANY,
    "refund_status": _ANY,
    "reference": _ANY,
    "note": _ANY,
    "evidence": lambda _: False,
}
"""The check of each member. `evidence` must be an EvidenceFile or None."""
