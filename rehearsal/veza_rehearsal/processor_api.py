"""Serves the Hyperswitch stub over HTTP, under `/hyperswitch`."""

from __future__ import annotations

import json
import operator
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from starlette.routing import Route

from veza_rehearsal.answers import Answer, respond
from veza_rehearsal.clock import moment
from veza_rehearsal.defaults import PROCESSOR_API_KEY
from veza_rehearsal.processor import NewPayment
from veza_rehearsal.processor_reports import Reports
from veza_rehearsal.processor_views import ProcessorError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from veza_rehearsal.database import Row
    from veza_rehearsal.means import Means
    from veza_rehearsal.processor import Processor

_REFERENCE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_URL: Final = re.compile(r"https?://[^\s\x00]+")
_MAX_AMOUNT: Final = 10**12
_LISTED: Final = 10
_LISTED_AT_MOST: Final = 100
_CREATED: Final = {
    "created": operator.eq,
    "created_lt": operator.lt,
    "created_gt": operator.gt,
    "created_lte": operator.le,
    "created_gte": operator.ge,
}
_LIST_QUERY: Final = frozenset({"customer_id", "starting_after", "ending_before", "limit", *_CREATED})


class ProcessorApi:
    """Answers for the processor.

    Args:
        means: Database, clock and switches.
        processor: The processor's books.
        wake: Called when something may be due.
    """

    def __init__(self, means: Means, processor: Processor, wake: Callable[[], None]) -> None:
        self._database = means.database
        self._faults = means.faults
        self._processor = processor
        self._reports = Reports(means, processor)
        self._wake = wake

    def routes(self) -> list[Route]:
        """Return the stub's routes."""
        return [
            Route("/hyperswitch/payments", self._answering(self._create_payment), methods=["POST"]),
            Route("/hyperswitch/payments/list", self._answering(self._list_payments), methods=["GET"]),
            Route("/hyperswitch/payments/{payment_id}", self._answering(self._get_payment), methods=["GET"]),
            Route("/hyperswitch/refunds", self._answering(self._create_refund), methods=["POST"]),
            Route("/hyperswitch/refunds/{refund_id}", self._answering(self._get_refund), methods=["GET"]),
        ]

    def _answering(self, handler: Callable[[Request, bytes], Any]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            try:
                known = request.headers.get("api-key") == PROCESSOR_API_KEY
                if not known or self._faults.on("processor_key_rejected"):
                    raise ProcessorError(401, "IR_01", "API key not provided or invalid API key used")  # noqa: TRY301 - one place turns refusals into answers
                with self._database.transaction():
                    shown = handler(request, body)
            except ProcessorError as error:
                refusal = {"type": "invalid_request", "message": error.message, "code": error.code}
                return respond(Answer(error.status, {"error": refusal}))
            self._wake()
            return respond(Answer(200, shown))

        return endpoint

    def _create_payment(self, _: Request, raw: bytes) -> Any:
        body = _read(raw)
        if body.get("confirm"):
            raise _invalid("confirm must not be true for a payment link")
        if not body.get("payment_link"):
            raise _invalid("this stub makes payments with payment_link: true only")
        link = body.get("payment_link_config") or {}
        metadata = body.get("metadata") or {}
        if not isinstance(link, dict) or not isinstance(metadata, dict):
            raise _invalid("payment_link_config and metadata are objects")
        new = NewPayment(
            amount=_amount(body, "amount"),
            currency=_matching(body, "currency", _CURRENCY),
            return_url=_matching(body, "return_url", _URL),
            payment_id=_matching(body, "payment_id", _REFERENCE) if "payment_id" in body else None,
            description=_text(body.get("description")),
            seller_name=_text(link.get("seller_name")) or "Veza",
            order_reference=_text(body.get("merchant_order_reference_id")) or None,
            customer_id=_matching(body, "customer_id", _REFERENCE) if body.get("customer_id") is not None else None,
            metadata=metadata,
        )
        return self._reports.payment(self._processor.create_payment(new))

    def _get_payment(self, request: Request, _: bytes) -> Any:
        return self._reports.payment(self._processor.payment(request.path_params["payment_id"]))

    def _list_payments(self, request: Request, _: bytes) -> Any:
        query = dict(request.query_params)
        if unknown := query.keys() - _LIST_QUERY:
            raise ProcessorError(400, "IR_06", f"Query deserialize error: unknown field {min(unknown)}")
        limit, customer_id = query.get("limit", str(_LISTED)), query.get("customer_id")
        if not re.fullmatch("[0-9]{1,3}", limit) or not 1 <= int(limit) <= _LISTED_AT_MOST:
            raise ProcessorError(400, "IR_06", f"limit should be in between 1 and {_LISTED_AT_MOST}")
        if customer_id is not None:
            customer_id = _matching(query, "customer_id", _REFERENCE)
        found = _between(self._processor.payments(customer_id), query)
        shown = [self._reports.listed(payment) for payment in found[: int(limit)]]
        return {"size": len(shown), "data": shown}

    def _create_refund(self, _: Request, raw: bytes) -> Any:
        body = _read(raw)
        refund = self._processor.refunds.create(
            self._processor.payment(_matching(body, "payment_id", _REFERENCE)),
            _amount(body, "amount") if body.get("amount") is not None else None,
            _text(body.get("reason")) or None,
            _matching(body, "refund_id", _REFERENCE) if "refund_id" in body else None,
        )
        return self._reports.refund(refund)

    def _get_refund(self, request: Request, _: bytes) -> Any:
        return self._reports.refund(self._processor.refunds.get(request.path_params["refund_id"]))


def _between(payments: list[Row], query: dict[str, str]) -> list[Row]:
    """Keep the payments within the query's times and cursors; they come newest first."""
    for name, holds in _CREATED.items():
        if name in query:
            limit = _moment(query[name])
            payments = [payment for payment in payments if holds(moment(payment["created"]), limit)]
    ids = [payment["payment_id"] for payment in payments]
    first = ids.index(query["starting_after"]) + 1 if query.get("starting_after") in ids else 0
    last = ids.index(query["ending_before"]) if query.get("ending_before") in ids else len(ids)
    return payments[first:last]


def _moment(text: str) -> datetime:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ProcessorError(400, "IR_06", "Query deserialize error: a time is not in ISO 8601") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _read(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise ProcessorError(400, "IR_06", "Json deserialize error") from None
    if not isinstance(body, dict):
        raise ProcessorError(400, "IR_06", "Json deserialize error: an object is expected")
    return body


def _amount(body: dict[str, Any], name: str) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= _MAX_AMOUNT:
        raise _invalid(f"{name} is a positive integer in minor units")
    return value


def _matching(body: dict[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = body.get(name)
    if value is None:
        raise ProcessorError(400, "IR_04", f"Missing required param: {name}")
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _invalid(f"{name} does not have its form")
    return value


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or "\x00" in value or not value.isprintable():
        raise _invalid("texts are printable")
    return value[:500]


def _invalid(message: str) -> ProcessorError:
    return ProcessorError(400, "IR_07", f"Invalid value provided: {message}")
