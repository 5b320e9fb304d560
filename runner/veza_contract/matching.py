"""Matches another spec's operations with ours: by the operator's map, operationId, or method and path."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from veza_contract.model import METHODS, Operation, Spec

MAP_FILE: Final = Path("contract-map.toml")
_ENTRY: Final = re.compile(r"(?P<operation>\w+)=(?P<method>[A-Za-z]+) (?P<path>/\S*)")
_ALIKE: Final = 0.6


class MapError(Exception):
    """An entry of the map is invalid; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Match:
    """An operation of ours, and theirs; None if they have none.

    Attributes:
        ours: our operation.
        theirs: theirs.
        how: `map`, `operationId`, `path` or `none`.
        like: if nothing matched, their most similar operation: `METHOD /path`.
    """

    ours: Operation
    theirs: Operation | None
    how: str
    like: str = ""


def entry(word: str) -> tuple[str, str]:
    """Read `createOrder="POST /marketplace/orders"`.

    Raises:
        MapError: it does not have that form.
    """
    found = _ENTRY.fullmatch(word.strip())
    if found is None or found["method"].lower() not in METHODS:
        raise MapError(f'{word!r:.80} is not like createOrder="POST /marketplace/orders"')
    return found["operation"], f"{found['method'].upper()} {found['path']}"


def kept(path: Path = MAP_FILE) -> dict[str, str]:
    """Read the map that earlier runs wrote; empty if there is no file.

    Raises:
        MapError: the file cannot be read.
    """
    if not path.exists():
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("operations", {})
        return dict(entry(f"{name}={where}") for name, where in table.items())
    except (OSError, ValueError, AttributeError) as error:
        raise MapError(f"{path}: {error}") from error


def keep(entries: Mapping[str, str], path: Path = MAP_FILE) -> None:
    """Write the map for later runs."""
    lines = ["# Which operation of the backend's spec stands for which of ours; kept by `contract diff --map`.", ""]
    lines += ["[operations]", *(f"{name} = {json.dumps(where)}" for name, where in sorted(entries.items()))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def matches(ours: Spec, theirs: Spec, entries: Mapping[str, str]) -> list[Match]:
    """Match every operation of ours.

    Raises:
        MapError: the map names an operation that ours or theirs does not have.
    """
    unknown = entries.keys() - ours.by_id().keys()
    if unknown:
        known = ", ".join(ours.by_id())
        raise MapError(f"{', '.join(sorted(unknown))}: not one of our operations ({known})")
    found = [_match(operation, theirs, entries.get(operation.id)) for operation in ours.operations]
    taken = {id(match.theirs) for match in found if match.theirs is not None}
    free = [operation for operation in theirs.operations if id(operation) not in taken]
    return [match if match.theirs else Match(match.ours, None, "none", _like(match.ours, free)) for match in found]


def _match(ours: Operation, theirs: Spec, mapped: str | None) -> Match:
    if mapped is not None:
        method, _, path = mapped.partition(" ")
        for operation in theirs.operations:
            if operation.method == method and path in {operation.path, _below(operation, theirs.operations)}:
                return Match(ours, operation, "map")
        raise MapError(f"{ours.id}: their spec has no {mapped}")
    for operation in theirs.operations:
        if operation.named and operation.id == ours.id:
            return Match(ours, operation, "operationId")
    shapes = {ours.shape, re.sub(r"^/api/v\d+", "", ours.shape)}
    for operation in theirs.operations:
        if operation.method == ours.method and {operation.shape, re.sub(r"^/api/v\d+", "", operation.shape)} & shapes:
            return Match(ours, operation, "path")
    return Match(ours, None, "none")


def _below(operation: Operation, operations: Iterable[Operation]) -> str:
    """Return the path without the base path that all operations share."""
    paths = [one.path for one in operations]
    base = re.match(r"(/api)?(/v\d+)?", operation.path)
    prefix = base[0] if base and all(path.startswith(base[0]) for path in paths) else ""
    return operation.path.removeprefix(prefix)


def _like(ours: Operation, theirs: list[Operation]) -> str:
    """Return their unmatched operation whose path is most similar to ours."""
    same = [operation for operation in theirs if operation.method == ours.method]
    ratios = [(_ratio(ours.shape, operation.shape), operation) for operation in same]
    ratio, best = max(ratios, key=lambda pair: pair[0], default=(0.0, None))
    return f"{best.method} {best.path}" if best is not None and ratio >= _ALIKE else ""


def _ratio(left: str, right: str) -> float:
    words = [part for part in left.split("/") if part]
    others = [part for part in right.split("/") if part]
    return difflib.SequenceMatcher(None, words, others).ratio()
