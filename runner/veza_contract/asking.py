"""Checks that another spec's operations take what the SDK sends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from veza_contract.absent import without_null
from veza_contract.amounts import kinds
from veza_contract.containment import counterexample
from veza_contract.findings import Change
from veza_contract.model import JSON_MEDIA, Operation, Parameter
from veza_contract.recursion import carried
from veza_contract.schema import UNSAID, Schema, closed, covers, unread
from veza_contract.sides import CONTRACT_FILE, WIRE_FILE, Side
from veza_contract.walking import (
    Difference,
    Unsaid,
    Walk,
    compared,
    differs_by,
    incomparable_part,
    is_id,
    promises,
    without,
)

_OF_MEMBERS: Final = frozenset({"type", "properties", "required", "additionalProperties", "$defs", UNSAID})


class Requests(Walk):
    """Compares requests: the SDK sends, the backend reads.

    Args:
        unsaid: collects what is left out.
        where: the operation's name in `unsaid`.
        ids: the types in which their answers have ids, if ids are sent with their types.
    """

    def __init__(self, unsaid: Unsaid, where: str, ids: frozenset[str] = frozenset()) -> None:
        super().__init__(unsaid, where)
        self._ids = ids

    def object(self, ours: dict[str, Any], theirs: dict[str, Any], place: str) -> Iterator[Difference]:
        """Yield the differences of an object that the SDK sends."""
        own, other = ours["properties"], theirs.get("properties", {})
        always, needed = set(ours.get("required", ())), set(promises(theirs) or ())
        about = compared(ours, theirs)

        def differs(rule: str, name: str, what: str) -> Difference:
            return Difference(rule, f"{place}.{name}".lstrip("."), what, about=about)

        for name, schema in own.items():
            if name in other:
                if name in needed and name not in always:
                    yield differs("request-field-required", name, "is required, and the SDK may leave it out")
                elif name in always and name not in needed and "required" in theirs:
                    yield differs("request-field-optional", name, "is optional now")
                at = f"{place}.{name}".lstrip(".")
                yield from self.members(carried(ours, schema), carried(theirs, other[name]), at)
            elif theirs.get("additionalProperties", False) is False or name in always:
                yield differs("request-field-unknown", name, "is sent by the SDK, and they do not know it")
            elif name in needed:
                yield differs("request-field-required", name, "is required, and the SDK may leave it out")
            else:
                yield differs("request-field-unnamed", name, "is not named any more, and still let through")
        for name in sorted((other.keys() | needed) - own.keys()):
            described = "" if name in other else " and nowhere described"
            if name in needed:
                what = f"is required{described}, and the SDK cannot send it"
                yield differs("request-field-unsendable", name, what)
            else:
                yield differs("request-field-added", name, "can be sent; the SDK has no argument for it")
        yield from self._whole(ours, theirs, place)

    def _whole(self, ours: dict[str, Any], theirs: dict[str, Any], place: str) -> Iterator[Difference]:
        """Yield what theirs asks of the object as a whole, beside its members, if the SDK does not always fulfil it."""
        rest = {key: one for key, one in theirs.items() if key not in _OF_MEMBERS}
        if not rest:
            return
        if why := unread(rest):
            yield incomparable_part(place, f"cannot be read: {why}", rest)
        elif not covers(carried(theirs, rest), closed(ours)):
            value, why = counterexample(carried(theirs, rest), closed(ours))
            named = ", ".join(sorted(_keywords(rest)))
            what = f"is refused by {named} ({why})" if why else f"may be refused by {named}: it cannot be compared"
            yield differs_by("request-restricted", place, what, ours, rest, value=value)

    def leaf(self, ours: Schema, theirs: Schema, place: str) -> Iterator[Difference]:
        """Yield the values that the SDK may send and they refuse."""
        if covers(theirs, ours):
            if not covers(ours, theirs) and not self.looser(ours, theirs, place):
                yield differs_by("request-wider", place, "takes more than the SDK sends", ours, theirs)
        elif is_id(ours) and _is_some_id(theirs) and self._ids <= kinds(theirs):
            yield differs_by(
                "request-id-form", place, "ids have another form; they are sent as they came", ours, theirs
            )
        elif _mail(theirs) and covers(without(theirs, {"format"}), ours):  # type: ignore[arg-type]
            what = "must be an e-mail address; the SDK sends what it is given"
            yield differs_by("request-format", place, what, ours, theirs)
        else:
            value, why = counterexample(theirs, closed(ours))
            what = f"takes less than the SDK may send ({why})" if why else "takes less than the SDK may send"
            yield differs_by("request-narrower", place, what, ours, theirs, value=value)


def parameters(side: Side, theirs: Operation, unsaid: Unsaid) -> Iterator[Change]:
    """Yield the changes of an operation's parameters."""
    own, other = _named(side.ours), _named(theirs)
    for key, parameter in own.items():
        place = f"{parameter.place} {parameter.name}"
        same = other.get(key)
        if same is None and any(note.part == "parameters" for note in theirs.unread):
            continue
        if same is None:
            moved = next((one for one in other.values() if one.name.lower() == parameter.name.lower()), None)
            what = f"is a {moved.place} parameter there" if moved else "is sent by the SDK, and they do not know it"
            yield side.ruled("parameter-moved" if moved else "parameter-unknown", place, what, CONTRACT_FILE)
            continue
        if same.required and not parameter.required:
            yield side.ruled("parameter-required", place, "is required, and the SDK may leave it out", side.calls)
        elif parameter.required and not same.required:
            yield side.ruled("parameter-optional", place, "is optional now")
        walk = Requests(unsaid, f"{side.ours.id} {place}")
        yield from side.changes(walk.members(parameter.schema, same.schema, ""), place, side.calls)
    for key, parameter in other.items():
        moved_here = any(one.name.lower() == parameter.name.lower() for one in own.values())
        if key in own or moved_here or _carries_login(parameter, theirs):
            continue
        place = f"{parameter.place} {parameter.name}"
        if parameter.required:
            yield side.ruled("parameter-unsendable", place, "is required, and the SDK cannot send it", side.calls)
        else:
            yield side.ruled("parameter-added", place, "can be sent; the SDK has no argument for it")


def _named(operation: Operation) -> dict[tuple[str, str], Parameter]:
    """Return parameters by place and name; path parameters by position, since their names are never sent."""
    positions = re.findall(r"\{([^}]+)\}", operation.path)
    found: dict[tuple[str, str], Parameter] = {}
    for (place, name), parameter in operation.parameters.items():
        key = str(positions.index(name)) if place == "path" and name in positions else name.lower()
        found[place, key if place in {"path", "header"} else name] = parameter
    return found


def _carries_login(parameter: Parameter, operation: Operation) -> bool:
    ways = {f"{parameter.place}:{parameter.name}", parameter.name.lower()}
    return any(ways & way for way in operation.security) or parameter.name.lower() == "authorization"


def body(side: Side, theirs: Operation, unsaid: Unsaid, ids: frozenset[str]) -> Iterator[Change]:
    """Yield the changes of an operation's body. `ids` are the types in which their answers have products' ids."""
    ours, other = side.ours.body, theirs.body
    if any(note.part == "body" for note in theirs.unread):
        return
    if ours is None or other is None:
        if ours is not None:
            yield side.ruled("body-unknown", "body", "is sent by the SDK, and they take none", CONTRACT_FILE)
        elif other is not None and other.required:
            yield side.ruled("body-required", "body", "is required, and the SDK sends none", side.calls)
        elif other is not None:
            yield side.ruled("body-added", "body", "can be sent; the SDK sends none")
        return
    if JSON_MEDIA not in other.media:
        taken = ", ".join(other.media) or "nothing"
        what = f"is taken as {taken}; the SDK sends {JSON_MEDIA}"
        yield side.ruled("body-media", "body", what, WIRE_FILE, detail=taken)
        return
    walk = Requests(unsaid, f"{side.ours.id} body", ids)
    differences = walk.members(ours.media[JSON_MEDIA], other.media[JSON_MEDIA], "")
    yield from side.changes(differences, "body", side.calls)


def _is_some_id(schema: Schema) -> bool:
    bare = without_null(schema)
    return isinstance(bare, dict) and bare.get("type") in ("integer", "string") and "enum" not in bare


def _keywords(rest: Mapping[str, Any]) -> frozenset[str]:
    """Return the keywords of a schema, those within its `allOf` for it."""
    inner = [one for one in rest.get("allOf", ()) if isinstance(one, dict)]
    return frozenset(rest.keys() - {"allOf"}).union(*map(_keywords, inner))


def _mail(schema: Schema) -> bool:
    return isinstance(schema, dict) and schema.get("format") == "email"
