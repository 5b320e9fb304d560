"""What stands for nothing in a schema: null, the empty text, and how two schemas are compared without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from veza_contract.recursion import carried
from veza_contract.schema import Schema

_EMPTY: Final[Schema] = {"const": ""}
_ANY_CASE: Final = "^[A-Za-z]{3}$"
_ONE_CASE: Final = frozenset({"^[A-Z]{3}$", "^[a-z]{3}$"})


def kind_of(schema: Schema) -> str | None:
    """Return the one JSON type that a schema names; None where it names none or several."""
    if not isinstance(schema, dict):
        return None
    kind = schema.get("type")
    return kind if isinstance(kind, str) else None


def nullable(schema: Schema) -> bool:
    """Whether a schema names null beside something else."""
    return isinstance(schema, dict) and without_null(schema) != schema


def without_null(schema: Schema) -> Schema:
    """Return a schema without the null that it names."""
    if not isinstance(schema, dict):
        return schema
    if isinstance(schema.get("type"), list) and "null" in schema["type"]:
        kinds = [kind for kind in schema["type"] if kind != "null"]
        return {**schema, "type": kinds[0] if len(kinds) == 1 else kinds}
    if "anyOf" in schema and {"type": "null"} in schema["anyOf"]:
        kept = [one for one in schema["anyOf"] if one != {"type": "null"}]
        if len(kept) == 1 and schema.keys() <= {"anyOf", "$defs"}:
            return carried(schema, kept[0])
        return {**schema, "anyOf": kept}
    return schema


def or_null(schema: Schema) -> Schema:
    """An optional field may be null as well: the SDK reads both as None."""
    if nullable(schema):
        return schema
    inner = {key: one for key, one in schema.items() if key != "$defs"} if isinstance(schema, dict) else schema
    return carried(schema, {"anyOf": [inner, {"type": "null"}]})


def meant(ours: Schema, theirs: Schema) -> tuple[Schema, Schema]:
    """Return both without what Go writes for nothing, ours in the form of theirs where it has a short one."""
    if not isinstance(ours, dict):
        return ours, theirs
    if kind_of(theirs) == "array" and kind_of(without_null(ours)) == "array":
        return without_null(ours), theirs
    if ours.get("pattern") == _ANY_CASE and isinstance(theirs, dict) and theirs.get("pattern") in _ONE_CASE:
        return {**ours, "pattern": theirs["pattern"]}, theirs
    if _EMPTY in ours.get("anyOf", ()):
        return _left(ours, lambda one: one != _EMPTY), _left(theirs, lambda one: one != _EMPTY)
    if kind_of(theirs) == "object" and any(kind_of(one) == "object" for one in ours.get("anyOf", ())):
        return _left(ours, lambda one: kind_of(one) == "object"), theirs
    return ours, theirs


def _left(schema: Schema, wanted: Callable[[Schema], bool]) -> Schema:
    """Return a schema with only the wanted of its alternatives."""
    if not isinstance(schema, dict) or "anyOf" not in schema:
        return schema
    kept = [one for one in schema["anyOf"] if wanted(one)]
    if len(kept) == 1 and schema.keys() <= {"anyOf", "$defs", "description"}:
        return carried(schema, kept[0])
    return {**schema, "anyOf": kept}
