"""What can go wrong in a call. Nothing but these classes leaves the client.

VezaError
├── APIConnectionError            no answer, or a part of one
│   └── APITimeoutError           no answer in time
├── DeadlineExceededError         the call's `deadline` ran out, or the next wait would pass it
├── InvalidResponseError          an answer that is unreadable, or about something else than was asked
├── InvalidRequestError           refused here, before anything was sent (also a ValueError)
│   └── InvalidArgumentError      an argument of a wrong type (also a TypeError)
├── TokenStoreError               the store of a shared login cannot be reached
│   └── LeaseEndedError           the store's lock is another replica's by now (`SharedLogin` deals with it)
├── UnexpectedStatusError         what was waited for can no longer come
└── APIStatusError                an answer with an error status, or a redirect (never followed)
    ├── BadRequestError           400
    ├── AuthenticationError       401
    ├── PermissionDeniedError     403
    ├── NotFoundError             404
    ├── ConflictError             409
    ├── UnprocessableEntityError  422
    ├── LockedError               423
    ├── RateLimitError            429
    └── InternalServerError       5xx
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from typing import Self

_Error = TypeVar("_Error", bound="VezaError")
_FIELDS: Final = (
    "message",
    "status_code",
    "code",
    "details",
    "request_id",
    "method",
    "path",
    "attempts",
    "retry_after",
    "idempotency_key",
    "reason",
    "host",
    "port",
    "location",
    "content_type",
)


class VezaError(Exception):
    """The base of every error of this SDK. Holds no secret; survives pickle, copy and deepcopy.

    Attributes:
        message: what happened, in words.
        status_code: the answer's HTTP status, None where there was no answer.
        code: the backend's error code (`ORDER_NOT_FOUND`), None where it gave none.
        details: the backend's details as plain JSON values, None where it gave none.
        request_id: the backend's id of the request (`X-Request-ID`).
        method: the HTTP method.
        path: the path, without the query.
        attempts: how many requests were sent for this call (0: none was).
        retry_after: seconds that the backend asked to wait, None where it did not.
        idempotency_key: the key that every attempt of this write carried.
        reason: why there was no answer, in a word: `dns`, `refused`, `unreachable`, `connect`, `certificate`, `tls`,
            `proxy`, `connect_timeout`, `pool_timeout`, `write_timeout`, `read_timeout`, `broken`, `encoding`,
            `request`, `closed`, `loop` or `transport`. None if there was an answer.
        host: what could not be reached, or did not answer: the backend's host, or the proxy's.
        port: its port.
        location: where a redirect points to, without query, user and password; it is not followed.
        content_type: the media type of an answer that is not JSON.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        code: str | None = None,
        details: object = None,
        request_id: str | None = None,
        method: str | None = None,
        path: str | None = None,
        attempts: int = 0,
        retry_after: float | None = None,
        idempotency_key: str | None = None,
        reason: str | None = None,
        host: str | None = None,
        port: int | None = None,
        location: str | None = None,
        content_type: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code
        self.code = code
        self.details = details
        self.request_id = request_id
        self.method = method
        self.path = path
        self.attempts = attempts
        self.retry_after = retry_after
        self.idempotency_key = idempotency_key
        self.reason = reason
        self.host = host
        self.port = port
        self.location = location
        self.content_type = content_type

    def __str__(self) -> str:
        facts = [f"{self.method} {self.path}" if self.method else "", self.code or ""]
        facts.append(f"request {self.request_id}" if self.request_id else "")
        facts.append(f"{self.attempts} attempts" if self.attempts > 1 else "")
        shown = ", ".join(fact for fact in facts if fact)
        return f"{self.message} ({shown})" if shown else self.message

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in _FIELDS if getattr(self, name) is not None)
        return f"{type(self).__name__}({shown})"

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), {name: getattr(self, name) for name in _FIELDS})

    def __copy__(self) -> Self:
        return _rebuild(type(self), {name: getattr(self, name) for name in _FIELDS})


def _rebuild(kind: type[_Error], fields: dict[str, object]) -> _Error:
    error = kind.__new__(kind)
    VezaError.__init__(error, **fields)  # type: ignore[arg-type]  # the fields of _FIELDS, by name
    return error


class APIConnectionError(VezaError):
    """No answer came, or only a part of one. A write may or may not have been carried out."""


class APITimeoutError(APIConnectionError):
    """No answer came within the timeout. A write may or may not have been carried out."""


class DeadlineExceededError(VezaError):
    """The call's deadline ran out, or the wait before the next attempt would have passed it."""


class InvalidResponseError(VezaError):
    """The answer is unreadable (not JSON, cut off, of another shape), or about something else than was asked.

    A write may have been carried out: this is not a refusal.
    """


class InvalidRequestError(VezaError, ValueError):
    """An argument that the contract forbids; nothing was sent."""


class InvalidArgumentError(InvalidRequestError, TypeError):
    """An argument of a wrong type, such as a text in the place of a list; nothing was sent."""


class TokenStoreError(VezaError):
    """The store of a `SharedLogin` cannot be reached, or refuses to read or write."""


class LeaseEndedError(TokenStoreError):
    """The lease of a store's lock ended, and another replica took the lock; nothing was written."""


class UnexpectedStatusError(VezaError):
    """An order is in a status from which what was waited for can no longer come; `details` names it."""


class APIStatusError(VezaError):
    """An answer with an error status, or a redirect."""


class BadRequestError(APIStatusError):
    """400: the request does not have the documented form."""


class AuthenticationError(APIStatusError):
    """401: no valid credentials, and renewing the login did not help."""


class PermissionDeniedError(APIStatusError):
    """403: this account may not do that."""


class NotFoundError(APIStatusError):
    """404: there is no such thing."""


class ConflictError(APIStatusError):
    """409: the state forbids it, or the idempotency key belongs to another request."""


class UnprocessableEntityError(APIStatusError):
    """422: the form is right, but it cannot be carried out."""


class LockedError(APIStatusError):
    """423: the account is locked."""


class RateLimitError(APIStatusError):
    """429: too many requests; `retry_after` says how long to wait."""


class InternalServerError(APIStatusError):
    """5xx: the backend failed."""


_CLASSES: Final[dict[int, type[APIStatusError]]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    423: LockedError,
    429: RateLimitError,
}
_FIRST_SERVER_ERROR: Final = 500


def error_class(status: int) -> type[APIStatusError]:
    """Return the class of an error status."""
    fallback = InternalServerError if status >= _FIRST_SERVER_ERROR else APIStatusError
    return _CLASSES.get(status, fallback)
