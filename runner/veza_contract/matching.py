"""Matches another spec's operations with ours: by the operator's map, method and path, or operationId."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from veza_contract.model import METHODS, Entry, Operation, Spec, shape

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
    found: dict[str, Match] = {}
    free = list(theirs.entries)
    for way in (_mapped, _at_its_path, _of_its_name, _at_a_like_path):
        for operation in ours.operations:
            entry = None if operation.id in found else way(operation, free, entries.get(operation.id, ""))
            if entry is not None:
                found[operation.id] = Match(operation, _read(entry, operation), _HOW[way.__name__])
                free.remove(entry)
    return [found.get(one.id) or Match(one, None, "none", _like(one, free)) for one in ours.operations]


_HOW: Final = {"_mapped": "map", "_of_its_name": "operationId", "_at_its_path": "path", "_at_a_like_path": "path"}


def _read(entry: Entry, ours: Operation) -> Operation:
    """Read theirs at the path that is ours, if one of its servers gives it that."""
    return entry.read(next((path for path in entry.paths if shape(path) == ours.shape), ""))


def _mapped(ours: Operation, theirs: list[Entry], said: str) -> Entry | None:
    if not said:
        return None
    method, _, path = said.partition(" ")
    base = _shared_base(theirs)
    for entry in theirs:
        if entry.method == method and path in {entry.key, *entry.paths, entry.path.removeprefix(base)}:
            return entry
    raise MapError(f"{ours.id}: their spec has no {said}")


def _at_its_path(ours: Operation, theirs: list[Entry], said: str) -> Entry | None:
    fits = (entry for entry in theirs if entry.method == ours.method and ours.shape in entry.shapes)
    return None if said else next(fits, None)


def _of_its_name(ours: Operation, theirs: list[Entry], said: str) -> Entry | None:
    return None if said else next((entry for entry in theirs if entry.named and entry.id == ours.id), None)


def _at_a_like_path(ours: Operation, theirs: list[Entry], said: str) -> Entry | None:
    fits = (one for one in theirs if one.method == ours.method and _bare(ours.shape) in map(_bare, one.shapes))
    return None if said else next(fits, None)


def _bare(path: str) -> str:
    """Return a path without its version, and without a slash at its end."""
    return re.sub(r"^/api/v\d+", "", path).rstrip("/")


def _shared_base(entries: Iterable[Entry]) -> str:
    """Return the base path that all operations share; empty if they share none."""
    paths = [entry.path for entry in entries]
    base = re.match(r"(/api)?(/v\d+)?", paths[0] if paths else "")
    return base[0] if base and all(path.startswith(base[0]) for path in paths) else ""


def _like(ours: Operation, theirs: list[Entry]) -> str:
    """Return their unmatched operation whose path is most similar to ours."""
    same = [entry for entry in theirs if entry.method == ours.method]
    ratios = [(_ratio(ours.shape, shape(entry.path)), entry) for entry in same]
    ratio, best = max(ratios, key=lambda pair: pair[0], default=(0.0, None))
    return f"{best.method} {best.path}" if best is not None and ratio >= _ALIKE else ""


def _ratio(left: str, right: str) -> float:
    return difflib.SequenceMatcher(None, _words(left), _words(right)).ratio()


def _words(path: str) -> list[str]:
    """Return the parts of a path that name something."""
    return [part for part in path.split("/") if part and not re.fullmatch(r"\{\}|api|v\d+", part)]
