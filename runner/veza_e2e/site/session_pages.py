"""The pages of all sessions, beside mkdocs: a page that would be the same again is not rendered again.

mkdocs builds one empty page, the shell. Each session's page is that shell with the session's own HTML, so that no
journal goes through Markdown. What was made of a session stays in a folder of its own, with the digest of all that it
was made from: its journal's last hash, addenda, offered files, the sessions that it is compared with, the templates.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cache
from pathlib import Path

from markupsafe import Markup

from veza_e2e.archive.files import ArchiveError
from veza_e2e.archive.manifests import digest_of
from veza_e2e.archive.releases import beside_cited
from veza_e2e.archive.sessions import LOG, REPORT, Archive, Stored
from veza_e2e.archive.signatures import signature_of
from veza_e2e.evidence import Summary, summarise
from veza_e2e.frozen import dataclass
from veza_e2e.journal import DamagedError, Line
from veza_e2e.journal.events import SessionStarted
from veza_e2e.report import ReportError, templates
from veza_e2e.report.cells import Fact
from veza_e2e.report.view import view
from veza_e2e.site.compared import Run, run_of
from veza_e2e.site.releases import Entry, ids_of, slug
from veza_e2e.site.session_page import Link, session_page

RECEIPT, ACCEPTANCE = "Receipt", "Acceptance"
SUMMARY, PAGE, MADE_FROM, ROW = "summary.json", "index.html", "made-from", "row.json"
_UP = "../../../"
_DICTIONARY = 1 << 18
"""As large as a session. The preset's own is larger, and to make it takes a quarter of the time."""


def write_sessions(archive: Archive, folder: Path) -> list[Entry]:
    """Write what has changed of the sessions' pages to `folder`; return the sessions, the newest first."""
    known = _Known()
    entries = [_session(stored, folder, known) for stored in reversed(archive.sessions())][::-1]
    kept = {folder.joinpath(*entry.stored.folder.parts[-3:]) for entry in entries}
    for month in folder.glob("[0-9]*/*"):
        leave(month, [there.name for there in kept if there.parent == month])
    return entries


def leave(folder: Path, names: Collection[str]) -> None:
    """Remove the pages in `folder` that have none of these names."""
    for other in [there for there in folder.glob("*") if there.name not in names]:
        shutil.rmtree(other)


@dataclass(frozen=True, slots=True)
class _Past:
    """A session that a later one is compared with, or cites."""

    stored: Stored
    html: str
    digest: str
    """Of what its page shows of itself."""
    seen: Run | None
    """None if its page was not rendered again."""

    def run(self) -> Run:
        """Return what it is compared by."""
        if self.seen is not None:
            return self.seen
        reading = self.stored.read()
        return run_of(reading.lines, view(reading.lines, self.stored.addenda(reading)))


@dataclass(slots=True)
class _Known:
    """The sessions that began before the one at hand."""

    by_id: dict[str, _Past] = field(default_factory=dict)
    latest: dict[str, str] = field(default_factory=dict)
    """The newest session of each environment."""

    def of(self, summary: Summary) -> dict[str, _Past]:
        """Return those that a session is compared with: the one before it, and its dry-run."""
        names = (self.latest.get(summary.environment), (summary.dry_run or {}).get("session"))
        return {name: self.by_id[name] for name in sorted(filter(None, names)) if name in self.by_id}


def _session(stored: Stored, folder: Path, known: _Known) -> Entry:
    """Write a session's page, unless it is there; `known` gets the session."""
    there = folder.joinpath(*stored.folder.parts[-3:])
    try:
        reading = stored.read()
        addenda = stored.addenda(reading)
        summary = beside_cited(stored, summarise(reading.lines, addenda))
        report = None if _told(reading.lines, summary) else view(reading.lines, addenda, summary)
    except (DamagedError, ArchiveError, ReportError, OSError) as error:
        return _damaged(stored, there, str(error).replace(str(stored.folder) + "/", ""))
    told = {section.title: section for section in report.sections} if report else {}
    entry = Entry(
        stored,
        summary,
        altered=stored.altered(reading),
        receipt=told.get(RECEIPT),
        acceptance=told.get(ACCEPTANCE),
        ids=ids_of(reading.lines),
    )
    compared, offered = known.of(summary), tuple(_offered(entry))
    links, files = tuple(_links(summary, known)), tuple(_files(entry, offered))
    own = digest(summary.last_hash, *(path.read_bytes() for path in stored.addendum_files()))
    others = (*(past.digest for past in compared.values()), *map(repr, (*links, *files)))
    made_from = digest(version(), own, document(summary), *(path.read_bytes() for path in offered), *others)
    seen = None
    if not is_kept(there, made_from):
        report = report or view(reading.lines, addenda, summary)
        runs = {name: past.run() for name, past in compared.items()}
        page = session_page(reading.lines, report, addenda, known=runs, links=links, files=files)
        texts = {SUMMARY: document(summary), PAGE: rendered("session.html", page=page), MADE_FROM: made_from}
        make(there, texts, {f"{stored.session}.tar.xz": packed(stored.session, offered)})
        seen = run_of(reading.lines, report)
    known.by_id[stored.session] = _Past(stored, entry.html, own, seen)
    known.latest[summary.environment] = stored.session
    return entry


def _told(lines: Sequence[Line], summary: Summary) -> bool:
    """Whether a page that is kept says all: there is no receipt to be shown elsewhere, and a report can be made."""
    return bool(lines) and isinstance(lines[0].event, SessionStarted) and not summary.live_requested


def _damaged(stored: Stored, there: Path, damage: str) -> Entry:
    entry = Entry(stored, None, damage, stored.beginning())
    page = rendered("damaged.html", session=stored.session, damage=damage)
    make(there, {PAGE: page, MADE_FROM: ""})
    return entry


def is_kept(there: Path, made_from: str) -> bool:
    """Whether a page is there that was made from just this."""
    try:
        return (there / MADE_FROM).read_text(encoding="ascii") == made_from
    except (OSError, UnicodeDecodeError):
        return False


def make(there: Path, texts: Mapping[str, str], offered: Mapping[str, bytes] | None = None) -> None:
    """Write a session's folder anew, `made-from` last: a folder without it is made again."""
    shutil.rmtree(there, ignore_errors=True)
    there.mkdir(parents=True)
    for name, content in (offered or {}).items():
        (there / name).write_bytes(content)
    for name, text in texts.items():
        (there / name).write_text(text, encoding="utf-8")


def packed(session: str, offered: Sequence[Path]) -> bytes:
    """Return an archive of a session's folder; the same files give the same bytes.

    The report tells what the journal holds: xz finds that in all files at once, and a ZIP is a quarter larger.

    Raises:
        OSError: Python was built without lzma.
    """
    try:
        import lzma  # noqa: PLC0415 - some Pythons have none
    except ImportError as error:
        raise OSError("this Python was built without lzma, which packs a session's files: use Debian's") from error
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for path in offered:
            content = path.read_bytes()
            entry = tarfile.TarInfo(f"{session}/{path.name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": _DICTIONARY}]
    return lzma.compress(whole.getvalue(), filters=filters)


def document(summary: Summary) -> str:
    """Return the JSON of `show --json`, in one line and without the paths, which are of another machine."""
    return json.dumps(summary.to_json(), ensure_ascii=False, separators=(",", ":")) + "\n"


def _links(summary: Summary, known: _Known) -> Iterator[Link]:
    """Yield where a session's page leads: its release, its dry-run, the run before, the archive."""
    if summary.release:
        yield Link(f"Release {summary.release}", f"{_UP}../../releases/{slug(summary.release)}.html")
    cited, before = (summary.dry_run or {}).get("session"), known.latest.get(summary.environment)
    for name, session in (("Its dry-run", cited), ("The run before", before)):
        if session in known.by_id:
            yield Link(name, f"{_UP}{known.by_id[session].html}")
    yield Link("All sessions", f"{_UP}index.html")


def _offered(entry: Entry) -> Iterator[Path]:
    """Yield the files of a session that its page offers. A view that was altered is not one of them."""
    stored = entry.stored
    logs = () if LOG in entry.altered else (stored.folder / LOG,)
    own = (stored.journal, *logs, *stored.addendum_files(), *stored.manifests())
    yield from (path for path in (*own, *map(signature_of, own)) if path.is_file())
    ended = entry.summary is not None and entry.summary.ended
    if ended and REPORT not in entry.altered and (stored.folder / REPORT).is_file():
        yield stored.folder / REPORT


def _files(entry: Entry, offered: Sequence[Path]) -> Iterator[Fact]:
    yield Fact(SUMMARY, Markup('<a href="{0}">{0}</a> (the JSON of veza-e2e --json show)').format(SUMMARY))
    packed_up = f"{entry.stored.session}.tar.xz"
    yield Fact(packed_up, Markup('<a href="{0}" download>{0}</a> (all files below, byte for byte)').format(packed_up))
    newest, ended = entry.stored.manifests()[-1:], entry.summary is not None and entry.summary.ended
    for path in offered:
        remark = ""
        if path.name == LOG and not ended:
            remark = " (the session has not ended: no digest proves it yet)"
        elif path in newest:
            remark = f" (vouches for the others; SHA-256 {digest_of(path)})"
        yield Fact(path.name, f"{path.name}{remark}")
    if LOG in entry.altered:
        yield Fact(LOG, f"{LOG} does not have the digest that the journal names; it is not offered")


@cache
def version() -> str:
    """Return the version of all that makes a page: code and templates, of the report and of the site."""
    made_by = [*Path(__file__).parent.glob("*.py"), *(templates.folder() / "site").iterdir()]
    return digest(templates.template_version(), *(path.read_bytes() for path in sorted(made_by)))


def digest(*parts: str | bytes) -> str:
    """Return the digest of all parts, each with its length."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        whole.update(b"%d:" % len(data) + data)
    return whole.hexdigest()


def rendered(template: str, **values: object) -> str:
    """Return what a template of the site makes of the values."""
    return templates.markup().get_template(f"site/{template}").render(values)
