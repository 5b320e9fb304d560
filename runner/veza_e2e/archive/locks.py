"""Locks an account, so that only one session of it starts at a time."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

from veza_e2e.config import Settings
from veza_e2e.journal import disk
from veza_e2e.journal.account import backend, short


class BusyError(Exception):
    """Another process or session blocks this one; the message says which."""


@contextmanager
def account_lock(settings: Settings, account_digest: str) -> Iterator[None]:
    """Hold the lock for starting a session of this account at this backend, whatever its environment is called.

    Raises:
        BusyError: another process holds it.
    """
    environment = settings.environment
    scope = str(settings.archive.resolve()) if environment.embedded else backend(environment.base_url)
    name = hashlib.sha256(f"{short(account_digest)}\n{scope}".encode()).hexdigest()[:24]
    folder = settings.state / "locks"
    disk.make_ignored(settings.state)
    folder.mkdir(exist_ok=True)
    file = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BusyError("another veza-e2e of this account is at work in this environment") from error
        yield
    finally:
        os.close(file)
