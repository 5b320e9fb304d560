"""Reads payments at the processor, without `force_sync`, which would make the processor write."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias
from urllib.parse import quote

import httpx

from veza import PaymentStatus, RefundStatus
from veza.money import Money
from veza_e2e.money.payment_states import NOTHING_RECEIVED, SETTLED_DISPUTES
from veza_e2e.ports.payments import OrderPayments, ProcessorPayment, ProcessorRefund, Unread
from veza_e2e.ports.wire import LeakError

KeyWord: TypeAlias = Literal["accepted", "refused", "unknown"]
"""What the processor makes of its key."""
NO_PAYMENT = "veza_e2e_key_check_no_such_payment"
"""The id of a payment that cannot exist: the processor's own begin with `pay_`, and no shop makes this one."""


class ProcessorError(Exception):
    """The processor did not answer, or its response could not be read.

    Attributes:
        passing: whether asking again may help.
    """

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


class Processor:
    """Reads payments at Hyperswitch (operations `Retrieve a Payment` and `List all Payments` of its API).

    Args:
        client: has the base URL and the `api-key` header.
        last_call: returns the number of the call that was just made.
    """

    def __init__(self, client: httpx.Client, last_call: Callable[[], int]) -> None:
        self._client = client
        self._last_call = last_call

    def key(self) -> tuple[KeyWord, str]:
        """Return what the processor makes of the key, and its answer in short. Only reads.

        Asks for a payment that cannot exist: "not found" (404, HE_02) can only be said to a key that is accepted.
        """
        try:
            response = self._client.get(f"/payments/{NO_PAYMENT}")
        except httpx.HTTPError as error:
            return "unknown", f"it could not be asked: {type(error).__name__}"
        answer = f"it answered {response.status_code}"
        if response.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            return "refused", answer
        if response.status_code == httpx.codes.NOT_FOUND and _error_code(response) == "HE_02":
            return "accepted", answer
        return "unknown", answer

    def payment(self, payment_id: str) -> ProcessorPayment:
        """Return the payment.

        Raises:
            ProcessorError: it could not be read.
        """
        if payment_id in {"", ".", ".."}:
            raise ProcessorError(f"{payment_id!r} is not a payment's id")
        answer = self._answer(f"/payments/{quote(payment_id, safe='')}")
        try:
            payment = _payment(answer, self._last_call())
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ProcessorError("the processor's answer is not a payment as its API describes it") from error
        if payment.payment_id != payment_id:
            raise ProcessorError(f"the processor answered with another payment than {payment_id}")
        return payment

    def payments(self, order_id: str, named: Sequence[str], *, whole: bool = True) -> OrderPayments:
        """Return the order's payments. One that cannot be read hides no other.

        Args:
            order_id: the order.
            named: the payments that the order named, the latest first.
            whole: whether to look for more of them in the buyer's list, where a payment names its buyer. The list
                only names them: what they received, and their refunds, it leaves out.

        Raises:
            ProcessorError: no payment could be read.
        """
        found, unread = self._read(named if whole else named[:1])
        unlisted, passing = None, False
        if whole and found:
            try:
                listed = self._others(order_id, found)
            except ProcessorError as error:
                listed, unlisted, passing = (), str(error), error.passing
            more, missing = self._read(
                one for one in listed if one not in {*found, *(each.payment_id for each in unread)}
            )
            found, unread = found | more, [*unread, *missing]
        if not found:
            told = "; ".join(one.told for one in unread)
            raise ProcessorError(told or "the order names no payment", passing=any(one.passing for one in unread))
        passing = passing or any(one.passing for one in unread)
        return OrderPayments(tuple(found.values()), unlisted, tuple(unread), passing)

    def _read(self, names: Iterable[str]) -> tuple[dict[str, ProcessorPayment], list[Unread]]:
        found, unread = dict[str, ProcessorPayment](), list[Unread]()
        for name in names:
            try:
                found[name] = self.payment(name)
            except ProcessorError as error:
                unread.append(Unread(name, str(error), passing=error.passing))
        return found, unread

    def _others(self, order_id: str, found: Mapping[str, ProcessorPayment]) -> Sequence[str]:
        """Return the order's payments in its buyer's list.

        Raises:
            ProcessorError: it was not read.
        """
        customer = next((one.customer for one in found.values() if one.customer), None)
        if customer is None:
            # The list of all buyers would bring other people's payments into the journal.
            raise ProcessorError(f"payment {next(iter(found))} names no buyer whose payments could be listed")
        return self._listed(customer, order_id)

    def _listed(self, customer: str, order_id: str) -> list[str]:
        """Return the buyer's payments that name the order."""
        answer = self._answer(f"/payments/list?customer_id={quote(customer, safe='')}&limit=100")
        listed = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(listed, list):
            raise ProcessorError("the processor's list of payments is not as its API describes it")
        own = [
            one
            for one in listed
            if isinstance(one, dict) and order_id in {_order_of(one), one.get("merchant_order_reference_id")}
        ]
        return [one["payment_id"] for one in own if isinstance(one.get("payment_id"), str)]

    def _answer(self, path: str) -> Any:
        try:
            response = self._client.get(path)
        except httpx.HTTPError as error:
            raise ProcessorError(f"the processor could not be asked: {type(error).__name__}", passing=True) from error
        except LeakError as error:
            raise ProcessorError(f"the processor was not asked: {error}") from error
        status = response.status_code
        if status != httpx.codes.OK:
            passing = status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR
            raise ProcessorError(f"the processor answered {status}", passing=passing)
        try:
            return json.loads(response.content)
        except (ValueError, RecursionError) as error:
            raise ProcessorError("the processor's answer is not JSON") from error


def _error_code(response: httpx.Response) -> object:
    try:
        return json.loads(response.content)["error"]["code"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _payment(data: Mapping[str, Any], call: int) -> ProcessorPayment:
    link, status, currency = data.get("payment_link"), PaymentStatus(data["status"]), _text(data["currency"])
    received = data.get("amount_received")
    if received is None and status in NOTHING_RECEIVED:
        received = 0
    net = data.get("net_amount")
    return ProcessorPayment(
        payment_id=_text(data["payment_id"]),
        status=status,
        asked=_money(data["amount"] if net is None else net, currency),
        received=None if received is None else _money(received, currency),
        error_message=_optional(data.get("error_message")),
        link=_optional(link.get("link")) if isinstance(link, dict) else None,
        refunds=tuple(
            ProcessorRefund(
                refund_id=_text(refund["refund_id"]),
                payment_id=_text(refund["payment_id"]),
                status=RefundStatus(refund["status"]),
                amount=_money(refund["amount"], refund["currency"]),
            )
            for refund in data.get("refunds") or ()
        ),
        disputes=tuple(
            state
            for one in data.get("disputes") or ()
            if (state := str(one.get("dispute_status") or "opened")) not in SETTLED_DISPUTES
        ),
        customer=_optional(data.get("customer_id")),
        order_id=_order_of(data),
        call=call,
    )


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"{value!r:.40} is not a text")


def _order_of(data: Mapping[str, Any]) -> str | None:
    """Return the order that a payment names in its metadata."""
    named = data.get("metadata")
    order_id = named.get("order_id") if isinstance(named, dict) else None
    return None if order_id in {None, ""} else str(order_id)


def _optional(value: object) -> str | None:
    return None if value is None else _text(value)


def _money(value: object, currency: object) -> Money:
    if isinstance(value, int) and not isinstance(value, bool):
        return Money(value, _text(currency).upper())  # as everywhere, without regard to case
    raise TypeError(f"{value!r:.40} is not an integer")
