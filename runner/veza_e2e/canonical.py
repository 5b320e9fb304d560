"""The canonical form of JSON, in which the journal is written and hashed.

Sorted keys, no white space, UTF-8 without ASCII escapes, no floats, lone surrogates replaced by U+FFFD.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

JSON: TypeAlias = "None | bool | int | str | Sequence[JSON] | Mapping[str, JSON]"

DEEPEST = 256
"""How deep what is read may be nested: much deeper than anything that is written, and far from Python's own limit."""


def clean(value: object) -> JSON:
    """Return `value` as JSON that has a canonical form.

    Args:
        value: anything that JSON can hold; a tuple becomes a list.

    Raises:
        TypeError: for a float, or for a type that JSON does not have.
    """
    kind = type(value)
    if kind is dict and isinstance(value, dict):  # what JSON is read as comes first: an abstract type is slow to ask
        return {key if type(key) is str and key.isascii() else _name(key): clean(item) for key, item in value.items()}
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        if value.isascii():
            return value
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {_name(key): clean(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [clean(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no canonical JSON form: {value!r:.60}")


def _name(key: object) -> str:
    return str(clean(str(key)))


def dumps(value: object) -> str:
    """Return the canonical form of `value`.

    Raises:
        TypeError: see `clean`.
    """
    return _ENCODER.encode(clean(value))


def loads(data: bytes) -> JSON:
    """Return the value that `data`, JSON in UTF-8, stands for.

    Raises:
        ValueError: it is not JSON, holds a float, or is nested too deep.
    """
    try:
        value: JSON = _DECODER.decode(data.decode())
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if data.count(b"[") + data.count(b"{") > DEEPEST and _is_deeper(value):
        raise ValueError("it is nested too deep")
    return value


def _is_deeper(value: JSON) -> bool:
    level = [value]
    for _ in range(DEEPEST + 1):
        held = (one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list))
        level = [item for items in held for item in items]
    return bool(level)


def encoded(value: JSON) -> bytes:
    """Return the canonical bytes of what `loads` gave.

    Raises:
        ValueError: it holds a lone surrogate, for which the canonical form has no place.
    """
    return _ENCODER.encode(value).encode()


def digest(value: object) -> str:
    """Return the SHA-256 of the canonical form, in hex."""
    return hashlib.sha256(dumps(value).encode()).hexdigest()


def _no_float(text: str) -> float:
    raise ValueError(f"a float: {text:.20}")


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_DECODER = json.JSONDecoder(parse_float=_no_float)
