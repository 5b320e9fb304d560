"""Reads payments at the processor, without `force_sync`, which would make the processor write."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from veza import PaymentStatus, RefundStatus
from veza.money import Money


class ProcessorError(Exception):
    """The processor did not answer, or its response could not be read."""


@dataclass(frozen=True, slots=True)
class ProcessorRefund:
    """A refund as the processor has it."""

    refund_id: str
    payment_id: str
    status: RefundStatus
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class ProcessorPayment:
    """A payment as the processor has it; amounts in minor units."""

    payment_id: str
    status: PaymentStatus
    amount: int
    amount_received: int
    currency: str
    error_message: str | None
    link: str | None
    refunds: tuple[ProcessorRefund, ...]
    call: int
    """The number of the call that returned it."""


def returned(payment: ProcessorPayment) -> Money:
    """Return the amount of a payment that the processor has refunded."""
    back = [refund.amount for refund in payment.refunds if refund.status is RefundStatus.SUCCEEDED]
    return Money(sum(back), payment.currency)


class Processor:
    """Reads payments at Hyperswitch (operation `Retrieve a Payment` of its API).

    Args:
        client: has the base URL and the `api-key` header.
        last_call: returns the number of the call that was just made.
    """

    def __init__(self, client: httpx.Client, last_call: Callable[[], int]) -> None:
        self._client = client
        self._last_call = last_call

    def payment(self, payment_id: str) -> ProcessorPayment:
        """Return the payment.

        Raises:
            ProcessorError: it could not be read.
        """
        if payment_id in {"", ".", ".."}:
            raise ProcessorError(f"{payment_id!r} is not a payment's id")
        try:
            response = self._client.get(f"/payments/{quote(payment_id, safe='')}")
        except httpx.HTTPError as error:
            raise ProcessorError(f"the processor could not be asked: {type(error).__name__}") from error
        if response.status_code != httpx.codes.OK:
            raise ProcessorError(f"the processor answered {response.status_code} for payment {payment_id}")
        try:
            payment = _payment(json.loads(response.content), self._last_call())
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ProcessorError("the processor's answer is not a payment as its API describes it") from error
        if payment.payment_id != payment_id:
            raise ProcessorError(f"the processor answered with another payment than {payment_id}")
        return payment


def _payment(data: Mapping[str, Any], call: int) -> ProcessorPayment:
    link = data.get("payment_link")
    return ProcessorPayment(
        payment_id=_text(data["payment_id"]),
        status=PaymentStatus(data["status"]),
        amount=_integer(data["amount"]),
        amount_received=_integer(data.get("amount_received") or 0),
        currency=_currency(data["currency"]),
        error_message=_optional(data.get("error_message")),
        link=_optional(link.get("link")) if isinstance(link, dict) else None,
        refunds=tuple(
            ProcessorRefund(
                refund_id=_text(refund["refund_id"]),
                payment_id=_text(refund["payment_id"]),
                status=RefundStatus(refund["status"]),
                amount=_integer(refund["amount"]),
                currency=_currency(refund["currency"]),
            )
            for refund in data.get("refunds") or ()
        ),
        call=call,
    )


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"{value!r:.40} is not a text")


def _optional(value: object) -> str | None:
    return None if value is None else _text(value)


def _currency(value: object) -> str:
    return Money(0, _text(value)).currency


def _integer(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise TypeError(f"{value!r:.40} is not an integer")
