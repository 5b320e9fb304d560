"""Calls every public method of the SDK with arguments of its own types, and catches each request."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from veza import AsyncVeza, Veza, VezaError
from veza.errors import InvalidRequestError
from veza_contract.bindings import Method, methods, table
from veza_contract.cases import edges, fuzz
from veza_contract.schema import Schema, text, validator

ADDRESS: Final = "http://veza.test"
# Not one literal: Hypothesis draws on the literals of local modules, and the SDK masks its token in what it reads.
_PARTS: Final = ("contract", "token")
TOKEN: Final = "|".join(_PARTS)


_PLAIN_ARGUMENT: Final = "argument-of-the-contract-check"


@dataclass(frozen=True)
class Sent:
    """A call and the request that it made.

    Attributes:
        method: the SDK's method.
        arguments: the arguments of the call.
        asynchronous: whether the async client was used.
        request: the request; None if the SDK refused the arguments.
    """

    method: Method
    arguments: dict[str, Any]
    asynchronous: bool
    request: httpx.Request | None


def argument_sets(method: Method, count: int, seed: int) -> list[dict[str, Any]]:
    """Return arguments for a method: the edges of each argument's type, and generated ones.

    The bounds come only from the SDK, from its types and its table, never from the spec.
    """
    parts = {argument.name: _parts(method, argument.wire, argument.schema) for argument in method.arguments}
    required = [argument.name for argument in method.arguments if argument.required]
    if method.resource == "auth":
        required = [argument.name for argument in method.arguments if argument.schema != {"type": "boolean"}]
    found: dict[str, dict[str, Any]] = {}
    for one in _combined(parts, required):
        found.setdefault(text(one), one)
    whole: Schema = {
        "type": "object",
        "properties": {name: some[-1] for name, some in parts.items()},
        "required": required,
    }
    for one in map(_whole_numbers, fuzz(whole, count if parts else 0, seed)):
        found.setdefault(text(one), one)
    return list(found.values())


def _whole_numbers(value: Any) -> Any:
    """Turn `1.0` into `1`: an integer in JSON, but a float in Python, and no argument is a float."""
    if isinstance(value, dict):
        return {name: _whole_numbers(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def ordinary(method: Method) -> dict[str, Any]:
    """Return arguments that no response repeats, so that a response is not mistaken for the request."""
    found: dict[str, Any] = {}
    for argument in method.arguments:
        schemas = _parts(method, argument.wire, argument.schema)
        choices = [_PLAIN_ARGUMENT, [_PLAIN_ARGUMENT], *(value for schema in schemas for value in edges(schema))]
        fitting = (one for one in choices if all(validator(schema).is_valid(one) for schema in schemas[:1]))
        found[argument.name] = next(fitting)
    return found


def _parts(method: Method, wire: str, schema: Schema) -> list[Schema]:
    row = table().get(method.operation)
    if row is None:
        return [schema]
    own = row.parameters.get(wire) or (row.body or {}).get("properties", {}).get(wire)
    return [schema] if own is None else [schema, dict(own)]


def _combined(parts: dict[str, list[Schema]], required: list[str]) -> Iterator[dict[str, Any]]:
    values = {name: [value for schema in some for value in edges(schema)] for name, some in parts.items()}
    whole = {name: _fitting(parts[name], some) for name, some in values.items()}
    least = {name: value for name, value in whole.items() if name in required}
    yield least
    yield whole
    for name, some in values.items():
        for value in some:
            yield {**whole, name: value}
        if name not in required:
            yield {**least, name: whole[name]}


def allowed(method: Method, arguments: Mapping[str, Any]) -> bool:
    """Whether the SDK's types and table allow these arguments."""
    for argument in method.arguments:
        if argument.name not in arguments:
            continue
        value = arguments[argument.name]
        own = _parts(method, argument.wire, argument.schema)[1:]
        if not validator(argument.schema).is_valid(value):
            return False
        if not all(validator(schema).is_valid(meant(value)) for schema in own):
            return False
    return True


def meant(value: Any) -> Any:
    """Return an argument's long form: a product id among the items is short for an item."""
    if isinstance(value, list):
        return [{"product_id": item} if isinstance(item, str) else item for item in value]
    return value


def _fitting(schemas: list[Schema], values: list[Any]) -> Any:
    """Return the first value that all schemas allow, so that only one argument at a time is at its edge."""
    return next((one for one in values if all(validator(schema).is_valid(one) for schema in schemas)), values[0])


def sent(count: int, seed: int, *, asynchronous: bool) -> list[Sent]:
    """Call every method with every set of arguments; nothing leaves the process.

    Args:
        count: generated sets of arguments for each method, in addition to the edges.
        seed: the same seed gives the same arguments.
        asynchronous: whether to use the async client.
    """
    calls = [
        (method, arguments)
        for method in methods(AsyncVeza if asynchronous else Veza)
        for arguments in argument_sets(method, count, seed)
    ]
    return asyncio.run(_all_async(calls)) if asynchronous else list(_all_sync(calls))


class _Catcher:
    def __init__(self) -> None:
        self.caught: httpx.Request | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.caught = request
        return httpx.Response(400, json={"success": False, "error": "caught"})


def _all_sync(calls: Iterable[tuple[Method, dict[str, Any]]]) -> Iterator[Sent]:
    catcher = _Catcher()
    with httpx.Client(transport=httpx.MockTransport(catcher)) as http:
        client = Veza(ADDRESS, access_token=TOKEN, max_retries=0, http_client=http)
        for method, arguments in calls:
            catcher.caught = None
            try:
                method.on(client)(**arguments)
            except InvalidRequestError:
                yield Sent(method, arguments, asynchronous=False, request=None)
                continue
            except VezaError:
                pass
            yield Sent(method, arguments, asynchronous=False, request=catcher.caught)


async def _all_async(calls: Iterable[tuple[Method, dict[str, Any]]]) -> list[Sent]:
    catcher = _Catcher()
    found: list[Sent] = []
    async with httpx.AsyncClient(transport=httpx.MockTransport(catcher)) as http:
        client = AsyncVeza(ADDRESS, access_token=TOKEN, max_retries=0, http_client=http)
        for method, arguments in calls:
            catcher.caught = None
            try:
                await method.on(client)(**arguments)
            except InvalidRequestError:
                found.append(Sent(method, arguments, asynchronous=True, request=None))
                continue
            except VezaError:
                pass
            found.append(Sent(method, arguments, asynchronous=True, request=catcher.caught))
    return found
