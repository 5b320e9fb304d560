"""The rehearsal routes: the books of what really happened, fault switches, reset and the clock."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from starlette.routing import Route

from veza_rehearsal import of_2025
from veza_rehearsal.answers import Answer, error_message, respond
from veza_rehearsal.faults import parse_fault
from veza_rehearsal.states import CAPTURED, LicenseStatus, RefundStatus

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from veza_rehearsal.backend import Backend
    from veza_rehearsal.database import Database, Row

_LONGEST_ADVANCE: Final = 366 * 24 * 3600


class RehearsalRoutes:
    """Answers the routes that a rehearsal needs and no real backend has.

    Args:
        backend: The backend.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/rehearsal/books", self._books, methods=["GET"]),
            Route("/rehearsal/faults", self._list_faults, methods=["GET"]),
            Route("/rehearsal/faults", self._set_faults, methods=["POST"]),
            Route("/rehearsal/reset", self._reset, methods=["POST"]),
            Route("/rehearsal/clock", self._clock, methods=["POST"]),
        ]

    async def _books(self, request: Request) -> Response:
        order_id = request.query_params.get("order_id")
        if not self._backend.faults.on(of_2025.SWITCH):
            return respond(Answer(200, books(self._backend.database, order_id)))
        found = books(self._backend.database, None if order_id is None else of_2025.key(order_id))
        return respond(Answer(200, {**found, "transfers": of_2025.rows(found["transfers"])}))

    async def _list_faults(self, _: Request) -> Response:
        return respond(Answer(200, {"faults": self._backend.faults.listed()}))

    async def _set_faults(self, request: Request) -> Response:
        body = await _read(request)
        texts = body.get("faults") if isinstance(body, dict) else None
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            return _refused('send {"faults": ["webhook_delay=2", ...]}; an empty list takes all away')
        try:
            faults = [parse_fault(text) for text in texts]
        except ValueError as error:
            return _refused(str(error))
        self._backend.faults.replace(faults)
        await self._backend.outbox.catch_up()
        return await self._list_faults(request)

    async def _reset(self, _: Request) -> Response:
        self._backend.reset()
        return respond(Answer(200, books(self._backend.database, None)))

    async def _clock(self, request: Request) -> Response:
        body = await _read(request)
        seconds = body.get("advance_seconds") if isinstance(body, dict) else None
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= _LONGEST_ADVANCE:
            return _refused('send {"advance_seconds": N}, from 0 to a year')
        self._backend.advance(float(seconds))
        await self._backend.outbox.catch_up()
        return respond(Answer(200, {"now": self._backend.now()}))


def books(database: Database, order_id: str | None) -> dict[str, Any]:
    """Count what really happened.

    Args:
        database: The backend's database.
        order_id: The only order to count; None counts all.

    Returns:
        Orders, payments, charges (captured payments), refunds (those that did not fail), licenses, and the rows of
        `seller_transfers`.
    """
    if order_id is not None and not order_id.isprintable():
        # No id has NUL in it, and PostgreSQL refuses NUL in a text.
        order_id = ""
    payments = _rows(database, "hs_payments", "order_reference", order_id, "seq")
    paid = [payment["payment_id"] for payment in payments]
    refunds = [row for row in _rows(database, "hs_refunds", None, None, "seq") if row["payment_id"] in set(paid)]
    licenses = [row["status"] for row in _rows(database, "licenses", "order_id", order_id, "seq")]
    return {
        "orders": len(_rows(database, "orders", "id", order_id, "seq")),
        "payments": len(payments),
        "charges": sum(payment["status"] in CAPTURED for payment in payments),
        "refunds": sum(refund["status"] != RefundStatus.FAILED for refund in refunds),
        "licenses": {status.value: licenses.count(status) for status in LicenseStatus},
        "transfers": _rows(database, "seller_transfers", "order_id", order_id, "created_at, id"),
    }


def _rows(database: Database, table: str, column: str | None, wanted: str | None, order: str) -> list[Row]:
    select = f"SELECT * FROM {table}"  # noqa: S608 - the names are this module's
    if column is None or wanted is None:
        return database.all(f"{select} ORDER BY {order}")
    return database.all(f"{select} WHERE CAST({column} AS TEXT) = ? ORDER BY {order}", wanted)


async def _read(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError):
        return None


def _refused(message: str) -> Response:
    return respond(error_message(400, message))
