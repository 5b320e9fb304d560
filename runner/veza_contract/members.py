"""The members of a real answer, against what the SDK's models read and declare."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import jsonschema_rs
from pydantic import TypeAdapter, ValidationError

from veza.models import Model, OpenEnum
from veza.models._amounts import unread, with_cents
from veza_contract import amounts
from veza_contract.amounts import kinds
from veza_contract.bindings import Method, declared
from veza_contract.findings import Change, Verdict
from veza_contract.schema import Schema, closed, merged, properties, validator
from veza_contract.seams import CHECKOUT, DECIDES, MONEY, PAGE
from veza_contract.sides import CONTRACT_FILE, Side
from veza_contract.told import component, expected, kind, part_of_name, plain, same_name, shown_value, written

Place: TypeAlias = "tuple[Any, ...]"

_CENTS: Final = "_cents"
_ALIKE: Final = 0.75
_ANY_PAGE: Final = PAGE.format_map(dict.fromkeys(CHECKOUT, "x"))
_AMOUNTS_FILE: Final = "sdk/veza/models/_amounts.py"
CHECKOUT_SETTING: Final = "veza-e2e.toml ([env.NAME] checkout_page)"
"""What mends an answer that gives a client secret in place of the checkout's URL."""


def members(side: Side, method: Method, data: Any, place: str) -> Iterator[Change]:
    """Yield what differs in an answer's data, member by member, each difference once.

    Args:
        side: the operation.
        method: the SDK's method for it.
        data: what stands in the envelope.
        place: where it stood.
    """
    model = method.model if method.form == "one" else tuple[method.model, ...]  # type: ignore[name-defined]
    data = [] if data is None else data
    if side.ours.id == "createOrder" and isinstance(data, dict) and _secret_given(data):
        message = "missing; a client secret is given in its place: say where the page is"
        yield side.change(Verdict.BREAK, f"{place}.checkout_url", message, CHECKOUT_SETTING)
        data = {name: one for name, one in data.items() if name not in CHECKOUT} | {"checkout_url": _ANY_PAGE}
    adapted = with_cents(data)
    walk = _Members(side, method, model, data, place)
    yield from dict.fromkeys([*walk.refused(adapted), *walk.differing(adapted)])


def _secret_given(data: Mapping[str, Any]) -> bool:
    order = data.get("order")
    beside = order if isinstance(order, dict) else {}
    return "checkout_url" not in data and all(isinstance(data.get(n, beside.get(n)), str) for n in CHECKOUT)


class _Members:
    """One answer's members."""

    def __init__(self, side: Side, method: Method, model: Any, data: Any, place: str) -> None:
        self._side, self._model, self._data, self._place = side, model, data, place
        self._name = method.model.__name__
        self._schema = closed(declared(model))
        self._told: set[Place] = set()
        self._adapted = data

    def refused(self, adapted: Any) -> Iterator[Change]:
        """Yield what the SDK's models refuse."""
        try:
            read = TypeAdapter(self._model).validate_python(adapted)
        except ValidationError as error:
            wrongs = error.errors(include_url=False, include_context=False, include_input=False)
        else:
            if lost := unread(read):
                self._told.add(lost[0])
                yield self._side.change(Verdict.BREAK, self._shown(lost[0]), lost[1], _AMOUNTS_FILE)
            return
        for wrong in wrongs:
            where = wrong["loc"]
            self._told.add(where)
            if wrong["type"] == "missing":
                message, other = self._instead(where)
                self._told |= {(*where[:-1], other)} if other else set()
                message = f"missing, and the SDK needs it{message}"
            else:
                message = f"{kind(_value_at(self._data, where))}; the SDK reads {expected(self._at(where), where)}"
            yield self._side.change(Verdict.BREAK, self._shown(where), message, self._file(where))

    def _instead(self, where: Place) -> tuple[str, str]:
        """Say what may be there in the place of a missing member; return its name too."""
        name, around = str(where[-1]), _value_at(self._data, where[:-1])
        if not isinstance(around, dict):
            return "", ""
        known = properties(self._at(where[:-1]))
        free = {str(one): value for one, value in around.items() if one not in known}
        major = name.removesuffix(_CENTS)
        if major != name and major in free:
            why = "which the SDK cannot read exactly"
            if not isinstance(around.get("currency"), str):
                why = "without a `currency` beside it"
            return f": `{major}` ({kind(free[major])}) is there, {why}", major
        alike = [one for one in free if same_name(one, name) or same_name(one, major)]
        alike = alike or difflib.get_close_matches(name, free, n=1, cutoff=_ALIKE)
        alike = alike or [one for one in free if part_of_name(one, major)]
        return (f": is it `{written(alike[0])}` ({kind(free[alike[0]])})?", alike[0]) if alike else ("", "")

    def differing(self, adapted: Any) -> Iterator[Change]:
        """Yield what the SDK reads, though it is not as its models declare it; and members that it does not know."""
        self._adapted = adapted
        for where, error in _errors(validator(self._schema).iter_errors(plain(adapted))):
            said = error.kind.as_dict()
            if error.kind.name == "additionalProperties":
                unknown = [(*where, name) for name in said["unexpected"]]
                yield from (self._unknown(one) for one in unknown if one not in self._told)
            elif error.kind.name == "required":
                absent = (*where, said["property"])
                if absent not in self._told:
                    message = "left out; the SDK reads it as absent"
                    yield self._side.change(Verdict.DRIFT, self._shown(absent), message)
            elif where not in self._told:
                yield from self._other(where, _value_at(adapted, where))

    def _unknown(self, where: Place) -> Change:
        name, value = str(where[-1]), _value_at(self._data, where)
        if name not in MONEY or value is None or f"{name}{_CENTS}" in _value_at(self._data, where[:-1]):
            return self._side.change(Verdict.BEYOND, self._shown(where), f"{kind(value)} that the SDK does not know")
        if f"{name}{_CENTS}" not in _value_at(self._adapted, where[:-1]):
            message = f"{kind(value)}: an amount that the SDK cannot read exactly"
            return self._side.change(Verdict.BREAK, self._shown(where), message, _AMOUNTS_FILE)
        if isinstance(value, int):
            message = f"{amounts.unread({'type': 'integer'})}; the SDK reads it as major units"
            file = f"{CONTRACT_FILE} ({name} or {name}{_CENTS})"
            return self._side.change(Verdict.BREAK, self._shown(where), message, file)
        message = f"a decimal; the SDK reads it exactly, as {name}{_CENTS}"
        return self._side.change(Verdict.DRIFT, self._shown(where), message)

    def _other(self, where: Place, value: Any) -> Iterator[Change]:
        schema = self._at(where)
        state = _enum_at(self._model, where) if isinstance(value, str) and _enumerated(schema) else None
        if state is not None and value and (read := state(value)).known:
            message = f"{shown_value(value)}, which the SDK reads as '{read}'"
            yield self._side.change(Verdict.DRIFT, self._shown(where), message)
        elif state is not None:
            decides = any(word in str(step) for step in where[-2:] for word in DECIDES)
            message = f"{shown_value(value)}, a value that the SDK does not know"
            verdict = Verdict.BREAK if decides and value else Verdict.DRIFT
            yield self._side.change(verdict, self._shown(where), message, self._side.models)
        elif not (isinstance(value, int) and "string" in kinds(schema)):  # ids are read in either form
            own, other = kind(value), expected(schema, where)
            said = f"{own} in another form than the contract has" if own == other else f"{own}, not {other}"
            message = f"{said}; the SDK reads it all the same"
            yield self._side.change(Verdict.DRIFT, self._shown(where), message)

    def _at(self, where: Place) -> Schema:
        schema = self._schema
        for step in where:
            schema = _opened(schema)
            if not isinstance(schema, dict):
                return True
            inner = schema.get("items") if isinstance(step, int) else properties(schema).get(step)
            schema = schema.get("additionalProperties", True) if inner is None else inner
        return schema

    def _shown(self, where: Place) -> str:
        return self._place + "".join("[]" if isinstance(step, int) else f".{written(step)}" for step in where)

    def _file(self, where: Place) -> str:
        """The SDK's module, and the place in the contract."""
        place = component(self._name, [str(step) for step in where if isinstance(step, str)])
        return f"{self._side.models}, {CONTRACT_FILE} ({place})" if place else self._side.models


def _errors(found: Iterable[jsonschema_rs.ValidationError]) -> Iterator[tuple[Place, jsonschema_rs.ValidationError]]:
    """Yield errors with their places; of several schemas that all fail, those of the one for this kind of value."""
    for error in found:
        where = tuple(error.instance_path)
        several = error.kind.as_dict().get("context", ()) if error.kind.name in {"anyOf", "oneOf"} else ()
        fitting = [some for some in several if not any(tuple(one.instance_path) == where and
                   one.kind.name in {"type", "enum"} for one in some)]  # fmt: skip
        if fitting:
            yield from _errors(fitting[0])
        else:
            yield where, error


def _enum_at(model: Any, where: Place) -> type[OpenEnum] | None:
    """The states at a place of a model; where it may be an object or a text, those of the object's status."""
    found = list(_classes(model))
    for step in where:
        fields = [one.model_fields[step] for one in found if issubclass(one, Model) and step in one.model_fields]
        found = list(_classes(fields[0].annotation)) if fields else found
    states = [one for one in found if issubclass(one, OpenEnum)]
    inner = [one for one in found if issubclass(one, Model) and "status" in one.model_fields]
    return states[0] if states else _enum_at(inner[0], ("status",)) if inner else None


def _classes(annotation: Any) -> Iterator[type]:
    arguments = typing.get_args(annotation)
    if not arguments and isinstance(annotation, type):
        yield annotation
    for one in arguments:
        yield from _classes(one)


def _enumerated(schema: Schema) -> Sequence[Any]:
    if not isinstance(schema, dict):
        return ()
    parts = [schema, *schema.get("anyOf", ())]
    return [value for part in parts if isinstance(part, dict) for value in part.get("enum", ())]


def _opened(schema: Schema) -> Schema:
    """The one schema with members, of several."""
    schema = merged(schema)
    parts = schema.get("anyOf") if isinstance(schema, dict) else None
    rest = [part for part in parts or () if part != {"type": "null"}]
    return merged(rest[0]) if len(rest) == 1 else next(filter(properties, rest), schema)


def _value_at(value: Any, where: Place) -> Any:
    for step in where:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value
