"""The HTTP side: routes from the contract, headers on every response, and network faults."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from veza_rehearsal import of_2025
from veza_rehearsal.answers import error_code, error_message, error_object, error_text, respond
from veza_rehearsal.books import RehearsalRoutes
from veza_rehearsal.call import Received
from veza_rehearsal.checkout import Checkout
from veza_rehearsal.limits import RateLimit
from veza_rehearsal.processor_api import ProcessorApi
from veza_rehearsal.webhooks import PATH as WEBHOOK_PATH

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TextIO

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from veza_rehearsal.backend import Backend
    from veza_rehearsal.contract import Contract, Operation

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
_LARGEST_BODY: Final = 1 << 20


class Dropped:
    """A response that closes the connection instead of answering."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Close the connection and wait until it is closed."""
        del send
        scope["state"]["transport"].close()
        while (await receive())["type"] != "http.disconnect":
            pass


class Endpoint:
    """All operations of one path.

    Args:
        backend: Carries them out.
        limit: Limits the requests of each address.
        operations: The operations by method.
    """

    def __init__(self, backend: Backend, limit: RateLimit, operations: dict[str, Operation]) -> None:
        self._backend = backend
        self._limit = limit
        self._operations = operations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        method = "GET" if request.method == "HEAD" else request.method
        operation = self._operations.get(method)
        if operation is None:
            allowed = sorted({*self._operations, *({"HEAD"} if "GET" in self._operations else ())})
            answer = error_message(405, f"{request.method} is not allowed here", {"Allow": ", ".join(allowed)})
            await respond(answer)(scope, receive, send)
            return
        await (await self._answer(operation, request))(scope, receive, send)

    async def _answer(self, operation: Operation, request: Request) -> ASGIApp:
        hindrance = await self._hindrance(operation, request)
        if hindrance is not None:
            return hindrance
        body = await _body(request)
        if body is None:
            return respond(error_code(400, "VALIDATION_TOO_LARGE", "The body is larger than 1 MiB"))
        faults = self._backend.faults
        answer = self._backend.api.handle(operation, _received(request, body))
        if answer.committed or answer.due:
            self._backend.outbox.wake()
        if answer.committed and faults.strikes("drop_after_commit", operation.id):
            return Dropped()
        if faults.take("garbage", operation.id):
            raw = answer.encoded()
            return Response(raw[: len(raw) // 2], answer.status, media_type="application/json")
        return respond(answer)

    async def _hindrance(self, operation: Operation, request: Request) -> ASGIApp | None:
        faults = self._backend.faults
        self._backend.clock.tick()
        if faults.take("drop_connection", operation.id):
            return Dropped()
        if (seconds := faults.value("slow")) is not None:
            await asyncio.sleep(float(seconds))
        if faults.take("server_error", operation.id):
            return respond(error_text(500, "Internal server error"))
        limited = self._limit.refusal(request.client.host if request.client else "")
        return None if limited is None else respond(limited)


class Witness:
    """Adds headers to every response, and logs every request.

    Args:
        app: The application that answers.
        backend: Gives the time and draws request ids.
        log: The stream for the lines, if any.
    """

    def __init__(self, app: ASGIApp, backend: Backend, log: TextIO | None) -> None:
        self._app = app
        self._backend = backend
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request and log it."""
        sent = Request(scope).headers.get("x-request-id", "")
        request_id = sent if _REQUEST_ID.fullmatch(sent) else self._backend.ids.reference("req")
        scope["state"]["request_id"] = request_id
        line: dict[str, object] = {"status": None, "request_id": request_id, "answer": None}
        held: list[Message] = []

        async def witnessed(message: Message) -> None:
            held.append(message)
            if message["type"] == "http.response.start":
                line["status"] = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers["Date"] = format_datetime(self._backend.clock.now(), usegmt=True)
            elif not message.get("more_body"):
                # Log before sending, so that the log holds every answered request.
                line["answer"] = hashlib.sha256(b"".join(part.get("body", b"") for part in held)).hexdigest()
                self._write(scope, line)
                for part in held:
                    await send(part)

        await self._app(scope, receive, witnessed)
        if line["answer"] is None:
            self._write(scope, line)

    def _write(self, scope: Scope, line: dict[str, object]) -> None:
        if self._log is not None:
            # The query may hold a client secret, so it is not logged.
            begun = {"at": self._backend.now(), "method": scope["method"], "path": scope["path"]}
            self._log.write(json.dumps(begun | line) + "\n")


def build(backend: Backend, contract: Contract, log: TextIO | None) -> ASGIApp:
    """Make the application.

    Args:
        backend: The backend that carries requests out.
        contract: Gives the routes.
        log: The stream for a line per request, if any.

    Returns:
        The application.
    """
    limit = RateLimit(backend.faults, backend.clock)
    paths = sorted(contract.routes().items(), key=lambda item: item[0].count("{"))
    routes = [Route(path, Endpoint(backend, limit, operations)) for path, operations in paths]
    routes += [Route(WEBHOOK_PATH, _webhooks(backend), methods=["POST"])]
    routes += ProcessorApi(backend.means, backend.processor, backend.outbox.wake).routes()
    routes += Checkout(backend).routes() + RehearsalRoutes(backend).routes()
    app = Starlette(routes=routes, exception_handlers={404: _not_found(backend), 405: _not_allowed, 500: _broken})
    app.router.redirect_slashes = False
    return Witness(app, backend, log)


def _webhooks(backend: Backend) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        with backend.database.transaction():
            answer = backend.fulfilment.receive(raw, request.headers.get("x-webhook-signature-512", ""))
        return respond(answer)

    return endpoint


def _not_found(backend: Backend) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handler(request: Request, _: Exception) -> Response:
        if backend.faults.on(of_2025.SWITCH):
            return Response("404 page not found", 404, media_type="text/plain")
        request_id = request.scope["state"]["request_id"]
        message = "There is nothing at this path"
        code = "RESOURCE_NOT_FOUND"
        return respond(error_object(404, code, message, request_id=request_id, timestamp=backend.now()))

    return handler


async def _not_allowed(request: Request, error: Exception) -> Response:
    headers: Any = getattr(error, "headers", None)
    return respond(error_message(405, f"{request.method} is not allowed here", headers))


async def _broken(_: Request, __: Exception) -> Response:
    return respond(error_text(500, "Internal server error"))


async def _body(request: Request) -> bytes | None:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            return None
    return body


def _received(request: Request, body: bytes) -> Received:
    return Received(
        path=request.path_params,
        query=request.query_params.multi_items(),
        headers=request.headers.items(),
        cookies=request.cookies,
        body=body,
        address=request.client.host if request.client else "",
        request_id=request.scope["state"]["request_id"],
    )
