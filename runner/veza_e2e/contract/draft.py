"""`contract diff --write`: another backend's spec as a draft of our `openapi.yaml`."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from veza_e2e.contract.matching import Match
from veza_e2e.contract.schema import pointer
from veza_e2e.contract.spec import JSON_MEDIA, Operation, Spec

_FORM: Final = "application/x-www-form-urlencoded"
_OURS: Final = ("tags", "summary", "description")
_BESIDE_SCHEMA: Final = frozenset({"name", "in", "required", "description", "schema", "collectionFormat"})


def draft(ours: Spec, theirs: Spec, found: Iterable[Match]) -> str:
    """Return the draft as YAML: their paths, parameters and schemas under our operationIds, marked as facts.

    What they do not have stays as it is with us, marked as assumed. What they offer beyond is left out, since the
    SDK has no method for it.
    """
    document = copy.deepcopy(dict(ours.document))
    modern = _Modern(theirs)
    components: dict[str, dict[str, Any]] = copy.deepcopy(document.get("components", {}))
    for kind, named in modern.components().items():
        components.setdefault(kind, {})
        components[kind] |= {name: node for name, node in named.items() if name not in components[kind]}
    modern.taken = {name for name in modern.names if name in document.get("components", {}).get("schemas", {})}
    components["schemas"] |= {modern.renamed(name): node for name, node in modern.schemas().items()}
    paths: dict[str, dict[str, Any]] = {}
    base = _base(theirs)
    for match in found:
        own = _node(document, match.ours, _base(ours))
        if match.theirs is None:
            path, node = match.ours.path.removeprefix(base), {**own, "x-veza-evidence": "assumed"}
        else:
            path = match.theirs.path.removeprefix(base)
            node = _merged(own, modern.operation(match.theirs))
        method = (match.theirs or match.ours).method.lower()
        paths.setdefault(path or "/", {})[method] = node
    document |= {"servers": [{"url": base or "/"}], "paths": paths, "components": components}
    document.pop("security", None)
    return "# A draft, by `veza-e2e contract diff --write`: read it before it becomes sdk/veza/openapi.yaml.\n" + (
        yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    )


def _merged(own: Mapping[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    kept = {key: own[key] for key in _OURS if key in own}
    return {"operationId": own["operationId"], **kept, "x-veza-evidence": "fact", **theirs}


def _base(spec: Spec) -> str:
    document = spec.document
    if "swagger" in document:
        return str(document.get("basePath") or "").rstrip("/")
    servers = document.get("servers") or [{"url": ""}]
    return urlsplit(str(servers[0].get("url", ""))).path.rstrip("/")


def _node(document: Mapping[str, Any], operation: Operation, base: str) -> dict[str, Any]:
    node = document["paths"][operation.path.removeprefix(base)][operation.method.lower()]
    security = node.get("security", document.get("security", []))
    return {**node, "security": security}


class _Modern:
    """Another spec's nodes as OpenAPI 3.1 has them.

    Args:
        spec: the spec.
    """

    def __init__(self, spec: Spec) -> None:
        self._document = spec.document
        self._old = "swagger" in spec.document
        self._base = _base(spec)
        self._nullable = "x-nullable" if self._old else "nullable"
        self.taken: set[str] = set()

    @property
    def names(self) -> set[str]:
        """The names of their schemas."""
        return set(self._own_schemas())

    def renamed(self, name: str) -> str:
        """Return a schema's name in the draft: another one where ours has it already."""
        return f"Backend{name}" if name in self.taken else name

    def _own_schemas(self) -> dict[str, Any]:
        if self._old:
            return self._document.get("definitions") or {}
        return (self._document.get("components") or {}).get("schemas") or {}

    def schemas(self) -> dict[str, Any]:
        """Return their schemas by name."""
        return {name: self._schema(node) for name, node in self._own_schemas().items()}

    def components(self) -> dict[str, dict[str, Any]]:
        """Return what else their operations refer to."""
        if self._old:
            schemes = self._document.get("securityDefinitions") or {}
            return {"securitySchemes": {name: _scheme(node) for name, node in schemes.items()}}
        found = self._document.get("components") or {}
        return {"securitySchemes": found.get("securitySchemes") or {}}

    def operation(self, operation: Operation) -> dict[str, Any]:
        """Return an operation without what ours says itself."""
        item = self._resolved(self._document["paths"][operation.path.removeprefix(self._base)])
        node = item[operation.method.lower()]
        raw = [self._resolved(one) for one in (*item.get("parameters", ()), *node.get("parameters", ()))]
        plain = [one for one in raw if one["in"] not in {"body", "formData"}]
        found: dict[str, Any] = {"security": node.get("security", self._document.get("security", []))}
        if plain:
            found["parameters"] = [self._parameter(one) for one in plain]
        body = self._body(node, raw)
        if body is not None:
            found["requestBody"] = body
        produces = node.get("produces") or self._document.get("produces") or [JSON_MEDIA]
        found["responses"] = {
            str(status): self._response(self._resolved(one), produces) for status, one in node["responses"].items()
        }
        return found

    def _resolved(self, node: Any) -> dict[str, Any]:
        while isinstance(node, dict) and "$ref" in node:
            node = pointer(self._document, node["$ref"])
        return {key: value for key, value in node.items() if not key.startswith("x-")}

    def _parameter(self, node: dict[str, Any]) -> dict[str, Any]:
        schema = node.get("schema")
        if schema is None:
            schema = {key: value for key, value in node.items() if key not in _BESIDE_SCHEMA}
        found: dict[str, Any] = {key: node[key] for key in ("name", "in", "required", "description") if key in node}
        return {**found, "schema": self._schema(schema)}

    def _body(self, node: dict[str, Any], parameters: list[dict[str, Any]]) -> dict[str, Any] | None:
        if not self._old:
            body = self._resolved(node["requestBody"]) if "requestBody" in node else None
            return None if body is None else {**body, "content": self._content(body.get("content", {}))}
        media = node.get("consumes") or self._document.get("consumes") or [JSON_MEDIA]
        for one in parameters:
            if one["in"] == "body":
                schema = {"schema": self._schema(one.get("schema", {}))}
                return {"required": one.get("required", False), "content": dict.fromkeys(media, schema)}
        fields = {one["name"]: self._parameter(one)["schema"] for one in parameters if one["in"] == "formData"}
        return {"content": {_FORM: {"schema": {"type": "object", "properties": fields}}}} if fields else None

    def _response(self, node: dict[str, Any], produces: list[str]) -> dict[str, Any]:
        found: dict[str, Any] = {"description": node.get("description") or "As their spec has it."}
        if "content" in node:
            found["content"] = self._content(node["content"])
        elif "schema" in node:
            found["content"] = {media: {"schema": self._schema(node["schema"])} for media in produces}
        return found

    def _content(self, content: dict[str, Any]) -> dict[str, Any]:
        return {media: {"schema": self._schema(one.get("schema", {}))} for media, one in content.items()}

    def _schema(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self._schema(one) for one in node]
        if not isinstance(node, dict):
            return node
        if isinstance(node.get("$ref"), str):
            name = node["$ref"].rsplit("/", 1)[-1]
            return {"$ref": f"#/components/schemas/{self.renamed(name)}"}
        found = {key: self._schema(value) for key, value in node.items() if key not in {self._nullable, "example"}}
        if node.get(self._nullable) is True and isinstance(node.get("type"), str):
            found["type"] = [node["type"], "null"]
        return found


def _scheme(node: dict[str, Any]) -> dict[str, Any]:
    if node.get("type") == "basic":
        return {"type": "http", "scheme": "basic"}
    if node.get("in") == "header" and str(node.get("name")).lower() == "authorization":
        return {"type": "http", "scheme": "bearer"}
    return node
