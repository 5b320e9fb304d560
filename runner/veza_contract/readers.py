"""Reads OpenAPI 3.x and Swagger 2.0 into the one form."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from veza._operations import BASE_PATH
from veza_contract.model import ANY_COOKIE, JSON_MEDIA, METHODS, Body, Operation, Parameter
from veza_contract.schema import Inliner, Schema, SchemaError, pointer

_FORM: Final = "application/x-www-form-urlencoded"
# Swagger 2.0 has no other way to declare a bearer token or a cookie.
_HEADER_WAYS: Final = {"authorization": "bearer", "cookie": ANY_COOKIE}
_ANY_MEDIA: Final = frozenset({"*/*", "application/*"})
_PLACES: Final = frozenset({"path", "query", "header", "cookie"})


class Reader:
    """Shared by the readers of both dialects."""

    nullable: str | None = None

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.warnings: list[str] = []
        said = self.base()
        rooted = all(str(path).startswith(BASE_PATH) for path in self._paths())
        self.based = said is not None or rooted
        self.prefix = (BASE_PATH if said is None and not rooted else said or "").rstrip("/")
        self.schema = Inliner(lambda reference: pointer(document, reference), self.nullable)

    def operations(self) -> Iterator[Operation]:
        for path, raw in self._paths().items():
            item = self.resolved(raw)
            for method in METHODS:
                if isinstance(item.get(method), dict):
                    yield self.operation(f"{self.prefix}{path}", method, item, item[method])

    def _paths(self) -> dict[str, Any]:
        """Return only real paths, without extensions and empty entries."""
        paths = (self.document.get("paths") or {}).items()
        return {path: item for path, item in paths if item is not None and not path.startswith("x-")}

    def operation(self, path: str, method: str, item: dict[str, Any], node: dict[str, Any]) -> Operation:
        raw = [self.resolved(one) for one in (*item.get("parameters", ()), *node.get("parameters", ()))]
        own = node.get("operationId")
        identity = own if isinstance(own, str) and own else f"{method.upper()} {path}"
        security = node.get("security", self.document.get("security")) or []
        return Operation(
            id=identity,
            named=identity == own,
            method=method.upper(),
            path=path,
            parameters={(p["in"], p["name"]): self.parameter(p) for p in raw if p.get("in") in _PLACES},
            body=self.body(node, raw),
            responses={
                str(status): self.response(one, node)
                for status, one in (node.get("responses") or {}).items()
                if not str(status).startswith("x-")
            },
            security=tuple(frozenset(self.way(name) for name in one) for one in security),
        )

    def resolved(self, node: Any) -> dict[str, Any]:
        seen: set[str] = set()
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            if node["$ref"] in seen:
                raise SchemaError(f"$ref {node['$ref']!r:.120} refers to itself")
            seen.add(node["$ref"])
            node = pointer(self.document, node["$ref"])
        if not isinstance(node, dict):
            raise SchemaError(f"an object was expected, not {node!r:.60}")
        return node

    def way(self, name: str) -> str:
        scheme = self.schemes().get(name)
        if not isinstance(scheme, dict):
            return f"unknown:{name}"
        scheme = self.resolved(scheme)
        kind = scheme.get("type")
        if kind == "http":
            return str(scheme.get("scheme", "")).lower()
        if kind == "apiKey":
            place, key = str(scheme.get("in")), str(scheme.get("name"))
            if place == "header" and key.lower() in _HEADER_WAYS:
                return _HEADER_WAYS[key.lower()]
            return f"{place}:{key}"
        return str(kind)

    def base(self) -> str | None:
        """Return the base path; None if the spec states none."""
        raise NotImplementedError

    def schemes(self) -> dict[str, Any]:
        raise NotImplementedError

    def parameter(self, node: dict[str, Any]) -> Parameter:
        raise NotImplementedError

    def body(self, node: dict[str, Any], parameters: list[dict[str, Any]]) -> Body | None:
        raise NotImplementedError

    def response(self, node: Any, operation: dict[str, Any]) -> dict[str, Schema]:
        raise NotImplementedError


class OpenAPI(Reader):
    def __init__(self, document: Mapping[str, Any], version: str) -> None:
        self.nullable = "nullable" if version.startswith("3.0") else None
        super().__init__(document)

    def base(self) -> str | None:
        servers = self.document.get("servers")
        return urlsplit(str(servers[0].get("url", ""))).path if servers else None

    def schemes(self) -> dict[str, Any]:
        found: dict[str, Any] = (self.document.get("components") or {}).get("securitySchemes") or {}
        return found

    def parameter(self, node: dict[str, Any]) -> Parameter:
        schema = node.get("schema")
        if schema is None:
            schema = next((one.get("schema", {}) for one in node.get("content", {}).values()), {})
        return Parameter(node["name"], node["in"], node.get("required") is True, self.schema(schema))

    def body(self, node: dict[str, Any], parameters: list[dict[str, Any]]) -> Body | None:
        del parameters
        if "requestBody" not in node:
            return None
        body = self.resolved(node["requestBody"])
        return Body(body.get("required") is True, self._media(body))

    def response(self, node: Any, operation: dict[str, Any]) -> dict[str, Schema]:
        del operation
        return self._media(self.resolved(node))

    def _media(self, node: dict[str, Any]) -> dict[str, Schema]:
        content = node.get("content") or {}
        return {meant(name, content): self.schema((one or {}).get("schema", {})) for name, one in content.items()}


class Swagger(Reader):
    nullable = "x-nullable"

    def base(self) -> str | None:
        base = self.document.get("basePath")
        return str(base) if base else None

    def schemes(self) -> dict[str, Any]:
        found: dict[str, Any] = self.document.get("securityDefinitions") or {}
        return {name: _modern(scheme) for name, scheme in found.items()}

    def parameter(self, node: dict[str, Any]) -> Parameter:
        schema = {key: value for key, value in node.items() if key not in {"name", "in", "required"}}
        return Parameter(node["name"], node["in"], node.get("required") is True, self.schema(schema))

    def body(self, node: dict[str, Any], parameters: list[dict[str, Any]]) -> Body | None:
        whole = [one for one in parameters if one.get("in") == "body"]
        if whole:
            media = node.get("consumes") or self.document.get("consumes") or [JSON_MEDIA]
            schema = self.schema(whole[0].get("schema", {}))
            return Body(whole[0].get("required") is True, {meant(name, ()): schema for name in media})
        fields = [one for one in parameters if one.get("in") == "formData"]
        if not fields:
            return None
        read = {one["name"]: self.parameter(one) for one in fields}
        needed = [name for name, one in read.items() if one.required]
        form: Schema = {"type": "object", "properties": {n: o.schema for n, o in read.items()}, "required": needed}
        return Body(bool(needed), {_FORM: form})

    def response(self, node: Any, operation: dict[str, Any]) -> dict[str, Schema]:
        response = self.resolved(node)
        if "schema" not in response:
            return {}
        media = operation.get("produces") or self.document.get("produces") or [JSON_MEDIA]
        schema = self.schema(response["schema"])
        return {meant(name, ()): schema for name in media}


def meant(name: str, said: Collection[str]) -> str:
    """Return a media type without parameters. A wildcard counts as the SDK's own, unless that is listed too."""
    media = name.partition(";")[0].strip().lower()
    return JSON_MEDIA if media in _ANY_MEDIA and JSON_MEDIA not in said else media


def _modern(scheme: Any) -> Any:
    return {"type": "http", "scheme": "basic"} if isinstance(scheme, dict) and scheme.get("type") == "basic" else scheme
