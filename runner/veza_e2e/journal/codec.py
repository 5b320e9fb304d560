"""Turns events into a line's members and back. A line that does not fit its type is kept, never interpreted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from veza_e2e.canonical import JSON
from veza_e2e.journal.events import Event, UnknownEvent
from veza_e2e.journal.readings import Compared, DashboardRead, OrderNamed, PageOffered, RowsRead

T = TypeVar("T")
Fits = Callable[[object], bool]

_READINGS: tuple[type[Event], ...] = (Compared, DashboardRead, OrderNamed, PageOffered, RowsRead)
_TYPES: dict[str, type[Event]] = {
    kind.__name__: kind for kind in (*Event.__subclasses__(), *_READINGS) if kind is not UnknownEvent
}
_PLAIN = frozenset({str, int, bool, NoneType})


def to_data(event: Event) -> dict[str, JSON]:
    """Return the event's own members for its line."""
    if isinstance(event, UnknownEvent):
        return dict(event.data)
    return {f.name: getattr(event, f.name) for f in fields(event)}


def from_data(name: str, data: Mapping[str, JSON]) -> Event:
    """Return the event that a line of type `name` holds.

    Unknown members are ignored. A line with a missing member, or one of the wrong type, becomes an `UnknownEvent`, so
    that journals of other schemas, and forged ones, stay readable.
    """
    kind = _TYPES.get(name)
    found = None if kind is None else fitted(kind, data)
    return UnknownEvent(name=name, data=data) if found is None else found


def fitted(kind: type[T], data: Mapping[str, JSON]) -> T | None:
    """Return the dataclass that holds these members; None if one is missing or of the wrong type."""
    members: dict[str, Any] = {}
    for member, fits, required in _members(kind):  # type: ignore[arg-type]  # a class can be hashed
        if member in data:
            value = data[member]
            if not fits(value):
                return None
            members[member] = tuple(value) if isinstance(value, list) else value
        elif required:
            return None
    return kind(**members)


@cache
def _members(kind: type) -> list[tuple[str, Fits, bool]]:
    hints = get_type_hints(kind, localns={"JSON": object, "Sequence": Sequence, "Mapping": Mapping})
    return [(f.name, _fits(hints[f.name]), f.default is MISSING and f.default_factory is MISSING) for f in fields(kind)]


def _fits(hint: Any) -> Fits:
    """Whether a value read from JSON has the type; for the types that events use."""
    origin, arguments = get_origin(hint), get_args(hint)
    plain = frozenset(arguments or (hint,))
    if plain <= _PLAIN and origin in {None, Union, UnionType}:
        return lambda value: type(value) in plain
    if origin in {Union, UnionType}:
        choices = [_fits(argument) for argument in arguments]
        return lambda value: any(choice(value) for choice in choices)
    if origin is Literal:
        return lambda value: isinstance(value, str) and value in arguments
    if origin is tuple:
        item = _fits(arguments[0])
        return lambda value: isinstance(value, list | tuple) and all(map(item, value))
    if origin is Mapping:
        held = _fits(arguments[1])
        return lambda value: isinstance(value, (dict, Mapping)) and all(map(held, value.values()))
    return lambda _: True
