"""A person's note holds no secret that this machine knows: the shell's, the keyring's, the rehearsal account's."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager

import keyring
import pytest
from front_door import Shell
from keyring.backend import KeyringBackend
from keyring.credentials import Credential, SimpleCredential
from secret_forms import PASSWORD

from veza_e2e.cli.asking import SERVICE
from veza_rehearsal import DEFAULT_PASSWORD

ADDRESS = "someone@example.test"


class Ring(KeyringBackend):
    """Holds one password, by account; or gives it to whoever does not name the account."""

    priority = 1

    def __init__(self, account: str, *, names_it: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._account = account
        self._names_it = names_it

    def get_password(self, service: str, username: str) -> str | None:
        return PASSWORD if (service, username) == (SERVICE, self._account) else None

    def get_credential(self, service: str, username: str | None) -> Credential | None:
        given = service == SERVICE and username is None and self._names_it
        return SimpleCredential(self._account, PASSWORD) if given else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


@contextmanager
def ring(one: KeyringBackend) -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(one)
    try:
        yield
    finally:
        keyring.set_keyring(before)


def noted(shell: Shell, note: str, **variables: str) -> str:
    """Attest with a note, and return what stands in the archive."""
    done = shell("--archive", "archive", "attest", "ex-9", "--by", "A Person", "--note", note, env=variables)
    assert done.code == 0, done.stderr
    (path,) = (shell.folder / "archive").rglob("attestations/*.json")
    return path.read_text(encoding="utf-8")


WRITTEN = {
    "raw": PASSWORD,
    "upper": PASSWORD.upper(),
    "base64": base64.b64encode(PASSWORD.encode()).decode(),
    "UTF-16": base64.b64encode(PASSWORD.encode("utf-16")).decode(),
}


@pytest.mark.parametrize("form", WRITTEN)
def test_the_keyrings_password_of_another_environment_is_known(shell: Shell, form: str) -> None:
    shell.configure("staging", "https://staging.veza.test", reports="staging")
    with ring(Ring(f"{ADDRESS}@staging")):
        kept = noted(shell, f"it is {WRITTEN[form]}, I think", OPERATOR_EMAIL=ADDRESS)
    assert WRITTEN[form] not in kept
    assert "{{password:" in kept or "[withheld]" in kept


def test_the_keyrings_password_is_known_where_the_shell_names_no_account(shell: Shell) -> None:
    with ring(Ring(f"{ADDRESS}@rehearsal", names_it=True)):
        assert PASSWORD not in noted(shell, f"it is {PASSWORD}")


def test_a_session_knows_the_keyrings_passwords_where_a_person_says_something(shell: Shell) -> None:
    with ring(Ring(f"{ADDRESS}@rehearsal", names_it=True)):
        ran = shell("--archive", "archive", "run", "--unattended", "--no-refund", "--release", f"2026 {PASSWORD}")
    assert ran.code == 0, ran.stderr
    kept = [path.read_text(encoding="utf-8") for path in (shell.folder / "archive").rglob("*.*") if path.is_file()]
    assert kept
    assert not any(PASSWORD in text for text in [*kept, ran.stdout, ran.stderr])


def test_the_shells_password_and_the_rehearsals_are_known(shell: Shell) -> None:
    kept = noted(shell, f"it is {PASSWORD}, or {DEFAULT_PASSWORD}", OPERATOR_PASSWORD=PASSWORD)
    assert PASSWORD not in kept
    assert DEFAULT_PASSWORD not in kept


def test_what_nobody_knows_is_kept(shell: Shell) -> None:
    assert PASSWORD in noted(shell, f"it is {PASSWORD}"), "the tests above would see it"
