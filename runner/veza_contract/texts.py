"""Makes texts at the edges of a string schema: shortest, longest, each end of a pattern's character ranges."""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import _constants as code
from re import _parser as parser
from typing import Any, Final

_LONGEST: Final = 6000
_OPEN_END: Final = 400
_CATEGORIES: Final = {code.CATEGORY_DIGIT: "09", code.CATEGORY_WORD: "azAZ09_", code.CATEGORY_SPACE: " "}
_OF_FORMAT: Final = {
    "date-time": ("2026-04-01T10:00:00Z", "2026-04-01T10:00:00.123456+02:00", "1999-12-31T23:59:59-11:30"),
    "date": ("2026-04-01", "1999-12-31"),
    "uuid": ("7f1d0a52-6f0e-4c3e-9a53-0d9b1c2e4f60",),
    "uri": ("https://pay.veza.test/p?a=b#c", "urn:x:y"),
    "email": ("operator@veza.test",),
    "ipv4": ("192.0.2.1",),
    "ipv6": ("2001:db8::1",),
    "hostname": ("veza.test",),
}
_PLAIN: Final = ("a", "Ü ", "<b>|\n#", "1767225600", "2026-04-01", "true", "0")


def texts(schema: dict[str, Any]) -> Iterator[str]:
    """Yield texts at the edges of a string schema. The caller drops those that do not match it."""
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if "format" in schema:
        yield from _OF_FORMAT.get(schema["format"], ())
        return
    lengths = {least, least + 1, most if most is not None else least + _OPEN_END}
    wanted = sorted(length for length in lengths if length <= min(most if most is not None else _LONGEST, _LONGEST))
    if "pattern" in schema:
        yield from _of_pattern(schema["pattern"], wanted)
        return
    for length in wanted:
        yield "x" * length
    yield from _PLAIN
    if most is None or most >= len(_PLAIN[2]):
        yield "é" * max(least, 1)


def _of_pattern(pattern: str, lengths: list[int]) -> Iterator[str]:
    try:
        tree = list(parser.parse(pattern))
    except re.error:
        return
    for length in lengths:
        for sign in range(8):
            yield _written(tree, length, sign)


def _written(tree: list[Any], length: int, sign: int) -> str:
    return "".join(_part(kind, argument, length, sign) for kind, argument in tree)


def _part(kind: Any, argument: Any, length: int, sign: int) -> str:
    match kind:
        case code.LITERAL:
            return chr(argument)
        case code.IN:
            signs = _signs(argument)
            return signs[sign % len(signs)] if signs else ""
        case code.MAX_REPEAT | code.MIN_REPEAT:
            least, most, inner = argument
            count = max(least, length if most == code.MAXREPEAT else min(most, length))
            return "".join(_written(list(inner), 1, sign + index) for index in range(count))
        case code.SUBPATTERN:
            return _written(list(argument[3]), length, sign)
        case code.BRANCH:
            branches = argument[1]
            return _written(list(branches[sign % len(branches)]), length, sign)
        case _:
            return "x" if kind == code.ANY else ""


def _signs(members: list[Any]) -> str:
    found = ""
    for kind, argument in members:
        if kind == code.LITERAL:
            found += chr(argument)
        elif kind == code.RANGE:
            found += chr(argument[0]) + chr(argument[1])
        elif kind == code.CATEGORY:
            found += _CATEGORIES.get(argument, "")
    return found
