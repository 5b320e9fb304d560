"""The theme's part of the pages of which there are thousands: one empty page that mkdocs builds, made small."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from veza_e2e.site.session_pages import MADE_FROM, PAGE, ROW

_SHELL = "0000/00/shell"
_BODY, _TITLE = '<div id="veza-session-body"></div>', "veza-session-title"
_ARTICLE = re.compile(r"<article\b.*</article>", re.DOTALL)
_SCRIPT = re.compile(r"(<script\b.*?</script>)", re.DOTALL)
_SECTION = re.compile(r'<li class="md-nav__item[^"]* md-nav__item--nested">')


def staged(source: Path) -> Path:
    """Return the folder of the sessions' pages before they are put into the site."""
    return source.with_name("site-pages")


def write_shell(pages: Path) -> None:
    """Write the source of the empty page; `pages` is the archive's folder in mkdocs' tree."""
    shell = pages / _SHELL / "index.md"
    shell.parent.mkdir(parents=True)
    hidden = "search:\n  exclude: true\nhide:\n  - navigation\n  - toc\n"
    shell.write_text(f"---\ntitle: {_TITLE}\n{hidden}---\n{_BODY}\n", encoding="utf-8")


def put_sessions(folder: Path, pages: Path) -> None:
    """Put the sessions into the built site; `pages` is the archive's folder in it."""
    shell = (pages / _SHELL / PAGE).read_text(encoding="utf-8")
    shutil.rmtree(pages / Path(_SHELL).parts[0])
    before, _, after = _small(shell).partition(_BODY)
    # A page without the theme's own heading has one, which is the session's.
    before = re.sub(rf"<h1[^>]*>{_TITLE}</h1>", "", before)
    for made in sorted(folder.glob("*/*/*")):
        there = pages.joinpath(*made.parts[-3:])
        shutil.copytree(made, there, ignore=shutil.ignore_patterns(MADE_FROM, PAGE, ROW))
        body = (made / PAGE).read_text(encoding="utf-8")
        title = body.partition("<h1>")[2].partition("</h1>")[0]
        page = before.replace(_TITLE, title) + body + after.replace(_TITLE, title)
        (there / PAGE).write_text(page, encoding="utf-8")


def lighten(site: Path, pages: Path) -> None:
    """Make the theme's part of each page small, and remove the theme's source maps, which no visitor asks for.

    The pages of months and releases are many, and have a short navigation.
    """
    many = {*pages.glob("[0-9]*/[0-9]*/index.html"), *site.glob("releases/*.html")}
    for path in site.rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        article = _ARTICLE.search(page)
        if article:
            small = _small if path in many else _tight
            parts = small(page[: article.start()]), article[0], small(page[article.end() :])
            path.write_text("".join(parts), encoding="utf-8")
    for path in (site / "assets").rglob("*.map"):
        path.unlink()


def _small(shell: str) -> str:
    """Return the theme's part, tight, with a link for each section of the navigation."""
    shown, place = [], 0
    for section in _SECTION.finditer(shell):
        if section.start() >= place:
            end = _end_of_item(shell, section.start())
            shown += [shell[place : section.start()], _as_link(shell[section.start() : end])]
            place = end
    return _tight("".join([*shown, shell[place:]]))


def _tight(shell: str) -> str:
    """Return the theme's part without its blank lines and indentation."""
    parts = _SCRIPT.split(shell)
    # The policy names each script by its digest, so none is touched.
    return "".join(part if number % 2 else re.sub(r"\s*\n\s*", "\n", part) for number, part in enumerate(parts))


def _end_of_item(text: str, start: int) -> int:
    """Return the place behind the item of a list that begins at `start`, whatever lists it holds."""
    depth = 0
    for tag in re.compile(r"<(/?)li\b").finditer(text, start):
        depth += -1 if tag[1] else 1
        if depth == 0:
            return text.index(">", tag.start()) + 1
    return len(text)


def _as_link(section: str) -> str:
    name = re.search(r'class="md-ellipsis">\s*([^<]+?)\s*<', section)
    page = re.search(r'<a href="([^"#]+)"', section)
    if not name or not page:
        return section
    told = f'<span class="md-ellipsis">{name[1]}</span>'
    return f'<li class="md-nav__item"><a href="{page[1]}" class="md-nav__link">{told}</a></li>'
