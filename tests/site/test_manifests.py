"""Manifests and signatures: written by whatever ends a session or adds to it, and checked by `verify`."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from front_door import Result, Shell
from keys import new_key, policy, public
from scripted_session import SESSION, Script
from ten_sessions import DRY_RUN

from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.archive.signatures import sign
from veza_e2e.evidence import BankStatement
from veza_e2e.redaction import Redactor
from veza_e2e.site.build import write_tree

BANK = ("bank", SESSION, "--date", "2026-05-12", "--amount", "5.00 EUR", "--seen", "credit")
pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[2]


def statuses(result: Result) -> dict[str, str]:
    return {item["name"].removeprefix(f"{SESSION} "): item["status"] for item in result.json["items"]}


def message(result: Result, name: str) -> str:
    return next(str(item["message"]) for item in result.json["items"] if item["name"].endswith(name))


def manifest(folder: Path, number: int) -> dict[str, Any]:
    members: dict[str, Any] = json.loads((folder / f"manifest-{number:03d}.json").read_bytes())
    return members


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_session_ends_with_a_manifest_of_its_files_and_of_the_archive(shell: Shell) -> None:
    first, second = (shell.run("--refund").json for _ in range(2))
    folders = [(shell.folder / one["paths"]["journal"]).parent for one in (first, second)]
    members = manifest(folders[0], 1)
    names = ("journal.jsonl", "report.md", "session.log")
    assert members["files"] == {name: sha256(folders[0] / name) for name in names}
    assert (members["session"], members["folder"]) == (first["session"], "/".join(folders[0].parts[-3:]))
    assert (members["number"], members["previous"], members["sessions"]) == (1, None, {})
    events = [[json.loads(line) for line in (one / "journal.jsonl").read_bytes().splitlines()] for one in folders]
    assert events[0][0]["others"] == {}
    assert events[1][0]["others"] == {first["session"]: events[0][-1]["hash"]}, "as it was when the second began"
    assert manifest(folders[1], 1)["sessions"] == {}
    verified = shell("--json", "verify", "--all")
    assert (verified.code, statuses(verified)["sessions"]) == (0, "ok")
    assert "2 in " in message(verified, "sessions")


def test_a_session_that_another_one_names_cannot_vanish(shell: Shell) -> None:
    sessions = [shell.run("--refund").json for _ in range(3)]
    for path in (shell.folder / sessions[0]["paths"]["journal"]).parent.iterdir():
        path.unlink()
    verified = shell("--json", "verify", "--all")
    assert verified.code == 6
    named = message(verified, f"{sessions[1]['session']} others")
    assert f"session {sessions[0]['session']}, which was in the archive when this one began, is gone" in named


def test_a_session_that_another_one_names_is_not_called_there_if_it_cannot_be_read(shell: Shell) -> None:
    first, second = (shell.run("--refund").json for _ in range(2))
    journal = shell.folder / first["paths"]["journal"]
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([lines[0], b"{}\n", *lines[2:-1]]))
    verified = shell("--json", "verify", second["session"])
    name = f"{second['session']} others"
    assert (verified.code, statuses(verified)[name]) == (6, "damaged")
    assert f"in session {first['session']} the event that was its last" in message(verified, name)


def test_each_addendum_gets_a_manifest_that_cites_the_one_before(shell: Shell, stored: Path) -> None:
    Stored(SESSION, stored).vouch()
    assert shell("--json", "attest", "ex-9", "--by", "A. Person").code == 0
    assert shell(*BANK).code == 0
    second = manifest(stored, 2)
    assert second["previous"] == sha256(stored / "manifest-001.json")
    assert second["files"]["addendum-001.json"] == sha256(stored / "addendum-001.json")
    (attested,) = (stored.parents[2] / "attestations").iterdir()
    assert second["attestations"] == {attested.name: sha256(attested)}
    assert "addendum-001.json" not in manifest(stored, 1)["files"]
    verified = shell("--json", "verify")
    assert (verified.code, statuses(verified)["attestation ex-9"]) == (0, "ok")


@pytest.mark.usefixtures("stored")
def test_a_session_of_a_time_before_manifests_is_not_damaged(shell: Shell) -> None:
    verified = shell("--json", "verify", SESSION)
    assert (verified.code, statuses(verified)["manifest"]) == (0, "not checked")
    assert "no manifest: written before 0.2.0" in message(verified, "manifest")


def test_an_addendum_that_a_manifest_lists_cannot_vanish(shell: Shell, stored: Path) -> None:
    shell(*BANK)
    (stored / "addendum-001.json").unlink()
    verified = shell("--json", "verify", SESSION)
    assert (verified.code, statuses(verified)["manifest-001.json"]) == (6, "damaged")
    assert "addendum-001.json: manifest 1 lists it, and it is gone" in message(verified, "manifest-001.json")
    listed = shell("--json", "sessions")
    assert (listed.code, statuses(listed)[SESSION]) == (6, "damaged"), "what it said may have barred a GO"
    assert shell("show", SESSION).code == shell(*BANK).code == 6


def test_an_addendum_that_no_manifest_lists_is_said(shell: Shell, stored: Path) -> None:
    Stored(SESSION, stored).vouch()
    kept = (stored / "manifest-001.json").read_bytes()
    shell(*BANK)
    (stored / "manifest-002.json").unlink()
    assert (stored / "manifest-001.json").read_bytes() == kept
    verified = shell("--json", "verify", SESSION)
    assert (verified.code, statuses(verified)["addendum-001.json"]) == (0, "not checked")
    assert "no manifest lists it" in message(verified, "addendum-001.json")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"folder": "2026/06/" + SESSION}, "is the manifest of session"),
        ({"session": "01M3EXAMP1E0000000000000AB"}, "is the manifest of session"),
        ({"number": 2}, "says that it is number 2"),
        ({"previous": "0" * 64}, "does not cite the manifest before it"),
        ({"files": {}}, "does not list journal.jsonl"),
        ({"files": {"../report.md": "0" * 64}}, "which is no file's name"),
        ({"sessions": {"01M3EXAMP1E0000000000000AB": "0" * 64}}, "is gone"),
        ({"number": True}, "a member number that is not"),
        ({"more": 1}, "does not have the members"),
    ],
    ids=str,
)
def test_a_manifest_of_something_else_is_damage(shell: Shell, stored: Path, change: dict[str, Any], said: str) -> None:
    Stored(SESSION, stored).vouch()
    form = json.dumps({**manifest(stored, 1), **change}, sort_keys=True, separators=(",", ":"))
    (stored / "manifest-001.json").write_text(form + "\n", encoding="utf-8")
    verified = shell("--json", "verify", SESSION)
    assert verified.code == 6
    assert said in message(verified, "manifest-001.json")


def test_the_newest_manifest_is_signed_and_its_signer_named(shell: Shell, stored: Path, key: Path) -> None:
    shell(*BANK)
    allowed = policy(shell.folder / "policy", operator=key)
    assert shell("--json", "sign", SESSION, "--key", str(key)).code == 0
    assert [path.name for path in stored.glob("*.sig")] == ["manifest-001.json.sig"]
    unnamed = shell("--json", "verify", SESSION)
    assert (unnamed.code, statuses(unnamed)["manifest-001.json.sig"]) == (0, "not checked")
    assert "whose key it is was not checked" in message(unnamed, ".sig")
    named = shell("--json", "verify", SESSION, "--allowed-signers", str(allowed), "--require-signature")
    assert (named.code, message(named, ".sig")) == (0, "signed by operator@veza.test")
    assert shell("sign", SESSION, "--key", str(key)).code == 3
    shell(*BANK)
    later = shell("--json", "verify", SESSION, "--allowed-signers", str(allowed))
    assert (later.code, statuses(later)["manifest-002.json.sig"]) == (0, "not signed")
    assert "manifest 1 is" in message(later, "manifest-002.json.sig")
    assert shell("verify", SESSION, "--allowed-signers", str(allowed), "--require-signature").code == 6
    assert shell("sign", SESSION, "--key", str(key)).code == 0


@pytest.mark.usefixtures("stored")
def test_a_key_that_is_not_allowed_or_no_longer_is_damage(shell: Shell, key: Path) -> None:
    other = new_key(shell.folder / "keys" / "other")
    shell(*BANK)
    shell("sign", SESSION, "--key", str(key))
    stranger = policy(shell.folder / "policy", other=other)
    verified = shell("--json", "verify", SESSION, "--allowed-signers", str(stranger))
    assert (verified.code, statuses(verified)["manifest-001.json.sig"]) == (6, "damaged")
    stranger.write_text(
        f'operator@veza.test namespaces="veza-e2e",valid-before="20200101" {public(key)}\n', encoding="utf-8"
    )
    assert shell("verify", SESSION, "--allowed-signers", str(stranger)).code == 6
    stranger.write_text(f'operator@veza.test namespaces="file" {public(key)}\n', encoding="utf-8")
    assert shell("verify", SESSION, "--allowed-signers", str(stranger)).code == 6


def test_a_policy_in_the_archive_counts_for_nothing(shell: Shell, stored: Path, key: Path) -> None:
    shell(*BANK)
    shell("sign", SESSION, "--key", str(key))
    inside = policy(stored.parents[2] / "allowed_signers", operator=key)
    verified = shell("--json", "verify", "--all")
    assert (verified.code, statuses(verified)["manifest-001.json.sig"]) == (0, "not checked")
    assert "--allowed-signers FILE" in message(verified, "allowed_signers")
    refused = shell("--json", "verify", "--allowed-signers", str(inside))
    assert (refused.code, "lies in the archive" in refused.json["error"]["message"]) == (2, True)
    required = shell("--json", "verify", "--require-signature")
    assert (required.code, "--allowed-signers" in required.json["error"]["hint"]) == (2, True)


def test_a_signature_that_does_not_fit_or_has_no_file_is_damage(shell: Shell, stored: Path, key: Path) -> None:
    shell(*BANK)
    shell("sign", SESSION, "--key", str(key))
    (stored / "journal.jsonl.sig").write_bytes((stored / "manifest-001.json.sig").read_bytes())
    verified = shell("--json", "verify", SESSION)
    assert verified.code == 6
    assert "does not fit journal.jsonl" in message(verified, "journal.jsonl.sig")
    (stored / "journal.jsonl.sig").rename(stored / "addendum-002.json.sig")
    verified = shell("--json", "verify", SESSION)
    assert (verified.code, statuses(verified)["addendum-002.json.sig"]) == (6, "damaged")


def test_neither_an_open_nor_a_damaged_session_is_signed(shell: Shell, stored: Path, key: Path) -> None:
    opened = Script(session=SESSION[:-1] + "B").start().until("pay").store(stored.parents[2])
    assert shell("sign", opened.name, "--key", str(key)).code == 3
    (stored / "report.md").write_text("another story", encoding="utf-8")
    assert shell("sign", SESSION, "--key", str(key)).code == 6
    assert not list(stored.parents[2].rglob("*.sig"))


def test_a_configured_key_signs_each_session_and_addendum_by_itself(shell: Shell, stored: Path, key: Path) -> None:
    policy(shell.folder / "policy", operator=key)
    settings = '[signing]\nkey = "keys/key"\nallowed_signers = "policy"\n'
    (shell.folder / "veza-e2e.toml").write_text(settings, encoding="utf-8")
    run = shell.run("--refund")
    assert (run.code, shell(*BANK).code) == (0, 0)
    assert (stored / "manifest-001.json.sig").is_file()
    verified = shell("--json", "verify", "--all", "--require-signature")
    assert verified.code == 0, verified.stdout
    assert verified.stdout.count("signed by operator@veza.test") == 2


def test_a_failure_to_sign_is_said_and_loses_nothing(shell: Shell, stored: Path) -> None:
    (shell.folder / "veza-e2e.toml").write_text('[signing]\nkey = "keys/none"\n', encoding="utf-8")
    result = shell(*BANK)
    assert result.code == 0
    assert "Not signed: ssh-keygen did not sign manifest-001.json" in result.stderr
    assert f"veza-e2e sign {SESSION} --key keys/none" in result.stderr
    assert (stored / "manifest-001.json").is_file()


def test_a_mistyped_archive_holds_no_session(shell: Shell, stored: Path) -> None:
    result = shell("--json", "--archive", "archve", "verify")
    assert (result.code, result.json["error"]["message"]) == (2, "no session found in archve")
    assert stored.exists()


def test_a_folder_that_was_moved_copied_or_emptied_is_damage(shell: Shell, stored: Path) -> None:
    root = stored.parents[2]
    Stored(SESSION, stored).vouch()
    moved = root / "2026" / "06" / SESSION
    moved.parent.mkdir()
    stored.rename(moved)
    verified = shell("--json", "verify", SESSION)
    assert (verified.code, statuses(verified)["identity"]) == (6, "damaged")
    renamed = moved.rename(root / "2026" / "06" / (SESSION + "-copy"))
    Script(session=SESSION[:-1] + "B").start().until("pay").store(root)
    verified = shell("--json", "verify", "--all")
    assert (verified.code, statuses(verified)[renamed.name]) == (6, "damaged")
    renamed.rename(stored)
    (stored / "journal.jsonl").unlink()
    verified = shell("--json", "verify", "--all")
    assert (verified.code, "no journal.jsonl" in message(verified, SESSION)) == (6, True)


def test_views_of_unknown_templates_or_without_a_digest_are_not_checked(shell: Shell) -> None:
    root = shell.folder / "build" / "rehearsals"
    script = Script().start(dry_run=DRY_RUN).until("login")
    script.end_with(views={}).store(root)
    verified = shell("--json", "verify", SESSION)
    assert (statuses(verified)["report.md"], statuses(verified)["session.log"]) == ("not checked", "not checked")


def test_two_addenda_at_once_leave_whole_manifests(stored: Path) -> None:
    """Another process wrote its addendum, and stands before its manifest."""
    one = Stored(SESSION, stored)
    lines = one.read().lines
    statement = BankStatement(
        session=SESSION, session_hash=lines[-1].hash, number=1, seq=len(lines) + 1, at="2026-05-12T09:00:00.000Z",
        seen="nothing", date="2026-05-12",
    )  # fmt: skip
    one.add(statement, Redactor())
    one.add(statement, Redactor())
    assert manifest(stored, 2)["files"].keys() > manifest(stored, 1)["files"].keys()
    before = sorted(path.name for path in stored.iterdir())
    assert one.vouch() == stored / "manifest-002.json"
    assert sorted(path.name for path in stored.iterdir()) == before, "nothing is new: no manifest is"


def test_a_stranger_verifies_what_the_site_offers_with_python_alone(stored: Path, tmp_path: Path) -> None:
    """What a browser saves and any unpacker opens, with no package on the path."""
    Stored(SESSION, stored).vouch()
    write_tree(Archive(stored.parents[2]), ROOT / "docs", tmp_path / "src")
    (offered,) = (tmp_path / "site-pages").rglob(SESSION)
    downloads, page = tmp_path / "Downloads", (offered / "index.html").read_text(encoding="utf-8")
    assert f'href="{SESSION}.tar.xz" download>' in page
    unpack = [sys.executable, "-I", "-S", "-m", "tarfile", "-e", str(offered / f"{SESSION}.tar.xz"), str(downloads)]
    subprocess.run(unpack, check=True)
    saved = downloads / SESSION
    names = {"journal.jsonl", "session.log", "report.md", "manifest-001.json"}
    assert {path.name for path in saved.iterdir()} == names
    assert sha256(saved / "manifest-001.json") in page

    def verify() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-S", str(tmp_path / "src" / "verify_session.py"), str(saved)]
        return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)

    assert verify().returncode == 0, verify().stdout
    (saved / "report.md").write_text("another story", encoding="utf-8")
    told = verify()
    assert told.returncode == 6
    assert "damaged      report.md: does not have the digest that the journal names" in told.stdout
    assert len((ROOT / "docs" / "verify_session.py").read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize("where", ["2026/06/01M3EXAMP1E0000000000000AA", "2026/05/01M3EXAMP1E0000000000000AC"])
def test_a_session_without_a_manifest_is_still_where_it_belongs(shell: Shell, stored: Path, where: str) -> None:
    moved = stored.parents[2] / where
    moved.parent.mkdir(parents=True, exist_ok=True)
    stored.rename(moved)
    verified = shell("--json", "verify", moved.name)
    assert (verified.code, verified.json["items"][0]["status"]) == (6, "damaged")
    assert next(item["name"] for item in verified.json["items"] if item["status"] == "damaged").endswith("identity")


def test_what_was_attested_after_the_last_manifest_is_signed_with_the_next(
    shell: Shell, stored: Path, key: Path
) -> None:
    required = (
        "verify",
        "--require-signature",
        "--allowed-signers",
        str(policy(shell.folder / "policy", operator=key)),
    )
    shell(*BANK)
    assert shell("sign", SESSION, "--key", str(key)).code == 0
    assert shell(*required).code == 0
    assert shell("attest", "ex-9", "--by", "A. Person").code == 0
    assert shell(*required).code == 6
    assert shell("sign", SESSION, "--key", str(key)).code == 0
    assert (shell(*required).code, (stored / "manifest-002.json.sig").is_file()) == (0, True)


def test_a_process_that_was_stopped_before_its_manifest_is_no_damage_and_resume_writes_it(shell: Shell) -> None:
    run = shell.run("--refund").json
    manifest = (shell.folder / run["paths"]["journal"]).with_name("manifest-001.json")
    data = manifest.read_bytes()
    manifest.unlink()
    verified = shell("--json", "verify")
    assert (verified.code, "or somebody took it away" in message(verified, "manifest")) == (0, True)
    assert shell("resume", run["session"]).code == 0
    assert manifest.read_bytes() == data


def test_the_pages_of_a_release_say_what_vouches_for_its_sessions_and_who_signed(
    stored: Path, key: Path, tmp_path: Path
) -> None:
    newest = Stored(SESSION, stored).vouch()
    mine, theirs = (policy(tmp_path / name, **{name: one}) for name, one in (
        ("operator", key), ("stranger", new_key(tmp_path / "keys" / "stranger")),
    ))  # fmt: skip

    def said(signers: Path | None, words: str) -> None:
        write_tree(Archive(stored.parents[2]), ROOT / "docs", tmp_path / "src", signers)
        for name in ("live-report.md", "releases/2026.05.md"):
            page = (tmp_path / "src" / name).read_text(encoding="utf-8")
            assert f"manifest-001.json, SHA-256 {sha256(newest)}, {words}" in page
        assert f"live run: {words}" in (tmp_path / "src" / "go-no-go.md").read_text(encoding="utf-8")

    said(mine, "not signed")
    sign(newest, key)
    said(None, "signed; veza-e2e verify says by whom")
    said(mine, "signed by operator&#64;veza.test")
    said(theirs, "signed by no key that may sign")
    (stored / "session.log").write_text("another story", encoding="utf-8")
    said(mine, "not signed as they are: the manifests do not fit the files")


def test_sign_takes_the_key_of_the_settings(shell: Shell, stored: Path, key: Path) -> None:
    assert shell("sign", SESSION).code == 2
    (shell.folder / "veza-e2e.toml").write_text(f'[signing]\nkey = "{key}"\n', encoding="utf-8")
    assert (shell("sign", SESSION).code, (stored / "manifest-001.json.sig").is_file()) == (0, True)
