"""Compares the SDK's types with a spec's schemas, without a call.

It is a break if the spec has what the SDK does not declare, or accepts less than the SDK sends. It is drift if the SDK
declares what the spec no longer has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from veza import Secret
from veza_contract import seams, shapes
from veza_contract.bindings import KEY_HEADER, Argument, Method, by_operation, table
from veza_contract.cases import edges
from veza_contract.findings import Direction, Finding
from veza_contract.model import JSON_MEDIA, Operation, Spec
from veza_contract.requests import ways
from veza_contract.schema import Schema, closed, covers, problem, properties, text
from veza_contract.sending import TOKEN

_BREAKS: Final = "the SDK does not declare it"
_DRIFTS: Final = "only the SDK still has it"


def check(spec: Spec) -> list[Finding]:
    """Compare the SDK's types with a spec."""
    found: list[Finding] = []
    known = by_operation()
    for operation in spec.operations:
        method = known.get(operation.id)
        if method is None:
            found.append(_finding(operation.id, "operation", "no method of the SDK is for it"))
        else:
            found += check_operation(operation, method)
    missing = known.keys() - spec.by_id().keys()
    return found + [_finding(name, "operation", "is not in the spec") for name in sorted(missing)]


def check_operation(operation: Operation, method: Method) -> list[Finding]:
    """Compare a method's types with its operation."""
    return [*_address(operation), *_parameters(operation, method), *_body(operation, method),
            *_answers(operation, method)]  # fmt: skip


def _address(operation: Operation) -> Iterator[Finding]:
    from veza._operations import BASE_PATH  # noqa: PLC0415 - the SDK's own
    from veza._session import authorize  # noqa: PLC0415

    row = table()[operation.id]
    if (operation.method, operation.path) != (row.method, BASE_PATH + row.path):
        message = f"the spec has {operation.method} {operation.path}, the SDK {row.method} {BASE_PATH}{row.path}"
        yield _finding(operation.id, "path", message)
    carried = ways({name.lower(): value for name, value in authorize(Secret(TOKEN)).items()}, operation.security)
    wanted = (carried,) if row.auth else ()
    if operation.security != wanted:
        asked = " or ".join("+".join(sorted(way)) or "nothing" for way in operation.security) or "nothing"
        own = "+".join(sorted(carried)) if row.auth else "nothing"
        yield _finding(operation.id, "login", f"the spec asks for {asked}, the SDK carries {own}")


def _parameters(operation: Operation, method: Method) -> Iterator[Finding]:
    row = table()[operation.id]
    own = {name: _place(row, name) for name in row.parameters}
    spoken = {name: place for place, name in operation.parameters}
    for name in sorted(own.keys() | spoken.keys()):
        place = f"parameter {name}"
        if own.get(name) != spoken.get(name):
            yield _finding(operation.id, place, f"spec: {spoken.get(name, 'none')}, SDK: {own.get(name, 'none')}")
            continue
        parameter = operation.parameters[own[name], name]
        argument = next((one for one in method.arguments if one.wire == name), None)
        if argument is None:
            yield _finding(operation.id, place, f"{method.label} has no argument for it")
            continue
        if parameter.required != argument.required:
            yield _finding(operation.id, place, f"required: spec {parameter.required}, SDK {argument.required}")
        yield from _both_ways(operation, place, parameter.schema, _sendable(argument, row.parameters[name]))


def _place(row: Any, name: str) -> str:
    if name == KEY_HEADER and row.keyed:
        return "header"
    return "query" if name in row.query else "path"


def _body(operation: Operation, method: Method) -> Iterator[Finding]:
    row = table()[operation.id]
    if (operation.body is None) != (row.body is None):
        yield _finding(operation.id, "body", f"spec: {operation.body is not None}, SDK: {row.body is not None}")
    if operation.body is None or row.body is None:
        return
    if set(operation.body.media) != {JSON_MEDIA} or not operation.body.required:
        what = f"spec: {', '.join(operation.body.media)}, required {operation.body.required}; the SDK always sends JSON"
        yield _finding(operation.id, "body", what)
        return
    schema = operation.body.media[JSON_MEDIA]
    yield from _both_ways(operation, "body", closed(schema), closed(dict(row.body)))
    named = {argument.wire: argument for argument in method.arguments}
    for name, member in properties(schema).items():
        if name not in named:
            yield _finding(operation.id, f"body {name}", f"{method.label} has no argument for it")
        elif name in row.body.get("properties", {}):
            own = _sendable(named[name], row.body["properties"][name])
            yield from _both_ways(operation, f"body {name}", closed(member), closed(own))


def _sendable(argument: Argument, own: Mapping[str, Any]) -> Schema:
    """Return the schema of what the SDK sends for an argument: its type, and its table's restrictions."""
    typed = argument.schema
    if isinstance(typed, dict) and typed.get("type") == "array":
        typed = {**typed, "items": _long_form(typed.get("items", True))}
    return {"allOf": [typed, dict(own)]} if not covers(typed, dict(own)) else dict(own)


def _long_form(items: Schema) -> Schema:
    """Return a schema without the short form of an item, which the SDK expands before sending."""
    if isinstance(items, dict) and "anyOf" in items:
        objects = [one for one in items["anyOf"] if properties(one)]
        return objects[0] if len(objects) == 1 else items
    return items


def _answers(operation: Operation, method: Method) -> Iterator[Finding]:
    row = table()[operation.id]
    documented = {str(status) for status in (*row.statuses, *row.errors)}
    for status in sorted(documented ^ operation.responses.keys()):
        side = "the spec" if status in operation.responses else "the SDK"
        yield _finding(operation.id, f"response {status}", f"only {side} documents it")
    for status, media in operation.responses.items():
        place = f"response {status}"
        if set(media) != {JSON_MEDIA}:
            yield _finding(operation.id, place, f"is {', '.join(media) or 'empty'}; the SDK reads {JSON_MEDIA}")
        elif status in documented:
            own = shapes.success(method) if status.startswith("2") else shapes.failure(method, int(status))
            theirs = closed(media[JSON_MEDIA])
            yield from _both_ways(operation, place, theirs, closed(seams.said_as(own, theirs)))


def _both_ways(operation: Operation, place: str, theirs: Schema, ours: Schema) -> Iterator[Finding]:
    for wide, narrow, message in ((ours, theirs, _BREAKS), (theirs, ours, _DRIFTS)):
        if not covers(wide, narrow):
            value, why = counterexample(wide, narrow)
            yield _finding(operation.id, place, f"{message}: {why}" if why else message, value)


def counterexample(wide: Schema, narrow: Schema) -> tuple[str, str]:
    """Return a value of `narrow` that `wide` refuses, as JSON text, and why; empty texts if none is found."""
    for value in edges(narrow):
        why = problem(wide, value)
        if why is not None:
            return text(value), why
    return "", ""


def _finding(operation: str, place: str, message: str, value: str = "") -> Finding:
    return Finding(Direction.STATIC, operation, place, message, value)
