"""Works on JSON Schemas: resolves references, closes objects, compares one schema with another."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

import jsonschema_rs

Schema: TypeAlias = "dict[str, Any] | bool"
Resolve: TypeAlias = Callable[[str], Any]

_FORMATS: Final = frozenset({"date-time", "date", "uuid", "uri", "email", "ipv4", "ipv6", "hostname"})
_KEPT: Final = frozenset({
    "type", "enum", "const", "format", "pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
    "required",
})  # fmt: skip
_MOST_NODES: Final = 50_000
_ONE: Final = ("items", "additionalProperties", "not")
_MANY: Final = ("anyOf", "oneOf", "allOf", "prefixItems")


class SchemaError(Exception):
    """A schema cannot be read; the message says where and why."""


UNUSABLE: Final = (SchemaError, ValueError, TypeError, AttributeError)
"""Raised when a foreign schema is invalid, such as a regex that does not parse or a bound that is text."""


class Inliner:
    """Resolves local references. A schema that refers to itself keeps a reference to `$defs` of the result.

    Each reference is resolved once, and a schema has a size limit, since nested references can double it at each level.

    Args:
        resolve: returns the node that a reference names.
        nullable: the keyword that adds null (`nullable` in OpenAPI 3.0, `x-nullable` in Swagger 2.0), if any.
    """

    def __init__(self, resolve: Resolve, nullable: str | None = None) -> None:
        self._resolve = resolve
        self._nullable = nullable
        self._worked_out: dict[str, tuple[Schema, int]] = {}
        self._reached: dict[str, frozenset[str]] = {}
        self._direct: dict[str, frozenset[str]] = {}
        self._waiting: list[tuple[str, str]] = []
        self._nodes = self._loops = 0

    def __call__(self, node: Any) -> Schema:
        """Return the schema with only those keywords that restrict values.

        Raises:
            SchemaError: a reference leads nowhere, the node is not a schema, or it is too large.
        """
        self._nodes = 0
        recursive: dict[str, Schema] = {}
        self._waiting.clear()
        found = self._schema(node, (), recursive)
        while self._waiting:
            name, reference = self._waiting.pop()
            recursive[name] = self._schema(self._resolve(reference), (reference,), recursive)
        if recursive and isinstance(found, dict):
            return {**found, "$defs": recursive}
        return found

    def _schema(self, node: Any, within: tuple[str, ...], recursive: dict[str, Schema]) -> Schema:
        self._count(1)
        if isinstance(node, bool):
            return node
        if not isinstance(node, dict):
            raise SchemaError(f"a schema is an object, not {node!r:.60}")
        if isinstance(node.get("$ref"), str):
            return self._reference(node, within, recursive)
        found: dict[str, Any] = {key: value for key, value in node.items() if key in _KEPT}
        if found.get("format") not in _FORMATS:
            found.pop("format", None)
        found |= self._parts(node, within, recursive)
        if "properties" in found:
            found.setdefault("type", "object")
        _old_bounds(found)
        if found.get("type") == "file":
            found["type"] = "string"
        return _with_null(found) if self._nullable and node.get(self._nullable) is True else found

    def _parts(self, node: dict[str, Any], within: tuple[str, ...], recursive: dict[str, Schema]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key in _ONE:
            if key in node:
                found[key] = self._schema(node[key], within, recursive)
        for key in _MANY:
            if key in node:
                found[key] = [self._schema(one, within, recursive) for one in node[key]]
        if isinstance(node.get("properties"), dict):
            named = node["properties"].items()
            found["properties"] = {name: self._schema(one, within, recursive) for name, one in named}
        return found

    def _reference(self, node: dict[str, Any], within: tuple[str, ...], recursive: dict[str, Schema]) -> Schema:
        target = self._target(node["$ref"], within, recursive)
        beside = {key: value for key, value in node.items() if key != "$ref"}
        rest = self._schema(beside, within, recursive)
        return {"allOf": [target, rest]} if rest else target

    def _target(self, reference: str, within: tuple[str, ...], recursive: dict[str, Schema]) -> Schema:
        if any(outer in self._reach(reference) for outer in within):
            self._loops += 1
            name = re.sub(r"[^A-Za-z0-9_.#-]", "_", reference.removeprefix("#/").replace("/", "."))
            if name not in recursive:
                recursive[name] = True
                self._waiting.append((name, reference))
            return {"$ref": f"#/$defs/{name}"}
        if reference in self._worked_out:
            found, nodes = self._worked_out[reference]
            self._count(nodes)
            return found
        nodes, loops = self._nodes, self._loops
        found = self._schema(self._resolve(reference), (*within, reference), recursive)
        if loops == self._loops:
            self._worked_out[reference] = found, self._nodes - nodes
        return found

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > _MOST_NODES:
            raise SchemaError(f"a schema is larger than {_MOST_NODES:,} parts once its references are written out")

    def _reach(self, reference: str) -> frozenset[str]:
        """Return the references that one leads to, directly or not; itself only if it leads back."""
        if reference not in self._reached:
            found: set[str] = set()
            waiting = [reference]
            while waiting:
                fresh = self._next(waiting.pop()) - found
                found |= fresh
                waiting += fresh
            self._reached[reference] = frozenset(found)
        return self._reached[reference]

    def _next(self, reference: str) -> frozenset[str]:
        if reference not in self._direct:
            try:
                self._direct[reference] = frozenset(_references(self._resolve(reference)))
            except SchemaError:
                self._direct[reference] = frozenset()  # broken, perhaps in an example; reported later if it matters
        return self._direct[reference]


def _references(node: Any) -> Iterator[str]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one.get("$ref"), str):
                yield one["$ref"]
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _old_bounds(found: dict[str, Any]) -> None:
    for key, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(found.get(key), bool) and found.pop(key) and bound in found:
            found[key] = found.pop(bound)


def _with_null(found: dict[str, Any]) -> Schema:
    kind = found.get("type")
    if isinstance(kind, str) and "enum" not in found and "const" not in found:
        return {**found, "type": [kind, "null"]}
    return {"anyOf": [found, {"type": "null"}]} if found else {}


def steps(reference: str) -> list[str]:
    """Return the path to the node of a local reference, as names."""
    return [unquote(part).replace("~1", "/").replace("~0", "~") for part in reference.removeprefix("#/").split("/")]


def pointer(document: Any, reference: str) -> Any:
    """Return the node of a local reference.

    Raises:
        SchemaError: it is not local, or leads nowhere.
    """
    if not reference.startswith("#/"):
        raise SchemaError(f"$ref {reference!r:.120} is not local: bundle the spec into one file first")
    node = document
    for key in steps(reference):
        if isinstance(node, dict) and key in node:
            node = node[key]
        elif isinstance(node, list) and key.isdecimal() and int(key) < len(node):
            node = node[int(key)]
        else:
            raise SchemaError(f"$ref {reference!r:.120} leads nowhere")
    return node


def merged(schema: Schema) -> Schema:
    """Merge an `allOf` of objects into one object, so that it can be closed. A single part is returned as it is."""
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
    properties: dict[str, Any] = {}
    required: list[str] = []
    said = False
    for part in parts:
        assert isinstance(part, dict)
        for name, one in part.get("properties", {}).items():
            properties[name] = {"allOf": [properties[name], one]} if name in properties else one
        said = said or "required" in part
        required += [name for name in part.get("required", ()) if name not in required]
    return {"type": "object", "properties": properties, **({"required": required} if said else {}), **named}


def _foldable(part: Schema) -> bool:
    """Whether a part of `allOf` only lists an object's members."""
    return (
        isinstance(part, dict)
        and set(part) <= {"type", "properties", "required", "additionalProperties"}
        and part.get("type", "object") == "object"
        and part.get("additionalProperties", True) is True
    )


def closed(schema: Schema) -> Schema:
    """Return the schema; every object that names properties allows no others."""
    if not isinstance(schema, dict):
        return schema
    schema = merged(schema)
    assert isinstance(schema, dict)
    found = dict(schema)
    for key in _ONE:
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
