"""Checks that the SDK reads every response that a spec allows."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import httpx

from veza import APIStatusError, AsyncVeza, IntegerId, Secret, Service, Veza, VezaError
from veza.models import Model, OpenEnum
from veza_contract import seams, shapes
from veza_contract.asked import about
from veza_contract.bindings import Method, by_operation, table
from veza_contract.cases import edges, fuzz
from veza_contract.findings import Direction, Finding
from veza_contract.model import JSON_MEDIA, Operation, Spec
from veza_contract.schema import Schema, closed, problem, text
from veza_contract.sending import ADDRESS, TOKEN, ordinary

REQUEST_ID: Final = "req-contract"
_MICROSECONDS: Final = re.compile(r"(\.\d{6})\d+")
_YEAR_ONE: Final = re.compile(r"0001-\d\d-\d\dT")
_SUCCESS: Final = re.compile(r"2\d\d")
_ERROR: Final = re.compile(r"[1345]\d\d")
_LONGEST_MESSAGE: Final = 500
_WAIT: Final = 7
_BESIDE: Final = ("refresh_token", "csrf_token")


@dataclass(frozen=True)
class Budget:
    """How much to generate: values for each schema in addition to its edges, and the seed."""

    count: int = 20
    seed: int = 1


def check(spec: Spec, budget: Budget, *, asynchronous: bool = False) -> list[Finding]:
    """Check the SDK with every documented response of every operation that it knows."""
    found: list[Finding] = []
    known, cookies = by_operation(), login_cookies(spec)
    for operation in spec.operations:
        method = known.get(operation.id)
        if method is None:
            found.append(Finding(Direction.SPEC, operation.id, "operation", "no method of the SDK is for it"))
            continue
        found += check_operation(operation, method, budget, asynchronous=asynchronous, cookies=cookies)
    missing = known.keys() - spec.by_id().keys()
    found += [Finding(Direction.SPEC, name, "operation", "is not in the spec") for name in sorted(missing)]
    return found


def check_operation(
    operation: Operation,
    method: Method,
    budget: Budget,
    *,
    asynchronous: bool = False,
    cookies: tuple[str, ...] = (),
) -> list[Finding]:
    """Check a method with every documented response of its operation, each with these cookies."""
    served: list[tuple[str, Any, bytes]] = []
    arguments = ordinary(method)
    found: list[Finding] = []
    for status, media in operation.responses.items():
        if not (_SUCCESS.fullmatch(status) or _ERROR.fullmatch(status)):
            found.append(_finding(operation, status, "is not one status: the SDK has no class for it"))
        elif media and set(media) != {JSON_MEDIA}:
            found.append(_finding(operation, status, f"is {', '.join(media)}; the SDK reads {JSON_MEDIA}"))
        elif media:
            values = [about(method, arguments, value) for value in generated(media[JSON_MEDIA], budget)]
            served += [(status, value, json.dumps(value).encode()) for value in values]
        else:
            found.append(_finding(operation, status, "has no content; the SDK declares one"))
            served.append((status, None, b""))
        if _SUCCESS.fullmatch(status) and int(status) not in table()[operation.id].statuses:
            found.append(_finding(operation, status, "is a success that the SDK does not list"))
    server = _Server(cookies)
    outcomes = asyncio.run(_read_async(method, served, server)) if asynchronous else _read(method, served, server)
    for (status, value, body), outcome in zip(served, outcomes, strict=True):
        schema = operation.responses[status].get(JSON_MEDIA, True)
        for message in _problems(method, int(status), value, outcome, schema=None if not body else schema):
            found.append(_finding(operation, status, message, value))  # noqa: PERF401 - reads better
    return found


def generated(schema: Schema, budget: Budget) -> list[Any]:
    """Return values of a schema: each of its edges, and generated ones."""
    return [_sendable(one) for one in (*edges(closed(schema)), *fuzz(schema, budget.count, budget.seed))]


def _sendable(value: Any) -> Any:
    """Return a value as a backend may send it: cents without a point, and no moment in the year 1.

    To JSON Schema `500.0` is an integer, which the SDK refuses as cents; the year 1 it reads as absent.
    """
    if isinstance(value, str) and _YEAR_ONE.match(value):
        return f"2001{value[4:]}"
    if isinstance(value, list):
        return [_sendable(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: int(one) if name.endswith("_cents") and isinstance(one, float) and one.is_integer() else _sendable(one)
        for name, one in value.items()
    }


def login_cookies(spec: Spec) -> tuple[str, ...]:
    """Return the cookies that a login by cookie sets: the session's, and two others."""
    ways = {way for operation in spec.operations for choice in operation.security for way in choice}
    named = sorted(way.removeprefix("cookie:") for way in ways if way.startswith("cookie:"))
    return (*named, *_BESIDE) if named else ()


class _Server:
    def __init__(self, cookies: tuple[str, ...]) -> None:
        self.status, self.body = 200, b""
        self._cookies = [("Set-Cookie", f"{name}=set-by-login; Path=/; HttpOnly") for name in cookies]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        headers = [("X-Request-ID", REQUEST_ID), *self._cookies]
        if self.status == HTTPStatus.TOO_MANY_REQUESTS:
            headers.append(("Retry-After", str(_WAIT)))
        if self.body:
            headers.append(("Content-Type", JSON_MEDIA))
        return httpx.Response(self.status, headers=headers, content=self.body, request=request)


def _read(method: Method, served: list[tuple[str, Any, bytes]], server: _Server) -> list[Any]:
    arguments = ordinary(method)
    outcomes: list[Any] = []
    with httpx.Client(transport=httpx.MockTransport(server)) as http:
        for status, _, body in served:
            server.status, server.body = int(status), body
            client = Veza(ADDRESS, access_token=TOKEN, max_retries=0, http_client=http, checkout_page=seams.PAGE)
            try:
                outcomes.append(method.on(client)(**arguments))
            except Exception as error:  # noqa: BLE001 - an error that is not the SDK's own is a finding
                outcomes.append(error)
    return outcomes


async def _read_async(method: Method, served: list[tuple[str, Any, bytes]], server: _Server) -> list[Any]:
    arguments = ordinary(method)
    outcomes: list[Any] = []
    async with httpx.AsyncClient(transport=httpx.MockTransport(server)) as http:
        for status, _, body in served:
            server.status, server.body = int(status), body
            client = AsyncVeza(ADDRESS, access_token=TOKEN, max_retries=0, http_client=http, checkout_page=seams.PAGE)
            try:
                outcomes.append(await method.on(client)(**arguments))
            except Exception as error:  # noqa: BLE001 - an error that is not the SDK's own is a finding
                outcomes.append(error)
    return outcomes


def _problems(method: Method, status: int, value: Any, outcome: Any, *, schema: Schema | None) -> Iterator[str]:
    empty = schema is None
    if _SUCCESS.fullmatch(str(status)):
        if isinstance(outcome, BaseException):
            yield f"the SDK cannot read it: {outcome!r:.200}"
            return
        what = None if schema is None else problem(closed(seams.said_as(shapes.success(method), schema)), value)
        if what is not None:
            yield f"holds what the SDK does not declare: {what}"
        if not empty:
            yield from _lost(method, value, outcome)
        return
    yield from _misread_error(status, value, outcome, empty=empty)
    what = None if empty else problem(shapes.failure(method, status), value)
    if what is not None:
        yield f"is in no shape of an error that the SDK declares: {what}"


def _lost(method: Method, value: Any, outcome: Any) -> Iterator[str]:
    value = seams.as_read(value)
    data = value.get("data") if isinstance(value, dict) and "success" in value else value
    if method.form == "nothing":
        return
    read = list(outcome.data) if method.form in {"page", "listing"} else outcome
    yield from _differs(
        "data", [] if data is None and method.form != "one" else data, list(read) if isinstance(read, tuple) else read
    )
    if method.form in {"page", "listing"}:
        yield from _differs("meta", value.get("meta") if isinstance(value, dict) else None, outcome.meta)
    info = outcome.response_info
    if info is None or info.request_id != REQUEST_ID:
        yield "the request id of the answer is lost"


def _differs(place: str, raw: Any, read: Any) -> Iterator[str]:
    """Compare what was sent with what was read, member by member."""
    if isinstance(read, Model):
        yield from _model_differs(place, raw, read)
    elif isinstance(read, dict):
        if not isinstance(raw, dict) or raw.keys() != read.keys():
            yield f"{place}: other names were read"
            return
        for name, one in read.items():
            yield from _differs(f"{place}.{name}", raw[name], one)
    elif isinstance(read, list | tuple):
        if not isinstance(raw, list) or len(raw) != len(read):
            yield f"{place}: another number of items was read"
            return
        for index, one in enumerate(read):
            yield from _differs(f"{place}.{index}", raw[index], one)
    elif not _equal(raw, read):
        yield f"{place}: {raw!r:.60} was read as {read!r:.60}"
    elif isinstance(read, OpenEnum) and not read.known:
        yield f"{place}: {raw!r:.60} is a value that the SDK does not know"


def _model_differs(place: str, raw: Any, read: Model) -> Iterator[str]:
    if isinstance(raw, str) and isinstance(read, Service):
        raw = {"status": raw}
    if not isinstance(raw, dict):
        yield f"{place}: {raw!r:.60} was read as an object"
        return
    known = type(read).model_fields.keys()
    for name in raw.keys() - known:
        yield f"{place}.{name}: the SDK has no field for it"
    for name in raw.keys() & known:
        one = getattr(read, name)
        yield from () if _read_alike(name, raw[name], one) else _differs(f"{place}.{name}", raw[name], one)


def _read_alike(name: str, raw: Any, read: Any) -> bool:
    """Whether it is one of the ways in which Go writes what is not there, or a currency in small letters."""
    if isinstance(raw, str) and name == "currency":
        return bool(raw.upper() == read)
    if raw is None:
        return read in (None, ())
    return read is None and isinstance(raw, str) and (not raw or raw[:10] in {"0001-01-01", "0000-12-31"})


def _equal(raw: Any, read: Any) -> bool:
    if isinstance(read, Secret):
        return bool(raw == read.get_secret_value())
    if isinstance(read, datetime):
        if not isinstance(raw, str):
            return False
        given = _MICROSECONDS.sub(r"\1", raw.replace("z", "Z").replace("t", "T"))
        return datetime.fromisoformat(given) == read
    if isinstance(read, IntegerId):
        return isinstance(raw, int) and str(raw) == read
    return bool(raw == read) and isinstance(raw, bool) == isinstance(read, bool)


def _misread_error(status: int, value: Any, outcome: Any, *, empty: bool) -> Iterator[str]:
    if not isinstance(outcome, VezaError):
        yield f"is not an error of the SDK: {outcome!r:.160}"
        return
    name = shapes.error_name(status)
    if type(outcome).__name__ != name or not isinstance(outcome, APIStatusError):
        yield f"raises {type(outcome).__name__}, not {name or 'a class of its own: the SDK has none'}"
    if status == HTTPStatus.TOO_MANY_REQUESTS and outcome.retry_after != _WAIT:
        yield f"the wait is lost: {outcome.retry_after!r:.60}"
    if outcome.status_code != status:
        yield f"says status {outcome.status_code}"
    if outcome.request_id != REQUEST_ID:
        yield f"the request id is lost: {outcome.request_id!r:.60}"
    message, code, details = ("", None, None) if empty else _said(value)
    expected = message[:_LONGEST_MESSAGE] or f"the backend answered {status}"
    if (outcome.message, outcome.code, text(outcome.details)) != (expected, code or None, text(details)):
        yield f"was read as {outcome.message!r:.80}, {outcome.code!r:.40}, {outcome.details!r:.40}"


def _said(value: Any) -> tuple[str, str | None, Any]:
    """Return an error body's code and message, read by the known shapes and not by the SDK."""
    if not isinstance(value, dict):
        return "", None, None
    inner = value.get("error")
    if isinstance(inner, dict):
        code = _string(inner.get("code")) or _string(inner.get("error_code"))
        return _string(inner.get("message")), code, inner.get("details")
    if isinstance(inner, str):
        return _string(value.get("message")) or inner, _string(value.get("error_code")), value.get("details")
    return _string(value.get("message")), _string(value.get("error_code")), value.get("details")


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _finding(operation: Operation, status: str, message: str, value: Any = None) -> Finding:
    return Finding(Direction.SPEC, operation.id, f"response {status}", message, "" if value is None else text(value))
