"""contract diff on a spec with something senseless anywhere: it is named, or it breaks, and nothing is raised."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

from veza_contract import comparing, draft, spec
from veza_contract.findings import once
from veza_contract.operations import document as contract

JUNK: list[Any] = [
    None, 7, "x", [], {}, True, [None], {"$ref": "#/nope"}, {"$ref": 7}, {"type": "nope"}, [7], {"a": None}, -1.5,
    {"type": [None]}, {"type": {}}, [[]],
]  # fmt: skip
PROSE = {
    "description",
    "summary",
    "examples",
    "title",
    "tags",
    "links",
    "operationId",
    "info",
    "default",
    "x-veza-assumed",
    "x-veza-evidence",
}
COUNT = 120


def _places(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        if key not in PROSE:
            yield (*at, key)
            yield from _places(value, (*at, key))


def test_whatever_stands_anywhere_is_compared_or_named() -> None:
    ours, dice, places = spec.read(contract()), random.Random(1), list(_places(contract()))
    for _ in range(COUNT):
        theirs = copy.deepcopy(contract())
        place, junk = dice.choice(places), copy.deepcopy(dice.choice(JUNK))
        node: Any = theirs
        for step in place[:-1]:
            node = node[step]
        node[place[-1]] = junk
        try:
            read = spec.read(theirs)
        except spec.SpecError:
            assert place == ("openapi",)
            continue
        found = comparing.compare(ours, read)
        assert all(str(change) for change in once(found.changes))
        assert draft.draft(ours, read, found.matches)[0]
        if junk == {"$ref": "#/nope"}:
            assert found.changes, place
