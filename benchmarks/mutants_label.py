"""What a mutation is, by comparing the two specs alone, on closed schemas."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from veza_contract.model import Body, Operation, Spec
from veza_contract.schema import Schema, closed, covers


class Label(StrEnum):
    BREAKING = "breaking"
    DRIFT = "drift"
    EQUIVALENT = "equivalent"


def label(old: Spec, new: Spec) -> Label:
    """Say what a mutation is, by the two specs alone, on closed schemas."""
    found: set[Label] = set()
    theirs = new.by_id()
    if theirs.keys() - old.by_id().keys():
        found.add(Label.DRIFT)
    for operation in old.operations:
        other = theirs.get(operation.id)
        found |= {Label.BREAKING} if other is None else set(_differences(operation, other))
    return Label.BREAKING if Label.BREAKING in found else Label.DRIFT if found else Label.EQUIVALENT


def _differences(old: Operation, new: Operation) -> Iterator[Label]:
    if (old.method, old.shape) != (new.method, new.shape):
        yield Label.BREAKING
    if old.security != new.security:
        yield Label.DRIFT if new.public else Label.BREAKING
    yield from _parameter_differences(old, new)
    yield from _body_differences(old.body, new.body)
    for status in old.responses.keys() - new.responses.keys():
        del status
        yield Label.DRIFT
    for status, media in new.responses.items():
        if status not in old.responses or media.keys() != old.responses[status].keys():
            yield Label.BREAKING
            continue
        for name, schema in media.items():
            yield from _read(old.responses[status][name], schema)


def _parameter_differences(old: Operation, new: Operation) -> Iterator[Label]:
    for key, parameter in old.parameters.items():
        other = new.parameters.get(key)
        if other is None:
            yield Label.BREAKING
            continue
        if other.required != parameter.required:
            yield Label.BREAKING if other.required else Label.DRIFT
        yield from _sent(parameter.schema, other.schema)
    for key in new.parameters.keys() - old.parameters.keys():
        yield Label.BREAKING if new.parameters[key].required else Label.DRIFT


def _body_differences(old: Body | None, new: Body | None) -> Iterator[Label]:
    if old is None or new is None:
        if old is not new:
            yield Label.BREAKING if new is None or new.required else Label.DRIFT
        return
    if old.required != new.required:
        yield Label.BREAKING if new.required else Label.DRIFT
    if old.media.keys() != new.media.keys():
        yield Label.BREAKING
        return
    for name, schema in old.media.items():
        yield from _sent(schema, new.media[name])


def _sent(old: Schema, new: Schema) -> Iterator[Label]:
    """A request may only become wider."""
    if not covers(closed(new), closed(old)):
        yield Label.BREAKING
    elif not covers(closed(old), closed(new)):
        yield Label.DRIFT


def _read(old: Schema, new: Schema) -> Iterator[Label]:
    """An answer may only become narrower."""
    if not covers(closed(old), closed(new)):
        yield Label.BREAKING
    elif not covers(closed(new), closed(old)):
        yield Label.DRIFT
