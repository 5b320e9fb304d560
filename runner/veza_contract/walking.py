"""Compares the SDK's schema with another spec's schema, member by member."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from veza_contract.absent import kind_of, nullable, without_null
from veza_contract.findings import Verdict
from veza_contract.recursion import opened, within
from veza_contract.rules import verdict
from veza_contract.schema import UNREAD, UNUSABLE, Schema, SchemaError, text, unread

ID_PATTERN: Final = "^[A-Za-z0-9_-]+$"
_BOUNDS: Final = frozenset({
    "pattern", "format", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "minItems", "maxItems", "uniqueItems", "enum", "const",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference at one place below the two schemas."""

    rule: str
    place: str
    message: str
    value: str = ""
    about: str = ""
    detail: str = ""

    @property
    def verdict(self) -> Verdict:
        """What it means for today's SDK."""
        return verdict(self.rule)


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
            if isinstance(theirs, dict) and UNREAD in theirs:
                yield incomparable_part(place, f"cannot be read: {theirs[UNREAD]}", theirs)
                return
            pair = (text(ours), text(theirs)) if _recursive(ours) and _recursive(theirs) else None
            if pair in self._pairs:
                return
            if pair:
                self._pairs.add(pair)
            yield from self._members(ours, theirs, place)
            self._pairs.discard(pair)
        except UNUSABLE as error:
            yield incomparable_part(place, incomparable(error), theirs)

    def _members(self, ours: Schema, theirs: Schema, place: str) -> Iterator[Difference]:
        if kind_of(ours) == kind_of(theirs) == "object" and "properties" in ours:  # type: ignore[operator]
            assert isinstance(ours, dict)
            assert isinstance(theirs, dict)
            yield from self.object(ours, theirs, place)
        elif kind_of(ours) == kind_of(theirs) == "array":
            assert isinstance(ours, dict)
            assert isinstance(theirs, dict)
            bare_ours, bare_theirs = without(ours, {"items", "$defs"}), without(theirs, {"items", "$defs"})
            yield from self.leaf(bare_ours, bare_theirs, place)
            yield from self.members(within(ours, "items"), within(theirs, "items"), f"{place}[]")
        elif _named_freely(ours) and _named_freely(theirs):
            more = "additionalProperties"
            yield from self.members(within(ours, more), within(theirs, more), f"{place}.*")
        elif nullable(ours) and nullable(theirs):
            yield from self.members(without_null(ours), without_null(theirs), place)
        elif why := unread(theirs):
            yield incomparable_part(place, f"cannot be read: {why}", theirs)
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
        if lacking and text(without(ours, lacking)) == text(theirs):
            self.unsaid.bounds.add(f"{self.where} {place}")
            return True
        return False


def incomparable(error: Exception) -> str:
    """Return the difference for an invalid part of their spec."""
    said = next(iter(str(error).splitlines()), type(error).__name__)
    return f"cannot be compared: {said:.160}"


def incomparable_part(place: str, what: str, theirs: Schema) -> Difference:
    """Return the difference for a part of theirs that is not compared."""
    return Difference("incomparable", place, what, about=text(theirs), detail=text(theirs))


def differs_by(rule: str, place: str, what: str, ours: Schema, theirs: Schema, *, value: str = "") -> Difference:
    """Return a difference that lasts as long as their schema stays the same."""
    return Difference(rule, place, what, value, compared(ours, theirs), text(theirs))


def compared(ours: Schema, theirs: Schema) -> str:
    """Return what was compared, as one text."""
    return f"{text(ours)} {text(theirs)}"


def promises(schema: dict[str, Any]) -> list[str] | None:
    """Return the required members of an object; None if it says nothing of them.

    Raises:
        SchemaError: it is not a list of names.
    """
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
    more = schema.get("additionalProperties") if isinstance(schema, dict) and kind_of(schema) == "object" else None
    return isinstance(more, dict) and "properties" not in schema  # type: ignore[operator]


def without(schema: dict[str, Any], keys: frozenset[str] | set[str]) -> dict[str, Any]:
    """Return a schema without some of its keywords."""
    return {key: value for key, value in schema.items() if key not in keys}


def is_id(schema: Schema) -> bool:
    """Whether a schema of ours is that of an id."""
    bare = without_null(schema)
    return isinstance(bare, dict) and bare.get("pattern") == ID_PATTERN
