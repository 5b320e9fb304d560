"""Builds the site: writes hand-written and archive pages into one tree, then runs mkdocs in strict mode."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from veza_e2e.archive.files import ArchiveError
from veza_e2e.archive.sessions import Archive
from veza_e2e.child import child_environment
from veza_e2e.evidence.release import by_release
from veza_e2e.frozen import dataclass
from veza_e2e.report import templates
from veza_e2e.site.board import board
from veza_e2e.site.live_report import checklist, release_view, unknown
from veza_e2e.site.policy import write_headers
from veza_e2e.site.recordings import Recorded, write_recordings
from veza_e2e.site.releases import Archived, Entry, slug
from veza_e2e.site.session_pages import rendered, write_sessions
from veza_e2e.site.sessions_table import data_script, session_row
from veza_e2e.site.shell import lighten, put_sessions, staged, write_shell

ARCHIVE = "archive/payment-e2e"
SOURCE, SCRIPT = Path("build/site-src"), "sessions.js"
KEPT = ("docs", "templates", "cassettes", str(SOURCE), str(staged(SOURCE)))
"""Folders of the checkout that a site must neither be in nor contain."""
SKELETON = Path("build/site-skeleton")
UNFINISHED = Path("build/site-unfinished")
"""A file that names the folder of an unfinished site, which the next build may replace."""
EXAMPLE = "refund"
"""The recording that the worked example follows."""
NEWEST = 25
"""How many sessions the index lists in its HTML; its filters know all sessions."""


class SiteError(Exception):
    """The site could not be built."""


@dataclass(frozen=True, slots=True)
class Built:
    """The built site."""

    out: Path
    sessions: int
    damaged: tuple[tuple[str, str], ...]
    """Each damaged item, and how the site shows it."""


def build(archive: Archive, *, root: Path, out: Path, policy: Path | None = None) -> Built:
    """Build the site.

    Args:
        archive: the sessions to show.
        root: the folder to build in. Its `mkdocs.yml` and `docs/` are used if they are made for this site; else the
            site is made of the archive's pages alone.
        out: the folder for the built site.
        policy: OpenSSH's allowed signers file, if there is one.

    Raises:
        SiteError: mkdocs failed.
    """
    source = root / SOURCE
    own = has_own_site(root)
    docs, config = (root / "docs", Path("mkdocs.yml")) if own else skeleton(root / SKELETON)
    shown = write_tree(archive, docs, source, policy, root / "cassettes")
    epoch = str(int(datetime.fromisoformat(shown.newest).timestamp()))
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--clean", "-f", str(config)]
    environment = {**child_environment(), "SOURCE_DATE_EPOCH": epoch, "NO_MKDOCS_2_WARNING": "1"}
    (root / UNFINISHED).write_text(str(out.resolve()), encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - own interpreter, own arguments
        [*command, "-d", str(out.resolve())],
        cwd=root,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise SiteError(f"mkdocs build --strict: {(done.stderr or done.stdout).strip()[-2000:]}")
    write_headers(out)
    lighten(out, out / ARCHIVE)
    put_sessions(staged(source), out / ARCHIVE)
    (root / UNFINISHED).unlink()
    return Built(out, len(shown.entries), tuple(_damage(shown)))


def has_own_site(root: Path) -> bool:
    """Whether a folder's `mkdocs.yml` builds the tree that is written here."""
    try:
        return f"docs_dir: {SOURCE}" in (root / "mkdocs.yml").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return False


def skeleton(folder: Path) -> tuple[Path, Path]:
    """Write the pages and the configuration of a site that has no others; return the paths of both."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(templates.assets(), folder / "docs" / "assets", ignore=shutil.ignore_patterns("images"))
    made = templates.folder() / "skeleton"
    shutil.copyfile(made / "index.md", folder / "docs" / "index.md")
    config = folder.parent / "site-mkdocs.yml"
    shutil.copyfile(made / "mkdocs.yml", config)
    return folder / "docs", config


def _damage(shown: Archived) -> Iterator[tuple[str, str]]:
    for entry in shown.entries:
        if entry.summary is None:
            yield entry.stored.session, "shown as damaged; veza-e2e verify says more"
        for name in entry.altered:
            yield entry.stored.session, f"{name} does not have the digest that the journal names; it is not offered"
    if shown.damage:
        yield "attestations", shown.damage


def erased(archive: Archive, *, root: Path, out: Path) -> str | None:
    """Return what a build into `out` would erase besides an earlier site; None if nothing."""
    there, kept = out.resolve(), [archive.root, *(root / name for name in KEPT)]
    if (root / SOURCE).resolve() in (archive.root.resolve(), *archive.root.resolve().parents):
        return f"{archive.root}, which lies in {SOURCE}"
    if there in (root.resolve(), *root.resolve().parents):
        return "the checkout itself"
    for folder in (path.resolve() for path in kept):
        if there in (folder, *folder.parents) or folder in there.parents:
            return str(folder)
    ours = (there / ARCHIVE / SCRIPT).is_file() or _begun(root) == there
    if there.is_dir() and any(there.iterdir()) and not ours:
        return "what is in it: it is no site that was built before"
    return None


def _begun(root: Path) -> Path | None:
    try:
        return Path((root / UNFINISHED).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def write_tree(
    archive: Archive, docs: Path, source: Path, policy: Path | None = None, cassettes: Path | None = None
) -> Archived:
    """Write the hand-written pages and the archive's pages to `source`, the sessions' to `staged(source)`.

    `policy` says whose signatures count; `cassettes` are the recordings to show beside the archive, None for none.

    Raises:
        SiteError: there are no hand-written pages.
    """
    if not docs.is_dir():
        raise SiteError(f"{docs}: is not there; build the site in a checkout")
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(docs, source, ignore=shutil.ignore_patterns("payment-e2e", "*.part", "__pycache__"))
    pages = source / ARCHIVE
    write_shell(pages)
    entries = write_sessions(archive, staged(source))
    try:
        shown = by_release(entries, archive.attestations())
    except ArchiveError as error:
        shown = by_release(entries, (), f"none is counted: {str(error).replace(str(archive.root) + '/', '')}")
    recordings = write_recordings(cassettes, staged(source)) if cassettes else ()
    _index(shown, pages, recordings)
    _example(source, recordings)
    _months(shown, pages)
    _releases(shown, source, policy)
    _home(shown, source, policy)
    return shown


def _index(shown: Archived, pages: Path, recordings: Sequence[Recorded]) -> None:
    rows = [session_row(entry, "") for entry in shown.entries[:NEWEST]]
    months = sorted({entry.page[:7] for entry in shown.entries}, reverse=True)
    listed = {"rows": rows, "total": len(shown.entries), "months": months, "recordings": recordings, "up": ""}
    _write(pages / "index.md", "archive.md", **listed)
    (pages / SCRIPT).write_text(data_script(shown.entries), encoding="utf-8")


def _months(shown: Archived, pages: Path) -> None:
    months: dict[str, list[Entry]] = {}
    for entry in shown.entries:
        months.setdefault(entry.page[:7], []).append(entry)
    for month, entries in months.items():
        rows = [session_row(entry, "../../") for entry in entries]
        _write(pages / month / "index.md", "month.md", rows=rows, month=month.replace("/", "-"))


def _releases(shown: Archived, source: Path, policy: Path | None) -> None:
    views = [release_view(release, f"{ARCHIVE}/", policy) for release in shown.releases]
    for release in shown.releases:
        page = release_view(release, f"../{ARCHIVE}/", policy)
        _write(source / "releases" / f"{slug(release.name)}.md", "release.md", release=page, checklist=checklist)
    damage = unknown(shown, f"{ARCHIVE}/")
    listed = {"releases": views, "checklist": checklist, "damage": damage}
    _write(source / "live-report.md", "live_report.md", newest=views[:1], **listed)
    _write(source / "go-no-go.md", "go_no_go.md", board=board(shown, f"{ARCHIVE}/", policy), damage=damage)


def _home(shown: Archived, source: Path, policy: Path | None) -> None:
    rows = [session_row(entry, f"{ARCHIVE}/") for entry in shown.entries[:5]]
    damage = unknown(shown, f"{ARCHIVE}/")
    _fill(source / "index.md", "board", "_board.html", board=board(shown, f"{ARCHIVE}/", policy), damage=damage)
    _fill(source / "index.md", "latest sessions", "latest.md", rows=rows)


def _example(source: Path, recordings: Sequence[Recorded]) -> None:
    one = next((one for one in recordings if one.name == EXAMPLE and one.url), None)
    _fill(source / "example.md", "worked example", "_example.html", one=one)


def _fill(page: Path, place: str, template: str, **values: object) -> None:
    """Fill the place of a hand-written page that a comment names, if there is one."""
    text, comment = (page.read_text(encoding="utf-8") if page.is_file() else ""), f"<!-- {place} -->"
    if comment in text:
        page.write_text(text.replace(comment, rendered(template, **values)), encoding="utf-8")


def _write(path: Path, template: str, **values: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(rendered(template, **values), encoding="utf-8")
