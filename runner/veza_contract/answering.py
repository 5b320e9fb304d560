"""Checks that the SDK can read the responses of another spec."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from veza_contract import amounts
from veza_contract.absent import kind_of, meant, nullable, or_null, without_null
from veza_contract.amounts import kinds, stated
from veza_contract.bindings import error_class
from veza_contract.cases import edges
from veza_contract.containment import counterexample
from veza_contract.findings import Change
from veza_contract.model import JSON_MEDIA, Operation
from veza_contract.recursion import carried
from veza_contract.schema import UNREAD, UNSAID, Schema, closed, covers, merged, properties, text
from veza_contract.seams import DECIDES, MONEY
from veza_contract.sides import CONTRACT_FILE, WIRE_FILE, Side
from veza_contract.walking import Difference, Unsaid, Walk, compared, differs_by, is_id, promises

_SUCCESS: Final = re.compile(r"2(\d\d|XX)", re.IGNORECASE)


class Answers(Walk):
    """Compares responses: the backend sends, the SDK reads."""

    def _members(self, ours: Schema, theirs: Schema, place: str) -> Iterator[Difference]:
        ours, theirs = meant(ours, theirs)
        bare = without_null(theirs)
        if nullable(theirs) and kind_of(bare) in {"object", "array"} and not covers(ours, {"type": "null"}):
            yield differs_by("response-null", place, "may be null", ours, theirs)
            yield from self.members(ours, bare, place)
            return
        yield from super()._members(ours, theirs, place)

    def object(self, ours: dict[str, Any], theirs: dict[str, Any], place: str) -> Iterator[Difference]:
        """Yield the differences of an object that the SDK reads."""
        own, other = ours["properties"], theirs.get("properties", {})
        needed, promised = set(ours.get("required", ())), promises(theirs)
        about = compared(ours, theirs)
        for name, schema in own.items():
            at = f"{place}.{name}".lstrip(".")
            if name not in other:
                yield from self._gone(name, at, theirs, about, needed=name in needed)
                continue
            if name in needed and (promised is None or name in theirs.get(UNSAID, ())):
                self.unsaid.required.add(f"{self.where} {place}".strip())
            elif name in needed and name not in (promised or ()):
                yield Difference("response-field-optional", at, "may be missing", about=about)
            elif promised and name in promised and name not in needed:
                yield Difference("response-field-always", at, "is always there now", about=about)
            if name not in needed and nullable(other[name]) and not nullable(schema):
                yield Difference("response-nullable", at, "may be null; the SDK reads it as absent", about=about)
            own_schema, other_schema = meant(carried(ours, schema), carried(theirs, other[name]))
            yield from self.members(own_schema if name in needed else or_null(own_schema), other_schema, at)
        for name in other.keys() - own.keys() - set(MONEY) - {"client_secret"}:
            at = f"{place}.{name}".lstrip(".")
            yield Difference("response-field-added", at, "a field that the SDK keeps as an extra", about=about)

    def _gone(self, name: str, at: str, theirs: dict[str, Any], about: str, *, needed: bool) -> Iterator[Difference]:
        other = theirs.get("properties", {})
        major = name.removesuffix("_cents")
        if major != name and major in MONEY and major in other:
            yield self._major(major, at, theirs, needed=needed)
        elif name == "checkout_url" and "client_secret" in other:
            what = "is gone; a client_secret comes instead: configure checkout_page"
            yield Difference("checkout-secret", at, what, about=about)
        elif needed:
            yield Difference("response-field-gone", at, "is gone", about=about)
        else:
            yield Difference("response-field-dropped", at, "is gone; it was optional", about=about)

    def _major(self, major: str, at: str, theirs: dict[str, Any], *, needed: bool) -> Difference:
        """Return what an amount without `_cents` means."""
        schema, promised = carried(theirs, theirs["properties"][major]), promises(theirs)
        wrong = amounts.unread(schema if needed else without_null(schema))
        if wrong:
            return Difference("money-unread", at, f"comes as {major}, {wrong}", about=text(schema), detail=text(schema))
        if needed and promised is None:
            self.unsaid.required.add(f"{self.where} {at.rpartition('.')[0]}".strip())
        elif needed and major not in (promised or ()):
            what = f"comes as {major}, which may be missing"
            return Difference("response-field-optional", at, what, about=text(schema))
        if "string" in kinds(schema) and not stated(schema):
            self.unsaid.bounds.add(f"{self.where} {at}")
        what = f"comes as {major}, in major units; the SDK reads it exactly"
        return Difference("money-major", at, what, about=text(schema))

    def leaf(self, ours: Schema, theirs: Schema, place: str) -> Iterator[Difference]:
        """Yield the values that they may send and the SDK does not know."""
        if covers(ours, theirs):
            if not covers(theirs, ours) and not _only_null(ours, theirs):
                yield differs_by("response-narrower", place, "holds fewer values than the SDK knows", ours, theirs)
        elif self.looser(without_null(ours), without_null(theirs), place):
            return
        elif covers(_tolerated(ours), theirs):
            what = "is written in another way, which the SDK reads too"
            yield differs_by("response-form", place, what, ours, theirs)
        else:
            value, why = counterexample(ours, closed(theirs))
            if not any(word in place for word in DECIDES) and covers(_any_value(ours), theirs):
                what = "holds values that the SDK does not know; it keeps them"
                yield differs_by("response-values", place, what, ours, theirs, value=value)
                return
            what = (
                f"holds values that the SDK does not know ({why})" if why else "holds values that the SDK does not know"
            )
            yield differs_by("response-wider", place, what, ours, theirs, value=value)


def answers(side: Side, theirs: Operation, unsaid: Unsaid) -> Iterator[Change]:
    """Yield the changes of an operation's responses."""
    own = {status: media for status, media in side.ours.responses.items() if _SUCCESS.fullmatch(status)}
    unread = {note.part for note in theirs.unread}
    if "responses" in unread:
        return
    for status, media in theirs.responses.items():
        if not _SUCCESS.fullmatch(status):
            yield from side.guarded(_error(side, status, media, unsaid), status, WIRE_FILE)
            continue
        meant = [one for one in own if one == status or (_is_range(status) and one not in theirs.responses)]
        if status not in own and not _is_range(status):
            yield side.ruled("success-added", status, "is a success that the SDK does not list; it reads it")
        for one in meant or [status]:
            schema = own.get(one, next(iter(own.values()))).get(JSON_MEDIA)
            yield from side.guarded(_success(side, one, schema, media, unsaid), one, side.models)
    documented = theirs.responses.keys() | unread
    if not any(_SUCCESS.fullmatch(status) for status in documented):
        yield side.ruled("success-missing", "answers", "no success is documented", CONTRACT_FILE)
    ranges = {status[0] for status in documented if _is_range(status)}
    for status in sorted(side.ours.responses.keys() - documented):
        if status[0] not in ranges and ("default" not in documented or _SUCCESS.fullmatch(status)):
            yield side.ruled("status-gone", status, "is not documented any more")


def _is_range(status: str) -> bool:
    return status.upper().endswith("XX")


def _success(
    side: Side, status: str, ours: Schema | None, media: dict[str, Schema], unsaid: Unsaid
) -> Iterator[Change]:
    if side.method is not None and side.method.form == "nothing":
        yield from _unneeded(side, status, ours, media, unsaid)
        return
    if ours is None:
        return
    if JSON_MEDIA not in media:
        if media:
            what = f"is {', '.join(media)}; the SDK reads {JSON_MEDIA}"
            yield side.ruled("response-media", status, what, WIRE_FILE, detail=what)
        else:
            yield side.ruled("response-empty", status, "has no content; the SDK reads data", WIRE_FILE)
        return
    theirs = media[JSON_MEDIA]
    if isinstance(theirs, dict) and UNREAD in theirs:
        what = f"cannot be read: {theirs[UNREAD]}"
        yield side.ruled("incomparable", status, what, side.models, about=what, detail=what)
        return
    walk = Answers(unsaid, f"{side.ours.id} {status}")
    if side.ours.id == "getHealth":
        yield from side.changes(_health(walk, ours, theirs), status, side.models)
        return
    page = side.method is not None and side.method.form == "page"
    if _enveloped(theirs):
        yield from side.changes(walk.members(ours, theirs, ""), status, side.models)
    elif page:
        yield side.ruled("envelope-missing", status, "is not in the envelope, so that meta is missing", WIRE_FILE)
    else:
        yield side.ruled("envelope-bare", status, "is not in the envelope; the SDK reads it too")
        data = properties(ours).get("data", True)
        yield from side.changes(walk.members(data, theirs, "data"), status, side.models)


def _unneeded(
    side: Side, status: str, ours: Schema | None, media: dict[str, Schema], unsaid: Unsaid
) -> Iterator[Change]:
    """Compare an answer of which the SDK needs nothing but that it does not say that it failed."""
    theirs = media.get(JSON_MEDIA)
    said = properties(theirs).get("success", True) if theirs is not None else True
    if theirs is not None and said is not True and not covers(said, {"const": True}) and covers({"const": False}, said):
        what = "says that it failed, with a success status"
        yield side.ruled("response-wider", f"{status} success", what, side.models, detail=text(said))
    elif theirs is not None and _lists_members(theirs) and "required" not in merged(theirs):  # type: ignore[operator]
        unsaid.required.add(f"{side.ours.id} {status}")
    elif theirs is None or (ours is not None and not covers(closed(ours), closed(theirs))):
        yield side.ruled("response-unused", status, "is another answer; the SDK needs nothing of it")


def _health(walk: Walk, ours: Schema, theirs: Schema) -> Iterator[Difference]:
    """Compare a health response, which was seen with and without the envelope."""
    bare, enveloped = ours["anyOf"] if isinstance(ours, dict) and "anyOf" in ours else (ours, ours)
    several = theirs.get("anyOf") or theirs.get("oneOf") if isinstance(theirs, dict) else None
    for one in several or (theirs,):
        alternative = carried(theirs, one)
        yield from walk.members(enveloped if _enveloped(alternative) else bare, alternative, "")


def _enveloped(schema: Schema) -> bool:
    """Whether the SDK unwraps the data, by its own rule, whatever else the envelope holds."""
    known = properties(schema)
    return "data" in known and ("success" in known or known.keys() <= {"data", "message", "meta"})


def _error(side: Side, status: str, media: dict[str, Schema], unsaid: Unsaid) -> Iterator[Change]:
    own = side.ours.responses.get(status)
    if status.isdecimal() and own is None:
        name = error_class(int(status)).__name__
        yield side.ruled("status-added", status, f"is not listed by the SDK, which raises {name}")
    if not media:
        if own:
            yield side.ruled("error-empty", status, "has no content; the SDK's error tells the status alone")
        return
    if JSON_MEDIA not in media:
        what = f"is {', '.join(media)}: message and code are lost"
        yield side.ruled("error-media", status, what, WIRE_FILE, detail=what)
        return
    theirs = media[JSON_MEDIA]
    about = text(theirs)
    if not _says_why(theirs):
        what = "is in no shape of an error that the SDK reads: message and code are lost"
        yield side.ruled("error-shape", status, what, WIRE_FILE, value=_example(theirs), about=about, detail=about)
    elif _lists_members(theirs) and "required" not in merged(theirs):  # type: ignore[operator]
        unsaid.required.add(f"{side.ours.id} {status}")
    elif own and JSON_MEDIA in own and not covers(closed(own[JSON_MEDIA]), closed(theirs)):
        what = "is in another form than the contract has; the SDK finds its words"
        yield side.ruled("error-other", status, what, about=about, detail=about)


def _lists_members(schema: Schema) -> bool:
    return isinstance(schema, dict) and bool(properties(schema))


def _says_why(schema: Schema) -> bool:
    """Whether the SDK finds a message in an error of this schema."""
    schema = merged(schema)
    if not isinstance(schema, dict):
        return True
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return all(_says_why(one) for one in schema[key])
    if not kinds(schema) & {"object", "anything"}:
        return False
    known = properties(schema)
    inner = known.get("error")
    if not known or (isinstance(inner, dict) and properties(inner)):
        return not isinstance(inner, dict) or _is_text(properties(inner).get("message"))
    return any(_is_text(known.get(name)) for name in ("message", "error")) or "status" in known


def _is_text(schema: Schema | None) -> bool:
    return schema is not None and bool(kinds(schema) & {"string", "anything"})


def _example(schema: Schema) -> str:
    values: list[Any] = edges(closed(schema))
    return text(max(values, key=lambda value: len(text(value)))) if values else ""


def _only_null(ours: Schema, theirs: Schema) -> bool:
    return covers(theirs, without_null(ours))


def _any_value(ours: Schema) -> Schema:
    """Return a schema without the lists of its values."""
    if not isinstance(ours, dict):
        return ours
    found = {key: value for key, value in ours.items() if key != "enum"}
    return {**found, "anyOf": [_any_value(one) for one in ours["anyOf"]]} if "anyOf" in ours else found


def _tolerated(ours: Schema) -> Schema:
    """Return a schema widened by what the SDK reads but does not declare: ids of any form."""
    return {"type": ["string", "integer", "null"]} if is_id(ours) and nullable(ours) else (
        {"type": ["string", "integer"]} if is_id(ours) else ours
    )  # fmt: skip
