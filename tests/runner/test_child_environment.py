"""Child processes find no secret in their environment: the browser, ssh-keygen, the rehearsal backend, mkdocs."""

from __future__ import annotations

import base64
import os
import shlex
from pathlib import Path

import pytest
from secret_forms import DSN, KNOWN, PASSWORD
from surroundings import variables

from veza_e2e.archive.files import ArchiveError
from veza_e2e.archive.signatures import sign
from veza_e2e.bootstrap import knowing
from veza_e2e.child import child_environment
from veza_e2e.config import Secrets
from veza_e2e.ports.browser import PersonsBrowser
from veza_e2e.rehearsal_process import rehearsal_account

SECRETS = {
    "OPERATOR_EMAIL": KNOWN["email"],
    "OPERATOR_PASSWORD": PASSWORD,
    "HYPERSWITCH_API_KEY": KNOWN["api_key"],
    "VEZA_DATABASE_URL": DSN,
    "VEZA_ACCESS_TOKEN": "tok-access-q8Zr51LkPw0vXb7TgYhN",
}
ODD = {
    "XDG_NOTE": f"the password is {PASSWORD}",
    "LC_ALL": base64.b64encode(PASSWORD.encode()).decode(),
    "GITHUB_TOKEN": "ghp_plain",
    "PGPASSWORD": "hunter2",
}
NEEDED = {"DISPLAY": ":7", "XDG_RUNTIME_DIR": "/run/user/1000", "SSH_AUTH_SOCK": "/run/agent"}


def printing(folder: Path, name: str) -> Path:
    """A program that writes its environment down."""
    program = folder / name
    program.write_text(f"#!/bin/sh\nexec env > {shlex.quote(str(folder / 'printed'))}\n", encoding="utf-8")
    program.chmod(0o755)
    return program


def printed(folder: Path) -> dict[str, str]:
    lines = (folder / "printed").read_text(encoding="utf-8").splitlines()
    return dict(line.partition("=")[::2] for line in lines if "=" in line)


def assert_clean(found: dict[str, str]) -> None:
    assert {**SECRETS, **ODD}.keys() & found.keys() == set()
    text = "\n".join(found.values())
    assert [name for name, value in SECRETS.items() if value in text] == []
    assert found["PATH"], "the program's environment was read"


@pytest.mark.process
def test_the_browser_gets_no_secret_and_what_it_needs(tmp_path: Path) -> None:
    browser = printing(tmp_path, "browser")
    with variables({**os.environ, **SECRETS, **ODD, **NEEDED, "BROWSER": str(browser)}):
        assert PersonsBrowser(window=True).open("https://pay.test/1")
        assert os.environ["OPERATOR_PASSWORD"] == PASSWORD, "this process keeps what it had"
    assert_clean(printed(tmp_path))
    assert NEEDED.items() <= printed(tmp_path).items()


@pytest.mark.process
def test_ssh_keygen_gets_no_secret_and_its_agent(tmp_path: Path) -> None:
    printing(tmp_path, "ssh-keygen")
    (tmp_path / "journal.jsonl").write_bytes(b"{}\n")
    with variables({**os.environ, **SECRETS, **ODD, **NEEDED, "PATH": f"{tmp_path}:{os.environ['PATH']}"}):
        try:
            sign(tmp_path / "journal.jsonl", tmp_path / "key")
        except ArchiveError as error:
            pytest.fail(str(error))
    assert_clean(printed(tmp_path))
    assert printed(tmp_path)["SSH_AUTH_SOCK"] == NEEDED["SSH_AUTH_SOCK"]


@pytest.mark.process
def test_a_positive_control_sees_the_secrets_in_an_environment_that_nobody_made(tmp_path: Path) -> None:
    browser = printing(tmp_path, "anything")
    with variables({**os.environ, **SECRETS}):
        assert os.spawnl(os.P_WAIT, str(browser), str(browser)) == 0
    with pytest.raises(AssertionError):
        assert_clean(printed(tmp_path))


def test_a_child_of_ours_gets_the_names_on_the_list_and_no_value_that_holds_a_secret() -> None:
    given = {"PATH": "/bin", "TZ": f"x{PASSWORD}", "HOME": "/home/a", **SECRETS, **ODD, **NEEDED}
    assert child_environment(given) == {"PATH": "/bin", "HOME": "/home/a"}
    assert child_environment(given, persons=True) == {"PATH": "/bin", "HOME": "/home/a", **NEEDED}


def test_a_rehearsal_knows_the_keys_of_the_shell_too(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "snd_of-another-backend-4711"
    monkeypatch.setenv("HYPERSWITCH_API_KEY", key)
    here = knowing(rehearsal_account(Secrets()))
    assert here.text(f"before {key} after") == "before {{api_key:2}} after"
