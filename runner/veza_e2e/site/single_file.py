"""A session as one HTML file to be mailed: its page, its JSON, and nothing that is loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json

from markupsafe import Markup

from veza_e2e.archive.files import ArchiveError
from veza_e2e.archive.releases import beside_cited
from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.evidence import summarise
from veza_e2e.journal import DamagedError
from veza_e2e.report import ReportError, templates
from veza_e2e.report.view import view
from veza_e2e.site.compared import Run, run_of
from veza_e2e.site.session_page import session_page

STYLES = ("veza.css", "veza-session.css")
SCRIPTS = ("veza.js", "veza-session.js")
_SCHEME = """
document.body.dataset.mdColorScheme = matchMedia("(prefers-color-scheme: dark)").matches ? "slate" : "default";
"""


def single_file(stored: Stored) -> bytes:
    """Return the file.

    Raises:
        DamagedError: the chain is broken.
        ArchiveError: an addendum does not hold what it claims.
        ReportError: the journal does not begin as this version knows it.
        OSError: a file cannot be read.
    """
    reading = stored.read()
    addenda = stored.addenda(reading)
    report = view(reading.lines, addenda, beside_cited(stored, summarise(reading.lines, addenda)))
    assets = templates.assets()
    style = "\n".join((assets / "stylesheets" / name).read_text(encoding="utf-8") for name in STYLES)
    style += (templates.folder() / "site" / "single.css").read_text(encoding="utf-8")
    script = "\n".join((assets / "javascripts" / name).read_text(encoding="utf-8") for name in SCRIPTS) + _SCHEME
    allowed = f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    document = json.dumps(report.summary.to_json(), ensure_ascii=True, sort_keys=True, indent=1)
    page = templates.markup().get_template("site/single.html")
    return page.render(
        page=session_page(reading.lines, report, addenda, known=_known(stored, report.summary.dry_run)),
        policy=allowed,
        style=Markup(style),  # noqa: S704 - our own
        script=Markup(script),  # noqa: S704 - our own
        document=Markup(document.replace("<", "\\u003c")),  # noqa: S704 - nothing ends the element
    ).encode()


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _known(stored: Stored, cited: object) -> dict[str, Run]:
    """Return the run before, and the dry-run that is cited: the oldest first."""
    archive = Archive(stored.folder.parents[2])
    first, wanted = stored.beginning(), cited.get("session") if isinstance(cited, dict) else None
    before = [one for one in archive.sessions() if one.session < stored.session]
    same = (one for one in before if first and (own := one.beginning()) and own.environment == first.environment)
    chosen = {one.session: one for one in (archive.session(wanted), next(same, None)) if one is not None}
    known = {}
    for one in sorted(chosen.values(), key=lambda each: each.session):
        try:
            lines = one.read().lines
            known[one.session] = run_of(lines, view(lines, one.addenda(one.read())))
        except (DamagedError, ArchiveError, ReportError, OSError):
            continue  # a damaged session is not compared with
    return known
