"""Checks what the SDK sends against a spec."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import httpx

from veza_contract.bindings import KEY_HEADER, Method
from veza_contract.findings import Direction, Finding
from veza_contract.model import JSON_MEDIA, Operation, Spec
from veza_contract.schema import Schema, closed, problem, text
from veza_contract.sending import Sent, allowed, meant

OF_HTTP: Final = frozenset({
    "host", "accept", "accept-encoding", "connection", "user-agent", "content-length", "content-type", "x-request-id",
})  # fmt: skip
_BOOLEANS: Final = {"true": True, "false": False}


def operation_of(spec: Spec, method: str, path: str) -> Operation | None:
    """Return the operation of a request. Fixed paths come before those with parameters."""
    fitting = [
        operation
        for operation in spec.operations
        if operation.method == method and _pattern(operation.path).fullmatch(path)
    ]
    return min(fitting, key=lambda operation: operation.path.count("{"), default=None)


@lru_cache(maxsize=512)
def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^}]+\})", path)
    return re.compile("".join("([^/]+)" if part.startswith("{") else re.escape(part) for part in parts))


def check(spec: Spec, call: Sent) -> list[Finding]:
    """Check a call's request against a spec; return an empty list if it is exactly as documented."""
    request, method = call.request, call.method
    if request is None:
        refused = "refuses arguments that its own types and table let through"
        found = text(call.arguments) if allowed(method, call.arguments) else ""
        return [_finding(method.operation, "arguments", f"{method.label} {refused}", found)] if found else []
    path = request.url.raw_path.decode("ascii").partition("?")[0]
    operation = operation_of(spec, request.method, path)
    if operation is None or operation.id != method.operation:
        found = "no operation" if operation is None else f"operation {operation.id}"
        return [_finding(method.operation, "path", f"{method.label} sends {request.method} {path}: {found}")]
    try:
        wire = Wire(operation, request)
    except ValueError as error:
        return [_finding(operation.id, "body", f"cannot be read: {error}")]
    return [*wire.problems(), *_fidelity(wire, call.method, call.arguments)]


class Wire:
    """A request as an operation reads it.

    Args:
        operation: the operation.
        request: the request.

    Raises:
        ValueError: the body is not JSON.
    """

    def __init__(self, operation: Operation, request: httpx.Request) -> None:
        self.operation = operation
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        raw_path, _, raw_query = request.url.raw_path.decode("ascii").partition("?")
        found = _pattern(operation.path).fullmatch(raw_path)
        names = re.findall(r"\{([^}]+)\}", operation.path)
        self.path = dict(zip(names, map(unquote, found.groups() if found else ()), strict=True))
        self.query = parse_qsl(raw_query, keep_blank_values=True)
        self.content = request.content
        self.body = json.loads(request.content) if request.content else None

    def problems(self) -> Iterator[Finding]:
        """Yield the request's problems. Anything that the operation does not name is a problem."""
        known = self.operation.parameters
        sent = {("path", name): value for name, value in self.path.items()}
        sent |= {("query", name): value for name, value in self.query}
        sent |= {("header", name): self.headers[name.lower()] for place, name in known
                 if place == "header" and name.lower() in self.headers}  # fmt: skip
        if len(dict(self.query)) != len(self.query):
            yield self._finding("query", "a parameter is repeated")
        for key, value in sent.items():
            if key not in known:
                yield self._finding(f"{key[0]} {key[1]}", "is not a parameter of the operation", value)
            elif (what := problem(known[key].schema, self.read(*key, value))) is not None:
                yield self._finding(f"{key[0]} {key[1]}", what, value)
        for key, parameter in known.items():
            if parameter.required and key not in sent:
                yield self._finding(f"{key[0]} {key[1]}", "is required and was not sent")
        yield from self._headers(known)
        yield from self._login()
        yield from self._body()

    def read(self, place: str, name: str, value: str) -> Any:
        """Return a parameter's value as the operation reads its text."""
        known = self.operation.parameters.get((place, name))
        return value if known is None else reading(known.schema, value)

    def _headers(self, known: Mapping[tuple[str, str], Any]) -> Iterator[Finding]:
        declared = {name.lower() for place, name in known if place == "header"}
        named = {way.removeprefix("header:").lower() for choice in self.operation.security for way in choice}
        for name in self.headers.keys() - declared - named - OF_HTTP - {"authorization", "cookie"}:
            yield self._finding(f"header {name}", "is not a header of the operation", self.headers[name])
        accepted = self.headers.get("accept", "")
        for status, media in self.operation.responses.items():
            if media and accepted not in media:
                yield self._finding(f"response {status}", f"{accepted} is asked for, only {', '.join(media)} is given")

    def _login(self) -> Iterator[Finding]:
        alternatives = self.operation.security
        carried = ways(self.headers, alternatives)
        if self.operation.public:
            if carried and carried not in alternatives:
                yield self._finding("login", "is carried by an operation that needs none")
        elif carried not in alternatives:
            wanted = " or ".join("+".join(sorted(way)) for way in alternatives)
            yield self._finding(
                "login", f"is to be carried as {wanted}, not as {'+'.join(sorted(carried)) or 'nothing'}"
            )

    def _body(self) -> Iterator[Finding]:
        body = self.operation.body
        if body is None:
            if self.content:
                yield self._finding("body", "is sent to an operation that takes none")
            return
        if not self.content:
            if body.required:
                yield self._finding("body", "is required and was not sent")
            return
        media = self.headers.get("content-type", "").partition(";")[0]
        if media not in body.media:
            yield self._finding("body", f"is {media}, which is not among {', '.join(body.media) or 'any'}")
            return
        what = problem(closed(body.media[media]), self.body) if media == JSON_MEDIA else None
        if what is not None:
            yield self._finding("body", what, self.body)

    def _finding(self, place: str, message: str, value: object = None) -> Finding:
        return _finding(self.operation.id, place, message, "" if value is None else text(value))


def _fidelity(wire: Wire, method: Method, arguments: Mapping[str, Any]) -> Iterator[Finding]:
    """Check that the request holds every argument under its name with its value, and nothing else."""
    places = {name: place for place, name in wire.operation.parameters}
    expected: dict[str, Any] = {}
    for argument in method.arguments:
        if argument.name in arguments:
            expected[argument.wire] = (places.get(argument.wire, "body"), meant(arguments[argument.name]))
    queried = dict(wire.query)
    actual: dict[str, Any] = {name: ("path", wire.read("path", name, value)) for name, value in wire.path.items()}
    actual |= {name: ("query", wire.read("query", name, value)) for name, value in queried.items()}
    if KEY_HEADER.lower() in wire.headers:
        actual[KEY_HEADER] = ("header", wire.headers[KEY_HEADER.lower()])
    if isinstance(wire.body, dict):
        actual |= {name: ("body", value) for name, value in wire.body.items()}
    elif wire.body is not None:
        yield wire._finding("body", "is not an object", wire.body)  # noqa: SLF001 - one module
    for name in {*expected, *actual}:
        wanted, found = expected.get(name), actual.get(name)
        if wanted is None:
            yield wire._finding(name, f"is sent by {method.label}, which was not given it", found)  # noqa: SLF001
        elif found is None:
            yield wire._finding(name, f"was given to {method.label} and is not sent", wanted[1])  # noqa: SLF001
        elif found[0] != wanted[0] or not _same(wanted[1], found[1]):
            yield wire._finding(name, f"was given to {method.label} as {wanted[1]!r:.60}", found[1])  # noqa: SLF001


def _same(given: Any, found: Any) -> bool:
    return text(given) == text(found)


def ways(headers: Mapping[str, str], alternatives: tuple[frozenset[str], ...]) -> frozenset[str]:
    """Return how headers (by lower-case name) carry a login, in the terms of `Operation.security`."""
    found = {headers["authorization"].partition(" ")[0].lower()} if "authorization" in headers else set()
    found |= {f"cookie:{pair.partition('=')[0]}" for pair in headers.get("cookie", "").split("; ") if pair}
    named = {way for choice in alternatives for way in choice if way.startswith("header:")}
    return frozenset(found | {way for way in named if way.removeprefix("header:").lower() in headers})


def reading(schema: Schema, value: str) -> Any:
    """Return a parameter's value, converted from text by its schema's type."""
    kinds = schema.get("type") if isinstance(schema, dict) else None
    if kinds == "integer" and re.fullmatch(r"-?\d+", value):
        return int(value)
    if kinds == "number" and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return float(value)
    return _BOOLEANS.get(value, value) if kinds == "boolean" else value


def _finding(operation: str, place: str, message: str, value: str = "") -> Finding:
    return Finding(Direction.CLIENT, operation, place, message, value)
