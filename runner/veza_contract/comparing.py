"""Compares another spec with ours for `contract diff`: what breaks the SDK, what drifts, what is extra."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final

from veza_contract.amounts import kinds
from veza_contract.answering import answers
from veza_contract.asking import body, parameters
from veza_contract.bindings import by_operation
from veza_contract.findings import Change, Verdict
from veza_contract.matching import Match, matches
from veza_contract.model import ANY_COOKIE, JSON_MEDIA, Note, Operation, Spec
from veza_contract.recursion import carried, opened, within
from veza_contract.rules import verdict
from veza_contract.schema import properties
from veza_contract.sides import CONTRACT_FILE, Side
from veza_contract.walking import Unsaid

_POINTER: Final = re.compile(r"\((#/[^ ]*)\)")
_LOGIN_FILE: Final = "sdk/veza/_session.py"
TOKEN_WAYS: Final = frozenset({"oauth2", "openIdConnect"})
LOGS_IN: Final = frozenset({"login", "refreshToken"})
_PRODUCTS: Final = frozenset({"listProducts", "getProduct"})


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
    def compared(self) -> int:
        """How many of our operations their spec has."""
        return sum(match.theirs is not None for match in self.matches)

    @property
    def broken(self) -> bool:
        """Whether the SDK cannot be used with their spec, or a part of one of our operations could not be read."""
        return not self.compared or any(map(breaks, self.changes))


def breaks(change: Change) -> bool:
    """Whether a change stops the SDK, or may: a part of one of our operations that cannot be read."""
    return change.verdict is Verdict.BREAK or (change.rule == "unread" and bool(change.operation))


def compare(ours: Spec, theirs: Spec, entries: Mapping[str, str] | None = None, *, partial: bool = False) -> Comparison:
    """Compare another spec with ours, which the SDK is tested against.

    Args:
        ours: our spec.
        theirs: the other one.
        entries: by our operationId, which of theirs it is.
        partial: compare only the operations that theirs has.

    Raises:
        MapError: the map names an operation that ours or theirs does not have.
    """
    found = matches(ours, theirs, entries or {})
    unsaid, methods, ids = Unsaid(), by_operation(), _product_ids(found)
    changes = list(chain.from_iterable(
        _operation(Side(match.ours, methods.get(match.ours.id)), match, unsaid, ids, partial=partial) for match in found
    ))  # fmt: skip
    changes += _left_out(unsaid)
    if not theirs.based:
        message = f"no base path is said; taken to be {theirs.base}, as with us"
        changes.append(_general("base-assumed", "servers", message))
    changes += _beyond(found, theirs, {pointer for one in changes for pointer in _POINTER.findall(one.message)})
    order = list(Verdict)
    return Comparison(tuple(found), tuple(sorted(changes, key=lambda change: order.index(change.verdict))))


def _general(rule: str, place: str, message: str) -> Change:
    return Change(verdict(rule), "", "", place, message, rule=rule)


def _left_out(unsaid: Unsaid) -> Iterator[Change]:
    for rule, places, what in (
        ("required-unsaid", unsaid.required, "`required` is left out: any field may be missing, for all that it says"),
        ("bounds-unsaid", unsaid.bounds, "formats, patterns, bounds or values are left out"),
    ):
        if places:
            first = min(places)
            message = f"{what}; at {len(places)} places, such as {first}; the SDK checks each answer as it comes"
            yield _general(rule, "all of the spec", message)


def _beyond(found: list[Match], theirs: Spec, told: set[str]) -> Iterator[Change]:
    """Yield what is not ours: their other operations, and what of their spec cannot be read and is not told yet."""
    taken = {match.theirs.entry for match in found if match.theirs is not None}
    notes = [note for note in theirs.notes if note.place.rpartition(" ")[2] not in told]
    for entry in theirs.entries:
        if entry not in taken:
            yield _general(
                "operation-added", f"{entry.method} {entry.path}", "an operation that the SDK has no method for"
            )
            known = {note.place.rpartition(" ")[2] for note in notes}
            notes += [note for note in entry.reader.odd(entry) if note.place not in known]
    for note in notes:
        yield _general("unread", note.place, note.message)


def _operation(side: Side, match: Match, unsaid: Unsaid, ids: frozenset[str], *, partial: bool) -> Iterator[Change]:
    theirs = match.theirs
    if theirs is None:
        hint = f'; if it is {match.like}: --map {match.ours.id}="{match.like}"' if match.like else ""
        if partial:
            yield side.ruled("not-compared", "operation", f"is not in their spec{hint}")
        else:
            yield side.ruled("operation-missing", "operation", f"is not in their spec{hint}", CONTRACT_FILE)
        return
    if (theirs.method, theirs.shape) != (match.ours.method, match.ours.shape):
        moved = f"{match.ours.method} {match.ours.path} is {theirs.method} {theirs.path}"
        yield side.ruled("operation-moved", "path", moved, CONTRACT_FILE, detail=moved)
    yield from (_unread(side, note) for note in theirs.unread)
    yield from _login(side, theirs)
    yield from side.guarded(parameters(side, theirs, unsaid), "parameters", side.calls)
    yield from side.guarded(body(side, theirs, unsaid, ids), "body", side.calls)
    yield from side.guarded(answers(side, theirs, unsaid), "answers", side.models)


def _unread(side: Side, note: Note) -> Change:
    return side.ruled("unread", note.part, f"{note.message} ({note.place})", detail=note.message)


def _login(side: Side, theirs: Operation) -> Iterator[Change]:
    ours = side.ours
    if (ours.public and theirs.public) or any(note.part == "security" for note in theirs.unread):
        return
    ways = " or ".join("+".join(sorted(way)) for way in theirs.security)
    if theirs.public:
        yield side.ruled("login-dropped", "login", "is not asked for; the SDK carries one")
    elif ours.public and theirs.inherited and ours.id in LOGS_IN:
        message = "is asked for of the whole spec, and so of logging in; taken for an oversight"
        yield side.ruled("login-general", "login", message)
    elif ours.public:
        yield side.ruled("login-asked", "login", "is asked for, and the SDK carries none", CONTRACT_FILE, detail=ways)
    elif any(_same_way(one, other) for one in ours.security for other in theirs.security):
        return
    elif any(_same_way(one, _as_bearer(other)) for one in ours.security for other in theirs.security):
        yield side.ruled("login-oauth", "login", "is by OAuth or OpenID: taken for a bearer token")
    else:
        carried_as = " or ".join("+".join(sorted(way)) for way in ours.security)
        message = f"is carried as {ways}, by the SDK as {carried_as}"
        yield side.ruled("login-carried", "login", message, _LOGIN_FILE, detail=ways)


def _same_way(ours: frozenset[str], theirs: frozenset[str]) -> bool:
    if ANY_COOKIE in theirs:
        ours = frozenset(ANY_COOKIE if way.startswith("cookie:") else way for way in ours)
    return ours == theirs


def _as_bearer(theirs: frozenset[str]) -> frozenset[str]:
    return frozenset("bearer" if way in TOKEN_WAYS else way for way in theirs)


def _product_ids(found: list[Match]) -> frozenset[str]:
    """Return the types in which their answers have products' ids, as an id goes back as it came; empty if not told."""
    told: frozenset[str] = frozenset()
    for match in found:
        if match.ours.id in _PRODUCTS and match.theirs is not None:
            schema = match.theirs.responses.get("200", {}).get(JSON_MEDIA, True)
            for name in ("data", "id"):
                schema = opened(schema)
                if isinstance(schema, dict) and "items" in schema:
                    schema = opened(within(schema, "items"))
                schema = carried(schema, properties(schema).get(name, True))
            told |= kinds(schema) - {"null", "anything"}
    return told
