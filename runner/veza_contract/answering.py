"""Checks that the SDK can read the responses of another spec."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from veza import HealthState
from veza_contract.bindings import error_class
from veza_contract.cases import edges
from veza_contract.findings import Change, Verdict
from veza_contract.model import JSON_MEDIA, Operation
from veza_contract.recursion import carried
from veza_contract.schema import Schema, closed, merged, properties, text
from veza_contract.sides import CONTRACT_FILE, WIRE_FILE, Side
from veza_contract.walking import Answers, Difference, Unsaid, Walk

_SUCCESS: Final = re.compile(r"2(\d\d|XX)", re.IGNORECASE)


def answers(side: Side, theirs: Operation, unsaid: Unsaid) -> Iterator[Change]:
    """Yield the changes of an operation's responses."""
    own = {status: media for status, media in side.ours.responses.items() if _SUCCESS.fullmatch(status)}
    for status, media in theirs.responses.items():
        if not _SUCCESS.fullmatch(status):
            yield from side.guarded(_error(side, status, media), status, WIRE_FILE)
            continue
        meant = [one for one in own if one == status or (_is_range(status) and one not in theirs.responses)]
        if status not in own and not _is_range(status):
            yield side.change(Verdict.DRIFT, status, "is a success that the SDK does not list; it reads it")
        for one in meant or [status]:
            schema = own.get(one, next(iter(own.values()))).get(JSON_MEDIA)
            yield from side.guarded(_success(side, one, schema, media, unsaid), one, side.models)
    if not any(_SUCCESS.fullmatch(status) for status in theirs.responses):
        yield side.change(Verdict.BREAK, "answers", "no success is documented", CONTRACT_FILE)
    ranges = {status[0] for status in theirs.responses if _is_range(status)}
    for status in side.ours.responses.keys() - theirs.responses.keys():
        if status[0] not in ranges and ("default" not in theirs.responses or _SUCCESS.fullmatch(status)):
            yield side.change(Verdict.DRIFT, status, "is not documented any more")


def _is_range(status: str) -> bool:
    return status.upper().endswith("XX")


def _success(
    side: Side, status: str, ours: Schema | None, media: dict[str, Schema], unsaid: Unsaid
) -> Iterator[Change]:
    if ours is None or (side.method is not None and side.method.form == "nothing"):
        return
    if JSON_MEDIA not in media:
        what = f"is {', '.join(media)}; the SDK reads {JSON_MEDIA}" if media else "has no content; the SDK reads data"
        yield side.change(Verdict.BREAK, status, what, WIRE_FILE)
        return
    theirs = media[JSON_MEDIA]
    walk = Answers(unsaid, f"{side.ours.id} {status}")
    if side.ours.id == "getHealth":
        yield from side.changes(_health(walk, theirs), status, side.models)
        return
    page = side.method is not None and side.method.form == "page"
    if _enveloped(theirs):
        yield from side.changes(walk.members(ours, theirs, ""), status, side.models)
    elif page:
        yield side.change(Verdict.BREAK, status, "is not in the envelope, so that meta is missing", WIRE_FILE)
    else:
        yield side.change(Verdict.DRIFT, status, "is not in the envelope; the SDK reads it too")
        data = properties(ours).get("data", True)
        yield from side.changes(walk.members(data, theirs, "data"), status, side.models)


def _health(walk: Walk, theirs: Schema) -> Iterator[Difference]:
    """Compare a health response, which was seen with and without the envelope."""
    bare = carried(theirs, properties(theirs)["data"]) if _enveloped(theirs) else theirs
    if isinstance(bare, dict) and "anyOf" in bare:
        bare = next((one for one in bare["anyOf"] if "status" in properties(one)), bare)
    states = {"type": "string", "enum": [state.value for state in HealthState]}
    own: Schema = {"type": "object", "properties": {"status": states}, "required": ["status"]}
    yield from walk.members(own, bare, "")


def _enveloped(schema: Schema) -> bool:
    """Whether the SDK unwraps the data, by its own rule, whatever else the envelope holds."""
    known = properties(schema)
    return "data" in known and ("success" in known or known.keys() <= {"data", "message", "meta"})


def _error(side: Side, status: str, media: dict[str, Schema]) -> Iterator[Change]:
    if status.isdecimal() and status not in side.ours.responses:
        name = error_class(int(status)).__name__
        yield side.change(Verdict.DRIFT, status, f"is not listed by the SDK, which raises {name}")
    if not media:
        return
    if JSON_MEDIA not in media:
        yield side.change(Verdict.BREAK, status, f"is {', '.join(media)}: message and code are lost", WIRE_FILE)
    elif not _says_why(media[JSON_MEDIA]):
        what = "is in no shape of an error that the SDK reads: message and code are lost"
        value = _example(media[JSON_MEDIA])
        yield side.change(Verdict.BREAK, status, what, WIRE_FILE, value)


def _says_why(schema: Schema) -> bool:
    """Whether the SDK finds a message in an error of this schema."""
    schema = merged(schema)
    if not isinstance(schema, dict):
        return True
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return all(_says_why(one) for one in schema[key])
    known = properties(schema)
    if not known:
        return True
    inner = known.get("error")
    if isinstance(inner, dict) and properties(inner):
        return "message" in properties(inner)
    return "message" in known or inner is not None or "status" in known


def _example(schema: Schema) -> str:
    values: list[Any] = edges(closed(schema))
    return text(max(values, key=lambda value: len(text(value)))) if values else ""
