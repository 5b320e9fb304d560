"""Every single mutation of the contract, by class."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from veza_contract.model import METHODS

Document = dict[str, Any]
Place = tuple[str | int, ...]
_OTHER_TYPE: Final = {
    "string": "integer",
    "integer": "string",
    "boolean": "string",
    "array": "string",
    "object": "array",
}
_OTHER_PATTERN: Final = "^é{2}$"
_BOUNDS: Final = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
_TEXT: Final = {"type": "string"}


@dataclass(frozen=True)
class Mutant:
    """A mutation: its class, where it is, and the changed document."""

    kind: str
    name: str
    document: Document


def mutants(document: Document) -> Iterator[Mutant]:
    """Yield every single mutation."""
    for kind, name, change in itertools.chain(_schemas(document), _operations(document), _whole(document)):
        changed = copy.deepcopy(document)
        change(changed)
        yield Mutant(kind, name, changed)


Change = tuple[str, str, Callable[[Document], object]]


def _at(document: Document, place: Place) -> Any:
    node: Any = document
    for part in place:
        node = node[part]
    return node


def _set(place: Place, value: Any) -> Callable[[Document], object]:
    def change(document: Document) -> None:
        _at(document, place[:-1])[place[-1]] = copy.deepcopy(value)

    return change


def _del(place: Place) -> Callable[[Document], object]:
    def change(document: Document) -> None:
        del _at(document, place[:-1])[place[-1]]

    return change


def _name(place: Place) -> str:
    return ".".join(str(part) for part in place if part not in {"components", "properties", "schema", "content"})


def _schemas(document: Document) -> Iterator[Change]:
    for place in _schema_places(document, ()):
        yield from _of_schema(_at(document, place), place)


def _schema_places(node: Any, place: Place) -> Iterator[Place]:
    """Every schema of the document that is written out, components and inline ones."""
    if isinstance(node, list):
        for index, one in enumerate(node):
            yield from _schema_places(one, (*place, index))
    elif isinstance(node, dict) and "$ref" not in node:
        for key in [key for key in node if key not in {"examples", "headers", "links"}]:
            if key == "schema":
                yield from _within(node[key], (*place, key))
            elif key == "schemas":
                for name, schema in node[key].items():
                    yield from _within(schema, (*place, key, name))
            else:
                yield from _schema_places(node[key], (*place, key))


def _within(node: Any, place: Place) -> Iterator[Place]:
    """A schema and those within it."""
    if not isinstance(node, dict) or "$ref" in node:
        return
    yield place
    for key in ("items", "additionalProperties"):
        yield from _within(node.get(key), (*place, key))
    for index, one in enumerate(node.get("anyOf", ())):
        yield from _within(one, (*place, "anyOf", index))
    for name, one in node.get("properties", {}).items():
        yield from _within(one, (*place, "properties", name))


def _of_schema(node: dict[str, Any], place: Place) -> Iterator[Change]:
    if "properties" in node:
        yield from _of_object(node, place)
    yield from _of_type(node, place)
    yield from _of_values(node, place)
    yield from _of_bounds(node, place)
    for index, _ in enumerate(node.get("anyOf", ())):
        yield "union", f"{_name(place)}: without choice {index}", _del((*place, "anyOf", index))


def _of_object(node: dict[str, Any], place: Place) -> Iterator[Change]:
    at, required = _name(place), node.get("required", [])
    yield "property add", f"{at}: + added", _set((*place, "properties", "added"), _TEXT)
    for name, member in node["properties"].items():
        yield "property drop", f"{at}.{name}", _without(place, name)
        yield "property rename", f"{at}.{name}", _renamed(place, name)
        flipped = [one for one in required if one != name] if name in required else [*required, name]
        yield (
            "required",
            f"{at}.{name}: {'optional' if name in required else 'required'}",
            _set((*place, "required"), flipped),
        )
        yield "nullable", f"{at}.{name}", _set((*place, "properties", name), _null_flipped(member))


def _without(place: Place, name: str) -> Callable[[Document], object]:
    def change(document: Document) -> None:
        node = _at(document, place)
        del node["properties"][name]
        node["required"] = [one for one in node.get("required", ()) if one != name]

    return change


def _renamed(place: Place, name: str) -> Callable[[Document], object]:
    def change(document: Document) -> None:
        node = _at(document, place)
        node["properties"] = {f"{key}_x" if key == name else key: one for key, one in node["properties"].items()}
        node["required"] = [f"{one}_x" if one == name else one for one in node.get("required", ())]

    return change


def _null_flipped(member: Any) -> Any:
    if isinstance(member, dict) and isinstance(member.get("type"), list):
        return {**member, "type": next(kind for kind in member["type"] if kind != "null")}
    if isinstance(member, dict) and {"type": "null"} in member.get("anyOf", ()):
        return next(one for one in member["anyOf"] if one != {"type": "null"})
    return {"anyOf": [member, {"type": "null"}]}


def _of_type(node: dict[str, Any], place: Place) -> Iterator[Change]:
    kind = node.get("type")
    if isinstance(kind, str) and kind in _OTHER_TYPE:
        yield "type", f"{_name(place)}: {_OTHER_TYPE[kind]}", _set(place, {"type": _OTHER_TYPE[kind]})
    if kind == "integer":
        yield "type", f"{_name(place)}: number", _set((*place, "type"), "number")
    if "format" in node:
        yield "format", f"{_name(place)}: none", _del((*place, "format"))
        yield "format", f"{_name(place)}: uuid", _set((*place, "format"), "uuid")


def _of_values(node: dict[str, Any], place: Place) -> Iterator[Change]:
    at = _name(place)
    if "const" in node:
        yield "const", f"{at}: flipped", _set((*place, "const"), not node["const"])
        yield "const", f"{at}: dropped", _set(place, {"type": "boolean"})
    values = node.get("enum")
    if values:
        yield "enum", f"{at}: + added", _set((*place, "enum"), [*values, "added"])
        yield "enum", f"{at}: dropped", _del((*place, "enum"))
        for value in values:
            yield "enum", f"{at}: - {value}", _set((*place, "enum"), [one for one in values if one != value])
            yield (
                "enum",
                f"{at}: {value} renamed",
                _set((*place, "enum"), [f"{o}_x" if o == value else o for o in values]),
            )


def _of_bounds(node: dict[str, Any], place: Place) -> Iterator[Change]:
    at = _name(place)
    for key in _BOUNDS:
        if key in node:
            yield "bounds", f"{at}: {key} + 1", _set((*place, key), node[key] + 1)
            yield "bounds", f"{at}: {key} dropped", _del((*place, key))
            if node[key] > 0 or key == "minimum":
                yield "bounds", f"{at}: {key} - 1", _set((*place, key), node[key] - 1)
    if "pattern" in node:
        yield "bounds", f"{at}: pattern dropped", _del((*place, "pattern"))
        yield "bounds", f"{at}: pattern changed", _set((*place, "pattern"), _OTHER_PATTERN)


def _operations(document: Document) -> Iterator[Change]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                place: Place = ("paths", path, method)
                yield from _of_address(item, path, method)
                yield from _of_parameters(document, item[method], place)
                yield from _of_body(item[method], place)
                yield from _of_responses(item[method], place)
                yield from _of_security(item[method], place)


def _of_address(item: dict[str, Any], path: str, method: str) -> Iterator[Change]:
    name = item[method]["operationId"]
    yield "operation", f"{name}: dropped", _del(("paths", path, method))
    yield "path", f"{name}: moved", lambda document: _move(document, path, method, f"/moved{path}", method)
    yield "path", f"{name}: in the plural", lambda document: _move(document, path, method, f"{path}s", method)
    for other in {"get", "post", "put"} - item.keys():
        yield "method", f"{name}: {other}", lambda document, to=other: _move(document, path, method, path, to)  # type: ignore[misc]


def _move(document: Document, path: str, method: str, to_path: str, to_method: str) -> None:
    node = document["paths"][path].pop(method)
    document["paths"].setdefault(to_path, {})[to_method] = node


def _of_parameters(document: Document, node: dict[str, Any], place: Place) -> Iterator[Change]:
    name = node["operationId"]
    given = node.get("parameters", [])
    every = (*place, "parameters")
    yield "parameters", f"{name}: + optional", _set(every, [*given, _parameter("added", required=False)])
    yield "parameters", f"{name}: + required", _set(every, [*given, _parameter("added", required=True)])
    for index, raw in enumerate(given):
        one = copy.deepcopy(_followed(document, raw))
        at = (*every, index)
        if one["in"] != "path":
            yield "parameters", f"{name} {one['name']}: dropped", _del(at)
            yield "parameters", f"{name} {one['name']}: renamed", _set(at, {**one, "name": f"{one['name']}-x"})
            yield "parameters", f"{name} {one['name']}: required", _set(at, {**one, "required": True})
            moved = "header" if one["in"] == "query" else "query"
            yield "parameters", f"{name} {one['name']}: in {moved}", _set(at, {**one, "in": moved})
        else:
            yield "parameters", f"{name} {one['name']}: integer", _set(at, {**one, "schema": {"type": "integer"}})


def _parameter(name: str, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": _TEXT}


def _followed(document: Document, node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    found: dict[str, Any] = _at(document, tuple(node["$ref"].removeprefix("#/").split("/")))
    return found


def _of_body(node: dict[str, Any], place: Place) -> Iterator[Change]:
    name, body = node["operationId"], node.get("requestBody")
    if body is None:
        for required in (False, True):
            content = {"application/json": {"schema": {"type": "object", "properties": {"added": _TEXT}}}}
            new = {"required": required, "content": content}
            yield (
                "request body",
                f"{name}: + {'required' if required else 'optional'}",
                _set((*place, "requestBody"), new),
            )
        return
    yield "request body", f"{name}: dropped", _del((*place, "requestBody"))
    yield "request body", f"{name}: optional", _set((*place, "requestBody", "required"), value=False)
    form = {"application/x-www-form-urlencoded": body["content"]["application/json"]}
    yield "media type", f"{name}: body as form", _set((*place, "requestBody", "content"), form)


def _of_responses(node: dict[str, Any], place: Place) -> Iterator[Change]:
    name, responses = node["operationId"], node["responses"]
    every = (*place, "responses")
    refused = {
        "description": "added",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    yield "status", f"{name}: + 418", _set((*every, "418"), refused)
    success = next(status for status in responses if status.startswith("2"))
    yield "status", f"{name}: + 203", _set((*every, "203"), responses[success])
    for status, one in responses.items():
        yield "status", f"{name}: - {status}", _del((*every, status))
        other = "203" if status.startswith("2") else "418"
        renamed = {other if key == status else key: value for key, value in responses.items()}
        yield "status", f"{name}: {status} is {other}", _set(every, renamed)
        if "content" in one:
            yield "media type", f"{name}: {status} as XML", _set((*every, status, "content"), _xml(one["content"]))
            yield "media type", f"{name}: {status} empty", _del((*every, status, "content"))


def _xml(content: dict[str, Any]) -> dict[str, Any]:
    return {"application/xml": {"schema": content["application/json"]["schema"]}}


def _of_security(node: dict[str, Any], place: Place) -> Iterator[Change]:
    name, public = node["operationId"], node.get("security") == []
    key = (*place, "security")
    yield "security", f"{name}: {'bearer' if public else 'public'}", _set(key, [{"bearerAuth": []}] if public else [])


def _whole(document: Document) -> Iterator[Change]:
    for name, one in document["components"]["responses"].items():
        place: Place = ("components", "responses", name)
        yield "media type", f"{name} as XML", _set((*place, "content"), _xml(one["content"]))
        yield "media type", f"{name} empty", _del((*place, "content"))
    scheme: Place = ("components", "securitySchemes", "bearerAuth")
    yield "security", "by cookie", _set(scheme, {"type": "apiKey", "in": "cookie", "name": "session"})
    yield "security", "by basic", _set(scheme, {"type": "http", "scheme": "basic"})
    yield "path", "another base path", _set(("servers", 0, "url"), "/api/v2")
    added = {"get": {"operationId": "added", "responses": {"200": {"description": "added"}}}}
    yield "operation", "one added", _set(("paths", "/added"), added)
