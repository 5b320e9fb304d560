"""Loads the templates, sets how they escape, and computes their version."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from veza_e2e import evidence, journal
from veza_e2e.money import account
from veza_e2e.report import html
from veza_e2e.report import markdown as plain_markdown
from veza_e2e.report.cells import anchor
from veza_e2e.report.escape import block, plain

if TYPE_CHECKING:
    from jinja2 import Environment

_PACKAGE = Path(__file__).parents[1]
_VIEWS = ("report.md", "session.log")


@cache
def folder() -> Path:
    """Return the templates' folder: inside the installed package, or beside it in a checkout."""
    installed = _PACKAGE / "templates"
    return installed if installed.is_dir() else _PACKAGE.parents[1] / "templates"


@cache
def assets() -> Path:
    """Return the folder of the pages' styles and scripts: inside the installed package, or in the checkout's docs."""
    installed = _PACKAGE / "assets"
    return installed if installed.is_dir() else _PACKAGE.parents[1] / "docs" / "assets"


@cache
def markup() -> Environment:
    """Return the environment for Markdown and HTML; it escapes every value not marked as safe."""
    return _environment(html.shown, autoescape=True)


@cache
def markdown() -> Environment:
    """Return the environment for Markdown that people read as it is; see `escape.typed`."""
    return _environment(plain_markdown.shown, autoescape=False)


@cache
def text() -> Environment:
    """Return the environment for plain text; every value becomes one harmless line."""
    return _environment(plain, autoescape=False)


def _environment(finalize: Callable[[object], str], *, autoescape: bool) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - only to render

    from veza_e2e.report.compiled import Compiled  # noqa: PLC0415 - as above

    environment = Environment(
        loader=FileSystemLoader(folder()),
        undefined=StrictUndefined,
        autoescape=autoescape,  # noqa: S701 - off for texts only, whose values finalize escapes, as it does those of HTML
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,  # a process renders with one version of the templates
        bytecode_cache=Compiled(folder(), finalize.__module__, template_version()),
    )
    environment.filters["block"] = block
    environment.filters["at"] = html.at
    environment.filters["anchor"] = anchor
    environment.filters["numbers"] = plain_markdown.numbers
    environment.filters["fence"] = plain_markdown.fence
    return environment


@cache
def template_version() -> str:
    """Return the version of a session's views: a digest of their templates and of the code that fills them."""
    rooms = (Path(str(module.__file__)).parent for module in (evidence, account, journal))
    code = [*(path for room in rooms for path in room.glob("*.py")), *Path(__file__).parent.glob("*.py")]
    views = [path for pattern in _VIEWS for path in folder().glob(pattern)]
    sums = sorted(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in (*code, *views))
    return hashlib.sha256("\n".join(sums).encode()).hexdigest()[:16]
