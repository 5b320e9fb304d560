"""Reads any backend's spec, OpenAPI 3.0 to 3.2 or Swagger 2.0, in YAML or JSON, into one form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import httpx

from veza_contract import readers, sources
from veza_contract.model import Note, Spec
from veza_contract.parsing import SpecError
from veza_contract.schema import SchemaError, escaped, pointer

__all__ = ["SpecError", "load", "opened", "read"]

_MOST_NOTES: Final = 200
_LITERAL: Final = frozenset({"example", "examples", "default", "enum", "const", sources.OTHERS})


def load(where: str | Path, *, client: httpx.Client | None = None) -> dict[str, Any]:
    """Read a spec's document from a file or an http(s) URL.

    Raises:
        SpecError: it is missing, too large or too slow, or neither JSON nor YAML.
    """
    return sources.load(where, client=client).document


def opened(places: Sequence[str | Path], *, client: httpx.Client | None = None) -> Spec:
    """Read a spec of one file or URL, or of several, whose operations count together.

    Raises:
        SpecError: one of them is missing, too large or too slow, or is not a spec.
    """
    found: list[Spec] = []
    for place in places:
        source = sources.load(place, client=client)
        try:
            one = read(source.document)
        except SpecError as error:
            raise SpecError(f"{source.name}: {error}") from error
        notes = [*source.notes, *(_in_file(note, source.name) for note in one.notes)]
        found.append(replace(one, notes=tuple(notes)))
    return found[0] if len(found) == 1 else _together(found)


def _in_file(note: Note, name: str) -> Note:
    return replace(note, place=f"{name} {note.place}")


def _together(specs: Sequence[Spec]) -> Spec:
    known: dict[tuple[str, str], None] = {}
    notes = [note for one in specs for note in one.notes]
    for spec in specs:
        for entry in spec.entries:
            key = entry.method, entry.path
            if key in known:
                notes.append(Note(f"{entry.method} {entry.path}", "is in more than one of the files; the first counts"))
            known[key] = None
    first = specs[0]
    return replace(
        first, entries=tuple(entry for one in specs for entry in one.entries), notes=tuple(notes),
        based=all(one.based for one in specs),
    )  # fmt: skip


def read(document: Mapping[str, Any]) -> Spec:
    """Convert a document to the one form. A part of it that cannot be read stands in its notes, or in its operation.

    Raises:
        SpecError: it is not an OpenAPI 3.x or Swagger 2.0 document.
    """
    version = str(document.get("openapi") or document.get("swagger") or "")
    if not re.match(r"3\.[0-2]|2(\.0)?$", version):
        raise SpecError(f"not an OpenAPI 3.x or Swagger 2.0 document (version {version or 'missing'!r:.20})")
    reader = readers.Swagger(document) if version.startswith("2") else readers.OpenAPI(document)
    entries = tuple(reader.entries())
    info = document.get("info")
    title = str(info.get("title", "")) if isinstance(info, dict) else ""
    notes = tuple(dict.fromkeys((*reader.notes, *_dangling(document))))
    return Spec(title, version, entries, document, notes, reader.prefixes[0], reader.based)


def _dangling(document: Mapping[str, Any]) -> Iterator[Note]:
    """Yield the references that lead nowhere, wherever they stand, each target once."""
    seen: dict[str, bool] = {}
    waiting: list[tuple[str, Any]] = [("#", document)]
    while waiting and len(seen) < _MOST_NOTES * 100:
        at, node = waiting.pop()
        if isinstance(node, list):
            waiting += ((f"{at}/{index}", one) for index, one in enumerate(node))
        elif isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str) and reference not in seen:
                try:
                    pointer(document, reference)
                    seen[reference] = True
                except SchemaError as error:
                    seen[reference] = False
                    yield Note(at, str(error))
            waiting += ((f"{at}/{escaped(str(k))}", one) for k, one in node.items() if k not in _LITERAL or k == "$ref")
