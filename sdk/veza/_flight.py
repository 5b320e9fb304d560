"""Single flight: if several callers need the same work, one does it and all get its result."""

from __future__ import annotations

import contextvars
import copy
import threading
from typing import TYPE_CHECKING, TypeVar

from veza._process import follow_forks
from veza.errors import DeadlineExceededError, VezaError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine

    from veza._call import Budget
    from veza._secret import Secret

_Result = TypeVar("_Result")
_WAIT_ENDED = "the deadline ran out while another call renewed the login"
_PROVIDER_LATE = "the deadline ran out while the token provider was at work"


def _shared(error: BaseException) -> BaseException:
    """Return what each waiting caller raises: a copy of ours, and anyone else's as it is."""
    return copy.copy(error) if isinstance(error, VezaError) else error


async def bounded(work: Coroutine[None, None, _Result], budget: Budget) -> _Result:
    """Await some work for as long as the deadline allows, however slowly bytes trickle in.

    Raises:
        TimeoutError: the deadline ran out.
    """
    import asyncio  # noqa: PLC0415  (a synchronous program never loads it)

    try:
        async with asyncio.timeout(budget.left()) as limit:
            return await work
    except TimeoutError:
        if limit.expired():  # maybe a moment early: uvloop counts whole milliseconds
            budget.end()
        raise


class _Landing:
    __slots__ = ("done", "error", "result")

    def __init__(self) -> None:
        self.done = threading.Event()
        self.result: Secret | None = None
        self.error: BaseException | None = None


class ThreadFlight:
    """Single flight among threads: the first caller works, the others wait.

    Args:
        detached: whether the work may take no notice of a deadline. The work of a caller that has one is then done by a
            thread of its own, which may outlive the call.
    """

    def __init__(self, *, detached: bool = False) -> None:
        self._detached = detached
        self.forked()
        follow_forks(self)

    def forked(self) -> None:
        """Forget the work that a thread of the parent process does."""
        self._lock = threading.Lock()
        self._landing: _Landing | None = None

    def run(self, work: Callable[[], Secret | None], budget: Budget) -> Secret | None:
        """Return the work's result, whoever did it.

        If the leader is interrupted, or reaches its own deadline, a follower takes its place.

        Raises:
            VezaError: as the work did.
            DeadlineExceededError: the caller's time ran out while another worked.
            Exception: whatever else the work raised, the same for all.
        """
        while True:
            with self._lock:
                landing = self._landing
                if landing is None:
                    mine = self._landing = _Landing()
                    break
            if not landing.done.wait(budget.remaining()):
                raise DeadlineExceededError(_WAIT_ENDED)
            if landing.error is None:
                return landing.result
            if isinstance(landing.error, Exception) and not isinstance(landing.error, DeadlineExceededError):
                raise _shared(landing.error)
        if self._detached and budget.deadline is not None:
            self._depart(mine, work)
            if not mine.done.wait(budget.left()):
                raise DeadlineExceededError(_PROVIDER_LATE)
        else:
            self._work(mine, work)
        if mine.error is not None:
            raise mine.error
        return mine.result

    def _depart(self, mine: _Landing, work: Callable[[], Secret | None]) -> None:
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(self._work, mine, work), name="veza-login", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no thread to be had, or the interpreter is ending
            self._work(mine, work)

    def _work(self, mine: _Landing, work: Callable[[], Secret | None]) -> None:
        try:
            mine.result = work()
        except BaseException as error:  # noqa: BLE001  (the caller raises it)
            mine.error = error
        with self._lock:
            if self._landing is mine:
                self._landing = None
        mine.done.set()


class TaskFlight:
    """Single flight among tasks of one event loop. The work is a task of its own, which outlives any caller."""

    def __init__(self, *, detached: bool = False) -> None:
        self.forked()  # the work is always detached
        follow_forks(self)

    def forked(self) -> None:
        """Forget the work that a loop of the parent process does."""
        self._tasks: dict[asyncio.AbstractEventLoop, asyncio.Task[Secret | None]] = {}

    async def run(self, work: Callable[[], Coroutine[None, None, Secret | None]], budget: Budget) -> Secret | None:
        """Return the work's result.

        Raises:
            VezaError: as the work did.
            DeadlineExceededError: the caller's time ran out before it was done.
            CancelledError: the work was cancelled by what it awaits.
        """
        import asyncio  # noqa: PLC0415  (a synchronous program never loads it)

        loop = asyncio.get_running_loop()
        led = 0
        while True:
            task = self._tasks.get(loop)
            leading = task is None
            led += leading
            if task is None:
                task = self._tasks[loop] = loop.create_task(work())
                task.add_done_callback(self._landed)
            done, _ = await asyncio.wait({task}, timeout=budget.remaining())
            if not done:
                raise DeadlineExceededError(_WAIT_ENDED)
            if task.cancelled():
                if led > 1:
                    task.result()  # not by chance: what the work awaits cancels it, each time
                continue
            error = task.exception()
            if error is None:
                return task.result()
            if leading or not isinstance(error, DeadlineExceededError):
                raise _shared(error)

    def _landed(self, task: asyncio.Task[Secret | None]) -> None:
        self._tasks.pop(task.get_loop(), None)
        if not task.cancelled():
            task.exception()  # read, so that asyncio does not complain where every caller has gone
