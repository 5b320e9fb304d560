"""Where a service with several replicas gets its access token from, so that they share one login.

A login ends the refresh tokens of the account's earlier logins, so replicas that log in on their own evict each
other; and the backend counts logins. `SharedLogin` logs in once for all that share its store.
"""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final, Protocol

from veza._process import follow_forks
from veza._turn import TaskTurn

_POLL: Final = 0.05


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

    def lock(self) -> AbstractContextManager[float | None]:
        """Return a context in which no other replica writes.

        Its value is for how many seconds the lock is held at most; None if it is held for as long as the context lasts.
        """
        ...

    def read(self) -> str | None:
        """Return what was written last, None if nothing was. Called with and without the lock."""
        ...

    def write(self, text: str) -> None:
        """Keep a text in the place of the one before. Called with the lock.

        Raises:
            LeaseEndedError: the lock is no longer held, and another replica has had it since; nothing was written.
        """
        ...


class AsyncTokenStore(Protocol):
    """As `TokenStore`, for `AsyncSharedLogin`."""

    def lock(self) -> AbstractAsyncContextManager[float | None]:
        """Return a context in which no other replica writes. As `TokenStore.lock`."""
        ...

    async def read(self) -> str | None:
        """Return what was written last, None if nothing was. Called with and without the lock."""
        ...

    async def write(self, text: str) -> None:
        """Keep a text in the place of the one before. As `TokenStore.write`."""
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


class AsyncFileTokenStore:
    """As `FileTokenStore`, for `AsyncSharedLogin`. Both can use one file.

    Args:
        path: the file; its folder exists.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = FileTokenStore(path)
        self._lock_path = Path(path).with_name(f"{Path(path).name}.lock")
        self._turn = TaskTurn()
        self._held: set[int] = set()
        follow_forks(self)

    def forked(self) -> None:
        """Leave the locks to the parent process."""
        held, self._held = self._held, set()
        for handle in held:
            os.close(handle)

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        """Hold the lock file for as long as the context lasts; other tasks go on meanwhile."""
        import asyncio  # noqa: PLC0415  (a synchronous program never loads it)

        async with self._turn.lock():
            handle = _opened(self._lock_path)
            self._held.add(handle)
            try:
                while not _lock(handle, wait=False):  # noqa: ASYNC110  (another process tells no event)
                    await asyncio.sleep(_POLL)
                yield
            finally:
                if handle in self._held:  # else this is a child that was forked meanwhile
                    self._held.remove(handle)
                    _unlock(handle)
                    os.close(handle)

    async def read(self) -> str | None:
        """Return what was written last, None if nothing was."""
        return self._file.read()

    async def write(self, text: str) -> None:
        """Replace the file as a whole."""
        import asyncio  # noqa: PLC0415  (a synchronous program never loads it)

        await asyncio.to_thread(self._file.write, text)


def _opened(path: Path) -> int:
    """Open a file that only its owner can read."""
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _lock(handle: int, *, wait: bool = True) -> bool:
    """Take an exclusive lock, which closing the file in every process gives back; False if another has it."""
    try:
        import fcntl  # noqa: PLC0415  (not on Windows)
    except ImportError:
        import msvcrt  # noqa: PLC0415  (only on Windows)

        mode = msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK  # type: ignore[attr-defined,unused-ignore]  # Windows
        try:
            msvcrt.locking(handle, mode, 1)  # type: ignore[attr-defined,unused-ignore]  # Windows
        except OSError:
            if wait:
                raise
            return False
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unlock(handle: int) -> None:
    """Give a lock back, even if a child process has the file open as well."""
    try:
        import fcntl  # noqa: PLC0415  (not on Windows)
    except ImportError:
        return
    fcntl.flock(handle, fcntl.LOCK_UN)
