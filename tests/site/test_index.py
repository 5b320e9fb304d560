"""The index of the archive: a list reads no journal whole, and nothing that is wrong with the index can be seen."""

from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from scripted_session import Script

from veza_e2e.archive.dry_run import dry_run_for
from veza_e2e.archive.index import glances
from veza_e2e.archive.manifests import named_by
from veza_e2e.archive.sessions import Archive
from veza_e2e.canonical import dumps
from veza_e2e.evidence import Glance, glance
from veza_e2e.journal import read
from veza_e2e.verify import verify, verify_archive

AT = datetime(2026, 5, 4, 9, tzinfo=UTC)
PASSED, OPEN = ("01KQS3EFM0000000000000000" + letter for letter in "AB")


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """An archive of two sessions, one of them open."""
    made = Archive(tmp_path / "archive", index=tmp_path / "state" / "index")
    Script(AT, session=PASSED).start(release="2026.05").until("revoked").end().store(made.root)
    Script(AT + timedelta(hours=1), session=OPEN).start().until("pay").store(made.root)
    return made


def listed(archive: Archive) -> dict[str, Glance | str]:
    return {stored.session: seen for stored, seen in glances(archive)}


def index_of(archive: Archive) -> Path:
    assert archive.index is not None
    (found,) = archive.index.iterdir()
    return found


def altered(journal: Path) -> None:
    """Change a character in the middle of a journal; its size, its time and its last line stay."""
    about, data = journal.stat(), journal.read_bytes()
    journal.write_bytes(data.replace(b"StepStarted", b"StepStorted", 1))
    assert journal.read_bytes() != data
    os.utime(journal, ns=(about.st_atime_ns, about.st_mtime_ns))


def test_an_entry_says_what_the_journal_says(archive: Archive) -> None:
    first = listed(archive)
    assert first == {one.session: glance(one.summary()) for one in archive.sessions()} == listed(archive)
    assert stat.S_IMODE(index_of(archive).stat().st_mode) == 0o600


def test_a_list_reads_no_journal_whole_and_verify_does(archive: Archive) -> None:
    """What only a reader of the whole journal can see is not seen by a list; `verify` and the commands see it."""
    first = listed(archive)
    stored = archive.session(PASSED)
    assert stored is not None
    altered(stored.journal)
    assert listed(archive) == first
    assert stored.damaged()


def test_no_evidence_is_taken_from_the_index(archive: Archive) -> None:
    """A dry-run that the index names is cited only if its journal bears it out."""
    listed(archive)
    later = AT + timedelta(days=3)
    found = dry_run_for([archive], "2026.05", later)
    assert found is not None
    assert found["session"] == PASSED
    stored = archive.session(PASSED)
    assert stored is not None
    altered(stored.journal)
    assert dry_run_for([archive], "2026.05", later) is None


def test_what_changed_is_read_again(archive: Archive) -> None:
    listed(archive)
    stored = archive.session(OPEN)
    assert stored is not None
    about, lines = stored.journal.stat(), stored.journal.read_bytes().splitlines(keepends=True)
    shorter = (
        Script(AT + timedelta(hours=1), session=OPEN).start(release="other").until("pay").store(archive.root.parent)
    )
    other = (shorter / "journal.jsonl").read_bytes()
    stored.journal.write_bytes(other)
    seen = listed(archive)[OPEN]
    assert isinstance(seen, Glance)
    assert seen.release == "other"
    stored.journal.write_bytes(b"".join(lines))
    os.utime(stored.journal, ns=(about.st_atime_ns, about.st_mtime_ns))
    again = listed(archive)[OPEN]
    assert isinstance(again, Glance)
    assert again.release is None
    (stored.folder / "addendum-001.json").write_bytes(b"{}\n")
    assert "addendum-001.json" in str(listed(archive)[OPEN]), "an addendum that is none is damage"


def test_the_last_hash_is_looked_at_even_if_size_and_time_are_the_same(archive: Archive) -> None:
    listed(archive)
    stored = archive.session(OPEN)
    assert stored is not None
    about, data = stored.journal.stat(), stored.journal.read_bytes()
    last = read(stored.journal).lines[-1].hash.encode()
    stored.journal.write_bytes(data.replace(last, last[::-1]))
    os.utime(stored.journal, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert "does not have the hash it claims" in str(listed(archive)[OPEN])


def changed(data: bytes, **change: Any) -> bytes:
    members = json.loads(data)
    for entry in members["sessions"].values():
        entry["seen"].update(change)
    return json.dumps(members).encode()


@pytest.mark.parametrize(
    "broken",
    [
        lambda _: b"",
        lambda _: b"null",
        lambda _: b"\xff\x00" * 99,
        lambda _: b"[" * 100_000,
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b'"version":"', b'"version":"0'),
        lambda data: data.replace(b'"sessions":{', b'"sessions":[],"more":{'),
        lambda data: changed(data, outcome="GO"),
        lambda data: changed(data, money=5),
        lambda data: changed(data, uncompared=[1]),
        lambda data: changed(data, settled=None, more="x"),
        lambda data: data.replace(b'"hash":"', b'"hash":"0'),
        lambda data: data.replace(b'"seen":{', b'"seen":"","more":{'),
    ],
)  # fmt: skip
def test_an_index_that_is_none_is_made_again_without_a_word(archive: Archive, broken: Any) -> None:
    first, path = listed(archive), index_of(archive)
    whole = path.read_bytes()
    path.write_bytes(broken(whole))
    assert listed(archive) == first
    assert path.read_bytes() == whole


def test_an_entry_of_a_session_that_is_gone_goes_too(archive: Archive) -> None:
    listed(archive)
    stored = archive.session(OPEN)
    assert stored is not None
    stored.journal.unlink()
    assert list(listed(archive)) == [PASSED]
    assert OPEN not in index_of(archive).read_text(encoding="utf-8")


def test_where_no_index_can_be_written_a_list_says_the_same(archive: Archive, tmp_path: Path) -> None:
    first = listed(archive)
    (tmp_path / "file").touch()
    for nowhere in (None, tmp_path / "file" / "index", Path("/dev/null")):
        assert listed(Archive(archive.root, index=nowhere)) == first


def test_several_at_once_leave_a_whole_index(archive: Archive) -> None:
    for number in range(1, 4):
        Script(AT, session=f"{PASSED[:-2]}{number}A").start().until("login").store(archive.root)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: listed(archive), range(8)))
    assert found == [listed(Archive(archive.root))] * 8
    assert len(json.loads(index_of(archive).read_bytes())["sessions"]) == 5


@pytest.mark.parametrize("depth", [700, 200_000])
def test_lines_and_manifests_that_are_nested_too_deep_stop_no_command(archive: Archive, depth: int) -> None:
    nested = b"[" * depth + b"]" * depth
    stored = next(one for one in archive.sessions() if one.session == OPEN)
    with stored.journal.open("ab") as file:
        file.write(b'{"at":"2026-05-04T10:00:00.000Z","hash":"0","note":' + nested + b',"type":"SessionEnded"}\n')
    (stored.folder / "manifest-001.json").write_bytes(b'{"sessions":' + nested + b',"type":"Manifest"}\n')
    assert isinstance(listed(archive)[OPEN], str)
    assert isinstance(listed(archive)[PASSED], Glance)
    assert {one.session for one in archive.others()} == {PASSED, OPEN}
    assert {check.status for check in verify(stored)} >= {"damaged"}
    assert verify_archive(archive)


def test_a_forged_line_that_is_nested_too_deep_is_damage(archive: Archive) -> None:
    stored = next(one for one in archive.sessions() if one.session == OPEN)
    last = json.loads(stored.journal.read_bytes().splitlines()[-1])
    members = {"at": last["at"], "note": "@", "prev": last["hash"], "seq": last["seq"] + 1, "type": "Forged"}
    deep = (b"[" * 700 + b"]" * 700).decode()
    own = sha256(dumps(members).replace('"@"', deep).encode()).hexdigest()
    with stored.journal.open("a", encoding="utf-8") as file:
        file.write(dumps({**members, "hash": own}).replace('"@"', deep) + "\n")
    assert "is not JSON" in str(listed(archive)[OPEN])
    assert ("chain", "damaged") in {(check.name, check.status) for check in verify(stored)}


def test_a_last_line_that_was_changed_settles_no_money(archive: Archive) -> None:
    stored = next(one for one in archive.sessions() if one.session == PASSED)
    assert not stored.may_bar
    data = stored.journal.read_bytes()
    stored.journal.write_bytes(data.replace(b'"outcome":"passed"', b'"outcome":"failed"'))
    assert stored.has_ended
    assert stored.journal.read_bytes() != data
    assert stored.may_bar


def test_a_last_line_without_a_canonical_form_settles_no_money(archive: Archive) -> None:
    stored = next(one for one in archive.sessions() if one.session == PASSED)
    *before, last = stored.journal.read_bytes().splitlines(keepends=True)
    for odd in (b'"a":1.5,', b'"a":"\\ud800",', b'"a":NaN,'):
        line = b"{" + odd + last[1:]
        own = sha256(json.dumps({k: v for k, v in json.loads(line).items() if k != "hash"}).encode()).hexdigest()
        claimed = json.loads(last)["hash"].encode()
        stored.journal.write_bytes(b"".join([*before, line.replace(claimed, own.encode())]))
        assert stored.may_bar


def test_a_journal_that_changed_is_read_again(archive: Archive) -> None:
    stored = next(one for one in archive.sessions() if one.session == OPEN)
    (first, *_, before, last), seen = stored.journal.read_bytes().splitlines(keepends=True), stored.last_hash
    assert seen == json.loads(last)["hash"]
    with stored.journal.open("ab") as file:
        file.write(last.replace(b'"hash":"', b'"hash":"0'))
    assert stored.last_hash == f"0{seen}"
    about, data = stored.journal.stat(), stored.journal.read_bytes()
    other = stored.folder / "other"
    other.write_bytes(data.replace(b'"hash":"0', b'"hash":"1'))
    os.utime(other, ns=(about.st_atime_ns, about.st_mtime_ns))
    other.replace(stored.journal)
    assert stored.last_hash == f"1{seen}", "another file is another one, whatever its time and size"
    long = dumps({**json.loads(first), "others": {"A" * 9000: "0"}}).encode() + b"\n"
    stored.journal.write_bytes(long + before)
    assert stored.last_hash == json.loads(before)["hash"]
    assert "A" * 9000 in named_by(stored.folder), "a first line may be long"


def test_a_process_reads_the_ends_of_each_journal_once(archive: Archive) -> None:
    before = [(one.last_hash, one.has_ended) for one in archive.sessions()]
    for one in archive.sessions():
        about, data = one.journal.stat(), one.journal.read_bytes()
        one.journal.write_bytes(b" " * len(data))  # which nothing but a second reading could tell
        os.utime(one.journal, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert [(one.last_hash, one.has_ended) for one in archive.sessions()] == before
