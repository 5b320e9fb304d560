"""One at a time: the threads of a process, or the tasks of an event loop."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from veza._process import follow_forks

if TYPE_CHECKING:
    import asyncio


class ThreadTurn:
    """A lock among the threads of a process, new in a forked child.

    Attributes:
        holder: what the thread whose turn it is goes by, if it said so.
    """

    def __init__(self) -> None:
        self.forked()
        follow_forks(self)

    def forked(self) -> None:
        """Leave the lock to the parent process."""
        self._lock = threading.Lock()
        self.holder: str | None = None

    def lock(self) -> threading.Lock:
        """Return the lock."""
        return self._lock


class TaskTurn:
    """A lock among the tasks of each event loop, new in a forked child."""

    def __init__(self) -> None:
        self.forked()
        follow_forks(self)

    def forked(self) -> None:
        """Leave the locks to the parent process."""
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
        self._holders: WeakKeyDictionary[asyncio.AbstractEventLoop, str | None] = WeakKeyDictionary()

    def lock(self) -> asyncio.Lock:
        """Return the lock of the event loop that runs."""
        import asyncio  # noqa: PLC0415  (a synchronous program never loads it)

        loop = asyncio.get_running_loop()
        return self._locks.setdefault(loop, asyncio.Lock())

    @property
    def holder(self) -> str | None:
        """What the task whose turn it is in this event loop goes by, if it said so."""
        import asyncio  # noqa: PLC0415  (a synchronous program never loads it)

        return self._holders.get(asyncio.get_running_loop())

    @holder.setter
    def holder(self, name: str | None) -> None:
        import asyncio  # noqa: PLC0415  (a synchronous program never loads it)

        self._holders[asyncio.get_running_loop()] = name
