"""The HTTP client to send with: one for each process, and for each event loop of an asynchronous one.

A connection that two processes or two event loops use gives one the answer to the other's question, or breaks. So a
client that the SDK makes is made anew for each. A client that a caller gives belongs to the process that first used it.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from veza._process import follow_forks
from veza.errors import APIConnectionError, InvalidRequestError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, Callable

_homes: Final[WeakKeyDictionary[Any, int]] = WeakKeyDictionary()
"""The process that first sent with a client."""
_FORKED: Final = (
    "http_client was used before this process was forked, and its connections belong to the other process: pass a "
    "function that makes a client anew, such as http_client=lambda: httpx.{name}()"
)
MOVED: Final = (
    "http_client has connections of another event loop: pass a function that makes a client, such as "
    "http_client=lambda: httpx.AsyncClient()"
)


def _claim(http: Any) -> Any:
    """Return a client that a caller gave or made, unless another process used it first.

    Raises:
        InvalidRequestError: one did.
    """
    if _homes.setdefault(http, os.getpid()) != os.getpid():
        raise InvalidRequestError(_FORKED.format(name=type(http).__name__))
    return http


class _Connections:
    def __init__(self, given: Any, make: Callable[[], Any] | None) -> None:
        self.given = None if make else given
        self._make = make or (lambda: given)
        self.pattern = self._make()
        """A client whose default headers and query are those of every other one."""
        self._spare = [self.pattern]  # nothing was sent with it yet
        self._closed = False
        self._abandoned: list[Any] = []  # the parent process goes on with these, so nothing here may end them

    def forked(self) -> None:
        raise NotImplementedError

    def _made(self) -> Any:
        if self._closed:
            raise APIConnectionError("the client is closed", reason="closed")
        try:
            http = self._spare.pop()
        except IndexError:
            http = self._make()
        return _claim(http)  # a function may return the same client each time


class ThreadConnections(_Connections):
    """The client that all threads of this process send with.

    Args:
        given: a caller's client.
        make: makes one; None if a caller gave a client.
    """

    def __init__(self, given: Any, make: Callable[[], Any] | None) -> None:
        super().__init__(given, make)
        self._lock = threading.Lock()
        self._http: Any = None
        follow_forks(self)

    def forked(self) -> None:
        """Leave the connections to the parent process."""
        self._abandoned.append(self._http)
        self._http = None
        self._lock = threading.Lock()

    def here(self) -> Any:
        """Return the client to send with.

        Raises:
            APIConnectionError: this was closed.
            InvalidRequestError: a caller's client was used before this process was forked.
        """
        if self._http is not None:
            return self._http
        with self._lock:
            if self._http is None:
                self._http = self._made() if self.given is None else _claim(self.given)
            return self._http

    def close(self) -> None:
        """Close the client, if the SDK made it."""
        if self.given is None:
            with self._lock:
                self._closed = True
                clients, self._http, self._spare = [self._http, *self._spare], None, []
            for http in clients:
                if http is not None:
                    http.close()


class LoopConnections(_Connections):
    """The clients that the tasks of each event loop send with. As `ThreadConnections`."""

    def __init__(self, given: Any, make: Callable[[], Any] | None) -> None:
        super().__init__(given, make)
        self._loops: dict[asyncio.AbstractEventLoop, tuple[Any, AsyncGenerator[None, None] | None]] = {}
        self.moved = False
        """Whether a caller's client was used in more than one event loop."""
        follow_forks(self)

    def forked(self) -> None:
        """Leave the connections to the parent process."""
        self._abandoned.append(self._loops)
        self._loops = {}
        self.moved = False

    async def here(self) -> Any:
        """Return the client to send with in the running loop. Errors as `ThreadConnections.here`."""
        import asyncio  # noqa: PLC0415  (a synchronous program never loads it)

        loop = asyncio.get_running_loop()
        known = self._loops.get(loop)
        if known is not None:
            return known[0]
        self.moved = self.given is not None and (self.moved or bool(self._loops))
        for other in [one for one in self._loops.copy() if one.is_closed()]:
            self._loops.pop(other, None)
        if self.given is not None:
            self._loops[loop] = (_claim(self.given), None)
            return self.given
        http = self._made()
        # A loop that is shut down ends its asynchronous generators: so the connections are closed where they live.
        ends = _until_closed(http)
        self._loops[loop] = (http, ends)
        await anext(ends)
        return http

    async def close(self) -> None:
        """Close the clients that the SDK made; those of other loops that run are closed there, soon."""
        import asyncio  # noqa: PLC0415  (a synchronous program never loads it)

        if self.given is not None:
            return
        self._closed = True
        here = asyncio.get_running_loop()
        clients, self._loops = self._loops, {}
        for loop, (_, ends) in clients.items():
            if ends is not None and loop is here:
                await ends.aclose()
            elif ends is not None and loop.is_running():
                asyncio.run_coroutine_threadsafe(_ended(ends), loop)
        while self._spare:
            await self._spare.pop().aclose()


async def drop_orphans(http: Any, url: Any) -> None:
    """Take the connections out of a pool that cancelled requests left behind: nobody uses, reuses or ends them.

    Else they fill the pool for good (encode/httpcore#1093; later releases of httpx2 mend it). A deadline cancels, too.
    """
    find = getattr(http, "_transport_for_url", None)
    pool: Any = getattr(find(url) if find else None, "_pool", None)
    asked = getattr(pool, "_requests", None)
    if type(pool).__module__.partition(".")[0] not in {"httpcore", "httpcore2"} or asked is None:
        return
    if any(not hasattr(one, "connection") for one in asked):
        return  # another version of httpcore, of which nothing is known
    used = {id(one.connection) for one in asked}
    for one in list(getattr(pool, "_connections", ())):
        if id(one) not in used and not one.is_idle() and not one.is_closed():
            pool._connections.remove(one)  # noqa: SLF001  (there is no public way)
            await one.aclose()


async def _until_closed(http: Any) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await http.aclose()


async def _ended(ends: AsyncGenerator[None, None]) -> None:
    await ends.aclose()
