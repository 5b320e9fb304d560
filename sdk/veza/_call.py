"""A call as data: the request, its time limit, the response."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from veza._ids import on_the_wire
from veza._secret import Secret
from veza.errors import DeadlineExceededError, InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from veza._response import ResponseInfo
    from veza.errors import VezaError

Result = TypeVar("Result")


class Body:
    """A request's body, which no repr shows."""

    __slots__ = ("content",)

    def __init__(self, fields: object) -> None:
        self.content: bytes = json.dumps(on_the_wire(fields), default=_reveal).encode()

    def __repr__(self) -> str:
        return f"<{len(self.content)} bytes>"


def _reveal(value: object) -> str:
    if isinstance(value, Secret):
        return value.get_secret_value()
    raise TypeError(f"{type(value).__name__} is not a JSON value")


class Call(NamedTuple):
    """What is to be sent.

    Attributes:
        method: the HTTP method.
        path: below the API's base path, every id already one segment.
        query: encoded, without the question mark.
        body: JSON; None for no body.
        headers: added to the client's own.
        auth: whether it carries the login.
        repeatable: whether it may be sent again after the backend may have carried it out.
        idempotency_key: what it carries as `Idempotency-Key`.
        deadline: seconds for all attempts and waits; None for no limit.
        secrets: values in the body that no error may repeat.
        operation: its operationId in the contract; None for `request()`.
        timeout: seconds, in the place of the client's; None for the client's.
        keep_content: whether the result keeps the body that it was read from.
    """

    method: str
    path: str
    query: str = ""
    body: Body | None = None
    headers: Mapping[str, str] | None = None
    auth: bool = True
    repeatable: bool = True
    idempotency_key: str | None = None
    deadline: float | None = None
    secrets: tuple[Secret, ...] = ()
    operation: str | None = None
    timeout: float | None = None
    keep_content: bool = False

    def __repr__(self) -> str:
        return f"<{self.method} {self.path}>"


class Received(NamedTuple):
    """An answer as it came: status, headers of the family in hand, bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"<{self.status}, {len(self.body)} bytes>"


class Answer(NamedTuple, Generic[Result]):
    """What came back, read."""

    result: Result
    info: ResponseInfo


class Budget:
    """The time that is left of a call's deadline.

    Args:
        monotonic: the clock.
        deadline: seconds from now; None for no limit.
    """

    __slots__ = ("_ends", "_monotonic", "deadline")

    def __init__(self, monotonic: Callable[[], float], deadline: float | None) -> None:
        self.deadline = deadline
        self._monotonic = monotonic
        self._ends = None if deadline is None else monotonic() + deadline

    def remaining(self) -> float | None:
        """Return the seconds left.

        Raises:
            DeadlineExceededError: there are none.
        """
        if self._ends is None:
            return None
        left = self._ends - self._monotonic()
        if left <= 0:
            raise DeadlineExceededError(f"the deadline of {self.deadline:g} s ran out")
        return left

    def left(self) -> float:
        """Return the seconds left of a deadline, 0 where it has passed."""
        return 0.0 if self._ends is None else max(0.0, self._ends - self._monotonic())

    def end(self) -> None:
        """Leave no time: another clock says that the deadline has passed."""
        self._ends = self._monotonic()

    def spent(self) -> bool:
        """Whether no time is left."""
        return self._ends is not None and self._monotonic() >= self._ends

    def timeout(self, timeout: float) -> float:
        """Return the timeout of the next attempt: the client's, or what is left."""
        left = self.remaining()
        return timeout if left is None else min(timeout, left)

    def allows(self, delay: float) -> bool:
        """Whether a wait ends before the deadline does."""
        return self._ends is None or self._monotonic() + delay < self._ends


def late(error: VezaError) -> DeadlineExceededError:
    """Return the error of a call whose next attempt would come too late, with what the last one said."""
    return DeadlineExceededError(
        f"the next attempt would come after the deadline; the last one failed: {error.message}",
        status_code=error.status_code,
        code=error.code,
        request_id=error.request_id,
        retry_after=error.retry_after,
        reason=error.reason,
        host=error.host,
        port=error.port,
    )


def told(error: VezaError, call: Call, attempts: int) -> VezaError:
    """Complete an error with what the call knows, unless it came from a login within the call."""
    if error.method is None:
        error.method, error.path = call.method, call.path
        error.idempotency_key = call.idempotency_key
        error.attempts = attempts
    error.__cause__ = error.__context__ = None  # these quote what was received
    return error


def seconds(value: float | None, name: str) -> float | None:
    """Return a positive, finite number of seconds as it is.

    Raises:
        InvalidRequestError: it is not one.
    """
    if value is None:
        return None
    given: object = value
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given) or given <= 0:
        raise InvalidRequestError(f"{name} must be a positive, finite number of seconds")
    return float(value)
