"""Which operation a saved answer is of, where nothing but its file's name and its shape tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from veza_contract.bindings import by_operation, declared
from veza_contract.judging import failed, ours
from veza_contract.operations import base_path
from veza_contract.schema import properties

_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_METHOD: Final = re.compile(r"(?:\d+[-_. ]+)?(GET|POST|PUT|PATCH|DELETE)[-_. ]+(.+)", re.IGNORECASE)
_ENVELOPE: Final = frozenset({"success", "data", "message", "meta", "error"})
_LIKE, _APART, _DEEPEST, _LOOKED_AT = 0.35, 0.1, 4, 5


@dataclass(frozen=True, slots=True)
class Told:
    """What a sample was taken for.

    Attributes:
        operation: the operationId; empty for an error of an unknown operation; None where it cannot be told.
        how: what it was told by; or why it cannot be told, and what to do.
    """

    operation: str | None
    how: str


def told(stem: str, status: int | None, value: Any, body: bytes) -> Told:
    """Tell by the file's name, else by the answer's shape; never by a guess between two."""
    named = by_name(stem)
    if len(named) == 1:
        return Told(named[0], "by its file's name")
    if named:
        return Told(None, f"its name fits {' and '.join(named)}: {_ASK}")
    if failed(status, body):
        return Told("", "an error answer")
    return _by_shape(value, _by_noun(stem))


_ASK: Final = "say which, --as OP=FILE, or name the file as its operation, such as getOrder.json"


def by_name(stem: str) -> list[str]:
    """Return the operations that a file's name fits: `get-order`, `getOrder.2`, `POST_orders`."""
    request = _METHOD.fullmatch(stem)
    if request is not None:
        found = [name for name, method, path in _paths() if method == request[1].upper() and path.fullmatch(request[2])]
        if found:
            return found
    words = [word.lower() for word in _WORDS.findall(stem)]
    fits = {name: own for name in ours() if (own := _spoken(name)) and _within(own, words)}
    return [
        name for name, own in fits.items() if not any(_within(own, other) and own != other for other in fits.values())
    ]


def _by_noun(stem: str) -> list[str]:
    """Return the operations on what a file is named after: `order`, `me`, `products`."""
    words = [word.lower() for word in _WORDS.findall(stem)]
    return [name for name in by_operation() if _spoken(name)[-1] in words]


def _spoken(operation: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(operation)]


def _within(own: list[str], words: list[str]) -> bool:
    length = len(own)
    joined = "".join(own)
    return any(words[i : i + length] == own for i in range(len(words))) or joined in words


@cache
def _paths() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    def patterns() -> Iterator[tuple[str, str, re.Pattern[str]]]:
        for operation in ours().values():
            parts = operation.path.removeprefix(base_path()).strip("/").split("/")
            spelt = ("[A-Za-z0-9-]+" if part.startswith("{") else re.escape(part) for part in parts)
            path = r"(?:api[-_. ]+)?(?:v\d+[-_. ]+)?" + r"[-_. ]+".join(spelt)
            yield operation.id, operation.method, re.compile(path, re.IGNORECASE)

    return tuple(patterns())


def _by_shape(value: Any, named: list[str]) -> Told:
    several, inner = _unwrapped(value)
    fitting = [name for name, method in by_operation().items() if method.form != "nothing"]
    fitting = [name for name in fitting if (by_operation()[name].form != "one") == several]
    if several and not _names(inner):
        return Told(None, f"an empty list fits {' and '.join(fitting)}: {_ASK}")
    scored = sorted(((_likeness(inner, name), name) for name in fitting), reverse=True)
    chosen = [(score, name) for score, name in scored if name in named and score]
    if chosen and all(chosen[0][0] - score >= _APART for score, _ in chosen[1:]):
        return Told(chosen[0][1], "by its file's name and its shape; if it is another, --as OP=FILE")
    near = [name for score, name in scored[:4] if score >= _LIKE and scored[0][0] - score < _APART]
    if len(near) == 1:
        return Told(near[0], "by its shape, as its name tells nothing; if it is another, --as OP=FILE")
    if near:
        return Told(None, f"its shape fits {' and '.join(near)}: {_ASK}")
    return Told(None, f"neither its name nor its shape tells the operation: {_ASK}")


def _unwrapped(value: Any) -> tuple[bool, Any]:
    """Take the envelope off; return whether a list stands in it, and what does."""
    inner = value.get("data", value) if isinstance(value, dict) else value
    while isinstance(inner, dict) and len(inner) == 1 and isinstance(only := next(iter(inner.values())), dict | list):
        inner = only
    if isinstance(inner, dict) and not {_bare(str(name)) for name in inner} & {"id", "status"}:
        lists = [one for one in inner.values() if isinstance(one, list) and one and isinstance(one[0], dict)]
        inner = lists[0] if len(lists) == 1 else inner
    return isinstance(inner, list), inner


def _likeness(inner: Any, operation: str) -> float:
    """How much the names in an answer are those that the SDK reads: at its top, and in all of it."""
    top, every = _expected(operation)
    return (_alike(_names(inner, 0), top) + _alike(_names(inner), every)) / 2


def _alike(left: frozenset[str], right: frozenset[str]) -> float:
    return len(left & right) / len(left | right) if left and right else 0.0


@cache
def _expected(operation: str) -> tuple[frozenset[str], frozenset[str]]:
    schema = declared(by_operation()[operation].model)
    names = properties(schema)
    return frozenset(map(_bare, names)), frozenset(_declared_names(schema, 0))


def _declared_names(schema: Any, depth: int) -> Iterator[str]:
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return
    for name, inner in schema.get("properties", {}).items():
        yield _bare(name)
        yield from _declared_names(inner, depth + 1)
    for inner in (schema.get("items"), schema.get("additionalProperties"), *schema.get("anyOf", ())):
        yield from _declared_names(inner, depth)


def _names(value: Any, deepest: int = _DEEPEST) -> frozenset[str]:
    return frozenset(name for name in _value_names(value, deepest) if name not in _ENVELOPE)


def _value_names(value: Any, deepest: int) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield _bare(str(name))
            if deepest:
                yield from _value_names(inner, deepest - 1)
    elif isinstance(value, list):
        for inner in value[:_LOOKED_AT]:
            yield from _value_names(inner, deepest)


def _bare(name: str) -> str:
    """A name without its case, underscores and unit."""
    return re.sub("[^a-z0-9]", "", name.lower()).removesuffix("cents")
