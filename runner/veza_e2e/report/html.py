"""Shows cells and texts as HTML, for the pages and the single file."""

from __future__ import annotations

from markupsafe import Markup

from veza_e2e.report.cells import Address, Command, Events, Id, Ref, Status
from veza_e2e.report.escape import inline

_SHOWN = 2
"""How many events of a cell are shown; the others are folded, with their number."""


def shown(value: object) -> Markup:
    """Return a cell, or any text, for an HTML element or, if it is text, an attribute."""
    return at(value)


def at(value: object, base: str = "") -> Markup:
    """Return as `shown`, with links to events of the page `base`."""
    match value:
        case Status():
            css = value.word.replace("_", "-")
            return Markup('<span class="veza-status veza-{}">{}</span>').format(inline(css), inline(value.told))
        case Events():
            return _events(value, base)
        case Command(text):
            return Markup('<code class="veza-copied">{}</code>').format(inline(text))
        case Id(text):
            return Markup('<span class="veza-id">{}</span>').format(inline(text))
        case Address(url):
            return _link(url)
        case _:
            return inline(value)


def _events(events: Events, base: str) -> Markup:
    shown = {ref: _ref(ref, base) for ref in events.refs}
    if len(events.refs) <= _SHOWN + 1:
        return Markup(" ").join(shown.values())
    first = events.telling(_SHOWN)
    rest = [ref for ref in events.refs if ref not in first]
    told, folded = (Markup(" ").join(shown[ref] for ref in some) for some in (first, rest))
    return Markup('{} <details class="veza-more"><summary>+{} more</summary>{}</details>').format(
        told, len(rest), folded
    )


def _ref(ref: Ref, base: str) -> Markup:
    anchor = "addenda" if ref.place is None else f"event-{ref.seq}"
    label = inline(f"{ref.seq} {ref.label}".strip())
    return Markup(f'<a href="{inline(base)}#{anchor}">{label}</a>')  # noqa: S704 - all parts are escaped


def _link(url: str) -> Markup:
    if not url.startswith(("https://", "http://")):
        return inline(url)
    return Markup('<a href="{0}">{0}</a>').format(inline(url))
