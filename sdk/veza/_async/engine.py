"""Sending a call: attempts, waits, renewals. What to do next is decided elsewhere, without I/O."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from veza._async.login import AsyncRenewer
from veza._call import Answer, Budget, Call, Received, Result, late, told
from veza._connections import MOVED, drop_orphans  # async only
from veza._family import Failure
from veza._flight import bounded  # async only
from veza._logging import in_flight, logger, note_attempt, note_wait
from veza._operations import BASE_PATH
from veza._process import Bound
from veza._response import ResponseInfo
from veza._retry import may_repeat_status, parse_retry_after
from veza._secret import scrub
from veza._session import authorize
from veza._version import __version__
from veza._wire import bounded_encodings, is_json, joined, media_type, place, read_error, unbounded
from veza.errors import (
    APIConnectionError,
    APITimeoutError,
    DeadlineExceededError,
    InvalidResponseError,
    VezaError,
    error_class,
)
from veza.hooks import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from veza._clock import AsyncClock
    from veza._config import Settings
    from veza._connections import LoopConnections
    from veza._family import Family
    from veza._pace import Pace
    from veza._secret import Secret
    from veza._session import Session
    from veza.tokens import AsyncTokenProvider

_UNAUTHORIZED = 401
_NOT_FOUND = 404
_PHASES = ("connect", "read", "write", "pool")
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
_OK = range(200, 300)
_REDIRECTS = range(300, 400)
_LARGEST_BODY = 64 * 2**20


class AsyncEngine(Bound):
    """What the clients that `with_options` made share: the HTTP client, the clock, the login."""

    def __init__(
        self,
        *,
        connections: LoopConnections,
        family: Family,
        root: str,
        session: Session,
        clock: AsyncClock,
        provider: AsyncTokenProvider | None,
        app_info: str | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.clock = clock
        self.session = session
        self.renewer = AsyncRenewer(self, provider)
        self.connections = connections
        self._pace = pace
        http = connections.pattern
        self._family = family
        self._headers = family.Headers(http.headers)
        self._headers.update({"Host": family.URL(root).netloc.decode("ascii"), "Accept": "application/json"})
        self._headers["Accept-Encoding"] = bounded_encodings(self._headers.get("Accept-Encoding", ""))
        if self._headers.get("User-Agent", "").startswith("python-httpx"):
            self._headers["User-Agent"] = f"veza-python/{__version__}"
        if app_info is not None:
            self._headers["User-Agent"] = f"{self._headers.get('User-Agent', '')} {app_info}".strip()
        self._encoding = self._headers.encoding
        self._no_auth = family.Auth()
        self._nothing = family.ByteStream(b"")
        query = str(http.params)
        self._url = lru_cache(maxsize=64)(lambda path, own: family.URL(root + path + joined(own, query)))
        self._authorized: tuple[Secret, httpx.Headers] | None = None

    async def send(self, call: Call, settings: Settings, read: Callable[[bytes], Result]) -> Answer[Result]:
        """Send a call until it succeeds or must give up.

        Raises:
            VezaError: with the number of attempts.
        """
        budget = Budget(self.clock.monotonic, call.deadline or settings.deadline)
        watch = None if settings.hooks is None else Watch(settings.hooks, call, self.clock.monotonic)
        attempts = failures = 0
        rejected: Secret | None = None
        try:
            while True:
                token = self.session.usable(self.clock.monotonic(), rejected) if call.auth else None
                if token is None and call.auth:
                    token = await self.renewer.token(rejected, budget, settings)
                await self._turn(budget)
                limit = budget.timeout(call.timeout or settings.timeout)
                http = await self.connections.here()
                attempts += 1
                if watch is not None:
                    watch.sends(attempts)
                received = await self._exchange(http, self._request(call, token, limit), budget)
                outcome = self._judge(call, received, read, attempts, budget)
                _tell(call, attempts, received, outcome, watch)
                if isinstance(outcome, Answer):
                    return outcome
                error, repeat = outcome
                unauthorized = error.status_code == _UNAUTHORIZED and token is not None and rejected is None
                if unauthorized and self.renewer.can_renew():
                    rejected = token
                    if watch is not None:
                        watch.waits(0.0)
                    continue
                failures += 1
                delay = settings.retry.delay(failures, error.retry_after) if repeat else None
                if delay is None:
                    raise error
                if not budget.allows(delay):
                    raise late(error)
                _tell_wait(call, attempts, error, delay, watch)
                await self.clock.sleep(delay)
        except VezaError as error:
            failed = error
        # The frames that the error came through hold bodies: it starts anew here.
        raise told(failed, call, attempts).with_traceback(None)

    async def _turn(self, budget: Budget) -> None:
        """Wait until the client's own limit allows another request."""
        wait = 0.0 if self._pace is None else self._pace.turn(self.clock.monotonic(), budget)
        if wait:
            await self.clock.sleep(wait)

    def _judge(
        self,
        call: Call,
        received: Received | Failure,
        read: Callable[[bytes], Result],
        attempts: int,
        budget: Budget,
    ) -> Answer[Result] | tuple[VezaError, bool]:
        """Return the answer, or the error and whether another attempt makes sense."""
        if isinstance(received, Failure):
            return self._unanswered(call, received, budget)
        status, body, headers = received.status, received.body, received.headers
        if status not in _OK:
            return self._refusal(call, received), may_repeat_status(status, repeatable=call.repeatable)
        kept = body if call.keep_content else None
        info = ResponseInfo(status, attempts - 1, headers, call.idempotency_key, kept)
        try:
            return Answer(read(body), info)
        except InvalidResponseError as unread:
            error = unread
        error.status_code, error.request_id = status, info.request_id
        error.content_type = media_type(headers, body)
        if error.content_type is not None and not error.content_type.endswith("json"):  # else it was cut off
            error.message = f"{error.message} but {error.content_type}"
            error.args = (error.message,)
        return error, call.repeatable and not is_json(body)

    def _unanswered(self, call: Call, failure: Failure, budget: Budget) -> tuple[VezaError, bool]:
        if failure.error is APITimeoutError and budget.spent():
            message = f"the deadline ran out: {failure.message}"
            error = DeadlineExceededError(message, reason=failure.reason, host=failure.host, port=failure.port)
            return error, False
        return failure.raised(), not failure.hopeless and (call.repeatable or not failure.sent)

    async def _exchange(self, http: Any, request: httpx.Request, budget: Budget) -> Received | Failure:
        """Send one request and read its answer."""
        marker = in_flight.set(True)
        try:
            if budget.deadline is not None:  # async only
                return await bounded(self._converse(http, request, budget), budget)  # async only
            return await self._converse(http, request, budget)
        # async only: begin
        except TimeoutError as error:  # of `bounded`: a transport's own is a Failure by now
            if not budget.spent():
                raise
            await drop_orphans(http, request.url)
            return self._family.failure(error, http, request.url)
        # async only: end
        finally:
            in_flight.reset(marker)

    async def _converse(self, http: Any, request: httpx.Request, budget: Budget) -> Received | Failure:
        """Ask and read; the one place where foreign exceptions are translated, and only those of a transport."""
        try:
            response = await http.send(request, auth=self._no_auth, follow_redirects=False, stream=True)
        except self._family.errors as error:
            if not self._family.translates(error):
                raise
            await drop_orphans(http, request.url)  # async only
            return self._failed(error, http, request)
        try:
            return await self._read(response, budget)
        except self._family.errors as error:
            return self._failed(error, http, request)

    def _failed(self, error: Exception, http: Any, request: httpx.Request) -> Failure:
        if self.connections.moved and isinstance(error, RuntimeError):  # async only
            return Failure(APIConnectionError, MOVED, "loop", sent=True, hopeless=True)  # async only
        return self._family.failure(error, http, request.url)

    async def _read(self, response: Any, budget: Budget) -> Received | Failure:
        try:
            chunks: list[bytes] = []
            size = 0
            encoded = "content-encoding" in response.headers
            if encoded and (wrong := unbounded(response.headers["content-encoding"])):
                return Failure(InvalidResponseError, wrong, "encoding", sent=True)
            plain = not response.is_stream_consumed and not encoded
            source: Any = response.stream if plain else response.aiter_bytes()  # the first is the same, and cheaper
            async for chunk in source:
                chunks.append(chunk)
                size += len(chunk)
                if size > _LARGEST_BODY:
                    return Failure(InvalidResponseError, "the response is too large", "size", sent=True, hopeless=True)
                if budget.spent() and not _complete(response, size):
                    return Failure(APITimeoutError, "the response did not end in time", "read_timeout", sent=True)
            return Received(response.status_code, response.headers, b"".join(chunks))
        finally:
            await response.aclose()
            response.stream = self._nothing  # it refers back to the response: without it, both go at once

    def _request(self, call: Call, token: Secret | None, limit: float) -> httpx.Request:
        headers = self._headers if token is None else self._with_token(token)
        if call.method not in _BODILESS or call.body is not None or call.headers or call.idempotency_key is not None:
            headers = self._family.Headers(headers)
            if call.body is not None or call.method not in _BODILESS:
                headers["Content-Length"] = str(len(call.body.content) if call.body else 0)
            if call.body is not None:
                headers["Content-Type"] = "application/json"
            headers.update(call.headers or {})
            if call.idempotency_key is not None:
                headers["Idempotency-Key"] = call.idempotency_key
        stream = self._family.ByteStream(call.body.content if call.body else b"")
        request: httpx.Request = self._family.Request(
            call.method,
            self._url(call.path, call.query),
            headers=headers,
            stream=stream,
            extensions={"timeout": dict.fromkeys(_PHASES, limit)},
        )
        request.headers.encoding = self._encoding  # else it is found out anew for each request
        request.read()  # as a request built from `content` is: what inspects it may read it
        return request

    def _with_token(self, token: Secret) -> httpx.Headers:
        known = self._authorized
        if known is None or known[0] is not token:
            headers = self._family.Headers(self._headers)
            headers.update(authorize(token))
            known = self._authorized = (token, headers)
        return known[1]

    def _refusal(self, call: Call, received: Received) -> VezaError:
        secrets = (*self.session.secrets, *call.secrets)
        facts = read_error(received.body, secrets)
        wait = parse_retry_after(received.headers.get("retry-after"), self.clock.now)
        location = place(received.headers.get("location")) if received.status in _REDIRECTS else None
        location = None if location is None else scrub(location, secrets)
        return error_class(received.status)(
            facts.message or _says(call, received, location),
            status_code=received.status,
            code=facts.code,
            details=facts.details,
            request_id=received.headers.get("x-request-id") or facts.request_id,
            retry_after=facts.retry_after if wait is None else wait,
            location=location,
            content_type=media_type(received.headers, received.body),
        )


def _tell(
    call: Call,
    number: int,
    received: Received | Failure,
    outcome: Answer[Result] | tuple[VezaError, bool],
    watch: Watch | None,
) -> None:
    """Tell the log and the hooks how an attempt ended."""
    if watch is None and not logger.isEnabledFor(logging.DEBUG):
        return  # reading a header takes time
    status = request_id = None
    if isinstance(received, Received):
        status, request_id = received.status, received.headers.get("x-request-id")
    error = None if isinstance(outcome, Answer) else outcome[0]
    note_attempt(call, number, status, request_id, error)
    if watch is not None:
        watch.ended(number, status, request_id, error)


def _tell_wait(call: Call, number: int, error: VezaError, delay: float, watch: Watch | None) -> None:
    note_wait(call, number, error, delay)
    if watch is not None:
        watch.waits(delay)


def _says(call: Call, received: Received, location: str | None) -> str:
    """Say an error status without words of the backend's own; a 404 that is not JSON is of an unknown path."""
    unknown_path = received.status == _NOT_FOUND and not is_json(received.body)
    where = f" at {BASE_PATH}{call.path}" if unknown_path else ""
    return f"the backend answered {received.status}{where}{f' and points to {location}' if location else ''}"


def _complete(response: httpx.Response, size: int) -> bool:
    """Whether all of a body has come, so that it is not thrown away for being late."""
    length: str = response.headers.get("content-length", "")
    return length.isdecimal() and max(size, response.num_bytes_downloaded) >= int(length)
