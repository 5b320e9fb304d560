"""Works on JSON Schemas: resolves references, closes objects, compares one schema with another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

import jsonschema_rs

Schema: TypeAlias = "dict[str, Any] | bool"

_CLOSED: Final = ("items", "additionalProperties")
_MANY: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_FOLDED: Final = frozenset({"type", "properties", "required", "additionalProperties"})
_VAGUE: Final[tuple[Schema, ...]] = ({}, True, {"type": "object"})
UNREAD: Final = "x-unread"
"""The keyword that marks a part of a schema that could not be read; it says why."""

UNSAID: Final = "x-unsaid"
"""The keyword with the members of an object of which no part says whether they are required."""


class SchemaError(Exception):
    """A schema cannot be read; the message says where and why."""


UNUSABLE: Final = (SchemaError, ValueError, TypeError, AttributeError)
"""Raised when a foreign schema is invalid, such as a regex that does not parse or a bound that is text."""


def unread(schema: Schema) -> str:
    """Return why a schema, or the first part of it that cannot be read, cannot be; empty if all of it can."""
    if not isinstance(schema, dict) or f'"{UNREAD}": ' not in text(schema):
        return ""
    waiting: list[Any] = [schema]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one.get(UNREAD), str):
                return str(one[UNREAD])
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return ""


def escaped(name: str) -> str:
    """Return a name as a step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def steps(reference: str) -> list[str]:
    """Return the path to the node of a local reference, as names."""
    return [unquote(part).replace("~1", "/").replace("~0", "~") for part in reference.removeprefix("#/").split("/")]


def pointer(document: Any, reference: str) -> Any:
    """Return the node of a local reference.

    Raises:
        SchemaError: it is not local, or leads nowhere.
    """
    if reference == "#":
        return document
    if not reference.startswith("#/"):
        raise SchemaError(f"$ref {reference!r:.120} leads to what is not read: not a file beside the spec")
    node = document
    for key in steps(reference):
        _may_be_read(node)
        if isinstance(node, dict) and key in node:
            node = node[key]
        elif isinstance(node, list) and key.isdecimal() and int(key) < len(node):
            node = node[int(key)]
        else:
            raise SchemaError(f"$ref {reference!r:.120} leads nowhere")
    _may_be_read(node)
    return node


def _may_be_read(node: Any) -> None:
    if isinstance(node, dict) and isinstance(node.get(UNREAD), str):
        raise SchemaError(node[UNREAD])


def merged(schema: Schema) -> Schema:
    """Merge an `allOf` of objects into one object, so that it can be closed. A single part is returned as it is.

    What else the parts say of the object stays in an `allOf` of the result.
    """
    if not isinstance(schema, dict) or "allOf" not in schema:
        return schema
    named = {"$defs": schema["$defs"]} if "$defs" in schema else {}
    beside = {key: value for key, value in schema.items() if key not in {"allOf", "$defs"}}
    parts = [part for part in (*map(merged, schema["allOf"]), beside) if part not in ({}, True)]
    if not parts:
        return True
    if len(parts) == 1:
        return {**parts[0], **named} if isinstance(parts[0], dict) else parts[0]
    if not all(map(_foldable, parts)) or not any("properties" in part for part in parts if isinstance(part, dict)):
        return schema
    return {**_folded([part for part in parts if isinstance(part, dict)]), **named}


def _folded(parts: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "object", "properties": {}}
    required: list[str] = []
    rest: list[Schema] = []
    for part in parts:
        for name, one in part.get("properties", {}).items():
            known = found["properties"].get(name, True)
            found["properties"][name] = one if known in _VAGUE else {"allOf": [known, one]}
        required += [name for name in part.get("required", ()) if name not in required]
        if part.get("additionalProperties") is False:
            found["additionalProperties"] = False
        more = {key: one for key, one in part.items() if key not in _FOLDED and key != UNSAID}
        if isinstance(part.get("additionalProperties"), dict):
            more["additionalProperties"] = part["additionalProperties"]
        rest += [more] if more else []
    if any("required" in part for part in parts):
        found["required"] = required
        unsaid = [name for name in found["properties"] if name not in required and not _told(name, parts)]
        found |= {UNSAID: unsaid} if unsaid else {}
    return {**found, "allOf": rest} if rest else found


def _told(name: str, parts: list[dict[str, Any]]) -> bool:
    """Whether a part that describes a member says whether it is required."""
    described = [part for part in parts if part.get("properties", {}).get(name, True) not in _VAGUE]
    return not described or any("required" in part and name not in part.get(UNSAID, ()) for part in described)


def _foldable(part: Schema) -> bool:
    """Whether a part of `allOf` describes an object."""
    if not isinstance(part, dict) or part.get("type", "object") != "object" or "$ref" in part:
        return False
    required = part.get("required", [])
    return isinstance(required, list) and all(isinstance(name, str) for name in required)


def closed(schema: Schema) -> Schema:
    """Return the schema; every object that names properties allows no others."""
    schema = merged(schema)
    if not isinstance(schema, dict):
        return schema
    found = dict(schema)
    for key in _CLOSED:
        if key in found:
            found[key] = closed(found[key])
    for key in _MANY:
        if key in found:
            found[key] = [closed(one) for one in found[key]]
    if "$defs" in found:
        found["$defs"] = {name: closed(one) for name, one in found["$defs"].items()}
    if "properties" in found:
        found["properties"] = {name: closed(one) for name, one in found["properties"].items()}
        if found.get("additionalProperties", True) is True:
            found["additionalProperties"] = False
    return found


def text(schema: Any) -> str:
    """Return a value as JSON text; equal values give equal texts."""
    return json.dumps(schema, sort_keys=True, ensure_ascii=False, default=str)


@lru_cache(maxsize=8192)
def _canonical(schema: str) -> jsonschema_rs.CanonicalSchema:
    return jsonschema_rs.canonicalize(json.loads(schema), validate_formats=True)


@lru_cache(maxsize=8192)
def _validator(schema: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(schema), validate_formats=True)


def validator(schema: Schema) -> jsonschema_rs.Validator:
    """Return a schema's validator, which checks formats too."""
    return _validator(text(schema))


@lru_cache(maxsize=16384)
def _covers(wide: str, narrow: str) -> bool:
    try:
        return str(_canonical(wide).covers(_canonical(narrow))) == "yes"
    except jsonschema_rs.canonical.CanonicalizationError:
        return wide == narrow


def covers(wide: Schema, narrow: Schema) -> bool:
    """Whether every value of `narrow` is a value of `wide`. False if that cannot be decided."""
    wide_text, narrow_text = text(wide), text(narrow)
    return wide_text == narrow_text or _covers(wide_text, narrow_text)


def problem(schema: Schema, value: Any) -> str | None:
    """Return in one line why a schema refuses a value; None if it does not."""
    for error in validator(schema).iter_errors(value):
        place = ".".join(str(part) for part in error.instance_path)
        return f"{place or 'all of it'}: {error.message[:160]}"
    return None


def properties(schema: Mapping[str, Any] | bool) -> dict[str, Any]:
    """Return the properties that an object's schema names."""
    found = merged(dict(schema)) if isinstance(schema, Mapping) else schema
    known = found.get("properties", {}) if isinstance(found, dict) else {}
    return known if isinstance(known, dict) else {}
