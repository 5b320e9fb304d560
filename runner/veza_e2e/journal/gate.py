"""The gate of the writers: what a journal, an addendum or an attestation may hold is decided where it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from veza_e2e.canonical import JSON, dumps
from veza_e2e.journal.events import CallFailed, CallFinished, CallIntended
from veza_e2e.redaction import WITHHELD, Redactor

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Record = TypeVar("_Record", bound="DataclassInstance")
_SAID = frozenset({"answer", "by", "note", "operator", "reason", "reference", "release"})
"""Words of people: all that looks like a secret is withheld, not only what is known."""
_REQUEST = ("url", "request_headers", "request_body", "message")
_RESPONSE = ("response_headers", "response_body", "request_id")


def gated(redactor: Redactor, record: _Record) -> _Record:
    """Return an event, addendum or attestation with what may be on record of it; the rest is withheld and marked."""
    if isinstance(record, CallIntended | CallFinished | CallFailed):
        changed = _call(redactor, record)
    else:
        changed = {}
        for each in fields(record):
            value = getattr(record, each.name)
            shown = _shown(redactor, each.name, value)
            if shown != value:
                changed[each.name] = shown
    return replace(record, **changed) if changed else record


def _shown(redactor: Redactor, name: str, value: object) -> object:
    if value is None or isinstance(value, bool) or is_dataclass(value):
        return value
    if name in _SAID and isinstance(value, str):
        return redactor.text(value)
    if name == "links" and isinstance(value, Mapping):
        return {key: redactor.text(link) if redactor.find(link) else link for key, link in value.items()}
    return redactor.kept(cast("JSON", value))


def _call(redactor: Redactor, call: CallIntended | CallFinished | CallFailed) -> dict[str, Any]:
    """Return the members of a call that would be secrets, withheld: the call itself goes on."""
    changed: dict[str, Any] = {}
    for members in (_REQUEST, _RESPONSE):
        held = {name: value for name in members if (value := getattr(call, name, None)) is not None}
        if redactor.find([{"url": held.pop("url", None)}, *held.values()]):
            changed |= {name: _withheld(getattr(call, name)) for name in members if hasattr(call, name)}
    return changed


def _withheld(value: object) -> object:
    if value is None or isinstance(value, str):
        return value and WITHHELD
    held = cast("Mapping[str, JSON]", value)
    if not ({"json", "form", "text", "withheld"} & held.keys()):
        return {}
    return {"withheld": "it could not be redacted safely", "bytes": held.get("bytes", len(dumps(held)))}
