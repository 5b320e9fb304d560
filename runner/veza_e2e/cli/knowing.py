"""What this machine knows of secrets, for commands that store a person's words: the shell's and the keyring's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from veza_e2e.cli.asking import stored_passwords
from veza_e2e.cli.output import Invocation
from veza_e2e.config import Secrets, environments, read_secrets
from veza_e2e.redaction import Redactor


def redactor_of_notes(invocation: Invocation) -> Redactor:
    """Return a redactor that knows the shell's secrets, the keyring's, and the rehearsal account's."""
    from veza_e2e.bootstrap import known_secrets  # noqa: PLC0415 - slow to import, and only here
    from veza_e2e.rehearsal_process import rehearsal_account  # noqa: PLC0415 - as above

    secrets = read_secrets()
    redactor = Redactor(known_secrets(secrets))
    for kind, value in (
        *known_secrets(rehearsal_account(Secrets())).items(),
        *(("password", password) for password in _kept(invocation, secrets)),
    ):
        if kind != "email":
            redactor.give(kind, value)
    return redactor


def know_kept(redactor: Redactor, config: Path | None = None) -> None:
    """Let a session's redactor know the keyring's passwords, of every environment: a person may type another one's."""
    for password in stored_passwords(read_secrets().email, environments(config)):
        redactor.give("password", password)


def _kept(invocation: Invocation, secrets: Secrets) -> Iterator[str]:
    """Iterate over the keyring's passwords, of every environment of the file: a note may quote another one's."""
    yield from stored_passwords(secrets.email, environments(invocation.config))
