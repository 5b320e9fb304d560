"""Parses a spec's document, JSON or YAML, within limits."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from veza_contract.model import Note

LARGEST: Final = 32 * 2**20
"""Of a document in bytes, its aliases written out."""

_DEEPEST: Final = 500
_BRACKETS: Final = re.compile(rb"[\[{\]}]")
_INDENTS: Final = re.compile(rb"(?m)^[ \-?]*")


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


def parsed(raw: bytes, name: str) -> Source:
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
