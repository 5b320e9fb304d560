"""Any backend's spec in one form: OpenAPI 3.0, 3.1, 3.2 and Swagger 2.0, from YAML or JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import yaml

from veza_e2e.contract.schema import Inliner, Schema, SchemaError, pointer

METHODS: Final = ("get", "head", "post", "put", "patch", "delete")
JSON_MEDIA: Final = "application/json"
_LARGEST: Final = 32 * 2**20
_FORM: Final = "application/x-www-form-urlencoded"


class SpecError(Exception):
    """A spec cannot be read: says where and why."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter beside the body."""

    name: str
    place: str
    required: bool
    schema: Schema


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body: the schema of each media type."""

    required: bool
    media: dict[str, Schema]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of a spec.

    Attributes:
        id: the operationId; made of method and path where the spec gives none.
        named: whether the spec gives the operationId.
        method: in upper case.
        path: with the base path.
        parameters: by place and name.
        body: None where there is none.
        responses: by status (`200`, `2XX`, `default`), the schema of each media type.
        security: the alternatives, each a set of ways such as `bearer` or `cookie:session`; an empty set allows
            requests without a login, no alternative at all means the same.
    """

    id: str
    named: bool
    method: str
    path: str
    parameters: dict[tuple[str, str], Parameter]
    body: Body | None
    responses: dict[str, dict[str, Schema]]
    security: tuple[frozenset[str], ...] = ()

    @property
    def shape(self) -> str:
        """The path with its parameters unnamed."""
        return re.sub(r"\{[^}]*\}", "{}", self.path)

    @property
    def public(self) -> bool:
        """Whether it needs no login."""
        return not self.security or frozenset() in self.security


@dataclass(frozen=True, slots=True)
class Spec:
    """A spec.

    Attributes:
        title: as it calls itself.
        version: `2.0` or `3.x`.
        operations: all of them, in the spec's order.
        document: the spec as it was read.
        warnings: what could not be read and was passed over.
    """

    title: str
    version: str
    operations: tuple[Operation, ...]
    document: Mapping[str, Any] = field(repr=False)
    warnings: tuple[str, ...] = ()

    def by_id(self) -> dict[str, Operation]:
        """Return the operations by operationId."""
        return {operation.id: operation for operation in self.operations}


def load(where: str | Path, *, client: httpx.Client | None = None) -> dict[str, Any]:
    """Read a spec's document from a file or an http(s) URL.

    Raises:
        SpecError: it is not there, or neither JSON nor YAML.
    """
    try:
        raw = _fetched(str(where), client) if str(where).startswith(("http://", "https://")) else _file(Path(where))
        document = _parsed(raw)
    except (OSError, httpx.HTTPError, httpx.InvalidURL) as error:
        raise SpecError(f"{where}: {error}") from error
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SpecError(f"{where}: neither JSON nor YAML: {first}") from error
    if not isinstance(document, dict):
        raise SpecError(f"{where}: the document is not an object")
    return document


def _fetched(url: str, client: httpx.Client | None) -> bytes:
    with client or httpx.Client(timeout=30, trust_env=False) as http:
        response = http.get(url)
        response.raise_for_status()
        return response.content


def _file(path: Path) -> bytes:
    if path.stat().st_size > _LARGEST:
        raise SpecError(f"{path}: larger than 32 MiB")
    return path.read_bytes()


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return _yaml(raw)


def _yaml(raw: bytes) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    # As JSON has it: keys are text, and a date is text.
    return json.loads(json.dumps(yaml.load(raw, Loader=loader), default=str))  # noqa: S506 - both are safe loaders


def read(document: Mapping[str, Any]) -> Spec:
    """Bring a document into the one form.

    Raises:
        SpecError: it is not an OpenAPI 3.x or Swagger 2.0 document, or a part of it cannot be read.
    """
    version = str(document.get("openapi") or document.get("swagger") or "")
    if not re.match(r"3\.[0-2]|2\.0", version):
        raise SpecError(f"not an OpenAPI 3.x or Swagger 2.0 document (version {version or 'missing'!r:.20})")
    try:
        reader = _Swagger(document) if version.startswith("2") else _OpenAPI(document, version)
        operations = tuple(reader.operations())
    except SchemaError as error:
        raise SpecError(str(error)) from error
    except (AttributeError, TypeError, KeyError) as error:
        raise SpecError(f"a part of the document is not of the form it should be: {error}") from error
    info = document.get("info")
    title = str(info.get("title", "")) if isinstance(info, dict) else ""
    return Spec(title, version, operations, document, tuple(reader.warnings))


class _Reader:
    """What both families share."""

    nullable: str | None = None

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.warnings: list[str] = []
        self.schema = Inliner(lambda reference: pointer(document, reference), self.nullable)

    def operations(self) -> Iterator[Operation]:
        base = self.base().rstrip("/")
        for path, raw in (self.document.get("paths") or {}).items():
            item = self.resolved(raw)
            for method in METHODS:
                if isinstance(item.get(method), dict):
                    yield self.operation(f"{base}{path}", method, item, item[method])

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
            responses={str(status): self.response(one, node) for status, one in node.get("responses", {}).items()},
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

    def base(self) -> str:
        raise NotImplementedError

    def schemes(self) -> dict[str, Any]:
        raise NotImplementedError

    def parameter(self, node: dict[str, Any]) -> Parameter:
        raise NotImplementedError

    def body(self, node: dict[str, Any], parameters: list[dict[str, Any]]) -> Body | None:
        raise NotImplementedError

    def response(self, node: Any, operation: dict[str, Any]) -> dict[str, Schema]:
        raise NotImplementedError


ANY_COOKIE: Final = "cookie:*"
# Swagger 2.0 can say neither "bearer" nor "cookie" in another way.
_HEADER_WAYS: Final = {"authorization": "bearer", "cookie": ANY_COOKIE}
_PLACES: Final = frozenset({"path", "query", "header", "cookie"})


class _OpenAPI(_Reader):
    def __init__(self, document: Mapping[str, Any], version: str) -> None:
        self.nullable = "nullable" if version.startswith("3.0") else None
        super().__init__(document)

    def base(self) -> str:
        servers = self.document.get("servers") or [{"url": ""}]
        return urlsplit(str(servers[0].get("url", ""))).path

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
        return {_media(name): self.schema(one.get("schema", {})) for name, one in content.items()}


class _Swagger(_Reader):
    nullable = "x-nullable"

    def base(self) -> str:
        return str(self.document.get("basePath") or "")

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
            return Body(whole[0].get("required") is True, {_media(name): schema for name in media})
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
        return {_media(name): schema for name in media}


def _media(name: str) -> str:
    return name.partition(";")[0].strip().lower()


def _modern(scheme: Any) -> Any:
    return {"type": "http", "scheme": "basic"} if isinstance(scheme, dict) and scheme.get("type") == "basic" else scheme
