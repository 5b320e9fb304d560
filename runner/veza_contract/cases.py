"""Makes valid values of a schema: its edges, and generated values. The same seed gives the same values."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase

from veza_contract.schema import Schema, closed, merged, text, validator
from veza_contract.texts import texts

_MOST_ITEMS: Final = 60
_DEEPEST: Final = 12
_ANYTHING: Final[tuple[Any, ...]] = (None, "", "x", 0, 1.5, True, [], {}, {"a": [1, {"b": None}]})
_EVERY_TYPE: Final = ("null", "boolean", "integer", "number", "string", "array", "object")
_INTEGERS: Final = (0, 1, -1, 20, 2**31, 2**53 - 1)


def edges(schema: Schema) -> list[Any]:
    """Return values at the edges of a schema: each enum value, each bound, each property alone and all together."""
    return [json.loads(one) for one in _edges(text(schema))]


@lru_cache(maxsize=4096)
def _edges(schema: str) -> tuple[str, ...]:
    parsed = json.loads(schema)
    valid = validator(parsed).is_valid
    found = dict.fromkeys(text(value) for value in _values(parsed, 0) if valid(value))
    return tuple(found)


def _values(schema: Schema, depth: int) -> Iterator[Any]:
    if isinstance(schema, bool):
        yield from _ANYTHING if schema else ()
        return
    schema = merged(schema)
    assert isinstance(schema, dict)
    if depth > _DEEPEST or "$ref" in schema:
        return
    if "const" in schema:
        yield schema["const"]
        return
    if "enum" in schema:
        yield from schema["enum"]
        return
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            beside = {name: value for name, value in schema.items() if name != key}
            for branch in schema[key]:
                yield from _values(_both(beside, branch), depth)
            return
    kinds = schema.get("type") or _implied(schema)
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        yield from _of_type(kind, schema, depth)


def _both(beside: dict[str, Any], branch: Schema) -> Schema:
    return branch if not beside or not isinstance(branch, dict) else {**beside, **branch}


def _implied(schema: dict[str, Any]) -> tuple[str, ...]:
    return ("object",) if "properties" in schema else _EVERY_TYPE


def _of_type(kind: str, schema: dict[str, Any], depth: int) -> Iterator[Any]:
    match kind:
        case "string":
            yield from texts(schema)
        case "integer" | "number":
            yield from _numbers(schema)
            if kind == "number":
                yield 0.5
        case "boolean":
            yield from (True, False)
        case "null":
            yield None
        case "array":
            yield from _arrays(schema, depth)
        case "object":
            yield from _objects(schema, depth)
        case _:
            return


def _numbers(schema: dict[str, Any]) -> Iterator[int]:
    for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        if isinstance(schema.get(key), int | float):
            bound = int(schema[key])
            yield from (bound, bound + 1, bound - 1)
    yield from _INTEGERS


def _arrays(schema: dict[str, Any], depth: int) -> Iterator[list[Any]]:
    yield []
    members = list(itertools.islice(_values(schema.get("items", True), depth + 1), 400))
    if not members:
        return
    least, most = schema.get("minItems", 0), min(schema.get("maxItems", 3), _MOST_ITEMS)
    first = [members[index % len(members)] for index in range(max(least, 1))]
    for member in members:
        yield [member, *first[1:]]
    for length in {least, most}:
        yield [members[index % len(members)] for index in range(length)]


def _objects(schema: dict[str, Any], depth: int) -> Iterator[dict[str, Any]]:
    known = schema.get("properties", {})
    needed = [name for name in schema.get("required", ()) if name in known]
    values = {name: list(itertools.islice(_values(one, depth + 1), 400)) for name, one in known.items()}
    values = {name: some for name, some in values.items() if some}
    whole = {name: some[0] for name, some in values.items()}
    least = {name: value for name, value in whole.items() if name in needed}
    yield least
    yield whole
    for name, first in whole.items():
        if name not in needed:
            yield {**least, name: first}
            yield {other: value for other, value in whole.items() if other != name}
    for name, some in values.items():
        for value in some[1:]:
            yield {**whole, name: value}
    more = schema.get("additionalProperties")
    if isinstance(more, dict):
        yield {}
        for index, value in enumerate(itertools.islice(_values(more, depth + 1), 100)):
            yield {**least, f"name{index}": value}


def fuzz(schema: Schema, count: int, seed: int) -> list[Any]:
    """Return generated values of a schema: at most `count`, each valid.

    The schema becomes the request body of a made-up spec, because only requests can be generated.
    """
    return [json.loads(one) for one in _fuzz(text(closed(schema)), count, seed)] if count else []


@lru_cache(maxsize=4096)
def _fuzz(schema: str, count: int, seed: int) -> tuple[str, ...]:
    parsed = json.loads(schema)
    operation = schemathesis.openapi.from_dict(_mirror(parsed))["/mirror"]["POST"]
    valid = validator(parsed).is_valid
    found: dict[str, None] = {}

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @hypothesis.given(operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE))
    def collect(case: schemathesis.Case[Any]) -> None:
        if valid(case.body):
            found.setdefault(json.dumps(case.body, ensure_ascii=True))

    collect()
    return tuple(found)


def _mirror(schema: Schema) -> dict[str, Any]:
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    post = {"operationId": "mirror", "requestBody": body, "responses": {"200": {"description": "ok"}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "mirror", "version": "1"},
        "servers": [{"url": "http://127.0.0.1"}],
        "paths": {"/mirror": {"post": post}},
    }
