"""Plain Markdown as two implementations render it: Python-Markdown and a CommonMark one."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from importlib import import_module

from markdown_it import MarkdownIt


class Rendered(HTMLParser):
    """A report as an implementation of Markdown renders it: its tables, links, headings and other tags."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self.links: list[str] = []
        self.headings: list[str] = []
        self.tags: set[str] = set()
        self.fenced: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._open.append(tag)
        match tag:
            case "table":
                self.tables.append([])
            case "tr":
                self.tables[-1].append([])
            case "td" | "th":
                self.tables[-1][-1].append("")
            case "h1" | "h2" | "h3" | "h4":
                self.headings.append("")
            case "a":
                self.links.append(str(dict(attrs)["href"]))
            case "pre":
                self.fenced.append("")
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & set(self._open):
            self.tables[-1][-1][-1] += data
        elif "pre" in self._open:
            self.fenced[-1] += data
        elif self._open and self._open[-1] in {"h1", "h2", "h3", "h4"}:
            self.headings[-1] += data

    @property
    def anchors(self) -> list[str]:
        """What a forge calls the headings."""
        return [re.sub(r"[^\w -]", "", text.strip().lower()).replace(" ", "-") for text in self.headings]


def both(page: str) -> tuple[Rendered, Rendered]:
    """Render a report with Python-Markdown and with a CommonMark one."""
    ours = import_module("markdown").markdown(page, extensions=["tables", "fenced_code", "toc"])
    return Rendered(ours), Rendered(MarkdownIt("commonmark").enable("table").render(page))


PLAIN = {
    "h1",
    "h2",
    "h3",
    "h4",
    "p",
    "strong",
    "code",
    "pre",
    "a",
    "ul",
    "li",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}


def same_in_both(page: str) -> Rendered:
    """Check that both implementations see the same, nothing but Markdown, and that every link leads somewhere."""
    ours, theirs = both(page)
    assert ours.tables == theirs.tables
    assert ours.links == theirs.links
    assert ours.headings == theirs.headings
    assert [one.strip("\n") for one in ours.fenced] == [one.strip("\n") for one in theirs.fenced]
    assert ours.tags | theirs.tags <= PLAIN
    assert len(set(theirs.anchors)) == len(theirs.anchors)
    assert {one.removeprefix("#") for one in theirs.links if one.startswith("#")} <= set(theirs.anchors)
    return theirs
