"""Shows cells and texts as plain Markdown, which reads well in an editor and on a forge and holds no HTML."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from markupsafe import Markup

from veza_e2e.report.cells import Address, Command, Events, Id, Ref, Status
from veza_e2e.report.escape import lines, plain, typed

_CODE = re.compile(r"[\w.,:;/%?!()=@+*#'\"$\[\]{}~^ -]+")
_SHOWN = 6
"""How many events a cell names; the record has all."""


def shown(value: object) -> Markup:
    """Return a cell, or any text, for a line or a table's cell of Markdown."""
    if isinstance(value, str):  # nearly all are
        return typed(value)
    match value:
        case Status():
            return typed(value.told)
        case Events():
            return _events(value)
        case Command(text) | Id(text):
            return code(text)
        case Address(url):
            return _link(url)
        case _:
            return typed(value)


def code(text: str) -> Markup:
    """Return `text` as a code span; as escaped text where a dialect could read a span otherwise."""
    line = plain(text)
    if not _CODE.fullmatch(line) or line != line.strip():
        return typed(text)
    return Markup("`" + line + "`")  # noqa: S704 - without a backtick, a pipe or an angle bracket


def fence(text: str, language: str = "") -> Markup:
    """Return `text` as a fenced block, whatever it holds.

    A tab becomes spaces, as some dialects would have it. A left angle bracket becomes its escape in JSON, so that who
    knows no fences sees no tag either.
    """
    body = lines(text).expandtabs(4).replace("<", "\\u003c")
    if " \n" in body or body.endswith(" "):
        body = re.sub("(?m)^ +$", "", body)
    ticks = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", body)), 3) if "`" in body else "```"
    return Markup(f"{ticks}{language}\n{body}\n{ticks}")  # noqa: S704 - the fence is longer than any run inside


def _events(events: Events) -> Markup:
    told = ", ".join(map(_ref, events.telling(_SHOWN)))
    more = len(events.refs) - _SHOWN
    return Markup(f"{told}, {more} more" if more > 0 else told)  # noqa: S704 - each is markup


def numbers(value: object) -> Markup:
    """Return a cell as `shown`, with the numbers of its events alone: for a document that does not hold the record."""
    return typed(", ".join(str(ref.seq) for ref in value.refs)) if isinstance(value, Events) else shown(value)


def _ref(ref: Ref) -> str:
    label = typed(f"{ref.seq} {ref.label}".strip())
    return label if ref.place is None else f"[{label}](#{typed(ref.place)})"


def _link(url: str) -> Markup:
    if not url.startswith(("https://", "http://")):
        return typed(url)
    parts = urlsplit(url)
    target = quote(url, safe=":/?#@!$,;=%~+.-") if parts.netloc else ""
    name = typed(parts.netloc + parts.path)
    return Markup("[{}]({})").format(name, Markup(target)) if target else name  # noqa: S704 - quoted
