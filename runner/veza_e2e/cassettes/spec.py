"""Checks recorded requests and responses against an API description: OpenAPI 3.x or Swagger 2.0."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx

from veza_contract import spec
from veza_contract.comparing import LOGS_IN, TOKEN_WAYS
from veza_contract.model import ANY_COOKIE, JSON_MEDIA, Body, Operation
from veza_contract.operations import operation_of
from veza_contract.parsing import SpecError
from veza_contract.requests import OF_HTTP, reading, ways
from veza_contract.schema import UNUSABLE, Schema, unread, validator
from veza_e2e.cassettes.errors import CassetteError
from veza_e2e.redaction.names import HEADERS

_LONGEST: Final = 200


class Spec:
    """An API description. A part of it that cannot be read is a problem where a recording needs it.

    Args:
        path: its file.

    Raises:
        CassetteError: it cannot be read, or is not an API description.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._spec = spec.opened([path])
        except SpecError as error:
            raise CassetteError(path, "", str(error).removeprefix(f"{path}: ")) from error
        self._read: dict[tuple[str, str], Operation] = {}

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str, int]]:
        """The path of each operation as a pattern, those with fewer path parameters first."""
        every = [(path, index) for index, entry in enumerate(self._spec.entries) for path in entry.paths]
        return [(_pattern(path), path, index) for path, index in sorted(every, key=lambda pair: pair[0].count("{"))]

    def problems(self, interaction: Mapping[str, Any]) -> Iterator[str]:
        """Iterate over the ways in which an interaction breaks the description; each names the field."""
        request, response = interaction["request"], interaction.get("response")
        path = urlsplit(request["url"]).path
        operation, values = self._operation(request["method"], path)
        if operation is None:
            yield f"{request['method']} {path}: there is no such operation"
            return
        where = f"{operation.method} {operation.entry.key if operation.entry else operation.path}"
        yield from (f"{where}: {note.part} cannot be read: {note.message}" for note in operation.unread)
        yield from (f"{where}: request {problem}" for problem in _request(operation, request, values))
        if response is not None:
            yield from (f"{where}: response {response['status']} {p}" for p in _response(operation, response))

    def _operation(self, method: str, path: str) -> tuple[Operation | None, dict[str, str]]:
        for pattern, template, index in self._patterns:
            entry = self._spec.entries[index]
            found = pattern.fullmatch(path) if entry.method == method else None
            if found:
                operation = self._read.setdefault((method, template), entry.read(template))
                names = (part[1:-1] for part in _parts(template) if part[:1] == "{")
                return operation, dict(zip(names, map(unquote, found.groups()), strict=True))
        return None, {}


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("".join("([^/]+)" if part[:1] == "{" else re.escape(part) for part in _parts(path)))


def _parts(path: str) -> list[str]:
    return re.split(r"(\{[^{}]*\})", path)


def _request(operation: Operation, request: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[str]:
    headers = {name.lower(): value for name, value in request["headers"].items()}
    query = dict(parse_qsl(urlsplit(request["url"]).query, keep_blank_values=True))
    given: dict[str, Mapping[str, str]] = {"query": query, "path": values, "header": headers}
    known = {(place, name.lower() if place == "header" else name): one for (place, name), one in
             operation.parameters.items()}  # fmt: skip
    for (place, name), parameter in known.items():
        value = given.get(place, {}).get(name)
        if value is not None:
            yield from _invalid(parameter.schema, reading(parameter.schema, value), f"{place}.{name}")
        elif parameter.required and not (place == "header" and name in OF_HTTP):
            yield f"{place}.{name} is missing"
    yield from (f"query.{name} is not a parameter" for name in query if ("query", name) not in known)
    if "idempotency-key" in headers and ("header", "idempotency-key") not in known:
        yield "header.idempotency-key is not a parameter"
    yield from _login(operation, request, headers)
    yield from _sent_body(operation.body, request["body"])


def _login(operation: Operation, request: Mapping[str, Any], headers: Mapping[str, str]) -> Iterator[str]:
    carried = ways(headers, operation.security)
    wanted = [frozenset("bearer" if way in TOKEN_WAYS else way for way in one) for one in operation.security]
    logs_in = operation.inherited and operation_of(httpx.Request(request["method"], request["url"])) in LOGS_IN
    if not operation.public and not logs_in and not any(one - {ANY_COOKIE} <= carried for one in wanted):
        asked = " or ".join("+".join(sorted(one)) for one in wanted)
        yield f"login is carried as {'+'.join(sorted(carried)) or 'nothing'}, not as {asked}"


def _sent_body(declared: Body | None, body: Mapping[str, Any] | None) -> Iterator[str]:
    if body is None:
        if declared is not None and declared.required:
            yield "has no body"
    elif declared is None:
        yield "has a body that is not described"
    else:
        yield from _body(declared.media, body)


def _response(operation: Operation, response: Mapping[str, Any]) -> Iterator[str]:
    status = str(response["status"])
    names = (status, f"{status[0]}XX", f"{status[0]}xx", "default")
    name = next((name for name in names if name in operation.responses), None)
    if name is None:
        if not {note.part for note in operation.unread} & {*names, "responses"}:
            yield "is not documented"
        return
    present = {header for header, _ in response["headers"]}
    for header in _required_headers(operation, name):
        if header.lower() in HEADERS and header.lower() not in present:
            yield f"lacks the header {header}"
    if response["body"] is not None:
        yield from _body(operation.responses[name], response["body"])


def _required_headers(operation: Operation, status: str) -> Iterator[str]:
    if operation.entry is None:
        return
    reader = operation.entry.reader
    declared = reader.resolved(reader.resolved(reader.node(operation.entry)[1]["responses"])[status])
    for header, node in (declared.get("headers") or {}).items():
        if reader.resolved(node).get("required") is True:
            yield header


def _body(media: Mapping[str, Schema], body: Mapping[str, Any]) -> Iterator[str]:
    schema = next((one for name, one in media.items() if name == JSON_MEDIA or "json" in name), None)
    if "json" in body:
        if schema is None:
            yield f"body is described as {', '.join(media)}" if media else "has a body that is not described"
        else:
            yield from _invalid(schema, _numbers(body["json"]), "body")
    elif schema is not None:
        yield f"body is not JSON ({body.get('withheld', 'text')})"


def _invalid(schema: Schema, value: object, where: str) -> Iterator[str]:
    if why := unread(schema):
        yield f"{where} cannot be checked: {why}"
        return
    try:
        for wrong in validator(schema).iter_errors(value):
            field = ".".join(str(step) for step in wrong.instance_path)
            yield f"{where}{'.' if field else ''}{field}: {wrong.message[:_LONGEST]}"
    except UNUSABLE as error:
        yield f"{where} cannot be checked: {str(error)[:_LONGEST]}"


def _numbers(value: Any) -> Any:
    """Return a recorded body with its exact numbers as JSON numbers, so that a schema can check them."""
    if isinstance(value, dict):
        if value.keys() == {"$number"}:
            return float(value["$number"])
        return {key: _numbers(item) for key, item in value.items()}
    return [_numbers(item) for item in value] if isinstance(value, list) else value
