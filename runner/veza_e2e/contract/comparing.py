"""`contract diff`: what another spec breaks in the SDK, what drifts, what it offers beyond."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from veza_e2e.contract.bindings import Method, by_operation, error_class
from veza_e2e.contract.cases import edges
from veza_e2e.contract.changes import Change, Verdict
from veza_e2e.contract.matching import Match, matches
from veza_e2e.contract.schema import Schema, closed, merged, properties, text
from veza_e2e.contract.spec import ANY_COOKIE, JSON_MEDIA, Operation, Parameter, Spec
from veza_e2e.contract.walking import Answers, Difference, Requests, Unsaid, Walk

CONTRACT_FILE: Final = "sdk/veza/openapi.yaml"
_LOGIN_FILE: Final = "sdk/veza/_session.py"
_WIRE_FILE: Final = "sdk/veza/_wire.py"
_CHECKOUT_FILE: Final = "sdk/veza/_checkout.py"
_SUCCESS: Final = re.compile(r"2(\d\d|XX)", re.IGNORECASE)
_MODELS: Final = {
    "auth": "sdk/veza/models/auth.py",
    "system": "sdk/veza/models/system.py",
    "products": "sdk/veza/models/products.py",
    "orders": "sdk/veza/models/orders.py",
    "licenses": "sdk/veza/models/licenses.py",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared.

    Attributes:
        matches: which operation is which.
        changes: what changed; breaks first.
    """

    matches: tuple[Match, ...]
    changes: tuple[Change, ...]

    @property
    def broken(self) -> bool:
        """Whether the SDK as it is cannot be used with theirs."""
        return any(change.verdict is Verdict.BREAK for change in self.changes)


def compare(ours: Spec, theirs: Spec, entries: Mapping[str, str] | None = None) -> Comparison:
    """Compare another spec with ours, which the SDK was proven against.

    Raises:
        MapError: the map names an operation that ours or theirs does not have.
    """
    found = matches(ours, theirs, entries or {})
    unsaid = Unsaid()
    methods = by_operation()
    changes = [change for match in found for change in _operation(match, methods.get(match.ours.id), unsaid)]
    changes += _left_out(unsaid)
    changes += _beyond(found, theirs)
    order = list(Verdict)
    return Comparison(tuple(found), tuple(sorted(changes, key=lambda change: order.index(change.verdict))))


def _left_out(unsaid: Unsaid) -> Iterator[Change]:
    for places, what in (
        (unsaid.required, "`required` is left out: any field may be missing, for all that it says"),
        (unsaid.bounds, "formats, patterns, bounds or values are left out"),
    ):
        if places:
            first = min(places)
            message = f"{what}; at {len(places)} places, such as {first}; the SDK checks each answer as it comes"
            yield Change(Verdict.DRIFT, "", "", "all of the spec", message)


def _beyond(found: list[Match], theirs: Spec) -> Iterator[Change]:
    taken = {id(match.theirs) for match in found}
    for operation in theirs.operations:
        if id(operation) not in taken:
            message = "an operation that the SDK has no method for"
            yield Change(Verdict.BEYOND, "", "", f"{operation.method} {operation.path}", message)


def _operation(match: Match, method: Method | None, unsaid: Unsaid) -> Iterator[Change]:
    side = _Side(match.ours, method)
    theirs = match.theirs
    if theirs is None:
        hint = f'; if it is {match.like}: --map {match.ours.id}="{match.like}"' if match.like else ""
        yield side.change(Verdict.BREAK, "operation", f"is not in their spec{hint}", CONTRACT_FILE)
        return
    if (theirs.method, theirs.shape) != (match.ours.method, match.ours.shape):
        moved = f"{match.ours.method} {match.ours.path} is {theirs.method} {theirs.path}"
        yield side.change(Verdict.BREAK, "path", moved, CONTRACT_FILE)
    yield from _login(side, theirs)
    yield from _parameters(side, theirs, unsaid)
    yield from _body(side, theirs, unsaid)
    yield from _answers(side, theirs, unsaid)


@dataclass(frozen=True, slots=True)
class _Side:
    ours: Operation
    method: Method | None

    @property
    def label(self) -> str:
        return self.method.label if self.method else ""

    @property
    def calls(self) -> str:
        return f"sdk/{self.method.module}" if self.method else CONTRACT_FILE

    @property
    def models(self) -> str:
        return _MODELS.get(self.method.resource, CONTRACT_FILE) if self.method else CONTRACT_FILE

    def change(self, verdict: Verdict, place: str, message: str, file: str = "", value: str = "") -> Change:
        needed = file if verdict is Verdict.BREAK else ""
        return Change(verdict, self.ours.id, self.label, place, message, value, needed)

    def changes(self, differences: Iterator[Difference], place: str, file: str) -> Iterator[Change]:
        for one in differences:
            where = _CHECKOUT_FILE if one.place.endswith("checkout_url") else file
            yield self.change(one.verdict, f"{place} {one.place}".strip(), one.message, where, one.value)


def _login(side: _Side, theirs: Operation) -> Iterator[Change]:
    ours = side.ours
    if ours.public and theirs.public:
        return
    if theirs.public:
        yield side.change(Verdict.DRIFT, "login", "is not asked for; the SDK carries one")
    elif ours.public:
        yield side.change(Verdict.BREAK, "login", "is asked for, and the SDK carries none", CONTRACT_FILE)
    elif not any(_same_way(one, other) for one in ours.security for other in theirs.security):
        ways = " or ".join("+".join(sorted(way)) for way in theirs.security)
        carried = " or ".join("+".join(sorted(way)) for way in ours.security)
        yield side.change(Verdict.BREAK, "login", f"is carried as {ways}, by the SDK as {carried}", _LOGIN_FILE)


def _same_way(ours: frozenset[str], theirs: frozenset[str]) -> bool:
    if ANY_COOKIE in theirs:
        ours = frozenset(ANY_COOKIE if way.startswith("cookie:") else way for way in ours)
    return ours == theirs


def _parameters(side: _Side, theirs: Operation, unsaid: Unsaid) -> Iterator[Change]:
    own, other = _named(side.ours), _named(theirs)
    for key, parameter in own.items():
        place = f"{parameter.place} {parameter.name}"
        same = other.get(key)
        if same is None:
            moved = next((one for one in other.values() if one.name.lower() == parameter.name.lower()), None)
            what = f"is a {moved.place} parameter there" if moved else "is sent by the SDK, and they do not know it"
            yield side.change(Verdict.BREAK, place, what, CONTRACT_FILE)
            continue
        if same.required and not parameter.required:
            yield side.change(Verdict.BREAK, place, "is required, and the SDK may leave it out", side.calls)
        elif parameter.required and not same.required:
            yield side.change(Verdict.DRIFT, place, "is optional now")
        walk = Requests(unsaid, f"{side.ours.id} {place}")
        yield from side.changes(walk.members(parameter.schema, same.schema, ""), place, side.calls)
    for key, parameter in other.items():
        moved_here = any(one.name.lower() == parameter.name.lower() for one in own.values())
        if key in own or moved_here or _carries_login(parameter, theirs):
            continue
        place = f"{parameter.place} {parameter.name}"
        if parameter.required:
            yield side.change(Verdict.BREAK, place, "is required, and the SDK cannot send it", side.calls)
        else:
            yield side.change(Verdict.BEYOND, place, "can be sent; the SDK has no argument for it")


def _named(operation: Operation) -> dict[tuple[str, str], Parameter]:
    """The parameters by place and name, those of the path by their position: nobody sees their names."""
    positions = re.findall(r"\{([^}]+)\}", operation.path)
    found: dict[tuple[str, str], Parameter] = {}
    for (place, name), parameter in operation.parameters.items():
        key = str(positions.index(name)) if place == "path" and name in positions else name.lower()
        found[place, key if place in {"path", "header"} else name] = parameter
    return found


def _carries_login(parameter: Parameter, operation: Operation) -> bool:
    ways = {f"{parameter.place}:{parameter.name}", parameter.name.lower()}
    return any(ways & way for way in operation.security) or parameter.name.lower() == "authorization"


def _body(side: _Side, theirs: Operation, unsaid: Unsaid) -> Iterator[Change]:
    ours, other = side.ours.body, theirs.body
    if ours is None or other is None:
        if ours is not None:
            yield side.change(Verdict.BREAK, "body", "is sent by the SDK, and they take none", CONTRACT_FILE)
        elif other is not None and other.required:
            yield side.change(Verdict.BREAK, "body", "is required, and the SDK sends none", side.calls)
        elif other is not None:
            yield side.change(Verdict.BEYOND, "body", "can be sent; the SDK sends none")
        return
    if JSON_MEDIA not in other.media:
        taken = ", ".join(other.media) or "nothing"
        yield side.change(Verdict.BREAK, "body", f"is taken as {taken}; the SDK sends {JSON_MEDIA}", _WIRE_FILE)
        return
    walk = Requests(unsaid, f"{side.ours.id} body")
    differences = walk.members(ours.media[JSON_MEDIA], other.media[JSON_MEDIA], "")
    yield from side.changes(differences, "body", side.calls)


def _answers(side: _Side, theirs: Operation, unsaid: Unsaid) -> Iterator[Change]:
    own = {status: media for status, media in side.ours.responses.items() if _SUCCESS.fullmatch(status)}
    for status, media in theirs.responses.items():
        if not _SUCCESS.fullmatch(status):
            yield from _error(side, status, media)
            continue
        if status not in own:
            yield side.change(Verdict.DRIFT, status, "is a success that the SDK does not list; it reads it")
        schema = own.get(status, next(iter(own.values()))).get(JSON_MEDIA)
        yield from _success(side, status, schema, media, unsaid)
    if not any(_SUCCESS.fullmatch(status) for status in theirs.responses):
        yield side.change(Verdict.BREAK, "answers", "no success is documented", CONTRACT_FILE)
    for status in side.ours.responses.keys() - theirs.responses.keys():
        if "default" not in theirs.responses or _SUCCESS.fullmatch(status):
            yield side.change(Verdict.DRIFT, status, "is not documented any more")


def _success(
    side: _Side, status: str, ours: Schema | None, media: dict[str, Schema], unsaid: Unsaid
) -> Iterator[Change]:
    if ours is None or (side.method is not None and side.method.form == "nothing"):
        return
    if JSON_MEDIA not in media:
        what = f"is {', '.join(media)}; the SDK reads {JSON_MEDIA}" if media else "has no content; the SDK reads data"
        yield side.change(Verdict.BREAK, status, what, _WIRE_FILE)
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
        yield side.change(Verdict.BREAK, status, "is not in the envelope, so that meta is missing", _WIRE_FILE)
    else:
        yield side.change(Verdict.DRIFT, status, "is not in the envelope; the SDK reads it too")
        data = properties(ours).get("data", True)
        yield from side.changes(walk.members(data, theirs, "data"), status, side.models)


def _health(walk: Walk, theirs: Schema) -> Iterator[Difference]:
    """A health answer is bare or enveloped; both were seen, so either will do."""
    bare = properties(theirs).get("data", theirs) if _enveloped(theirs) else theirs
    if isinstance(bare, dict) and "anyOf" in bare:
        bare = next((one for one in bare["anyOf"] if "status" in properties(one)), bare)
    state = {"type": "string", "enum": ["healthy", "unhealthy"]}
    own: Schema = {"type": "object", "properties": {"status": state}, "required": ["status"]}
    yield from walk.members(own, bare, "")


def _enveloped(schema: Schema) -> bool:
    known = properties(schema)
    return "data" in known and known.keys() <= {"success", "data", "message", "meta", "error", "errors"}


def _error(side: _Side, status: str, media: dict[str, Schema]) -> Iterator[Change]:
    if status.isdecimal() and status not in side.ours.responses:
        name = error_class(int(status)).__name__
        yield side.change(Verdict.DRIFT, status, f"is not listed by the SDK, which raises {name}")
    if not media:
        return
    if JSON_MEDIA not in media:
        yield side.change(Verdict.BREAK, status, f"is {', '.join(media)}: message and code are lost", _WIRE_FILE)
    elif not _says_why(media[JSON_MEDIA]):
        what = "is in no shape of an error that the SDK reads: message and code are lost"
        value = _example(media[JSON_MEDIA])
        yield side.change(Verdict.BREAK, status, what, _WIRE_FILE, value)


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
