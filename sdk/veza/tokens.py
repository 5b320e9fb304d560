"""Where a service with several replicas gets its access token from, so that they share one login.

A login ends the refresh tokens of the account's earlier logins, so replicas that log in on their own evict each
other; and the backend counts logins. `SharedLogin` logs in once for all that share its store.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from veza._process import follow_forks
from veza._secret import Secret
from veza._session import issued
from veza.errors import AuthenticationError, InvalidRequestError, InvalidResponseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from veza.models.auth import Login, Tokens


class TokenProvider(Protocol):
    """Gives `Veza` its access tokens. Called by one thread at a time of each client, from any thread."""

    def __call__(self, rejected: str | None) -> str:
        """Return an access token.

        Args:
            rejected: the token that the backend has just refused with 401, None at first. Return another one: make
                it, or read the one that another replica made meanwhile.
        """
        ...


class AsyncTokenProvider(Protocol):
    """Gives `AsyncVeza` its access tokens. Called by one task at a time of each client."""

    async def __call__(self, rejected: str | None) -> str:
        """Return an access token. As `TokenProvider`."""
        ...


class TokenStore(Protocol):
    """Where replicas keep the login they share. Holds secrets: keep it where only the service can read it."""

    def lock(self) -> AbstractContextManager[None]:
        """Return a context in which no other replica reads or writes."""
        ...

    def read(self) -> str | None:
        """Return what was written last, None where nothing was."""
        ...

    def write(self, text: str) -> None:
        """Keep a text in the place of the one before."""
        ...


class FileTokenStore:
    """A store for the processes of one machine: a file that only its owner can read, and a lock beside it.

    Args:
        path: the file; its folder exists.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._threads = threading.Lock()
        self._held: int | None = None
        follow_forks(self)

    def forked(self) -> None:
        """Leave the lock to the parent process: a child that kept the file open would hold it, too."""
        self._threads = threading.Lock()
        held, self._held = self._held, None
        if held is not None:
            os.close(held)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the lock file for as long as the context lasts."""
        with self._threads:
            handle = self._held = _opened(self._path.with_name(f"{self._path.name}.lock"))
            try:
                _lock(handle)
                yield
            finally:
                if self._held == handle:  # else this is a child that was forked meanwhile
                    self._held = None
                    _unlock(handle)
                    os.close(handle)

    def read(self) -> str | None:
        """Return what was written last, None where nothing was."""
        try:
            return self._path.read_text(encoding="utf-8") or None
        except FileNotFoundError:
            return None

    def write(self, text: str) -> None:
        """Replace the file as a whole."""
        part = self._path.with_name(f"{self._path.name}.part")
        handle = _opened(part)
        try:
            os.ftruncate(handle, 0)
            os.write(handle, text.encode())
            os.fsync(handle)
        finally:
            os.close(handle)
        part.replace(self._path)


def _opened(path: Path) -> int:
    """Open a file that only its owner can read."""
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _lock(handle: int) -> None:
    """Wait for an exclusive lock, which closing the file in every process gives back."""
    try:
        import fcntl  # noqa: PLC0415  (not on Windows)
    except ImportError:
        import msvcrt  # noqa: PLC0415  (only on Windows)

        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]  # Windows
    else:
        fcntl.flock(handle, fcntl.LOCK_EX)


def _unlock(handle: int) -> None:
    """Give a lock back, even if a child process has the file open as well."""
    try:
        import fcntl  # noqa: PLC0415  (not on Windows)
    except ImportError:
        return
    fcntl.flock(handle, fcntl.LOCK_UN)


class Authenticates(Protocol):
    """The part of `client.auth` that a shared login needs."""

    def login(self) -> Login:
        """Log in with the client's credentials (operation login)."""
        ...

    def refresh(self, refresh_token: Secret) -> Tokens:
        """Exchange a refresh token (operation refreshToken)."""
        ...


class HasAuth(Protocol):
    """A client, as `veza.Veza` is one."""

    @property
    def auth(self) -> Authenticates:
        """Login, refresh, logout."""
        ...


class SharedLogin:
    """A token provider: logs in once for all replicas that share its store, and renews for all when one is refused.

    Args:
        client: a client with `email` and `password`, used for nothing else.
        store: where the login is kept.
    """

    def __init__(self, client: HasAuth, store: TokenStore) -> None:
        self._client = client
        self._store = store

    def __call__(self, rejected: str | None) -> str:
        """Return the shared access token, after making a new one where it was rejected.

        Raises:
            VezaError: as `auth.login` and `auth.refresh`.
        """
        with self._store.lock():
            access, refresh = self._kept()
            if access is not None and access.get_secret_value() != rejected:
                return access.get_secret_value()
            access, refresh = self._renewed(refresh)
            kept = {"access_token": access.get_secret_value(), "refresh_token": refresh.get_secret_value()}
            self._store.write(json.dumps(kept))
        return access.get_secret_value()

    def _kept(self) -> tuple[Secret, Secret] | tuple[None, None]:
        text = self._store.read()
        if text is None:
            return None, None
        try:
            kept = json.loads(text)
            return Secret(kept["access_token"]), Secret(kept["refresh_token"])
        except (ValueError, KeyError, TypeError):
            raise InvalidRequestError("the token store holds what SharedLogin did not write") from None

    def _renewed(self, refresh: Secret | None) -> tuple[Secret, Secret]:
        if refresh is not None:
            try:
                tokens = self._client.auth.refresh(refresh)
            except AuthenticationError:
                pass  # used up or revoked: log in anew
            else:
                access, rotated = issued(tokens)
                return access, rotated or refresh
        access, first = issued(self._client.auth.login())
        if first is None:
            raise InvalidResponseError("the login gave no refresh token, so replicas cannot share it")
        return access, first
