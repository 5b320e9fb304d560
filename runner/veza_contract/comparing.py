"""Compares another spec with ours for `contract diff`: what breaks the SDK, what drifts, what is extra."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from veza_contract.answering import answers
from veza_contract.bindings import Method, by_operation
from veza_contract.findings import Change, Verdict
from veza_contract.matching import Match, matches
from veza_contract.model import ANY_COOKIE, JSON_MEDIA, Operation, Parameter, Spec
from veza_contract.sides import CONTRACT_FILE, WIRE_FILE, Side
from veza_contract.walking import Requests, Unsaid

_LOGIN_FILE: Final = "sdk/veza/_session.py"
_TOKEN_WAYS: Final = frozenset({"oauth2", "openIdConnect"})


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of a comparison.

    Attributes:
        matches: the pairs of operations.
        changes: the changes, breaks first.
    """

    matches: tuple[Match, ...]
    changes: tuple[Change, ...]

    @property
    def broken(self) -> bool:
        """Whether the SDK cannot be used with their spec."""
        return any(change.verdict is Verdict.BREAK for change in self.changes)


def compare(ours: Spec, theirs: Spec, entries: Mapping[str, str] | None = None) -> Comparison:
    """Compare another spec with ours, which the SDK is tested against.

    Raises:
        MapError: the map names an operation that ours or theirs does not have.
    """
    found = matches(ours, theirs, entries or {})
    unsaid = Unsaid()
    methods = by_operation()
    changes = [change for match in found for change in _operation(match, methods.get(match.ours.id), unsaid)]
    changes += _left_out(unsaid)
    if not theirs.based:
        message = f"no base path is said; taken to be {theirs.base}, as with us"
        changes.append(Change(Verdict.DRIFT, "", "", "servers", message))
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
    side = Side(match.ours, method)
    theirs = match.theirs
    if theirs is None:
        hint = f'; if it is {match.like}: --map {match.ours.id}="{match.like}"' if match.like else ""
        yield side.change(Verdict.BREAK, "operation", f"is not in their spec{hint}", CONTRACT_FILE)
        return
    if (theirs.method, theirs.shape) != (match.ours.method, match.ours.shape):
        moved = f"{match.ours.method} {match.ours.path} is {theirs.method} {theirs.path}"
        yield side.change(Verdict.BREAK, "path", moved, CONTRACT_FILE)
    yield from _login(side, theirs)
    yield from side.guarded(_parameters(side, theirs, unsaid), "parameters", side.calls)
    yield from side.guarded(_body(side, theirs, unsaid), "body", side.calls)
    yield from side.guarded(answers(side, theirs, unsaid), "answers", side.models)


def _login(side: Side, theirs: Operation) -> Iterator[Change]:
    ours = side.ours
    if ours.public and theirs.public:
        return
    if theirs.public:
        yield side.change(Verdict.DRIFT, "login", "is not asked for; the SDK carries one")
    elif ours.public:
        yield side.change(Verdict.BREAK, "login", "is asked for, and the SDK carries none", CONTRACT_FILE)
    elif any(_same_way(one, other) for one in ours.security for other in theirs.security):
        return
    elif any(_same_way(one, _as_bearer(other)) for one in ours.security for other in theirs.security):
        yield side.change(Verdict.DRIFT, "login", "is by OAuth or OpenID: taken for a bearer token")
    else:
        ways = " or ".join("+".join(sorted(way)) for way in theirs.security)
        carried = " or ".join("+".join(sorted(way)) for way in ours.security)
        yield side.change(Verdict.BREAK, "login", f"is carried as {ways}, by the SDK as {carried}", _LOGIN_FILE)


def _same_way(ours: frozenset[str], theirs: frozenset[str]) -> bool:
    if ANY_COOKIE in theirs:
        ours = frozenset(ANY_COOKIE if way.startswith("cookie:") else way for way in ours)
    return ours == theirs


def _as_bearer(theirs: frozenset[str]) -> frozenset[str]:
    return frozenset("bearer" if way in _TOKEN_WAYS else way for way in theirs)


def _parameters(side: Side, theirs: Operation, unsaid: Unsaid) -> Iterator[Change]:
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


def _body(side: Side, theirs: Operation, unsaid: Unsaid) -> Iterator[Change]:
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
        yield side.change(Verdict.BREAK, "body", f"is taken as {taken}; the SDK sends {JSON_MEDIA}", WIRE_FILE)
        return
    walk = Requests(unsaid, f"{side.ours.id} body")
    differences = walk.members(ours.media[JSON_MEDIA], other.media[JSON_MEDIA], "")
    yield from side.changes(differences, "body", side.calls)
