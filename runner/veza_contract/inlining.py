"""Writes a schema out: follows its references, and keeps only what restricts values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

from veza_contract.schema import UNREAD, Schema, SchemaError, escaped

Resolve: TypeAlias = Callable[[str], Any]

_FORMATS: Final = frozenset({"date-time", "date", "uuid", "uri", "email", "ipv4", "ipv6", "hostname"})
_KEPT: Final = frozenset({
    "type", "enum", "const", "format", "pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
    "minContains", "maxContains", "required", "dependentRequired",
})  # fmt: skip
_MOST_NODES: Final = 50_000
_ONE: Final = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
_MANY: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED: Final = ("properties", "patternProperties", "dependentSchemas")
_LONGEST: Final = 60


class _TooLargeError(SchemaError):
    """A schema as a whole is too large."""


class Inliner:
    """Resolves local references. A schema that refers to itself keeps a reference to `$defs` of the result.

    Each reference is resolved once, and a schema has a size limit, since nested references can double it at each level.
    A part that cannot be read is marked in its place, so that the parts beside it can be compared: see `unread`.

    Args:
        resolve: returns the node that a reference names.
        nullable: the keyword that adds null (`nullable` in OpenAPI, `x-nullable` in Swagger 2.0), if any.
        hidden: the keyword of members that are left out: `readOnly` for requests, `writeOnly` for responses.
    """

    def __init__(self, resolve: Resolve, nullable: str | None = None, hidden: str = "") -> None:
        self._resolve = resolve
        self._nullable = nullable
        self._hidden = hidden
        self._worked_out: dict[str, tuple[Schema, int]] = {}
        self._reached: dict[str, frozenset[str]] = {}
        self._direct: dict[str, frozenset[str]] = {}
        self._waiting: list[tuple[str, str]] = []
        self._nodes = self._loops = 0

    def __call__(self, node: Any, at: str = "#") -> Schema:
        """Return the schema with only those keywords that restrict values.

        Args:
            node: the schema as it is written.
            at: its JSON pointer, for messages.
        """
        self._nodes = 0
        recursive: dict[str, Schema] = {}
        self._waiting.clear()
        try:
            found = self._schema(node, at, (), recursive)
            while self._waiting:
                name, reference = self._waiting.pop()
                recursive[name] = self._part(self._resolve(reference), reference, (reference,), recursive)
        except _TooLargeError as error:
            return _marked(error, at)
        except RecursionError:
            return _marked("it is nested too deeply", at)
        if recursive and isinstance(found, dict):
            return {**found, "$defs": recursive}
        return found

    def _part(self, node: Any, at: str, within: tuple[str, ...], recursive: dict[str, Schema]) -> Schema:
        """Return a part of a schema; one that cannot be read is marked."""
        try:
            return self._schema(node, at, within, recursive)
        except _TooLargeError:
            raise
        except (SchemaError, TypeError, AttributeError) as error:
            return _marked(error, at)

    def _schema(self, node: Any, at: str, within: tuple[str, ...], recursive: dict[str, Schema]) -> Schema:
        self._count(1)
        if isinstance(node, bool):
            return node
        if not isinstance(node, dict):
            return _marked(f"a schema is an object, not {shown(node)}", at)
        if isinstance(node.get("$ref"), str):
            return self._reference(node, at, within, recursive)
        if not _is_type(node.get("type")):
            return _marked(f"`type` of a schema is a name, or a list of names, not {shown(node['type'])}", at)
        said = {key: value for key, value in node.items() if value is not None or key == "const"}
        found: dict[str, Any] = {key: value for key, value in said.items() if key in _KEPT}
        if found.get("format") not in _FORMATS:
            found.pop("format", None)
        found |= self._parts(node, at, within, recursive)
        if node.get("unevaluatedProperties") is False:
            found.setdefault("additionalProperties", False)
        if "properties" in found:
            found.setdefault("type", "object")
        _old_forms(found)
        return _with_null(found) if self._nullable and node.get(self._nullable) is True else found

    def _parts(
        self, node: dict[str, Any], at: str, within: tuple[str, ...], recursive: dict[str, Schema]
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}

        def part(value: Any, place: str) -> Schema:
            return self._part(value, f"{at}/{place}", within, recursive)

        for key in _ONE:
            if node.get(key) is not None:
                found[key] = part(node[key], key)
        for key in _MANY:
            if node.get(key) is not None:
                several = node[key] if isinstance(node[key], list) else [node[key]]
                found[key] = [part(one, f"{key}/{index}") for index, one in enumerate(several)]
        for key in _NAMED:
            if isinstance(node.get(key), dict):
                known = {name: one for name, one in node[key].items() if not self._is_hidden(one)}
                found[key] = {name: part(one, f"{key}/{escaped(name)}") for name, one in known.items()}
                if key == "properties" and len(known) < len(node[key]) and isinstance(node.get("required"), list):
                    gone = node[key].keys() - known.keys()
                    found["required"] = [name for name in node["required"] if name not in gone]
        return found

    def _is_hidden(self, node: Any) -> bool:
        return bool(self._hidden) and isinstance(node, dict) and node.get(self._hidden) is True

    def _reference(
        self, node: dict[str, Any], at: str, within: tuple[str, ...], recursive: dict[str, Schema]
    ) -> Schema:
        target = self._target(node["$ref"], at, within, recursive)
        beside = {key: value for key, value in node.items() if key not in {"$ref", self._nullable}}
        rest = self._schema(beside, at, within, recursive)
        return {"allOf": [target, rest]} if rest else target

    def _target(self, reference: str, at: str, within: tuple[str, ...], recursive: dict[str, Schema]) -> Schema:
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
        try:
            target = self._resolve(reference)
        except SchemaError as error:
            return _marked(error, at)
        found = self._schema(target, reference, (*within, reference), recursive)
        if loops == self._loops:
            self._worked_out[reference] = found, self._nodes - nodes
        return found

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > _MOST_NODES:
            raise _TooLargeError(f"it is larger than {_MOST_NODES:,} parts once its references are written out")

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


def _marked(why: object, at: str) -> Schema:
    return {UNREAD: f"{why} ({at})"}


def shown(value: Any) -> str:
    """Return a part of a spec as short JSON text."""
    found = json.dumps(value, ensure_ascii=False, default=str)
    return found if len(found) <= _LONGEST else f"{found[:_LONGEST]}…"


def _is_type(said: Any) -> bool:
    return said is None or isinstance(said, str) or (
        isinstance(said, list) and all(isinstance(one, str) for one in said)
    )  # fmt: skip


def _old_forms(found: dict[str, Any]) -> None:
    kind = found.get("type")
    if isinstance(kind, list) and len(kind) == 1:
        found["type"] = kind[0]
    if kind == "file":
        found["type"] = "string"
    for key, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(found.get(key), bool) and found.pop(key) and bound in found:
            found[key] = found.pop(bound)


def _with_null(found: dict[str, Any]) -> Schema:
    kind = found.get("type")
    if isinstance(kind, str) and "enum" not in found and "const" not in found:
        return {**found, "type": [kind, "null"]}
    return {"anyOf": [found, {"type": "null"}]} if found else {}
