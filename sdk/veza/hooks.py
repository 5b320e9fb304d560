"""What a service is told of each attempt: for metrics, traces and logs of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from veza.errors import InvalidRequestError, VezaError

if TYPE_CHECKING:
    from veza._call import Call


_COROUTINE: Final = 0x80
"""The flag of the code of an `async def`: `inspect` takes long to load."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a call. Holds no header, no query, no body and no secret.

    Attributes:
        operation: the operationId (`getOrder`), for labels that stay few; None for `request()`.
        method: the HTTP method.
        path: the path below the API's base, ids included, without the query.
        number: 1 for the first attempt of the call.
        seconds: how long this attempt took, by the client's clock; 0 before it is sent.
        status_code: the answer's status; None if there was none, or not yet.
        request_id: the backend's id of the request, if it told one.
        error: what this attempt failed with, though another may follow; None if it succeeded, or was not sent yet.
        delay: seconds until the next attempt; None unless there is one.
    """

    operation: str | None
    method: str
    path: str
    number: int
    seconds: float = 0.0
    status_code: int | None = None
    request_id: str | None = None
    error: VezaError | None = None
    delay: float | None = None


@dataclass(frozen=True, slots=True)
class Hooks:
    """Functions that are called with each attempt, logins included.

    They are plain functions for both clients, and must not block. What they raise ends the call, and passes unchanged.
    `response` is not called if the call is cancelled, or if something else than the transport fails.

    Attributes:
        request: called before an attempt is sent.
        response: called after it, whether it was answered or not.
        retry: called before the wait for the next attempt.

    Raises:
        InvalidRequestError: one is an `async def`.
    """

    request: Callable[[Attempt], object] | None = None
    response: Callable[[Attempt], object] | None = None
    retry: Callable[[Attempt], object] | None = None

    def __post_init__(self) -> None:
        for hook in (self.request, self.response, self.retry):
            code = getattr(hook, "__code__", None)
            if code is not None and code.co_flags & _COROUTINE:
                raise InvalidRequestError("a hook must be a plain function: nothing awaits what it returns")


class Watch:
    """Calls the hooks for one call.

    Args:
        hooks: what to call.
        call: the call.
        monotonic: the clock.
    """

    __slots__ = ("_began", "_call", "_hooks", "_last", "_monotonic")

    def __init__(self, hooks: Hooks, call: Call, monotonic: Callable[[], float]) -> None:
        self._hooks = hooks
        self._call = call
        self._monotonic = monotonic
        self._began = 0.0
        self._last: Attempt | None = None

    def sends(self, number: int) -> None:
        """Say that an attempt is about to be sent."""
        if self._hooks.request is not None:
            self._hooks.request(self._attempt(number))
        self._began = self._monotonic()

    def ended(self, number: int, status: int | None, request_id: str | None, error: VezaError | None) -> None:
        """Say how an attempt ended."""
        self._last = replace(
            self._attempt(number),
            seconds=self._monotonic() - self._began,
            status_code=status,
            request_id=request_id,
            error=error,
        )
        if self._hooks.response is not None:
            self._hooks.response(self._last)

    def waits(self, delay: float) -> None:
        """Say that another attempt follows."""
        if self._hooks.retry is not None and self._last is not None:
            self._hooks.retry(replace(self._last, delay=delay))

    def _attempt(self, number: int) -> Attempt:
        return Attempt(self._call.operation, self._call.method, self._call.path, number)
