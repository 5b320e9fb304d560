"""Reads OpenAPI 3.x and Swagger 2.0 into the one form. What cannot be read of an operation hides nothing else."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from veza._operations import BASE_PATH
from veza_contract import servers
from veza_contract.inlining import Inliner, shown
from veza_contract.model import ANY_COOKIE, JSON_MEDIA, METHODS, Body, Entry, Note, Operation, Parameter
from veza_contract.schema import Schema, SchemaError, escaped, pointer

_FORM: Final = "application/x-www-form-urlencoded"
# Swagger 2.0 has no other way to declare a bearer token or a cookie.
_HEADER_WAYS: Final = {"authorization": "bearer", "cookie": ANY_COOKIE}
_ANY_MEDIA: Final = frozenset({"*/*", "application/*"})
_PLACES: Final = frozenset({"path", "query", "header", "cookie"})
_OF_ROUTERS: Final = re.compile(r"(?<=/)(?::|\*)(\w+)(?=/|$)|(?<=/)<(?:\w+:)?(\w+)>(?=/|$)")
_ODD: Final = (SchemaError, AttributeError, TypeError, KeyError, ValueError, RecursionError)


class Reader:
    """Shared by the readers of both dialects."""

    nullable: str | None = None

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.notes: list[Note] = []
        said = self._said_bases()
        self._paths = self._real_paths()
        rooted = all(str(path).startswith(BASE_PATH) for path in self._paths)
        self.based = bool(said) or rooted
        self.prefixes = said or (("",) if rooted else (BASE_PATH,))
        self.schema = self._inliner("writeOnly")
        self._sent = self._inliner("readOnly")

    def _inliner(self, hidden: str) -> Inliner:
        return Inliner(lambda reference: pointer(self.document, reference), self.nullable, hidden)

    def _said_bases(self) -> tuple[str, ...]:
        with self._noted("#/servers"):
            return self.bases()
        return ()

    def _real_paths(self) -> dict[str, Any]:
        """Return only real paths, without extensions and empty entries."""
        paths: dict[str, Any] = {}
        with self._noted("#/paths"):
            paths = self.resolved(self.document.get("paths") or {})
        return {path: item for path, item in paths.items() if item is not None and not path.startswith("x-")}

    @contextmanager
    def _noted(self, place: str, part: str = "", into: list[Note] | None = None) -> Iterator[None]:
        """Note what cannot be read, and go on."""
        try:
            yield
        except _ODD as error:
            (self.notes if into is None else into).append(Note(place, _said(error), part))

    def entries(self) -> Iterator[Entry]:
        for key, raw in self._paths.items():
            place = f"#/paths/{escaped(key)}"
            item: dict[str, Any] = {}
            with self._noted(place):
                item = self.resolved(raw)
            for method in METHODS:
                if item.get(method) is not None:
                    with self._noted(f"{place}/{method}"):
                        yield self._entry(key, method, item, self.resolved(item[method]))

    def _entry(self, key: str, method: str, item: dict[str, Any], node: dict[str, Any]) -> Entry:
        prefixes = self.prefixes
        place = f"#/paths/{escaped(key)}"
        for one, at in ((node, f"{place}/{method}/servers"), (item, f"{place}/servers")):
            own: tuple[str, ...] = ()
            if "swagger" not in self.document:
                with self._noted(at):
                    own = servers.bases(one.get("servers"))
            if own:
                prefixes = own
                break
        path = _OF_ROUTERS.sub(lambda found: f"{{{found[1] or found[2]}}}", key)
        paths = tuple(f"{prefix}/{path.lstrip('/')}" for prefix in prefixes)
        own_id = node.get("operationId")
        if isinstance(own_id, str) and own_id:
            return Entry(own_id, True, method.upper(), paths, key, self)
        return Entry(f"{method.upper()} {paths[0]}", False, method.upper(), paths, key, self)

    def node(self, entry: Entry) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return an operation's path item and its node, as they are written."""
        item = self.resolved(self._paths[entry.key])
        return item, self.resolved(item[entry.method.lower()])

    def operation(self, entry: Entry, path: str) -> Operation:
        """Return an operation; what of it cannot be read stands in its `unread`."""
        unread: list[Note] = []
        item, node = self.node(entry)
        place = f"#/paths/{escaped(entry.key)}/{entry.method.lower()}"
        raw = self._parameters(item, node, place, unread)
        parameters: dict[tuple[str, str], Parameter] = {}
        for at, one in raw:
            with self._noted(at, "parameters", unread):
                if one.get("in") in _PLACES:
                    parameters[one["in"], one["name"]] = self.parameter(one, at)
        for name in re.findall(r"\{([^}]+)\}", path):
            parameters.setdefault(("path", name), Parameter(name, "path", True, {"type": "string"}))
        body = None
        with self._noted(f"{place}/requestBody", "body", unread):
            body = self.body(node, [one for _, one in raw], place)
        security: list[frozenset[str]] = []
        with self._noted(f"{place}/security", "security", unread):
            asked = node.get("security", self.document.get("security")) or []
            security = [frozenset(self.way(name) for name in one) for one in asked]
        return Operation(
            entry.id, entry.named, entry.method, path, parameters, body,
            self._responses(node, f"{place}/responses", unread), tuple(security),
            node.get("security") is None, tuple(unread), entry,
        )  # fmt: skip

    def odd(self, entry: Entry) -> tuple[Note, ...]:
        """Return what of an operation cannot be read, its schemas aside."""
        unread: list[Note] = []
        item, node = self.node(entry)
        place = f"#/paths/{escaped(entry.key)}/{entry.method.lower()}"
        self._parameters(item, node, place, unread)
        for status, one in self._said_responses(node, f"{place}/responses", unread).items():
            with self._noted(f"{place}/responses/{status}", str(status), unread):
                self.resolved(one)
        return tuple(unread)

    def _parameters(
        self, item: dict[str, Any], node: dict[str, Any], place: str, unread: list[Note]
    ) -> list[tuple[str, dict[str, Any]]]:
        found: list[tuple[str, dict[str, Any]]] = []
        for owner, at in ((item, f"{place.rpartition('/')[0]}/parameters"), (node, f"{place}/parameters")):
            several = owner.get("parameters") or []
            if not isinstance(several, list):
                unread.append(Note(at, "parameters are a list", "parameters"))
                continue
            for index, one in enumerate(several):
                with self._noted(f"{at}/{index}", "parameters", unread):
                    found.append((f"{at}/{index}", self.resolved(one)))
        return found

    def _responses(self, node: dict[str, Any], place: str, unread: list[Note]) -> dict[str, dict[str, Schema]]:
        found: dict[str, dict[str, Schema]] = {}
        for status, one in self._said_responses(node, place, unread).items():
            with self._noted(f"{place}/{status}", status, unread):
                found[status] = self.response(one, node, f"{place}/{status}")
        return found

    def _said_responses(self, node: dict[str, Any], place: str, unread: list[Note]) -> dict[str, Any]:
        with self._noted(place, "responses", unread):
            said = node.get("responses")
            several = self.resolved({} if said is None else said)
            return {str(status): one for status, one in several.items() if not str(status).startswith("x-")}
        return {}

    def resolved(self, node: Any) -> dict[str, Any]:
        seen: set[str] = set()
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            if node["$ref"] in seen:
                raise SchemaError(f"$ref {node['$ref']!r:.120} refers to itself")
            seen.add(node["$ref"])
            node = pointer(self.document, node["$ref"])
        if not isinstance(node, dict):
            raise SchemaError(f"an object was expected, not {shown(node)}")
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

    def bases(self) -> tuple[str, ...]:
        """Return the base paths; empty if the spec states none."""
        raise NotImplementedError

    def schemes(self) -> dict[str, Any]:
        raise NotImplementedError

    def parameter(self, node: dict[str, Any], at: str) -> Parameter:
        raise NotImplementedError

    def body(self, node: dict[str, Any], parameters: list[dict[str, Any]], place: str) -> Body | None:
        raise NotImplementedError

    def response(self, node: Any, operation: dict[str, Any], at: str) -> dict[str, Schema]:
        raise NotImplementedError


class OpenAPI(Reader):
    nullable = "nullable"

    def bases(self) -> tuple[str, ...]:
        return servers.bases(self.document.get("servers"))

    def schemes(self) -> dict[str, Any]:
        found: dict[str, Any] = (self.document.get("components") or {}).get("securitySchemes") or {}
        return found

    def parameter(self, node: dict[str, Any], at: str) -> Parameter:
        schema = node.get("schema")
        if schema is None:
            schema = next((one.get("schema", {}) for one in (node.get("content") or {}).values()), {})
        return Parameter(node["name"], node["in"], node.get("required") is True, self._sent(schema, f"{at}/schema"))

    def body(self, node: dict[str, Any], parameters: list[dict[str, Any]], place: str) -> Body | None:
        del parameters
        if node.get("requestBody") is None:
            return None
        body = self.resolved(node["requestBody"])
        return Body(body.get("required") is True, self._media(body, f"{place}/requestBody", self._sent))

    def response(self, node: Any, operation: dict[str, Any], at: str) -> dict[str, Schema]:
        del operation
        return self._media(self.resolved(node), at, self.schema)

    def _media(self, node: dict[str, Any], at: str, inlined: Inliner) -> dict[str, Schema]:
        content = node.get("content") or {}
        return {
            meant(name, content): inlined((one or {}).get("schema", {}), f"{at}/content/{escaped(name)}/schema")
            for name, one in content.items()
        }


class Swagger(Reader):
    nullable = "x-nullable"

    def bases(self) -> tuple[str, ...]:
        base = self.document.get("basePath")
        return (servers.normal(str(base)),) if base else ()

    def schemes(self) -> dict[str, Any]:
        found: dict[str, Any] = self.document.get("securityDefinitions") or {}
        return {name: _modern(scheme) for name, scheme in found.items()}

    def parameter(self, node: dict[str, Any], at: str) -> Parameter:
        schema = {key: value for key, value in node.items() if key not in {"name", "in", "required"}}
        return Parameter(node["name"], node["in"], node.get("required") is True, self._sent(schema, at))

    def body(self, node: dict[str, Any], parameters: list[dict[str, Any]], place: str) -> Body | None:
        whole = [one for one in parameters if one.get("in") == "body"]
        if whole:
            schema = self._sent(whole[0].get("schema", {}), f"{place}/parameters")
            return Body(whole[0].get("required") is True, dict.fromkeys(self._said_media(node, "consumes"), schema))
        fields = [one for one in parameters if one.get("in") == "formData"]
        if not fields:
            return None
        read = {one["name"]: self.parameter(one, f"{place}/parameters") for one in fields}
        needed = [name for name, one in read.items() if one.required]
        form: Schema = {"type": "object", "properties": {n: o.schema for n, o in read.items()}, "required": needed}
        return Body(bool(needed), {_FORM: form})

    def response(self, node: Any, operation: dict[str, Any], at: str) -> dict[str, Schema]:
        response = self.resolved(node)
        if "schema" not in response:
            return {}
        schema = self.schema(response["schema"], f"{at}/schema")
        return dict.fromkeys(self._said_media(operation, "produces"), schema)

    def _said_media(self, operation: Mapping[str, Any], key: str) -> list[str]:
        return media_types(operation.get(key) or self.document.get(key))


def media_types(said: Any) -> list[str]:
    """Return the media types of a `consumes` or `produces` as they are meant; JSON if it says nothing."""
    several = [said] if isinstance(said, str) else said or [JSON_MEDIA]
    return [meant(str(name), ()) for name in several]


def meant(name: str, said: Collection[str]) -> str:
    """Return a media type without parameters. A wildcard counts as the SDK's own, unless that is listed too."""
    media = name.partition(";")[0].strip().lower()
    return JSON_MEDIA if media in _ANY_MEDIA and JSON_MEDIA not in said else media


def _modern(scheme: Any) -> Any:
    return {"type": "http", "scheme": "basic"} if isinstance(scheme, dict) and scheme.get("type") == "basic" else scheme


def _said(error: BaseException) -> str:
    if isinstance(error, SchemaError):
        return str(error)
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, KeyError):
        return f"it has no {error}"
    return f"it is not of the form that it should be: {error}"[:200]
