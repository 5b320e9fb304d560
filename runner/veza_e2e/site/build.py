"""Builds the site: the pages by hand and the archive's pages into one tree, then plain mkdocs, strict."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from markupsafe import Markup

from veza_e2e.archive import LOG, Archive, ArchiveError, Stored
from veza_e2e.evidence import Addendum, Reread
from veza_e2e.journal import DamagedError
from veza_e2e.report import ReportError, templates
from veza_e2e.report.facts import Fact, amount
from veza_e2e.report.view import view
from veza_e2e.site.catalogue import Catalogue, Entry, catalogue
from veza_e2e.site.flow import money_flow
from veza_e2e.site.pages import ARCHIVE, checklist, data_script, release_view, row
from veza_e2e.site.waterfall import waterfall
from veza_e2e.verify import signature_of

NEWEST = 100
"""How many sessions the index lists itself; its filters know all of them."""


class SiteError(Exception):
    """The site could not be built."""


@dataclass(frozen=True, slots=True)
class Built:
    """What was built."""

    out: Path
    sessions: int
    damaged: tuple[str, ...]


def build(archive: Archive, *, root: Path, out: Path) -> Built:
    """Build the site.

    Args:
        archive: whose sessions it shows.
        root: the checkout, with `mkdocs.yml` and `docs/`.
        out: where the built site goes.

    Raises:
        SiteError: there is nothing to build from, or mkdocs refused.
        ArchiveError: an attestation does not hold what it claims.
    """
    source = root / "build" / "site-src"
    shown = write_tree(archive, root / "docs", source)
    epoch = str(int(datetime.fromisoformat(shown.newest).timestamp()))
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--clean", "-f", "mkdocs.yml"]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": epoch, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(  # noqa: S603 - own interpreter, own arguments
        [*command, "-d", str(out.resolve())], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SiteError(f"mkdocs build --strict: {(done.stderr or done.stdout).strip()[-2000:]}")
    return Built(out, len(shown.entries), tuple(e.stored.session for e in shown.entries if e.summary is None))


def write_tree(archive: Archive, docs: Path, source: Path) -> Catalogue:
    """Write the pages by hand and the archive's pages to `source`.

    Raises:
        SiteError: there are no pages by hand.
        ArchiveError: an attestation does not hold what it claims.
    """
    if not docs.is_dir():
        raise SiteError(f"{docs}: is not there; build the site in a checkout")
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(docs, source, ignore=shutil.ignore_patterns("payment-e2e", "*.part"))
    pages = source / ARCHIVE
    entries = [_session(stored, pages) for stored in archive.sessions()]
    shown = catalogue(entries, archive.attestations())
    _index(shown, pages)
    _months(shown, pages)
    _releases(shown, source)
    _home(shown, source)
    return shown


def _session(stored: Stored, pages: Path) -> Entry:
    try:
        reading = stored.read()
        addenda = stored.addenda()
        page = view(reading.lines, addenda)
    except (DamagedError, ArchiveError, ReportError, OSError) as error:
        entry = Entry(stored, None, str(error).replace(str(stored.folder) + "/", ""))
        _write(pages / entry.page, "damaged.md", session=stored.session, damage=entry.damage)
        return entry
    entry = Entry(stored, page.summary)
    target = pages / entry.page
    _write(
        target,
        "session.md",
        page=page,
        flow=money_flow(reading.lines, page.summary),
        pictures={"The nine steps": (waterfall(reading.lines),)},
        addenda=tuple(_addenda(addenda)),
        files=tuple(_files(stored, target.parent)),
    )
    return entry


def _addenda(addenda: Sequence[Addendum]) -> list[Fact]:
    if not addenda:
        return [Fact("None.", "Nothing was recorded after the session.")]
    found = []
    for item in addenda:
        if isinstance(item, Reread):
            found.append(Fact(f"Addendum {item.number} (#{item.seq}), {item.at[:10]}", f"read again: {item.observed}"))
            continue
        shown = f"{item.seen} on {item.date}"
        if item.amount_cents is not None:
            shown += f", {amount(item.amount_cents, item.currency)}"
        for name in ("reference", "note"):
            value = getattr(item, name)
            shown += f", {name}: {value}" if value else ""
        if item.evidence:
            shown += f"; the file has {item.evidence.bytes} bytes and SHA-256 {item.evidence.sha256}"
        found.append(Fact(f"Addendum {item.number} (#{item.seq}), {item.at[:10]}", f"bank statement: {shown}"))
    return found


def _files(stored: Stored, target: Path) -> list[Fact]:
    target.mkdir(parents=True, exist_ok=True)
    found = []
    own = (stored.journal, stored.folder / LOG, *stored.addendum_files())
    for path in (*own, *map(signature_of, own)):
        if path.is_file():
            shutil.copyfile(path, target / path.name)
            found.append(Fact(path.name, Markup('<a href="{0}" download>{0}</a>').format(path.name)))
    return found


def _index(shown: Catalogue, pages: Path) -> None:
    rows = [row(entry, "") for entry in shown.entries[:NEWEST]]
    months = sorted({entry.page[:7] for entry in shown.entries}, reverse=True)
    _write(pages / "index.md", "archive.md", rows=rows, total=len(shown.entries), months=months)
    (pages / "sessions.js").write_text(data_script(shown.entries), encoding="utf-8")


def _months(shown: Catalogue, pages: Path) -> None:
    months: dict[str, list[Entry]] = {}
    for entry in shown.entries:
        months.setdefault(entry.page[:7], []).append(entry)
    for month, entries in months.items():
        rows = [row(entry, "../../") for entry in entries]
        _write(pages / month / "index.md", "month.md", rows=rows, month=month.replace("/", "-"))


def _releases(shown: Catalogue, source: Path) -> None:
    views = [release_view(release, f"{ARCHIVE}/") for release in shown.releases]
    for release in shown.releases:
        page = release_view(release, f"../{ARCHIVE}/")
        _write(source / "releases" / f"{release.slug}.md", "release.md", release=page, checklist=checklist)
    _write(source / "live-report.md", "live_report.md", releases=views, newest=views[:1], checklist=checklist)
    _write(source / "go-no-go.md", "go_no_go.md", releases=views, checklist=checklist)


def _home(shown: Catalogue, source: Path) -> None:
    rows = [row(entry, f"{ARCHIVE}/") for entry in shown.entries[:5]]
    latest = templates.markup().get_template("site/latest.md").render(rows=rows)
    home = source / "index.md"
    home.write_text(home.read_text(encoding="utf-8").replace("<!-- latest sessions -->", latest), encoding="utf-8")


def _write(path: Path, template: str, **values: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(templates.markup().get_template(f"site/{template}").render(values), encoding="utf-8")
