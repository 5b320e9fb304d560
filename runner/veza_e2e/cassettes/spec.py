"""Checks recorded requests and responses against an API description: OpenAPI 3.x or Swagger 2.0."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import jsonschema_rs
import yaml

from veza_contract.inlining import Inliner
from veza_contract.schema import SchemaError, pointer
from veza_e2e.cassettes import files
from veza_e2e.cassettes.errors import CassetteError
from veza_e2e.redaction.names import HEADERS

_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch"})
_API = "/api/v1"
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the description."""

    method: str
    template: str
    pattern: re.Pattern[str]
    data: Mapping[str, Any]
    shared: tuple[Any, ...]
    """Parameters that all operations of the path share."""


class Spec:
    """An API description.

    Args:
        path: its file.

    Raises:
        CassetteError: it cannot be read, or is not an API description.
    """

    def __init__(self, path: Path) -> None:
        text = files.read(path)
        try:
            document = json.loads(text) if text.lstrip()[:1] == "{" else _from_yaml(text)
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise CassetteError(path, "", f"cannot be read: {' '.join(str(error).split())[:_LONGEST]}") from error
        if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
            raise CassetteError(path, "", "is no API description: it has no paths")
        self.path = path
        self._document: dict[str, Any] = document
        self._validators: dict[str, jsonschema_rs.Validator] = {}
        version = str(document.get("openapi", ""))
        nullable = "x-nullable" if "swagger" in document else "nullable" if version.startswith("3.0") else None
        self._inlined = Inliner(lambda reference: pointer(document, reference), nullable)

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """All operations, those with fewer path parameters first."""
        found = []
        for template, item in self._document["paths"].items():
            members = self._resolved(item)
            for method in _METHODS & members.keys():
                pattern = re.compile(
                    "".join(
                        f"(?P<p{index}>[^/]+)" if part.startswith("{") else re.escape(part)
                        for index, part in enumerate(re.split(r"(\{[^{}]*\})", self._base + template))
                    )
                )
                found.append(
                    Operation(method.upper(), template, pattern, members[method], tuple(members.get("parameters", ())))
                )
        return tuple(sorted(found, key=lambda operation: operation.template.count("{")))

    @cached_property
    def _base(self) -> str:
        if "swagger" in self._document:
            return str(self._document.get("basePath", "")).rstrip("/")
        servers = self._document.get("servers") or [{}]
        base = urlsplit(str(servers[0].get("url", ""))).path.rstrip("/")
        rooted = all(str(template).startswith(_API) for template in self._document["paths"])
        return base if base or rooted else _API

    def problems(self, interaction: Mapping[str, Any]) -> Iterator[str]:
        """Iterate over the ways in which an interaction breaks the description; each names the field."""
        request = interaction["request"]
        parts = urlsplit(request["url"])
        operation = next(
            (one for one in self.operations if one.method == request["method"] and one.pattern.fullmatch(parts.path)),
            None,
        )
        if operation is None:
            yield f"{request['method']} {parts.path}: there is no such operation"
            return
        where = f"{operation.method} {operation.template}"
        yield from (f"{where}: request {problem}" for problem in self._request(operation, request))
        response = interaction.get("response")
        if response is not None:
            yield from (f"{where}: response {response['status']} {p}" for p in self._response(operation, response))

    def _request(self, operation: Operation, request: Mapping[str, Any]) -> Iterator[str]:
        parts = urlsplit(request["url"])
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        names = re.findall(r"\{([^{}]*)\}", operation.template)
        found = operation.pattern.fullmatch(parts.path)
        path = dict(zip(names, map(unquote, found.groups() if found else ()), strict=False))
        given = {"query": query, "path": path, "header": request["headers"]}
        body: Any = None
        for raw in (*operation.shared, *operation.data.get("parameters", ())):
            parameter = self._resolved(raw)
            if parameter["in"] == "body":
                body = parameter
                continue
            name = parameter["name"].lower() if parameter["in"] == "header" else parameter["name"]
            value = given.get(parameter["in"], {}).get(name)
            if parameter["in"] == "query":
                query.pop(name, None)
            if value is not None:
                schema = parameter.get("schema") or {
                    k: v for k, v in parameter.items() if k in {"type", "enum", "pattern"}
                }
                yield from self._invalid(schema, self._typed(schema, value), f"{parameter['in']}.{name}")
            elif parameter.get("required") and parameter["in"] != "header":
                yield f"{parameter['in']}.{name} is missing"
        yield from (f"query.{name} is not a parameter" for name in query)
        declared = body or self._resolved(operation.data.get("requestBody") or {})
        yield from self._body(declared, request["body"], required=bool(declared.get("required")))

    def _response(self, operation: Operation, response: Mapping[str, Any]) -> Iterator[str]:
        responses = {str(status): one for status, one in operation.data.get("responses", {}).items()}
        status = str(response["status"])
        raw = responses.get(status) or responses.get(f"{status[0]}XX") or responses.get("default")
        if raw is None:
            yield "is not documented"
            return
        declared = self._resolved(raw)
        present = {name for name, _ in response["headers"]}
        for name, header in declared.get("headers", {}).items():
            if self._resolved(header).get("required") and name.lower() in HEADERS and name.lower() not in present:
                yield f"lacks the header {name}"
        yield from self._body(declared, response["body"], required=False)

    def _body(self, declared: Mapping[str, Any], body: Mapping[str, Any] | None, *, required: bool) -> Iterator[str]:
        schema = declared.get("schema") or next(
            (media.get("schema") for name, media in declared.get("content", {}).items() if "json" in name), None
        )
        if body is None:
            if required:
                yield "has no body"
        elif "json" in body:
            if schema is None:
                yield "has a body that is not described"
            else:
                yield from self._invalid(schema, _numbers(body["json"]), "body")
        elif schema is not None:
            yield f"body is not JSON ({body.get('withheld', 'text')})"

    def _invalid(self, schema: Mapping[str, Any], value: object, where: str) -> Iterator[str]:
        key = repr(schema)
        if key not in self._validators:
            try:
                self._validators[key] = jsonschema_rs.Draft202012Validator(self._inlined(schema), validate_formats=True)
            except (SchemaError, jsonschema_rs.ValidationError) as error:
                raise CassetteError(
                    self.path, "", f"has a schema that cannot be used: {str(error)[:_LONGEST]}"
                ) from error
        for wrong in self._validators[key].iter_errors(value):
            field = ".".join(str(step) for step in wrong.instance_path)
            yield f"{where}{'.' if field else ''}{field}: {wrong.message[:_LONGEST]}"

    def _typed(self, schema: Mapping[str, Any], text: str) -> object:
        kind = self._resolved(schema).get("type")
        if kind == "integer" and re.fullmatch(r"-?[0-9]{1,18}", text):
            return int(text)
        if kind == "boolean" and text in {"true", "false"}:
            return text == "true"
        return text

    def _resolved(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        for _ in range(10):
            reference = value.get("$ref")
            if not isinstance(reference, str):
                return value
            try:
                value = pointer(self._document, reference)
            except SchemaError as error:
                raise CassetteError(self.path, "", str(error)) from error
        raise CassetteError(self.path, "", "a reference leads in a circle")


def _from_yaml(text: str) -> object:
    # YAML bombs are built from aliases, and an API description needs no aliases.
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.CSafeLoader)):
        raise ValueError("it has an alias (`*name`); write what it stands for in its place")
    return yaml.load(text, Loader=yaml.CSafeLoader)


def _numbers(value: Any) -> Any:
    """Return a recorded body with its exact numbers as JSON numbers, so that a schema can check them."""
    if isinstance(value, dict):
        if value.keys() == {"$number"}:
            return float(value["$number"])
        return {key: _numbers(item) for key, item in value.items()}
    return [_numbers(item) for item in value] if isinstance(value, list) else value
