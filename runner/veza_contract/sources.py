"""Reads a spec's document: a bounded file or URL, JSON or YAML, with the files beside it that it refers to."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from veza_contract.model import Note
from veza_contract.schema import UNREAD, escaped

LARGEST: Final = 32 * 2**20
DEADLINE: Final = 30.0
OTHERS: Final = "x-other-files"
"""Where the documents of the files beside a spec stand in its own document."""

_SILENCE: Final = 10.0
_DEEPEST: Final = 500
_BRACKETS: Final = re.compile(rb"[\[{\]}]")
_INDENTS: Final = re.compile(rb"(?m)^[ \-?]*")
_SECRET: Final = re.compile(r"(?<==)[^&#]*")


class SpecError(Exception):
    """A spec cannot be read; the message says where and why."""


@dataclass(slots=True)
class Source:
    """A document, and what was odd about it.

    Attributes:
        name: where it was read from, without secrets.
        document: the document, with the files beside it under `x-other-files`.
        notes: keys that are written twice, files that cannot be read.
    """

    name: str
    document: dict[str, Any]
    notes: list[Note] = field(default_factory=list)


def shown(where: str | Path) -> str:
    """Return an address without its user, its password and the values of its query."""
    try:
        url = httpx.URL(str(where))
    except httpx.InvalidURL:
        return re.split(r"[?#]", str(where))[0].rpartition("@")[2]
    if not url.host:
        return str(where)
    query = _SECRET.sub("…", url.query.decode("ascii", "replace")) if b"=" in url.query else "…"
    return f"{url.scheme}://{url.netloc.decode()}{url.path}{f'?{query}' if url.query else ''}"


def load(
    where: str | Path,
    *,
    client: httpx.Client | None = None,
    now: Callable[[], float] = time.monotonic,
) -> Source:
    """Read a document from a file or an http(s) URL, within 32 MiB and 30 seconds.

    Raises:
        SpecError: it is missing, too large, too slow, or neither JSON nor YAML.
    """
    if str(where).startswith(("http://", "https://")):
        name, raw = shown(where), _fetched(str(where), client, now)
        return _parsed(raw, name)
    path = Path(where)
    source = _parsed(_file(path), str(where))
    _Beside(path, source).follow()
    return source


def _fetched(url: str, client: httpx.Client | None, now: Callable[[], float]) -> bytes:
    name, began = shown(url), now()
    content = bytearray()
    try:
        with client or httpx.Client(timeout=_SILENCE, trust_env=False) as http, http.stream("GET", url) as response:
            if response.status_code != httpx.codes.OK:
                raise SpecError(f"{name}: answered {response.status_code}")
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > LARGEST:
                    raise SpecError(f"{name}: larger than 32 MiB")
                if now() - began > DEADLINE:
                    raise SpecError(f"{name}: not there after {DEADLINE:.0f} seconds")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = str(error).replace(url, name) or type(error).__name__
        raise SpecError(f"{name}: {why}") from error
    return bytes(content)


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror or error}") from error
    if len(raw) > LARGEST:
        raise SpecError(f"{path}: larger than 32 MiB")
    return raw


def _parsed(raw: bytes, name: str) -> Source:
    """Parse a document.

    Raises:
        SpecError: it is neither JSON nor YAML, or not an object; the message has the line.
    """
    notes: list[Note] = []
    try:
        document = _json(raw)
        if document is None:
            document = _yaml(raw, name, notes)
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise SpecError(f"{name}{line}: neither JSON nor YAML: {error.problem or error.context}") from error
    except (ValueError, TypeError, yaml.YAMLError, RecursionError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SpecError(f"{name}: neither JSON nor YAML: {first}") from error
    if not isinstance(document, dict):
        raise SpecError(f"{name}: the document is not an object")
    return Source(name, document, notes)


def _json(raw: bytes) -> Any:
    """Return a JSON document; None if it is not JSON, or has a key twice, so that YAML can tell the lines."""
    twice = False

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal twice
        found = dict(pairs)
        twice = twice or len(found) != len(pairs)
        return found

    try:
        document = json.loads(raw, object_pairs_hook=once)
    except ValueError:
        return None
    return None if twice else document


class _Loader(yaml.CSafeLoader):
    """A safe loader that notes keys which are written twice, and reads tags of its own as what they stand at."""

    twice: list[tuple[str, int, int, bool]]

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        first: dict[str, int] = {}
        kept: list[tuple[yaml.Node, yaml.Node]] = []
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name is None or name == "<<" or name not in first:
                if name is not None:
                    first[name] = len(kept)
                kept.append((key, value))
                continue
            index = first[name]
            before_key, before = kept[index]
            both = isinstance(before, yaml.MappingNode) and isinstance(value, yaml.MappingNode)
            self.twice.append((name, before_key.start_mark.line + 1, key.start_mark.line + 1, both))
            kept[index] = (before_key, _joined(before, value) if both else value)
        node.value = kept
        found: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return found


def _joined(first: yaml.Node, second: yaml.Node) -> yaml.Node:
    """Return two mappings as one, those below the same key too; of other values the second counts."""
    pairs = list(first.value)
    places = {key.value: index for index, (key, _) in enumerate(pairs) if isinstance(key, yaml.ScalarNode)}
    for key, value in second.value:
        index = places.get(key.value) if isinstance(key, yaml.ScalarNode) else None
        if index is None:
            pairs.append((key, value))
            continue
        before = pairs[index][1]
        both = isinstance(before, yaml.MappingNode) and isinstance(value, yaml.MappingNode)
        pairs[index] = (key, _joined(before, value) if both else value)
    return yaml.MappingNode(first.tag, pairs, first.start_mark, second.end_mark)


def _untagged(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    del suffix
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


_Loader.add_multi_constructor("!", _untagged)
_Loader.yaml_implicit_resolvers = {
    sign: [(tag, pattern) for tag, pattern in some if tag != "tag:yaml.org,2002:timestamp"]
    for sign, some in _Loader.yaml_implicit_resolvers.items()
}


def _nested_too_deeply(raw: bytes) -> bool:
    """Whether a document is nested more deeply than libyaml's composer can take, which recurses without a limit."""
    depth = most = 0
    for sign in _BRACKETS.findall(raw):
        depth = depth + 1 if sign in b"[{" else max(depth - 1, 0)
        most = max(most, depth)
    if most + max(map(len, _INDENTS.findall(raw)), default=0) <= _DEEPEST:
        return False
    depth = 0  # brackets in prose count as well: look at the structure itself
    for event in yaml.parse(raw, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            return True
    return False


def _yaml(raw: bytes, name: str, notes: list[Note]) -> Any:
    if _nested_too_deeply(raw):
        raise SpecError(f"{name}: nested more than {_DEEPEST} levels deep")
    loader = _Loader(raw)
    loader.twice = []
    try:
        document = loader.get_single_data()
    finally:
        loader.dispose()
    if _written_out(document, {}) > LARGEST:
        raise SpecError(f"{name}: larger than 32 MiB once its aliases are written out")
    for key, before, after, both in dict.fromkeys(loader.twice):
        what = "both are read" if both else f"that of line {after} counts"
        notes.append(Note(f"{name} line {after}", f"`{key}` is written twice (line {before} has it too); {what}"))
    return json.loads(json.dumps(document, default=str, skipkeys=True))  # in JSON, keys are text


def _written_out(value: Any, known: dict[int, int]) -> int:
    """Return about how many bytes `value` takes as JSON. Repeats by an alias count each time.

    Raises:
        ValueError: an alias refers to a value that contains it.
    """
    if not isinstance(value, dict | list):
        return len(str(value)) + 3
    size = known.get(id(value))
    if size is None:
        known[id(value)] = -1
        parts = [part for pair in value.items() for part in pair] if isinstance(value, dict) else value
        size = known[id(value)] = sum(_written_out(part, known) for part in parts) + 2
    if size < 0:
        raise ValueError("an alias leads back to what it stands in")
    return size


class _Beside:
    """Brings the files that a document refers to into it, and turns the references to them into local ones.

    Only files in the document's own folder, or below it, are read.
    """

    def __init__(self, path: Path, source: Source) -> None:
        self._root = path.resolve().parent
        self._main = path.resolve()
        self._source = source
        self._size = 0

    def follow(self) -> None:
        others: dict[str, Any] = {}
        waiting: list[tuple[Path, dict[str, Any]]] = [(self._main, self._source.document)]
        while waiting:
            here, document = waiting.pop()
            for node in _referring(document):
                file, _, fragment = node["$ref"].partition("#")
                if not file and here == self._main:
                    continue
                name = self._name(here, file)
                if name and name not in others:
                    others[name] = self._read(file, name)
                    waiting.append((self._root / name, others[name]))
                prefix = f"/{OTHERS}/{escaped(name)}" if name else ""
                node["$ref"] = f"#{prefix}{fragment if fragment != '/' else ''}"
        if others:
            self._source.document[OTHERS] = others

    def _read(self, file: str, name: str) -> dict[str, Any]:
        """Return a file's document; if it is not to be read, or cannot be, one that says why."""
        target = (self._root / name).resolve()
        if target.exists() and not target.is_file():
            return {UNREAD: f"{file} is not a file"}
        if "://" in file or not target.is_relative_to(self._root):
            return {UNREAD: f"{file} is not in the spec's folder; it is not read"}
        try:
            raw = _file(target)
            self._size += len(raw)
            if self._size > LARGEST:
                return {UNREAD: "the files beside the spec are larger than 32 MiB"}
            found = _parsed(raw, name)
        except SpecError as error:
            return {UNREAD: str(error).replace(f"{target}", file)}
        self._source.notes += found.notes
        return found.document

    def _name(self, here: Path, file: str) -> str:
        """Return the name of the file that one refers to, from the spec's folder; empty for the spec itself."""
        if "://" in file:
            return file
        target = (here.parent / file).resolve() if file else here
        return "" if target == self._main else os.path.relpath(target, self._root)


def _referring(document: Any) -> Iterator[dict[str, Any]]:
    """Yield the nodes with a reference, before any of them is changed."""
    waiting, found = [document], []
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one.get("$ref"), str):
                found.append(one)
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    yield from found
