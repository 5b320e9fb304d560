"""Reads payments at the processor, without `force_sync`, which would make the processor write."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias
from urllib.parse import quote

import httpx

from veza import PaymentStatus, RefundStatus
from veza.money import Money
from veza_e2e.money.payment_states import NOTHING_RECEIVED, SETTLED_DISPUTES, VOIDED

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


@dataclass(frozen=True, slots=True)
class ProcessorRefund:
    """A refund as the processor has it."""

    refund_id: str
    payment_id: str
    status: RefundStatus
    amount: Money


@dataclass(frozen=True, slots=True)
class ProcessorPayment:
    """A payment as the processor has it."""

    payment_id: str
    status: PaymentStatus
    asked: Money
    """`net_amount` where it is given (a surcharge is in it), else `amount`."""
    received: Money | None
    """None if the processor does not tell."""
    error_message: str | None
    link: str | None
    refunds: tuple[ProcessorRefund, ...]
    disputes: tuple[str, ...]
    """The states of the disputes that are not settled."""
    customer: str | None
    order_id: str | None
    """The order that the payment names in its metadata."""
    call: int
    """The number of the call that returned it."""

    @property
    def taken(self) -> bool:
        """Whether something was received, or may have been."""
        return self.received is None or bool(self.received)


@dataclass(frozen=True, slots=True)
class OrderPayments:
    """All payments of one order, as the processor has them; at least one. The one that the order names stands first."""

    payments: tuple[ProcessorPayment, ...]
    unlisted: str | None = None
    """Why the buyer's list was not read, so that another payment of the order would not be seen; None if it was."""

    @property
    def named(self) -> ProcessorPayment:
        """The payment that the order names."""
        return self.payments[0]

    @property
    def counted(self) -> tuple[ProcessorPayment, ...]:
        """The payments that received anything; the one that the order names if none did."""
        return tuple(one for one in self.payments if one.taken) or (self.named,)

    @property
    def asked(self) -> Money | None:
        """What the counted payments asked for; None if that is not one amount."""
        return _sum([one.asked for one in self.counted])

    @property
    def received(self) -> Money | None:
        """What was received; None if that is not known, or not one amount."""
        return _sum([one.received for one in self.counted])

    @property
    def returned(self) -> Money | None:
        """Succeeded refunds and voided captures; None if that is not one amount."""
        received = self.received
        return _sum([*self._back(), Money(0, received.currency)]) if received is not None else None

    def _back(self) -> list[Money | None]:
        back: list[Money | None] = []
        for one in self.payments:
            succeeded = [refund.amount for refund in one.refunds if refund.status is RefundStatus.SUCCEEDED]
            back += [one.received] if one.status == VOIDED else succeeded
        return back

    def told(self, what: Literal["asked", "received", "returned"]) -> str:
        """Return the sum over all payments, for people; each amount if they have no sum."""
        total: Money | None
        each: list[Money | None]
        match what:
            case "asked":
                total, each = self.asked, [one.asked for one in self.counted]
            case "received":
                total, each = self.received, [one.received for one in self.counted]
            case "returned":
                total, each = self.returned, self._back()
        if total is not None:
            return str(total)
        return " and ".join("not told" if one is None else str(one) for one in each) or "not told"

    @property
    def refunds(self) -> tuple[ProcessorRefund, ...]:
        """The refunds of all payments."""
        return tuple(refund for one in self.payments for refund in one.refunds)

    @property
    def pending(self) -> tuple[ProcessorRefund, ...]:
        """The refunds that have not ended."""
        return tuple(one for one in self.refunds if one.status not in {RefundStatus.SUCCEEDED, RefundStatus.FAILED})

    @property
    def disputes(self) -> tuple[str, ...]:
        """The states of the disputes that are not settled."""
        return tuple(state for one in self.payments for state in one.disputes)

    @property
    def calls(self) -> tuple[int, ...]:
        """The calls that returned them."""
        return tuple(dict.fromkeys(one.call for one in self.payments))


def _sum(amounts: Sequence[Money | None]) -> Money | None:
    told = [one for one in amounts if one is not None]
    if len(told) != len(amounts) or len({one.currency for one in told}) != 1:
        return None
    return Money(sum(one.minor for one in told), told[0].currency)


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
        """Return the order's payments.

        Args:
            order_id: the order.
            named: the payments that the order named, the latest first.
            whole: whether to look for more of them in the buyer's list, where the payment names its buyer. The list
                only names them: what they received, and their refunds, it leaves out.

        Raises:
            ProcessorError: a payment could not be read.
        """
        found = {one: self.payment(one) for one in (named if whole else named[:1])}
        customer = next((one.customer for one in found.values() if one.customer), None)
        unlisted = None
        if whole and customer is not None:
            try:
                listed = self._listed(customer, order_id)
            except ProcessorError as error:
                unlisted = str(error)
            else:
                found |= {one: self.payment(one) for one in listed if one not in found}
        if not found:
            raise ProcessorError("the order names no payment")
        return OrderPayments(tuple(found.values()), unlisted)

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
        return Money(value, _text(currency))
    raise TypeError(f"{value!r:.40} is not an integer")
