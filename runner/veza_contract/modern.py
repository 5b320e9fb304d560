"""Converts foreign schemas to OpenAPI 3.1, and renames those whose names are taken."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from veza_contract.model import Operation
from veza_contract.readers import meant, media_types
from veza_contract.schema import UNUSABLE, SchemaError, pointer, steps

_FORM: Final = "application/x-www-form-urlencoded"
_PLACES: Final = frozenset({"path", "query", "header", "cookie"})
_BESIDE_SCHEMA: Final = frozenset({
    "name", "in", "required", "description", "schema", "content", "collectionFormat", "allowEmptyValue", "style",
    "explode", "allowReserved", "deprecated", "example", "examples",
})  # fmt: skip
_ONE: Final = frozenset({"items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else"})
_MANY: Final = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_NAMED: Final = frozenset({"properties", "patternProperties", "$defs"})
_SAME_WAY: Final = ("type", "scheme", "in", "name")
_SCHEMAS: Final = re.compile(r"#/(?:definitions|components/schemas)/[^/]+")


class Modern:
    """Another spec's nodes, converted to OpenAPI 3.1.

    Args:
        document: the spec's document.
        components: our components, whose names are taken.
    """

    def __init__(self, document: Mapping[str, Any], components: Mapping[str, Any]) -> None:
        self._document = document
        self._old = "swagger" in document
        self._nullable = "x-nullable" if self._old else "nullable"
        self._names = _free(self._own_schemas(), components.get("schemas") or {})
        schemes = {name: _scheme(node) for name, node in self._own_schemes().items() if isinstance(node, dict)}
        taken = components.get("securitySchemes") or {}
        shared = {name for name, node in schemes.items() if name in taken and _same_way(node, taken[name])}
        self._ways = {name: name for name in shared} | _free(schemes.keys() - shared, taken)
        self.schemes = {self._ways[name]: node for name, node in schemes.items() if name not in shared}

    def _own_schemas(self) -> dict[str, Any]:
        return self._named("definitions" if self._old else "schemas")

    def _own_schemes(self) -> dict[str, Any]:
        return self._named("securityDefinitions" if self._old else "securitySchemes")

    def _named(self, key: str) -> dict[str, Any]:
        whole = self._document if self._old else self._document.get("components")
        found = whole.get(key) if isinstance(whole, dict) else None
        return found if isinstance(found, dict) else {}

    def schemas(self, left: list[str]) -> dict[str, Any]:
        """Return their schemas by their names in the draft; one that cannot be read allows anything, and is noted."""
        found: dict[str, Any] = {}
        for name, node in self._own_schemas().items():
            try:
                found[self._names[name]] = self._schema(node, ())
            except (*UNUSABLE, RecursionError) as error:
                found[self._names[name]] = {}
                left.append(f"schema {name}: {error}")
        return found

    def operation(self, operation: Operation, ours: Operation) -> dict[str, Any]:
        """Return an operation without the parts that ours states. A range of statuses becomes those that ours lists."""
        assert operation.entry is not None
        item, node = operation.entry.reader.node(operation.entry)
        nodes = (*(item.get("parameters") or ()), *(node.get("parameters") or ()))
        raw = [one for one in map(self._resolved, nodes) if "in" in one and "name" in one]
        asked = node.get("security", self._document.get("security")) or []
        found: dict[str, Any] = {
            "security": [{self._ways.get(name, name): scopes for name, scopes in one.items()} for one in asked]
        }
        plain = [self._parameter(one) for one in raw if one["in"] in _PLACES]
        if plain:
            found["parameters"] = plain
        body = self._body(node, raw)
        if body is not None:
            found["requestBody"] = body
        responses = self._responses(node, ours)
        return {**found, "responses": responses} if responses else found

    def _resolved(self, node: Any) -> dict[str, Any]:
        while isinstance(node, dict) and "$ref" in node:
            node = pointer(self._document, node["$ref"])
        return {key: value for key, value in node.items() if not key.startswith("x-")}

    def _parameter(self, node: dict[str, Any]) -> dict[str, Any]:
        schema = node.get("schema")
        if schema is None and node.get("content"):
            schema = next(iter(node["content"].values())).get("schema", {})
        if schema is None:
            schema = {key: value for key, value in node.items() if key not in _BESIDE_SCHEMA}
        found: dict[str, Any] = {key: node[key] for key in ("name", "in", "required", "description") if key in node}
        return {**found, "schema": self._schema(schema, ())}

    def _body(self, node: dict[str, Any], parameters: list[dict[str, Any]]) -> dict[str, Any] | None:
        if not self._old:
            body = self._resolved(node["requestBody"]) if node.get("requestBody") else None
            return None if body is None else {**body, "content": self._content(body.get("content"))}
        media = media_types(node.get("consumes") or self._document.get("consumes"))
        for one in parameters:
            if one["in"] == "body":
                schema = {"schema": self._schema(one.get("schema", {}), ())}
                return {"required": one.get("required", False), "content": dict.fromkeys(media, schema)}
        fields = [one for one in parameters if one["in"] == "formData"]
        if not fields:
            return None
        form: dict[str, Any] = {"type": "object"}
        form["properties"] = {one["name"]: self._parameter(one)["schema"] for one in fields}
        form["required"] = [one["name"] for one in fields if one.get("required") is True]
        return {"content": {_FORM: {"schema": form}}}

    def _responses(self, node: dict[str, Any], ours: Operation) -> dict[str, Any]:
        produces = media_types(node.get("produces") or self._document.get("produces"))
        responses = self._resolved(node.get("responses") or {})
        said = {str(status): one for status, one in responses.items() if one is not None}
        found = {status: self._response(one, produces) for status, one in said.items() if status.isdecimal()}
        successes = any(status.startswith("2") for status in said)
        # The SDK's table lists single statuses, not ranges.
        for general in sorted(said.keys() - found.keys(), key=lambda status: status == "default"):
            for status in ours.responses.keys() - found.keys():
                if general == "default":
                    fits = not (status.startswith("2") and successes)
                else:
                    fits = general.upper() == f"{status[0]}XX"
                if fits:
                    found[status] = self._response(said[general], produces, f" (Their spec says it of {general}.)")
        return dict(sorted(found.items()))

    def _response(self, node: Any, produces: list[str], note: str = "") -> dict[str, Any]:
        node = self._resolved(node)
        found: dict[str, Any] = {"description": (node.get("description") or "As their spec has it.") + note}
        if node.get("content"):
            found["content"] = self._content(node["content"])
        elif "schema" in node:
            schema = {"schema": self._schema(node["schema"], ())}
            found["content"] = dict.fromkeys(produces, schema)
        return found

    def _content(self, content: dict[str, Any] | None) -> dict[str, Any]:
        found = content or {}
        return {
            meant(media, found): {"schema": self._schema((one or {}).get("schema", {}), ())}
            for media, one in found.items()
        }

    def _schema(self, node: Any, within: tuple[str, ...]) -> Any:
        if isinstance(node, bool):
            return node
        if not isinstance(node, dict):
            raise SchemaError(f"a schema is an object, not {node!r:.60}")
        if isinstance(node.get("$ref"), str):
            return self._reference(node["$ref"], within)
        found: dict[str, Any] = {}
        for key, value in node.items():
            if key in _ONE:
                found[key] = self._schema(value, within)
            elif key in _MANY:
                found[key] = [self._schema(one, within) for one in value]
            elif key in _NAMED and isinstance(value, dict):
                found[key] = {name: self._schema(one, within) for name, one in value.items()}
            elif key not in {self._nullable, "example"}:
                found[key] = copy.deepcopy(value)
        self._modernized(found)
        return _with_null(found) if node.get(self._nullable) is True else found

    def _reference(self, reference: str, within: tuple[str, ...]) -> Any:
        name = steps(reference)[-1]
        if _SCHEMAS.fullmatch(reference) and name in self._names:
            return {"$ref": f"#/components/schemas/{self._names[name]}"}
        # A nested node has no name to refer to.
        return {} if reference in within else self._schema(pointer(self._document, reference), (*within, reference))

    def _modernized(self, found: dict[str, Any]) -> None:
        """Convert keywords of the older dialects to those of 3.1."""
        for key, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
            if isinstance(found.get(key), bool) and found.pop(key) and bound in found:
                found[key] = found.pop(bound)
        if isinstance(found.get("required"), bool):
            del found["required"]
        if found.get("type") == "file":
            found |= {"type": "string", "format": "binary"}
        said = found.get("discriminator")
        if isinstance(said, str):
            found["discriminator"] = {"propertyName": said}
        elif isinstance(said, dict) and isinstance(said.get("mapping"), dict):
            mapping = {
                key: self._reference(value, ()).get("$ref", value) if value.startswith("#/") else value
                for key, value in said["mapping"].items()
            }
            found["discriminator"] = {**said, "mapping": mapping}


def _with_null(found: dict[str, Any]) -> dict[str, Any]:
    if not found:
        return {}
    if "enum" in found and None not in found["enum"]:
        found["enum"] = [*found["enum"], None]
    if isinstance(found.get("type"), str) and not found.keys() & (_MANY | {"const"}):
        return {**found, "type": [found["type"], "null"]}
    if "enum" in found and "type" not in found:
        return found
    return {"anyOf": [found, {"type": "null"}]}


def _free(names: Iterable[str], taken: Mapping[str, Any]) -> dict[str, str]:
    """Map each name to a unique name that OpenAPI 3.1 allows."""
    found: dict[str, str] = {}
    used = set(taken)
    for name in sorted(names):
        clean = re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("_") or "Schema"
        clean = f"Backend{clean}" if clean in used else clean
        unique = next(one for one in (clean, *(f"{clean}_{n}" for n in range(2, len(used) + 3))) if one not in used)
        used.add(unique)
        found[name] = unique
    return found


def _same_way(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> bool:
    return all(theirs.get(key) == ours.get(key) for key in _SAME_WAY)


def _scheme(node: dict[str, Any]) -> dict[str, Any]:
    """Return a security scheme. For the SDK, a token of OAuth or OpenID is a bearer token."""
    kind = str(node.get("type"))
    if kind == "basic":
        return {"type": "http", "scheme": "basic"}
    if kind in {"oauth2", "openIdConnect"}:
        return {"type": "http", "scheme": "bearer", "description": f"{kind} in their spec."}
    if node.get("in") == "header" and str(node.get("name")).lower() == "authorization":
        return {"type": "http", "scheme": "bearer"}
    return node
