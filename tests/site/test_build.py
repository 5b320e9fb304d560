"""The built site as files: every link leads somewhere on it, and the same sessions give the same bytes."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from front_door import SECRETS, Shell
from scripted_session import SESSION, Script
from ten_sessions import Inside, Sessions

from veza_e2e.archive import Archive
from veza_e2e.config import Environment, Limits, Report
from veza_e2e.site.build import write_tree
from veza_e2e.site.command_line import reference

REPOSITORY = Path(__file__).parents[2]


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.loaded: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids |= {str(found[name]) for name in ("id", "name") if found.get(name)}
        if tag == "a" and found.get("href"):
            self.targets.append(str(found["href"]))
        elif found.get("src") or (tag == "link" and found.get("href")):
            self.loaded.append(str(found.get("src") or found.get("href")))


def read(path: Path) -> Links:
    links = Links()
    links.feed(path.read_text(encoding="utf-8"))
    return links


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[Path, Links]:
    return {path: read(path) for path in site.rglob("*.html") if path.name != "404.html"}


def test_every_link_leads_to_a_page_and_anchor_of_the_site(site: Path, pages: dict[Path, Links]) -> None:
    broken = []
    for path, links in pages.items():
        for target in links.targets:
            parts = urlsplit(target)
            if parts.scheme in {"http", "https"}:
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = there / "index.html" if there.is_dir() else there
            anchors = pages[there].ids if there in pages else set()
            if not there.is_file() or (parts.fragment and parts.fragment not in {*anchors, "__skip", "__tabbed"}):
                broken.append((str(path.relative_to(site)), target))
    assert broken == []
    assert sum(len(links.targets) for links in pages.values()) > 500


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[Path, Links]) -> None:
    for path, links in pages.items():
        for source in links.loaded:
            assert not urlsplit(source).scheme or source.startswith("data:"), (path, source)
    for style in site.rglob("veza*.css"):
        assert "url(" not in style.read_text()


def test_a_page_is_small(pages: dict[Path, Links]) -> None:
    assert max(path.stat().st_size for path in pages) <= 150_000


def test_every_session_has_its_page_and_its_files(site: Path, sessions: Sessions) -> None:
    for folder in sessions.folders.values():
        page = site / "archive" / "payment-e2e" / Path(*folder.parts[-3:])
        assert (page / "index.html").is_file()
        assert (page / "journal.jsonl").read_bytes() == (folder / "journal.jsonl").read_bytes()
        assert (page / "session.log").read_bytes() == (folder / "session.log").read_bytes()


def test_the_same_sessions_give_the_same_bytes(tmp_path: Path, checkout: Path, sessions: Sessions, site: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(checkout, again, ignore=shutil.ignore_patterns("build"))
    elsewhere = {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "LC_ALL": "C.UTF-8"}
    done = Shell(again)("--archive", str(sessions.root), "site", "build", env=elsewhere)
    assert done.code == 0, done.stderr
    assert digests(again / "build" / "site") == digests(site)


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_damaged_session_is_shown_as_damaged(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    folder = Script().start(release="2026.05").until("revoked").end().store(archive)
    journal = folder / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"seq":7', b'"seq":8', 1))
    shown = write_tree(Archive(archive), REPOSITORY / "docs", tmp_path / "src")
    page = tmp_path / "src" / "archive" / "payment-e2e" / "2026" / "05" / SESSION / "index.md"
    assert "event 7" in page.read_text()
    assert "charged" not in page.read_text()
    assert str(tmp_path) not in page.read_text()
    assert [(entry.summary, entry.stored.session) for entry in shown.entries] == [(None, SESSION)]
    assert "damaged" in (tmp_path / "src" / "archive" / "payment-e2e" / "index.md").read_text()


def test_a_journal_of_another_beginning_is_shown_as_damaged(tmp_path: Path) -> None:
    folder = tmp_path / "archive" / "2026" / "05" / SESSION
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_bytes(b"")
    shown = write_tree(Archive(tmp_path / "archive"), REPOSITORY / "docs", tmp_path / "src")
    assert shown.entries[0].summary is None
    assert Inside(tmp_path)("--archive", str(tmp_path / "archive"), "render").code == 6


def test_an_empty_archive_has_placeholders(tmp_path: Path) -> None:
    write_tree(Archive(tmp_path / "archive"), REPOSITORY / "docs", tmp_path / "src")
    assert "There is no release yet" in (tmp_path / "src" / "live-report.md").read_text()
    assert "none yet" in (tmp_path / "src" / "go-no-go.md").read_text()


def test_a_release_without_a_live_run_says_so(tmp_path: Path) -> None:
    Script().start(release="2026.05").until("revoked").end().store(tmp_path / "archive")
    write_tree(Archive(tmp_path / "archive"), REPOSITORY / "docs", tmp_path / "src")
    page = (tmp_path / "src" / "releases" / "2026.05.md").read_text()
    assert "There is no live run of this release yet." in page
    assert "PENDING" in page
    assert "nobody attested it yet" in page


@pytest.mark.parametrize("name", ["../../evil", "<b>x</b>", "index", "Release 7 (final)", "ü"])
def test_a_releases_name_is_a_safe_file_and_text(tmp_path: Path, name: str) -> None:
    Script().start(release=name).until("login").store(tmp_path / "archive")
    write_tree(Archive(tmp_path / "archive"), REPOSITORY / "docs", tmp_path / "src")
    (page,) = (tmp_path / "src" / "releases").iterdir()
    assert re.fullmatch(r"[a-z0-9.-]+-[0-9a-f]{8}\.md", page.name)
    assert "<b>" not in page.read_text()


@pytest.mark.parametrize("broken", ["[x](no-such-page.md)", "[x](journal.md#no-such-heading)"])
def test_a_broken_link_fails_the_build(tmp_path: Path, broken: str) -> None:
    (tmp_path / "docs").mkdir()
    for name in ("index.md", "journal.md"):
        (tmp_path / "docs" / name).write_text(f"# {name}\n\n{broken}\n")
    config = {"site_name": "x", "docs_dir": "build/site-src", "use_directory_urls": False}
    rules = yaml.safe_load((REPOSITORY / "mkdocs.yml").read_text())["validation"]
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump({**config, "validation": rules}))
    result = Inside(tmp_path)("--json", "site", "build")
    assert result.code == 1
    assert "no-such" in result.json["error"]["message"]


def test_outside_a_checkout_there_is_nothing_to_build(tmp_path: Path) -> None:
    result = Inside(tmp_path)("--json", "site", "build")
    assert result.code == 1
    assert "docs" in result.json["error"]["message"]


def test_the_command_line_reference_is_of_these_commands() -> None:
    written = (REPOSITORY / "docs" / "cli.md").read_text()
    assert written == reference(), "python -m veza_e2e.site.command_line writes it anew"


def test_the_ten_lines_of_the_docs_check_a_chain(tmp_path: Path) -> None:
    script = Script().start().until("revoked").end()
    text = (REPOSITORY / "docs" / "journal.md").read_text()
    code = text.split("```python\n")[1].split("```")[0]
    assert len(code.strip().splitlines()) <= 10
    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(bytes(script.sink.data))
    check = tmp_path / "check.py"
    check.write_text(code)
    said = subprocess.run([sys.executable, str(check), str(journal)], capture_output=True, text=True, check=True)
    assert said.stdout == f"{len(script.lines)} events, last hash {script.lines[-1].hash}\n"
    journal.write_bytes(journal.read_bytes().replace(b"5.00", b"6.00", 1))
    broken = subprocess.run([sys.executable, str(check), str(journal)], capture_output=True, text=True, check=False)
    assert broken.returncode == 1
    assert "broken at event" in broken.stderr


def test_every_setting_and_variable_is_documented() -> None:
    text = (REPOSITORY / "docs" / "operating.md").read_text()
    settings = [f"env.NAME.{f.name}" for f in fields(Environment) if f.name != "name"]
    settings += [f"limits.{f.name}" for f in fields(Limits)] + [f"report.{f.name}" for f in fields(Report)]
    assert {name for name in (*settings, *SECRETS) if f"`{name}`" not in text} == set()


def test_every_page_by_hand_is_in_the_navigation_or_linked(pages: dict[Path, Links], site: Path) -> None:
    reached = {
        (path.parent / urlsplit(target).path).resolve().relative_to(site.resolve())
        for path, links in pages.items()
        for target in links.targets
        if urlsplit(target).path.endswith(".html") and not urlsplit(target).scheme
    }
    docs = REPOSITORY / "docs"
    written = {
        path.relative_to(docs).with_suffix(".html") for path in docs.rglob("*.md") if "archive" not in path.parts
    }
    assert written - reached == set()


def test_the_filters_data_is_plain_json(site: Path) -> None:
    script = (site / "archive" / "payment-e2e" / "sessions.js").read_text()
    rows: list[list[Any]] = json.loads(script.removeprefix("window.vezaSessions = ").removesuffix(";\n"))
    assert {len(row) for row in rows} == {11}
    assert "<" not in script
