"""What is learnt after a session: addenda beside its journal, and attestations of what no machine can see.

An addendum goes on from the journal's last sequence number and cites its last hash, so evidence names it like an event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal, TypeAlias

from veza_e2e.canonical import JSON, digest

SeenAtBank = Literal["credit", "charge-dropped", "nothing"]


class AddendumError(Exception):
    """An addendum's file does not hold what it claims."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFile:
    """A file that the operator keeps; only its digest and size enter the archive."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """How the order stood when an ended session was looked at again (operation getOrder)."""

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
    refunded_cents: int
    currency: str
    failed: bool
    """Whether this takes back what the session had seen: a refund that failed after its success."""
    observed: str
    """One line for people."""


Addendum: TypeAlias = BankStatement | Reread


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """A person's word for something that no machine can see, such as EX-9."""

    id: str
    """A ULID: attestations of several people never conflict."""
    item: str
    by: str
    at: str
    release: str | None = None
    evidence: EvidenceFile | None = None
    note: str | None = None


def seal(value: Addendum | Attestation) -> dict[str, JSON]:
    """Return the members of an addendum's file: type, members, and the SHA-256 of their canonical form."""
    members: dict[str, JSON] = {"type": type(value).__name__}
    for f in fields(value):
        item = getattr(value, f.name)
        members[f.name] = {"sha256": item.sha256, "bytes": item.bytes} if isinstance(item, EvidenceFile) else item
    return {**members, "hash": digest(members)}


def unseal(members: Mapping[str, JSON]) -> Addendum | Attestation:
    """Return what an addendum's file holds.

    Raises:
        AddendumError: it lacks something, or its digest is not that of its content.
    """
    rest = {key: value for key, value in members.items() if key != "hash"}
    if digest(rest) != members.get("hash"):
        raise AddendumError("does not have the hash it claims")
    kinds: dict[JSON, type[Addendum | Attestation]] = {
        "BankStatement": BankStatement,
        "Reread": Reread,
        "Attestation": Attestation,
    }
    kind = kinds.get(rest.pop("type", None))
    if kind is None:
        raise AddendumError(f"is of no known type: {members.get('type')!r:.40}")
    evidence = rest.get("evidence")
    try:
        if isinstance(evidence, Mapping):
            rest["evidence"] = EvidenceFile(**evidence)  # type: ignore[assignment, arg-type]
        return kind(**rest)  # type: ignore[arg-type]
    except TypeError as error:
        raise AddendumError("does not have the members of its type") from error
