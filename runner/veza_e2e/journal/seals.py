"""Turns addenda and attestations into the content of their files, and back: each member is checked, and the digest."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import get_args

from veza_e2e.canonical import JSON, digest
from veza_e2e.journal.addenda import (
    Addendum,
    AddendumError,
    Attestation,
    BankStatement,
    Dashboard,
    EvidenceFile,
    Reread,
    RowsSupplied,
    SeenAtBank,
)


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
        for name in ("rows", "payments", "licenses", "unread", "others"):
            if isinstance(listed := rest.get(name), list):
                rest[name] = tuple(listed)
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


def _mappings(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(row, Mapping) for row in value)


def _texts(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(one, str) for one in value)


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
    "rows": _mappings,
    "payments": _mappings,
    "licenses": _texts,
    "unread": _texts,
    "others": _mappings,
    "order_id": _SAID,
    "currency": _text("[A-Z]{3}"),
    "at": _is_moment,
    "date": _is_day,
    "seen": lambda value: isinstance(value, str) and value in get_args(SeenAtBank),
    "failed": lambda value: isinstance(value, bool),
    "unlisted": lambda value: isinstance(value, bool),
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
