"""A store with a lock that a server keeps, and that ends by itself."""

from __future__ import annotations

import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from veza._call import seconds
from veza._clock import AsyncSystemClock
from veza._config import random_jitter
from veza._turn import TaskTurn
from veza.errors import InvalidRequestError, LeaseEndedError, TokenStoreError

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 0.4


class AsyncLeasedStore(ABC):
    """What the stores of several machines have in common. Holds no connection between two uses.

    Each holder of the lock has a random name. The server keeps the name of the last one with the text, and only that
    one can write: a holder that was held up for longer than its lease overwrites nothing that a later one wrote.
    """

    def __init__(self, name: str, lease: float) -> None:
        self._name = name
        self._lease = seconds(lease, "lease") or 0.0
        self._turn = TaskTurn()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name!r}>"

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[float]:
        """Hold the lock for as long as the context lasts, and no longer than the lease.

        Its value is what is left of the lease, in seconds.

        Raises:
            TokenStoreError: the server cannot be used.
        """
        async with self._turn.lock():
            holder = self._turn.holder = secrets.token_hex(16)
            try:
                yield await self._waited(holder)
            finally:
                if self._turn.holder == holder:  # else this is a child that was forked meanwhile, or nothing is held
                    self._turn.holder = None
                    await self._given_back(holder)

    async def read(self) -> str | None:
        """Return what was written last, None if nothing was.

        Raises:
            TokenStoreError: the server cannot be used.
        """
        async with self._connected() as connection:
            return await self._read(connection)

    async def write(self, text: str) -> None:
        """Keep a text in the place of the one before.

        Raises:
            InvalidRequestError: this is not within `lock()`.
            LeaseEndedError: another replica has had the lock meanwhile; nothing was written.
            TokenStoreError: the server cannot be used.
        """
        holder = self._turn.holder
        if holder is None:
            raise InvalidRequestError("a token store is written to within its lock()")
        async with self._connected() as connection:
            written = await self._write(connection, holder, text)
        if not written:
            raise LeaseEndedError("the lease of the token store's lock ended, and another replica took the lock")

    async def _waited(self, holder: str) -> float:
        """Wait for the lock; return the seconds for which it is held, counted from before it was asked for."""
        clock, pause = AsyncSystemClock(), _FIRST_PAUSE
        try:
            async with self._connected() as connection:
                while True:
                    began = time.monotonic()
                    if await self._acquire(connection, holder):
                        return self._lease - (time.monotonic() - began)
                    await clock.sleep(pause * (1 + random_jitter()))
                    pause = min(2 * pause, _LONGEST_PAUSE)
        except TokenStoreError:
            self._turn.holder = None
            raise

    async def _given_back(self, holder: str) -> None:
        try:
            async with self._connected() as connection:
                await self._release(connection, holder)
        except TokenStoreError:
            pass  # the lease ends by itself

    @abstractmethod
    def _connected(self) -> AbstractAsyncContextManager[Any]:
        """Return a connection; what its driver raises becomes a TokenStoreError."""

    @abstractmethod
    async def _acquire(self, connection: Any, holder: str) -> bool:
        """Take the lock if it is free, or its lease has ended by the server's clock."""

    @abstractmethod
    async def _release(self, connection: Any, holder: str) -> None:
        """Give the lock back if the holder still has it."""

    @abstractmethod
    async def _read(self, connection: Any) -> str | None:
        """Return what was written."""

    @abstractmethod
    async def _write(self, connection: Any, holder: str, text: str) -> bool:
        """Write if nobody had the lock after the holder."""
