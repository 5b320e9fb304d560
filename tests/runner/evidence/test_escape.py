"""What comes from outside is text, whole, in Markdown and HTML, whatever it holds."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from html.parser import HTMLParser
from importlib import import_module

import pytest
from amount import share
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from veza_e2e.report.escape import block, inline, lines, plain, typed
from veza_e2e.report.markdown import code, fence

EXTENSIONS = [
    "attr_list", "tables", "toc", "abbr", "def_list", "footnotes", "md_in_html", "smarty", "admonition", "meta",
    "pymdownx.superfences", "pymdownx.highlight", "pymdownx.magiclink", "pymdownx.emoji", "pymdownx.tilde",
    "pymdownx.caret", "pymdownx.mark", "pymdownx.keys", "pymdownx.critic", "pymdownx.snippets", "pymdownx.tasklist",
    "pymdownx.betterem", "pymdownx.details", "pymdownx.inlinehilite", "pymdownx.saneheaders",
]  # fmt: skip
HOSTILE = [
    '<script>alert(1)</script> | "x" \n# y', "`a` ``b``", "| a | b |", "{{ 7*7 }} {% raw %}", "[x](javascript:x())",
    "![x](y)", "&lt;b&gt; &amp; &#60;", "*a* **b** __c__ _d_ ~~e~~ ==f== ^g^ ++h++", "<!-- c -->", "]]>", "a\tb",
    "http://evil.example www.evil.example a@evil.example", ":smile: :material-x:", '{: onclick="x" } { #id .c }',
    "# h\n- l\n1. n\n> q\n    code", "\x02\x03 \x00", '--8<-- "/etc/passwd"', "```\nfence\n```", "*[HTML]: x",
    "[^1]", "\u202egnp.exe\u2066", "  leading and trailing  ", "\u2028 \x85 \u00a0", "[x]: y", "{++ins++} {>>c<<}",
    "\\\\ \\<b\\>", "=", "+ x", "(c) -- ... 'q' \"q\" 1/2", "x_y_z _a_ a_ _b",
]  # fmt: skip


PRETTY = frozenset({"smarty"})
"""Dialects that change hyphens and quotation marks, which are no markup."""


class Reading(HTMLParser):
    """Collects the tags, and the text of one element."""

    def __init__(self, wanted: str) -> None:
        super().__init__(convert_charrefs=True)
        self.wanted = wanted
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text: list[str] = []
        self.depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.depth += tag == self.wanted or self.depth > 0

    def handle_endtag(self, tag: str) -> None:
        self.depth -= self.depth > 0

    def handle_data(self, data: str) -> None:
        if self.depth:
            self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.tags.append("!--")


def read(page: str, wanted: str) -> Reading:
    reading = Reading(wanted)
    reading.feed(page)
    reading.close()
    return reading


def rendered(text: str, *, without: frozenset[str] = frozenset()) -> str:
    extensions = [name for name in EXTENSIONS if name not in without]
    return str(import_module("markdown").markdown(text, extensions=extensions))


def expected(text: str) -> str:
    return plain(text)


COMMONMARK = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def check_cell(text: str, escape: Callable[[object], str] = inline) -> None:
    table = f"| a | b |\n|---|---|\n| **x** | {escape(text)} |\n| q | r |\n"
    check_table(rendered(table, without=PRETTY if escape is typed else frozenset()), expected(text))
    check_table(COMMONMARK.render(table), expected(text))


def check_table(page: str, text: str) -> None:
    reading = read(page, "tbody")
    assert reading.tags == ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "strong", "td", "tr", "td", "td"]
    assert reading.attributes == []
    assert [line for line in "".join(reading.text).split("\n") if line] == [
        line for line in ("x", text, "q", "r") if line
    ]


def check_line(text: str) -> None:
    reading = read(rendered(f"Title {inline(text)} end"), "p")
    assert reading.tags == ["p"]
    assert "".join(reading.text) == f"Title {expected(text)} end"


def check_attribute(text: str) -> None:
    page = rendered(f'<div class="{inline(text)}">\n<p>{inline(text)}</p>\n</div>\n\nafter')
    reading = read(page, "div")
    assert reading.tags == ["div", "p", "p"]
    assert "".join(reading.text).strip("\n") == expected(text)
    found = re.search(r'class="([^"]*)"', page)
    assert found
    assert html.unescape(found[1]) == expected(text)


def check_code(text: str) -> None:
    """A code span and a fence hold the text as it is, in both dialects."""
    for page in (rendered(f"a {code(text)} b", without=PRETTY), COMMONMARK.render(f"a {code(text)} b")):
        reading = read(page, "p")
        assert reading.tags in (["p"], ["p", "code"])
        assert "".join(reading.text) == f"a {expected(text)} b"
    fenced = f"before\n\n{fence(text, 'http')}\n\nafter **b**\n"
    for page in (
        str(import_module("markdown").markdown(fenced, extensions=["fenced_code"])),
        COMMONMARK.render(fenced),
    ):
        reading = read(page, "pre")
        assert reading.tags == ["p", "pre", "code", "p", "strong"]
        assert "".join(reading.text).removesuffix("\n") == re.sub("(?m)^ +$", "", lines(text).expandtabs(4)).replace(
            "<", "\\u003c"
        )


def check_block(text: str) -> None:
    reading = read(rendered(f"<div>\n<pre>{block(text)}</pre>\n</div>\n\nafter **b**"), "pre")
    assert reading.tags == ["div", "pre", "p", "strong"]
    lines = text.replace("\r\n", "\n").split("\n")
    kept = [plain(line.replace("\t", "\N{SYMBOL FOR HORIZONTAL TABULATION}")) for line in lines]
    assert "".join(reading.text).replace("\t", "\N{SYMBOL FOR HORIZONTAL TABULATION}").split("\n") == kept


@pytest.mark.parametrize("text", HOSTILE)
def test_known_attacks_are_text(text: str) -> None:
    check_cell(text)
    check_cell(text, typed)
    check_line(text)
    check_attribute(text)
    check_block(text)
    check_code(text)


@settings(max_examples=share(60))
@given(
    st.text(
        alphabet=st.sampled_from("<>&|`*_[](){}#!\\~=^+-:.\"'@/ \n\tabwx17\x02\x03\u2028\u202e\u00a0;$%"), max_size=40
    )
)
def test_any_text_of_special_characters_is_text(text: str) -> None:
    check_cell(text)
    check_cell(text, typed)
    check_line(text)


def test_a_command_is_readable_as_it_is_written() -> None:
    command = "look again with: veza-e2e --env prod attest dashboard --by 'A. Person' --charged \"5.00 EUR\""
    assert typed(command) == command


@settings(max_examples=share(60))
@given(st.text(max_size=30))
def test_any_text_at_all_is_text(text: str) -> None:
    check_cell(text)
    check_cell(text, typed)
    check_attribute(text)


@settings(max_examples=share(60))
@given(st.text(alphabet=st.sampled_from("<>&|`~#{}-:\n \t\"'abc8*_[]\\"), max_size=60))
def test_any_block_is_text(text: str) -> None:
    check_block(text)
    check_code(text)


@settings(max_examples=share(60))
@given(st.text(max_size=50))
def test_plain_text_is_one_line_without_control_characters(text: str) -> None:
    shown = plain(text)
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in shown)
    assert not set(shown) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u200b\ufeff")
