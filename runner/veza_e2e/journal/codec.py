"""Turns events into a line's members and back. A line that does not fit its type is kept, never interpreted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from veza_e2e.canonical import JSON
from veza_e2e.journal.events import Event, UnknownEvent
from veza_e2e.journal.readings import Compared, DashboardRead, OrderNamed, PageOffered, RowsRead

Fits = Callable[[object], bool]

_READINGS: tuple[type[Event], ...] = (Compared, DashboardRead, OrderNamed, PageOffered, RowsRead)
_TYPES: dict[str, type[Event]] = {
    kind.__name__: kind for kind in (*Event.__subclasses__(), *_READINGS) if kind is not UnknownEvent
}
_PLAIN: dict[object, Fits] = {
    str: lambda value: isinstance(value, str),
    int: lambda value: isinstance(value, int) and not isinstance(value, bool),
    bool: lambda value: isinstance(value, bool),
    NoneType: lambda value: value is None,
}


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
    if kind is None:
        return UnknownEvent(name=name, data=data)
    members: dict[str, Any] = {}
    for member, (fits, required) in _members(name).items():
        if member in data:
            if not fits(data[member]):
                return UnknownEvent(name=name, data=data)
            members[member] = _frozen(data[member])
        elif required:
            return UnknownEvent(name=name, data=data)
    return kind(**members)


def _frozen(value: JSON) -> JSON:
    return tuple(value) if isinstance(value, list) else value


@cache
def _members(name: str) -> dict[str, tuple[Fits, bool]]:
    kind = _TYPES[name]
    hints = get_type_hints(kind, localns={"JSON": object, "Sequence": Sequence, "Mapping": Mapping})
    return {f.name: (_fits(hints[f.name]), f.default is MISSING and f.default_factory is MISSING) for f in fields(kind)}


def _fits(hint: Any) -> Fits:
    """Whether a value read from JSON has the type; for the types that events use."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, arguments = get_origin(hint), get_args(hint)
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
        return lambda value: isinstance(value, Mapping) and all(map(held, value.values()))
    return lambda _: True
