"""Reads payments at the processor, without `force_sync`, which would make the processor write."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal, TypeAlias
from urllib.parse import quote

import httpx

from veza import PaymentStatus, RefundStatus
from veza.money import Money
from veza_e2e.money.payment_states import NOTHING_RECEIVED, SETTLED_DISPUTES, created_of
from veza_e2e.ports.payment_list import (
    MOST_UNTOLD,
    PAGE,
    PAGES,
    ListedPayment,
    Names,
    Page,
    harmless,
    missing_of,
    order_of,
    page_of,
    reference_of,
)
from veza_e2e.ports.payments import OrderPayments, ProcessorPayment, ProcessorRefund, Unread
from veza_e2e.ports.wire import LeakError

KeyWord: TypeAlias = Literal["accepted", "refused", "unknown"]
"""What the processor makes of its key."""
NO_PAYMENT = "veza_e2e_key_check_no_such_payment"
"""The id of a payment that cannot exist: the processor's own begin with `pay_`, and no shop makes this one."""

_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""Raised by an answer that is not as the API describes it."""


class ProcessorError(Exception):
    """The processor did not answer, or its response could not be read.

    Attributes:
        passing: whether asking again may help.
        absent: whether it answered that there is no such thing.
    """

    def __init__(self, message: str, *, passing: bool = False, absent: bool = False) -> None:
        super().__init__(message)
        self.passing = passing
        self.absent = absent


class Processor:
    """Reads payments at Hyperswitch (operations `Retrieve a Payment`, `List all Payments` and `Retrieve a Refund`).

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
        except _UNREADABLE as error:
            raise ProcessorError("the processor's answer is not a payment as its API describes it") from error
        if payment.payment_id != payment_id:
            raise ProcessorError(f"the processor answered with another payment than {payment_id}")
        return payment

    def payments(
        self, order_id: str, named: Sequence[str], accepted_at: datetime, refunds: Sequence[str], *, whole: bool = True
    ) -> OrderPayments:
        """Return the order's payments. One that cannot be read hides no other.

        Args:
            order_id: the order.
            named: the payments that the order named, the latest first.
            accepted_at: when the backend took the order, or may have.
            refunds: the refunds that the order named. They are asked for by name if a payment lists none.
            whole: whether to look for more of them in the buyer's list, where a payment names its buyer. The list
                only names them: what they received, and their refunds, it leaves out.

        Raises:
            ProcessorError: no payment could be read.
        """
        found, unread = self._read(named if whole else named[:1])
        unlisted, passing = None, False
        if whole and found:
            try:
                names = Names(order_id, found.values(), accepted_at)
                more, missing, unlisted = self._others(names, found, {one.payment_id for one in unread})
            except ProcessorError as error:
                unlisted, passing = str(error), error.passing
            else:
                found, unread = found | more, [*unread, *missing]
        if not found:
            told = "; ".join(one.told for one in unread)
            raise ProcessorError(told or "the order names no payment", passing=any(one.passing for one in unread))
        passing = passing or any(one.passing for one in unread)
        found, silent = self._with_refunds(found, refunds) if whole else (found, ())
        return OrderPayments(tuple(found.values()), unlisted, tuple(unread), passing, tuple(silent))

    def _with_refunds(
        self, found: Mapping[str, ProcessorPayment], names: Sequence[str]
    ) -> tuple[dict[str, ProcessorPayment], list[str]]:
        """Return the payments with the refunds that a payment may have and does not list, and those not told either."""
        told, silent = dict(found), list[str]()
        listed = {refund.refund_id for one in found.values() for refund in one.refunds}
        unlisted = any(not one.lists_refunds for one in found.values())
        for name in dict.fromkeys(names) if unlisted else ():
            if name in {*listed, ".", ".."}:
                continue
            try:
                refund = _refund(self._answer(f"/refunds/{quote(name, safe='')}"), self._last_call())
            except (ProcessorError, *_UNREADABLE) as error:
                silent += [] if isinstance(error, ProcessorError) and error.absent else [name]
                continue
            payment = told.get(refund.payment_id)
            if payment is not None and not payment.lists_refunds and refund.refund_id == name:
                told[refund.payment_id] = replace(payment, refunds=(*payment.refunds, refund))
            else:
                silent.append(name)
        return told, silent

    def _read(self, names: Iterable[str]) -> tuple[dict[str, ProcessorPayment], list[Unread]]:
        found, unread = dict[str, ProcessorPayment](), list[Unread]()
        for name in names:
            try:
                found[name] = self.payment(name)
            except ProcessorError as error:
                unread.append(Unread(name, str(error), passing=error.passing))
        return found, unread

    def _others(
        self, names: Names, found: Mapping[str, ProcessorPayment], asked: Collection[str]
    ) -> tuple[dict[str, ProcessorPayment], list[Unread], str | None]:
        """Return the order's further payments, those that could not be read, and why they may not be all.

        A payment that the buyer made since, and that tells no order, is read; if it still tells none, it may be ours.

        Raises:
            ProcessorError: the buyer's list was not read.
        """
        customer = next((one.customer for one in found.values() if one.customer), None)
        if customer is None:
            # The list of all buyers would bring other people's payments into the journal.
            raise ProcessorError(f"payment {next(iter(found))} names no buyer whose payments could be listed")
        listed, why = self._listed(customer, [one for one in found.values() if one.customer == customer])
        since = min((one.created for one in found.values() if one.created is not None), default=None)
        lines = [one for one in listed if one.payment_id not in {*found, *asked}]
        more, missing = self._read(one.payment_id for one in lines if names.own(one))
        untold = [
            one.payment_id
            for one in lines
            if not names.own(one) and not names.other(one) and one.customer in {None, customer}
            if one.created is None or since is None or one.created >= since
        ]
        read, silent = self._read(untold[:MOST_UNTOLD])
        own = {name: one for name, one in read.items() if names.own(one)}
        unknown = [name for name, one in read.items() if name not in own and not names.other(one) and not harmless(one)]
        unknown += untold[MOST_UNTOLD:]
        odd = [one for one in found.values() if names.unclear(one)]
        reasons = [
            f"payment {one.payment_id} names no order but {one.reference}, and was not made since the order"
            if one.created is not None
            else f"payment {one.payment_id} names no order but {one.reference}, and does not tell when it was made"
            for one in odd
        ]
        reasons += [f"of which order the buyer's payment {name} is was not told" for name in unknown]
        return more | own, [*missing, *silent], "; ".join([why, *reasons] if why else reasons) or None

    def _listed(
        self, customer: str, found: Collection[ProcessorPayment]
    ) -> tuple[Collection[ListedPayment], str | None]:
        """Return the buyer's payments, page by page, and why they may not be all.

        Raises:
            ProcessorError: the list was not read.
        """
        lines, pages, after, ended = dict[str, ListedPayment](), list[Page](), "", False
        for _ in range(PAGES):
            answer = self._answer(f"/payments/list?customer_id={quote(customer, safe='')}&limit={PAGE}{after}")
            try:
                page = page_of(answer)
            except TypeError as error:
                raise ProcessorError("the processor's list of payments is not as its API describes it") from error
            pages.append(page)
            fresh = [one for one in page.lines if one.payment_id not in lines]
            lines |= {one.payment_id: one for one in fresh}
            ended = not page.lines or (len(page.lines) < PAGE and page.told <= len(lines))
            if ended or not fresh:
                break
            after = f"&starting_after={quote(fresh[-1].payment_id, safe='')}"
        return lines.values(), missing_of(lines, pages, found, ended=ended)

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
            absent = status == httpx.codes.NOT_FOUND
            raise ProcessorError(f"the processor answered {status}", passing=passing, absent=absent)
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
        refunds=tuple(_refund(refund) for refund in data.get("refunds") or ()),
        disputes=tuple(
            state
            for one in data.get("disputes") or ()
            if (state := str(one.get("dispute_status") or "opened")) not in SETTLED_DISPUTES
        ),
        customer=_optional(data.get("customer_id")),
        order_id=order_of(data),
        call=call,
        reference=reference_of(data),
        created=created_of(data),
        lists_refunds=data.get("refunds") is not None,
    )


def _refund(data: Mapping[str, Any], call: int | None = None) -> ProcessorRefund:
    return ProcessorRefund(
        refund_id=_text(data["refund_id"]),
        payment_id=_text(data["payment_id"]),
        status=RefundStatus(data["status"]),
        amount=_money(data["amount"], data["currency"]),
        call=call,
    )


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"{value!r:.40} is not a text")


def _optional(value: object) -> str | None:
    return None if value is None else _text(value)


def _money(value: object, currency: object) -> Money:
    if isinstance(value, int) and not isinstance(value, bool):
        return Money(value, _text(currency).upper())  # as everywhere, without regard to case
    raise TypeError(f"{value!r:.40} is not an integer")
