"""Compares the SDK's schema with another spec's schema, member by member."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from veza_contract.absent import kind_of, meant, nullable, or_null, without_null
from veza_contract.amounts import kinds, stated, unread
from veza_contract.containment import counterexample
from veza_contract.findings import Verdict
from veza_contract.recursion import carried, opened, within
from veza_contract.schema import UNUSABLE, Schema, SchemaError, closed, covers, text
from veza_contract.seams import MONEY

ID_PATTERN: Final = "^[A-Za-z0-9_-]+$"
_BOUNDS: Final = frozenset({
    "pattern", "format", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "minItems", "maxItems", "uniqueItems", "enum", "const",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference at one place below the two schemas."""

    verdict: Verdict
    place: str
    message: str
    value: str = ""


@dataclass
class Unsaid:
    """Collects what the other spec never states, to report it once with all places."""

    required: set[str] = field(default_factory=set)
    bounds: set[str] = field(default_factory=set)


class Walk:
    """Compares schemas in one direction.

    Args:
        unsaid: collects what is left out.
        where: the operation's name in `unsaid`.
    """

    def __init__(self, unsaid: Unsaid, where: str) -> None:
        self.unsaid = unsaid
        self.where = where
        self._pairs: set[tuple[str, str] | None] = set()

    def members(self, ours: Schema, theirs: Schema, place: str) -> Iterator[Difference]:
        """Yield the differences of two schemas. An invalid part of theirs is a difference at its place."""
        try:
            ours, theirs = opened(ours), opened(theirs)
            pair = (text(ours), text(theirs)) if _recursive(ours) and _recursive(theirs) else None
            if pair in self._pairs:
                return
            if pair:
                self._pairs.add(pair)
            yield from self._members(ours, theirs, place)
            self._pairs.discard(pair)
        except UNUSABLE as error:
            yield Difference(Verdict.BREAK, place, incomparable(error))

    def _members(self, ours: Schema, theirs: Schema, place: str) -> Iterator[Difference]:
        if kind_of(ours) == kind_of(theirs) == "object" and "properties" in ours:  # type: ignore[operator]
            assert isinstance(ours, dict)
            assert isinstance(theirs, dict)
            yield from self.object(ours, theirs, place)
        elif kind_of(ours) == kind_of(theirs) == "array":
            assert isinstance(ours, dict)
            assert isinstance(theirs, dict)
            bare_ours, bare_theirs = _without(ours, {"items", "$defs"}), _without(theirs, {"items", "$defs"})
            yield from self.leaf(bare_ours, bare_theirs, place)
            yield from self.members(within(ours, "items"), within(theirs, "items"), f"{place}[]")
        elif _named_freely(ours) and _named_freely(theirs):
            more = "additionalProperties"
            yield from self.members(within(ours, more), within(theirs, more), f"{place}.*")
        elif nullable(ours) and nullable(theirs):
            yield from self.members(without_null(ours), without_null(theirs), place)
        else:
            yield from self.leaf(ours, theirs, place)

    def object(self, ours: dict[str, Any], theirs: dict[str, Any], place: str) -> Iterator[Difference]:
        """Yield the differences of two objects. Their meaning depends on who sends them."""
        raise NotImplementedError

    def leaf(self, ours: Schema, theirs: Schema, place: str) -> Iterator[Difference]:
        """Yield the difference of two schemas that have no members to compare."""
        raise NotImplementedError

    def looser(self, ours: Schema, theirs: Schema, place: str) -> bool:
        """Whether theirs only omits bounds; notes that in `unsaid`."""
        if not isinstance(ours, dict) or not isinstance(theirs, dict):
            return False
        ours = _typed(ours)
        lacking = _BOUNDS & (ours.keys() - theirs.keys())
        if lacking and text(_without(ours, lacking)) == text(theirs):
            self.unsaid.bounds.add(f"{self.where} {place}")
            return True
        return False


class Answers(Walk):
    """Compares responses: the backend sends, the SDK reads."""

    def _members(self, ours: Schema, theirs: Schema, place: str) -> Iterator[Difference]:
        yield from super()._members(*meant(ours, theirs), place)

    def object(self, ours: dict[str, Any], theirs: dict[str, Any], place: str) -> Iterator[Difference]:
        """Yield the differences of an object that the SDK reads."""
        own, other = ours["properties"], theirs.get("properties", {})
        needed, promised = set(ours.get("required", ())), _promised(theirs)
        for name, schema in own.items():
            at = f"{place}.{name}".lstrip(".")
            if name not in other:
                yield from self._gone(name, at, theirs, needed=name in needed)
                continue
            if promised is None and name in needed:
                self.unsaid.required.add(f"{self.where} {place}".strip())
            elif name in needed and name not in (promised or ()):
                yield Difference(Verdict.BREAK, at, "may be missing")
            elif promised and name in promised and name not in needed:
                yield Difference(Verdict.DRIFT, at, "is always there now")
            own_schema, other_schema = meant(carried(ours, schema), carried(theirs, other[name]))
            yield from self.members(own_schema if name in needed else or_null(own_schema), other_schema, at)
        for name in other.keys() - own.keys() - set(MONEY) - {"client_secret"}:
            yield Difference(Verdict.BEYOND, f"{place}.{name}".lstrip("."), "a field that the SDK keeps as an extra")

    def _gone(self, name: str, at: str, theirs: dict[str, Any], *, needed: bool) -> Iterator[Difference]:
        other = theirs.get("properties", {})
        major = name.removesuffix("_cents")
        if major != name and major in MONEY and major in other:
            yield self._major(major, at, theirs, needed=needed)
        elif name == "checkout_url" and "client_secret" in other:
            yield Difference(Verdict.BREAK, at, "is gone; a client_secret comes instead: configure checkout_page")
        elif needed:
            yield Difference(Verdict.BREAK, at, "is gone")
        else:
            yield Difference(Verdict.DRIFT, at, "is gone; it was optional")

    def _major(self, major: str, at: str, theirs: dict[str, Any], *, needed: bool) -> Difference:
        """Return what an amount without `_cents` means."""
        schema, promised = carried(theirs, theirs["properties"][major]), _promised(theirs)
        wrong = unread(schema if needed else without_null(schema))
        if wrong:
            return Difference(Verdict.BREAK, at, f"comes as {major}, {wrong}")
        if needed and promised is None:
            self.unsaid.required.add(f"{self.where} {at.rpartition('.')[0]}".strip())
        elif needed and major not in (promised or ()):
            return Difference(Verdict.BREAK, at, f"comes as {major}, which may be missing")
        if "string" in kinds(schema) and not stated(schema):
            self.unsaid.bounds.add(f"{self.where} {at}")
        return Difference(Verdict.DRIFT, at, f"comes as {major}, in major units; the SDK reads it exactly")

    def leaf(self, ours: Schema, theirs: Schema, place: str) -> Iterator[Difference]:
        """Yield the values that they may send and the SDK does not know."""
        if covers(ours, theirs):
            if not covers(theirs, ours) and not _only_null(ours, theirs):
                yield Difference(Verdict.DRIFT, place, "holds fewer values than the SDK knows")
        elif self.looser(without_null(ours), without_null(theirs), place):
            return
        elif covers(_tolerated(ours), theirs):
            yield Difference(Verdict.DRIFT, place, "is written in another way, which the SDK reads too")
        else:
            value, why = counterexample(ours, closed(theirs))
            yield Difference(Verdict.BREAK, place, f"holds values that the SDK does not know ({why})", value)


class Requests(Walk):
    """Compares requests: the SDK sends, the backend reads."""

    def object(self, ours: dict[str, Any], theirs: dict[str, Any], place: str) -> Iterator[Difference]:
        """Yield the differences of an object that the SDK sends."""
        own, other = ours["properties"], theirs.get("properties", {})
        always, needed = set(ours.get("required", ())), set(_promised(theirs) or ())
        for name, schema in own.items():
            at = f"{place}.{name}".lstrip(".")
            if name in other:
                if name in needed and name not in always:
                    yield Difference(Verdict.BREAK, at, "is required, and the SDK may leave it out")
                elif name in always and name not in needed and "required" in theirs:
                    yield Difference(Verdict.DRIFT, at, "is optional now")
                yield from self.members(carried(ours, schema), carried(theirs, other[name]), at)
            elif theirs.get("additionalProperties", False) is False or name in always:
                yield Difference(Verdict.BREAK, at, "is sent by the SDK, and they do not know it")
            elif name in needed:
                yield Difference(Verdict.BREAK, at, "is required, and the SDK may leave it out")
            else:
                yield Difference(Verdict.DRIFT, at, "is not named any more, and still let through")
        for name in other.keys() - own.keys():
            at = f"{place}.{name}".lstrip(".")
            if name in needed:
                yield Difference(Verdict.BREAK, at, "is required, and the SDK cannot send it")
            else:
                yield Difference(Verdict.BEYOND, at, "can be sent; the SDK has no argument for it")
        for name in sorted(needed - other.keys() - own.keys()):
            at = f"{place}.{name}".lstrip(".")
            yield Difference(Verdict.BREAK, at, "is required and nowhere described, and the SDK cannot send it")

    def leaf(self, ours: Schema, theirs: Schema, place: str) -> Iterator[Difference]:
        """Yield the values that the SDK may send and they refuse."""
        if covers(theirs, ours):
            if not covers(ours, theirs) and not self.looser(ours, theirs, place):
                yield Difference(Verdict.DRIFT, place, "takes more than the SDK sends")
        elif _is_id(ours) and _is_some_id(theirs):
            yield Difference(Verdict.DRIFT, place, "ids have another form; they are sent as they came")
        else:
            value, why = counterexample(theirs, closed(ours))
            yield Difference(Verdict.BREAK, place, f"takes less than the SDK may send ({why})", value)


def incomparable(error: Exception) -> str:
    """Return the difference for an invalid part of their spec."""
    said = next(iter(str(error).splitlines()), type(error).__name__)
    return f"cannot be compared: {said:.160}"


def _promised(schema: dict[str, Any]) -> list[str] | None:
    found = schema.get("required")
    if found is None or (isinstance(found, list) and all(isinstance(name, str) for name in found)):
        return found
    raise SchemaError(f"`required` of a schema is a list of names, not {found!r:.60}")


def _recursive(schema: Schema) -> bool:
    return isinstance(schema, dict) and "$defs" in schema


def _typed(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with its type, which a constant implies."""
    if isinstance(schema.get("const"), bool):
        return {**schema, "type": "boolean"}
    return {**schema, "type": "string"} if isinstance(schema.get("const"), str) else schema


def _named_freely(schema: Schema) -> bool:
    """Whether it is an object with free names, whose members all have one schema."""
    more = schema.get("additionalProperties") if isinstance(schema, dict) else None
    return isinstance(more, dict) and "properties" not in schema  # type: ignore[operator]


def _without(schema: dict[str, Any], keys: frozenset[str] | set[str]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in keys}


def _only_null(ours: Schema, theirs: Schema) -> bool:
    return covers(theirs, without_null(ours))


def _is_id(schema: Schema) -> bool:
    bare = without_null(schema)
    return isinstance(bare, dict) and bare.get("pattern") == ID_PATTERN


def _is_some_id(schema: Schema) -> bool:
    bare = without_null(schema)
    return isinstance(bare, dict) and bare.get("type") in ("integer", "string") and "enum" not in bare


def _tolerated(ours: Schema) -> Schema:
    """Return a schema widened by what the SDK reads but does not declare: ids of any form."""
    return {"type": ["string", "integer", "null"]} if _is_id(ours) and nullable(ours) else (
        {"type": ["string", "integer"]} if _is_id(ours) else ours
    )  # fmt: skip
