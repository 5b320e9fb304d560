"""The transport that records every call: the intent before its first byte, the response before its use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import field, replace
from datetime import datetime
from typing import TypedDict
from urllib.parse import quote

import httpx

from veza_e2e.canonical import JSON, digest
from veza_e2e.frozen import dataclass
from veza_e2e.journal import Journal, timestamp
from veza_e2e.journal.events import CallFailed, CallFinished, CallIntended, StepName, Target
from veza_e2e.ports.protocols import Clock
from veza_e2e.redaction import WITHHELD, Redactor

MAX_BODY = 4 * 1024 * 1024
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class LeakError(Exception):
    """A request was not sent, because its idempotency key cannot stand in the record."""


@dataclass
class Recorder:
    """Shared by the transports of one session: the journal, the numbers of calls, the running step."""

    journal: Journal
    redactor: Redactor
    clock: Clock
    calls: int = 0
    step: StepName | None = None
    guard: Callable[[], AbstractContextManager[None]] | None = None
    """Defers signals while a write and its response are under way."""
    last: dict[str, int] = field(default_factory=dict)
    """The number of the last answered call of each operation, as evidence."""


@dataclass(frozen=True, slots=True)
class _Sent:
    call: int
    operation: str | None
    method: str
    url: str
    headers: Mapping[str, str]
    body: Mapping[str, JSON] | None
    at: datetime
    since: float


class _Told(TypedDict):
    call: int
    step: StepName | None
    operation: str | None
    target: Target
    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: Mapping[str, JSON] | None
    started_at: str
    elapsed_ms: int


class RecordingTransport(httpx.BaseTransport):
    """Writes each request and its response to the journal, redacted.

    Args:
        inner: the network, or a replacement.
        target: who is called: `api` or `processor`.
        recorder: shared by the session's transports.
        operation: returns a request's operationId; None if the contract does not have it.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        target: Target,
        recorder: Recorder,
        operation: Callable[[httpx.Request], str | None] = lambda _: None,
    ) -> None:
        self._inner = inner
        self._target = target
        self._recorder = recorder
        self._operation = operation

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` and return its response, read completely.

        Raises:
            LeakError: the key would be a secret on record, or the address holds a credential; nothing was sent.
            httpx.TransportError: as the network's; on record.
            UnwritableError: the journal cannot be written; what was sent is in doubt.
        """
        with nullcontext() if request.method in _SAFE else self._guarded():
            return self._send(request)

    def _guarded(self) -> AbstractContextManager[None]:
        return (self._recorder.guard or nullcontext)()

    def _send(self, request: httpx.Request) -> httpx.Response:
        sent = self._intend(request)
        told = False
        try:
            response = self._inner.handle_request(request)
            try:
                response._content = read_body(response)  # noqa: SLF001 - as httpx's own read() does
            finally:
                response.close()
            with self._guarded():
                told = True
                self._finished(sent, response)
        except BaseException as error:
            if not told:
                with self._guarded():
                    self._failed(sent, error)
            raise
        return response

    def close(self) -> None:
        """Leave the inner transport open, since it is shared."""

    def _intend(self, request: httpx.Request) -> _Sent:
        recorder, redactor = self._recorder, self._recorder.redactor
        content = request.read()
        recorder.calls += 1
        sent = _Sent(
            call=recorder.calls,
            operation=self._operation(request),
            method=request.method,
            url=redactor.url(str(request.url), sent=True),
            headers=redactor.headers(request.headers.multi_items(), sent=True),
            body=redactor.body(content, request.headers.get("content-type")),
            at=recorder.clock.now(),
            since=recorder.clock.monotonic(),
        )
        key = request.headers.get("idempotency-key")
        if key is not None and sent.headers.get("idempotency-key") != key:
            # A resume sends the recorded key again, so a key that would be redacted must not be used.
            raise LeakError(f"{sent.method} {redactor.text(sent.url)} was not sent: its key would be a secret")
        if quote(WITHHELD, safe="") in sent.url.partition("?")[0] and quote(WITHHELD, safe="") not in str(request.url):
            raise LeakError(f"{sent.method} {sent.url} was not sent: its address holds a login secret")
        if redactor.find([sent.url, dict(sent.headers), dict(sent.body or {})]):
            sent = replace(sent, url=WITHHELD, headers={}, body=_withheld(content))
        if request.method not in _SAFE:
            recorder.journal.append(
                CallIntended(
                    call=sent.call,
                    step=recorder.step,
                    operation=sent.operation,
                    target=self._target,
                    method=sent.method,
                    url=sent.url,
                    idempotency_key=key,
                    body_digest=digest(sent.body) if sent.body is not None else None,
                )
            )
        return sent

    def _told(self, sent: _Sent) -> _Told:
        """Return the members that CallFinished and CallFailed share."""
        return _Told(
            call=sent.call,
            step=self._recorder.step,
            operation=sent.operation,
            target=self._target,
            method=sent.method,
            url=sent.url,
            request_headers=sent.headers,
            request_body=sent.body,
            started_at=timestamp(sent.at),
            elapsed_ms=round((self._recorder.clock.monotonic() - sent.since) * 1000),
        )

    def _failed(self, sent: _Sent, error: BaseException) -> None:
        recorder = self._recorder
        recorder.journal.append(
            CallFailed(**self._told(sent), error=type(error).__name__, message=recorder.redactor.text(str(error)))
        )

    def _finished(self, sent: _Sent, response: httpx.Response) -> None:
        recorder, redactor = self._recorder, self._recorder.redactor
        headers = redactor.headers(response.headers.multi_items())
        body = redactor.body(response.content, response.headers.get("content-type"))
        recorder.journal.append(
            CallFinished(
                **self._told(sent),
                status=response.status_code,
                response_headers=headers,
                response_body=body,
                request_id=_request_id(redactor, response),
            )
        )
        if sent.operation is not None:
            recorder.last[sent.operation] = sent.call


def _withheld(content: bytes) -> dict[str, JSON]:
    """Return what is kept of a record that would hold a secret: the call itself goes on."""
    return {"withheld": "it could not be redacted safely", "bytes": len(content)}


def _request_id(redactor: Redactor, response: httpx.Response) -> str | None:
    value = response.headers.get("x-request-id")
    return None if value is None else redactor.text(value)[:200]


def read_body(response: httpx.Response) -> bytes:
    """Return the whole body, within a size limit, since a backend may be broken or hostile.

    Raises:
        httpx.TransportError: the body is too large, or the network failed.
    """
    chunks, size = [], 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > MAX_BODY:
            raise httpx.ReadError(f"the answer is larger than {MAX_BODY} bytes")
        chunks.append(chunk)
    return b"".join(chunks)
