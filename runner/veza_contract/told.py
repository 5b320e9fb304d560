"""What may be told of a real answer: kinds and names of its members, never a value that may be somebody's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from veza_contract.amounts import kinds
from veza_contract.operations import document
from veza_contract.schema import Schema, merged, pointer

_NAME: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$.-]{0,59}")
_DIGIT: Final = re.compile(r"\d")
_LONGEST_WITH_DIGITS: Final = 24
_STATE: Final = re.compile(r"[A-Za-z]+([_ -][A-Za-z]+){0,5}")
_LONGEST_STATE: Final = 32
_GO_NULL: Final = frozenset({"String", "Int64", "Int32", "Int16", "Byte", "Float64", "Bool", "Time", "V"})
_WORDS: Final = {
    "string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
    "object": "an object", "array": "a list", "null": "null",
}  # fmt: skip
_KINDS: Final = {
    bool: "true or false", int: "a whole number", float: "a decimal number", str: "a text", list: "a list",
    tuple: "a list",
}  # fmt: skip
"""By Python's type; bool is an int as well, and comes first."""
_SHOWN_MEMBERS: Final = 6
_SHORTEST_PART: Final = 4


def written(name: object) -> str:
    """Return a member's name, if it is a name; a map's keys may be anything, a token among them."""
    text = str(name)
    plain_name = _NAME.fullmatch(text) and (len(text) <= _LONGEST_WITH_DIGITS or not _DIGIT.search(text))
    return text if plain_name else "(an odd name)"


def shown_value(value: str) -> str:
    """Return a status as text, if it is plain words; else only its length."""
    if not value:
        return "an empty text"
    if len(value) <= _LONGEST_STATE and _STATE.fullmatch(value):
        return f"'{value}'"
    return f"a text of {len(value)} characters"


def kind(value: Any) -> str:
    """Say what a value is, without the value."""
    if isinstance(value, dict):
        return _object_kind(value)
    if value == "":
        return "an empty text"
    return next((words for one, words in _KINDS.items() if isinstance(value, one)), "null")


def _object_kind(value: dict[Any, Any]) -> str:
    if "Valid" in value and value.keys() - {"Valid"} <= _GO_NULL:
        return f"an object of Go's sql.Null kind ({', '.join(sorted(value))})"
    names = [written(name) for name in value]
    more = f" and {len(names) - _SHOWN_MEMBERS} more" if len(names) > _SHOWN_MEMBERS else ""
    return f"an object ({', '.join(names[:_SHOWN_MEMBERS])}{more})" if names else "an empty object"


def expected(schema: Schema, where: Sequence[Any]) -> str:
    """Say what the SDK reads at a place."""
    schema = merged(schema)
    name = str(where[-1]) if where else ""
    found = sorted(kinds(schema) - {"null"})
    parts = [schema, *schema.get("anyOf", ())] if isinstance(schema, dict) else []
    if any(isinstance(part, dict) and part.get("format") == "date-time" for part in parts):
        return "a time with its offset (RFC 3339)"
    if any(isinstance(part, dict) and str(part.get("pattern", "")).startswith("^[A-Z]{3}") for part in parts):
        return "a currency of three capital letters"
    if name.endswith("_cents"):
        return "whole minor units"
    if name == "id" or name.endswith("_id"):
        return "an id, a text or a whole number"
    return " or ".join(_WORDS.get(one, one) for one in found)


def same_name(left: str, right: str) -> bool:
    """Whether two names are the same but for capitals and underscores."""
    return bool(_bare(left)) and _bare(left) == _bare(right)


def part_of_name(left: str, right: str) -> bool:
    """Whether one name is in the other, as `total` is in `total_amount`."""
    short, long = sorted((_bare(left), _bare(right)), key=len)
    return len(short) >= _SHORTEST_PART and short in long


def _bare(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())


def plain(value: Any) -> Any:
    """Return a JSON value with its numbers as Python's own, which the schema's validator reads."""
    if isinstance(value, dict):
        return {_text(str(name)): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, str):
        return _text(value)
    return float(value) if isinstance(value, float) else value


def _text(value: str) -> str:
    """A text without halves of characters, which only JSON's escapes can write."""
    return value.encode("utf-8", "replace").decode()


def component(model: str, names: Sequence[str]) -> str:
    """Return which schema of the contract holds a member, as `Order.status`; empty if none does."""
    schemas = document()["components"]["schemas"]
    if model not in schemas or not names:
        return ""
    node = schemas[model]
    for name in names[:-1]:
        node = node.get("properties", {}).get(name, node.get("additionalProperties", {}))
        while isinstance(node, dict) and ("$ref" in node or "items" in node):
            if "$ref" in node:
                model = node["$ref"].rpartition("/")[2]
                node = pointer(document(), node["$ref"])
            else:
                node = node["items"]
        if not isinstance(node, dict):
            return ""
    known = names[-1] in node.get("properties", {})
    return f"schemas.{model}.{names[-1] if known or len(names) == 1 else names[-2]}"
