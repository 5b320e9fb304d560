"""Gets the operator's password from the environment, the keyring or a hidden prompt; never from an argument."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterable, Iterator

from veza_e2e.cli.output import Exit, Stop, say
from veza_e2e.config import Secrets, Settings

SERVICE = "veza-e2e"


def password_for(settings: Settings, secrets: Secrets, *, unattended: bool) -> str | None:
    """Return the password; None if there is none."""
    if secrets.password is not None or secrets.email is None:
        return secrets.password
    stored = _from_keyring(f"{secrets.email}@{settings.environment.name}")
    if stored is not None or unattended or not sys.stdin.isatty():
        return stored
    try:
        return getpass.getpass(f"Password of the operator's account in {settings.environment.name} (hidden): ") or None
    except KeyboardInterrupt:
        say("")  # ends the prompt's line
        raise
    except EOFError as error:
        raise Stop(Exit.INCOMPLETE, "the input ended before there was a password", "nothing was begun") from error


def stored_passwords(email: str | None, names: Iterable[str]) -> Iterator[str]:
    """Iterate over the passwords that the keyring holds for this address, or for whichever it names by itself.

    Args:
        email: the account's address; None if the shell does not name it.
        names: the environments that may have a password.
    """
    import keyring  # noqa: PLC0415 - slow to import
    from keyring.errors import KeyringError  # noqa: PLC0415

    if email is not None:
        yield from filter(None, (_from_keyring(f"{email}@{name}") for name in names))
    try:
        credential = keyring.get_credential(SERVICE, None)
    except (KeyringError, RuntimeError, OSError):
        return
    if credential is not None and credential.password:
        yield credential.password


def _from_keyring(account: str) -> str | None:
    import keyring  # noqa: PLC0415 - slow to import, and only asked where the environment has no password
    from keyring.errors import KeyringError  # noqa: PLC0415

    try:
        return keyring.get_password(SERVICE, account)
    except (KeyringError, RuntimeError, OSError):
        return None
