"""Reads from the SDK's types which operation each public method calls, what it takes and returns."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Final

import pydantic
from pydantic import TypeAdapter

import veza
from veza import AsyncVeza, Veza
from veza_contract.inlining import Inliner
from veza_contract.schema import Schema, pointer

KEY_HEADER: Final = "Idempotency-Key"
_NOT_SENT: Final = frozenset({"self", "deadline", "options"})
_OPERATION: Final = re.compile(r"\(operation (\w+)\)")


@dataclass(frozen=True)
class Argument:
    """An argument of a method.

    Attributes:
        name: its name in the method.
        wire: its name in the request.
        required: whether it is required.
        schema: the JSON schema of its type, without None, which leaves it out.
    """

    name: str
    wire: str
    required: bool
    schema: Schema


@dataclass(frozen=True)
class Method:
    """A public method.

    Attributes:
        resource: the client's attribute that has the method.
        name: its own name.
        operation: the operationId that its documentation names; empty if it names none.
        arguments: those of its arguments that are sent.
        result: the type that it returns.
        module: the file to change, below `sdk/`.
    """

    resource: str
    name: str
    operation: str
    arguments: tuple[Argument, ...]
    result: Any
    module: str

    @property
    def label(self) -> str:
        """The method as a caller writes it."""
        return f"{self.resource}.{self.name}"

    def on(self, client: Veza | AsyncVeza) -> Any:
        """Return the method bound to a client."""
        return getattr(getattr(client, self.resource), self.name)

    @property
    def form(self) -> str:
        """The form of the result: `one`, `list`, `page` or `nothing`."""
        origin = typing.get_origin(self.result)
        if self.result in {None, type(None)}:
            return "nothing"
        return "one" if origin is None else origin.__name__.removeprefix("Async").replace("Listed", "list").lower()

    @property
    def model(self) -> Any:
        """The model in the result; None if it has no model."""
        if self.form == "nothing":
            return None
        inner = typing.get_args(self.result)
        return inner[0] if inner else self.result


@cache
def methods(kind: type[Veza | AsyncVeza] = Veza) -> tuple[Method, ...]:
    """Return the public methods of a client's resources, except those that wait by calling another."""
    names = _names()
    return tuple(
        _method(resource, name, function, names) for resource, name, function in _public(kind) if not _repeats(function)
    )


def waits(kind: type[Veza | AsyncVeza] = Veza) -> dict[str, str]:
    """Return the public methods that wait by calling another, with the operationId that each documents."""
    return {
        f"{resource}.{name}": _documented(function) for resource, name, function in _public(kind) if _repeats(function)
    }


def _public(kind: type[Veza | AsyncVeza]) -> Iterator[tuple[str, str, Any]]:
    for attribute, member in vars(kind).items():
        if isinstance(member, cached_property) and not attribute.startswith("_"):
            resource = _class(inspect.getmodule(kind), member.func.__annotations__["return"])
            for name, function in inspect.getmembers(resource, inspect.isfunction):
                if not name.startswith("_"):
                    yield attribute, name, function


def _documented(function: Any) -> str:
    found = _OPERATION.search(inspect.getdoc(function) or "")
    return found[1] if found else ""


def _repeats(function: Any) -> bool:
    """Whether a method only repeats another method's call at intervals, and sends nothing itself."""
    return "interval" in inspect.signature(function).parameters


def _class(client_module: Any, name: str) -> type:
    """Import the class that an annotation of the client names, from the module that the client names."""
    package = client_module.__name__.rpartition(".")[0]
    module = __import__(f"{package}.{name.removeprefix('Async').lower()}", fromlist=[name])
    found = getattr(module, name)
    assert isinstance(found, type)
    return found


def _names() -> dict[str, Any]:
    """Return names for annotations that the SDK imports for type checkers only."""
    from veza import _listed, _options, _params, _secret, models  # noqa: PLC0415 - the SDK's own types
    from veza._async import paging as async_paging  # noqa: PLC0415
    from veza._sync import paging as sync_paging  # noqa: PLC0415

    names: dict[str, Any] = {"Iterable": Iterable, "AsyncPage": getattr(async_paging, "AsyncPage", None)}
    names |= {"Unpack": typing.Unpack, "CallOptions": _options.CallOptions}
    names |= {name: getattr(models, name) for name in models.__all__}
    names |= {name: value for name, value in vars(_params).items() if not name.startswith("_")}
    return names | {"Secret": _secret.Secret, "Listed": _listed.Listed, "Page": sync_paging.Page}


def _method(resource: str, name: str, function: Any, names: Mapping[str, Any]) -> Method:
    hints = typing.get_type_hints(function, localns=dict(names), include_extras=True)
    arguments = [
        _argument(parameter, hints[parameter.name])
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name not in _NOT_SENT
    ]
    module = function.__module__.replace("._sync.", "._async.").replace(".", "/") + ".py"
    return Method(resource, name, _documented(function), tuple(arguments), hints.get("return"), module)


def _argument(parameter: inspect.Parameter, hint: Any) -> Argument:
    wire = KEY_HEADER if parameter.name == "idempotency_key" else parameter.name
    return Argument(parameter.name, wire, parameter.default is parameter.empty, _sent(hint))


def _sent(hint: Any) -> Schema:
    """Return the JSON schema of an argument as sent: None is left out, a Secret is sent as text."""
    document = TypeAdapter(hint, config=pydantic.ConfigDict(arbitrary_types_allowed=True)).json_schema()
    schema = Inliner(lambda reference: pointer(document, reference))(document)
    if not isinstance(schema, dict) or "anyOf" not in schema:
        return schema
    kept = [one for one in schema["anyOf"] if one != {"type": "null"}]
    distinct = [one for index, one in enumerate(kept) if one not in kept[:index]]
    return distinct[0] if len(distinct) == 1 else {**schema, "anyOf": distinct}


def by_operation() -> dict[str, Method]:
    """Return the methods by the operationId that they document."""
    return {method.operation: method for method in methods() if method.operation}


def table() -> Mapping[str, Any]:
    """Return the SDK's table of operations, which checks each request before it is sent."""
    from veza._operations import OPERATIONS  # noqa: PLC0415 - the SDK's own

    return OPERATIONS


def error_class(status: int) -> type[veza.APIStatusError]:
    """Return the SDK's error class for a status."""
    from veza.errors import error_class as classes  # noqa: PLC0415 - the SDK's own

    return classes(status)


@cache
def declared(model: Any) -> Schema:
    """Return the schema that the SDK's model declares."""
    document = TypeAdapter(model).json_schema(mode="serialization")
    return Inliner(lambda reference: pointer(document, reference))(document)
