"""Escapes text from outside for Markdown, HTML and the log.

Every character with a meaning in Markdown or HTML becomes a numeric character reference (in text that people read as it
is, some are escaped by a backslash). Both survive Python-Markdown and CommonMark, also in tables.
"""

from __future__ import annotations

import re
from functools import lru_cache

from markupsafe import Markup

from veza_e2e.canonical import clean

_NO_CHARACTERS = "\ufdd0-\ufdef" + "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff" + _NO_CHARACTERS + "]"
)
_SPACED = r"|(?<! )=|=(?! )"
_ACTIVE = (
    r"|(?<![^\W_])_|_(?![^\W_])"
    rf"{_SPACED}"
    r"|:(?![ \d])"
    r"|\.(?=\.)|(?<=\.)\.|(?<=www)\."
    r"|^ | $|(?<= ) "
)
_INERT = "(?=[^A-Za-z0-9])"
"""Letters and digits are never escaped. Asked first, it takes two thirds of the time away."""
_PLAIN = re.compile(rf"{_INERT}(?:[^\w ,.;/%?!():·→⏎≤=-]|(?<!\w)-|-(?!\w){_ACTIVE})", re.IGNORECASE)
_TYPED = re.compile(
    rf"{_INERT}(?:(?!(?<=\*)@|(?<= )\+ )[^\w ,.;/%?!():·→⏎≤=\"'-]|^[-=]|(?<==)=|=(?==){_ACTIVE.replace(_SPACED, '')})",
    re.IGNORECASE,
)
_BY_BACKSLASH = frozenset("*_[]`#+")
_SHORT = 100
"""Texts up to this length are escaped once: headings, statuses and titles come back on every page."""
_CODE = re.compile(r"[&<>`~\t]|\{(?=[-+=])|\n(?<=\n\n)")  # a branch that looks behind first would make it slow


def plain(value: object) -> str:
    """Return `value` as one line of plain text that no terminal or editor acts on.

    Line ends become `⏎`; control, direction and invisible characters become their code in brackets.
    """
    text = str(value)
    if text.isprintable():  # nearly all are: then nothing below would change it
        return text
    return _named(str(clean(text)).replace("\r\n", "\n").replace("\n", "⏎").replace("\t", " "))


def inline(value: object) -> Markup:
    """Return `value` as text for a Markdown line, a table's cell, an HTML element or an attribute."""
    if type(value) is int or (type(value) is str and len(value) <= _SHORT):
        return _short(value)
    return value if isinstance(value, Markup) else _inline(value)


def _inline(value: object) -> Markup:
    return Markup(_PLAIN.sub(_reference, plain(value)))  # noqa: S704 - this is the escape


_short = lru_cache(maxsize=4096)(_inline)


def typed(value: object) -> Markup:
    """Return `value` for a line or a table's cell of Markdown that people read as it is: a command stays a command.

    Unlike `inline` it keeps hyphens and quotation marks, so it fits no attribute, nor a dialect that prettifies them.
    A backslash escapes what every dialect lets be escaped so.
    """
    if type(value) is int or (type(value) is str and len(value) <= _SHORT):
        return _short_typed(value)
    return value if isinstance(value, Markup) else _typed(value)


def _typed(value: object) -> Markup:
    return Markup(_TYPED.sub(_escaped, plain(value)))  # noqa: S704 - this is the escape


_short_typed = lru_cache(maxsize=4096)(_typed)


def block(value: str) -> Markup:
    """Return `value` for the inside of `<pre>` in a raw HTML block. Keeps its lines; no line ends the block."""
    shown = _CODE.sub(_reference, lines(value))
    return Markup(f"&#10;{shown[1:]}" if shown.startswith("\n") else shown)  # noqa: S704 - this is the escape


def lines(value: str) -> str:
    """Return `value` with its lines, as text that no terminal or editor acts on."""
    text = str(clean(value)).replace("\r\n", "\n")
    if text.replace("\n", "").isprintable():
        return text
    return "\n".join(_named(line) for line in text.split("\n"))


def _escaped(found: re.Match[str]) -> str:
    return "\\" + found[0] if found[0] in _BY_BACKSLASH else _reference(found)


def _reference(found: re.Match[str]) -> str:
    return f"&#{ord(found[0])};"


def _named(text: str) -> str:
    return _CONTROL.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)
