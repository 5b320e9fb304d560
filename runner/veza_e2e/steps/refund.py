"""Steps 8 and 9: the money goes back, and the license is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

from veza import (
    APIConnectionError,
    ConflictError,
    InternalServerError,
    InvalidResponseError,
    License,
    LicenseStatus,
    Order,
    OrderStatus,
    RefundedOrder,
    RefundStatus,
)
from veza.money import Money
from veza_e2e.canonical import JSON
from veza_e2e.events import Answered, SessionResumed
from veza_e2e.journal import timestamp
from veza_e2e.processor import returned
from veza_e2e.results import PlacedOrder, RequestedRefund, Revoked
from veza_e2e.run import Failed, Paused, Skipped, step
from veza_e2e.session import Session, TimedOut
from veza_e2e.settle import open_doubt, recorded_answer
from veza_e2e.steps.checkout import cross_check
from veza_e2e.steps.proof import read_rows

REASON = "payment walkthrough"
_LOST_ANSWER = (APIConnectionError, InternalServerError, InvalidResponseError)
_ASKED_FOR = frozenset({OrderStatus.REFUND_PENDING, OrderStatus.REFUNDED, OrderStatus.REFUND_FAILED})
_FAILED = frozenset({RefundStatus.FAILED})
_ON_ITS_WAY = frozenset({RefundStatus.REQUESTED, RefundStatus.PENDING, RefundStatus.REVIEW})


@step("refund", RequestedRefund)
def refund_order(session: Session, order: PlacedOrder) -> RequestedRefund:
    """Ask for the whole of the money back, once (operation requestRefund)."""
    doubt = open_doubt(session, "requestRefund")
    current = session.wait(lambda: session.api.orders.get(order.order_id), lambda _: True, timeout=60)
    if current.status in _ASKED_FOR or (doubt is not None and current.refund_id is not None):
        return _requested(current)
    if doubt is not None and (recorded := _recorded(session, order)):
        return recorded
    if current.status is not OrderStatus.COMPLETED:
        _not_refundable(session, order, current)
    if doubt is None and not _wanted(session, order):
        raise Skipped("the operator kept the purchase; the refund stays open")
    key = doubt.key if doubt is not None and session.options.idempotency else None
    return _request(session, order, key or session.ids.key())


def _recorded(session: Session, order: PlacedOrder) -> RequestedRefund | None:
    """The refund was accepted, its answer is on record, and the order does not show it yet."""
    answer = recorded_answer(session, "requestRefund")
    try:
        refund = None if answer is None else RefundedOrder.model_validate(answer).refund
    except ValueError:
        return None
    if refund is None:
        return None
    return RequestedRefund(refund.id, str(refund.status), refund.amount_cents, order.currency)


def _wanted(session: Session, order: PlacedOrder) -> bool:
    options = session.options
    if (said := _answered(session)) is not None:
        return said
    if options.refund is not None and not (options.resumed and options.refund is False):
        return options.refund
    if options.unattended:
        return options.resumed
    text = f"Refund {order.total} of order {order.order_id}?"
    if not options.live:
        return session.yes("refund", text)
    known = {"refund": True, "keep": False}
    answer = session.ask(
        "refund",
        f"{text} Type `refund` or `keep`",
        lambda typed: None if typed in known else "There is no default: type refund or keep.",
    )
    return known[answer]


def _answered(session: Session) -> bool | None:
    """What the operator said in this process already: a limit of requests that is waited out is no new question."""
    for event in reversed(list(session.journal.events())):
        if isinstance(event, SessionResumed):
            return None
        if isinstance(event, Answered) and event.question == "refund":
            return event.answer.lower() in {"y", "yes", "refund"}
    return None


def _request(session: Session, order: PlacedOrder, key: str) -> RequestedRefund:
    try:
        accepted = session.api.orders.refund(order.order_id, reason=REASON, idempotency_key=key)
    except (*_LOST_ANSWER, ConflictError) as error:
        return _settle(session, order, error)
    refund = accepted.refund
    return RequestedRefund(refund.id, str(refund.status), refund.amount_cents, order.currency)


def _settle(session: Session, order: PlacedOrder, error: Exception) -> RequestedRefund:
    """The refund may have been accepted: read the order before anything else."""
    current, _ = session.glance(lambda: session.api.orders.get(order.order_id))
    if current is not None and current.refund_id is not None and current.status in _ASKED_FOR:
        return _requested(current)
    if isinstance(error, ConflictError):
        raise Paused(
            "refund_refused",
            f"the backend does not accept the request for the refund: {error}",
            meaning=f"The card was charged {order.total}; no refund was seen (payment {order.payment_id}).",
            todo="Resume to ask again, or refund the payment at the processor's dashboard.",
            waiting_for="refund",
        ) from error
    raise Paused(
        "refund_in_doubt",
        f"the request for the refund was not answered ({error}), and the order shows no refund",
        meaning=f"The card was charged {order.total}; whether it comes back is not known (payment {order.payment_id}).",
        todo="Resume: the order is read first, and the refund is asked for again only if there is none.",
        waiting_for="refund",
    ) from error


def _requested(current: Order) -> RequestedRefund:
    status = current.refund_status or (
        RefundStatus.SUCCEEDED if current.status is OrderStatus.REFUNDED else RefundStatus.PENDING
    )
    return RequestedRefund(current.refund_id or "", str(status), current.total_amount_cents, current.currency)


def _not_refundable(session: Session, order: PlacedOrder, current: Order) -> NoReturn:
    """The backend cannot refund it: say what is known of the money, and look for a refund that was made elsewhere."""
    seen = cross_check(session, order)
    charged = None if seen is None else Money(seen.amount_received, seen.currency)
    told = f"order {current.id} is {str(current.status)!r}"
    if seen is not None and charged and returned(seen) >= charged:
        raise Failed(
            "refunded_elsewhere",
            f"{told}; the processor has paid {returned(seen)} of payment {seen.payment_id} back",
            meaning=f"The card was charged {charged}, and {returned(seen)} came back, without the backend.",
            todo="Report to the backend's makers that the order does not say so.",
        )
    if current.status is OrderStatus.PENDING_PAYMENT:
        raise Paused(
            "not_refundable_yet",
            f"{told}, so the backend cannot refund it",
            meaning=f"Payment {current.payment_id} may have been charged.",
            todo="Resume later, or refund the payment at the processor's dashboard and resume.",
            waiting_for="completion",
        )
    disputed = current.status is OrderStatus.DISPUTED
    known = disputed or bool(charged)
    raise Failed(
        "dispute_opened" if disputed else "not_refundable",
        f"{told}, so it cannot be refunded through the backend",
        meaning=f"Payment {current.payment_id} was charged and did not come back."
        if known
        else f"Whether payment {current.payment_id} was charged is not known.",
        todo="Settle it at the processor's dashboard, then resume.",
    )


@step("revoked", Revoked)
def await_revoked(session: Session, order: PlacedOrder, refund: RequestedRefund) -> Revoked:
    """Read the order until it is refunded and the license until it is revoked (getOrder, listMyLicenses)."""
    done = _await_refunded(session, order, refund)
    licenses = _await_licenses(session, order)
    _cross_check(session, order, refund)
    _check_reversals(session, order, done)
    last = licenses[0] if licenses else None
    back = done.total_amount_cents if done.refunded_amount_cents is None else done.refunded_amount_cents
    if back != order.total_cents:
        raise Failed(
            "refund_differs",
            f"{Money(back, order.currency)} came back of {order.total} (payment {order.payment_id})",
            meaning=f"{order.total - Money(back, order.currency)} did not come back.",
            todo="Compare with the processor's dashboard.",
        )
    return Revoked(
        order_status=str(done.status),
        refund_status=None if done.refund_status is None else str(done.refund_status),
        refunded_cents=back,
        currency=done.currency,
        license_id=last.id if last else None,
        license_status=str(last.status) if last else None,
        revoked_at=timestamp(last.revoked_at) if last and last.revoked_at else None,
        refunded_at=timestamp(done.refunded_at) if done.refunded_at else None,
    )


def _await_refunded(session: Session, order: PlacedOrder, refund: RequestedRefund) -> Order:
    try:
        done = session.wait(
            lambda: session.api.orders.get(order.order_id),
            _refund_settled,
            timeout=session.options.poll_timeout,
        )
    except TimedOut:
        raise Paused(
            "refund_pending",
            f"refund {refund.refund_id} of {order.total} is still pending (payment {order.payment_id})",
            meaning=f"{order.total} were charged and are on their way back; this can take days.",
            todo="Resume in a day or two: the refund is only looked at, never asked for again.",
            waiting_for="refund",
        ) from None
    if done.status is OrderStatus.REFUNDED and done.refund_status in {None, RefundStatus.SUCCEEDED}:
        return done
    refused = done.refund_status in _FAILED or done.status in {OrderStatus.REFUND_FAILED, OrderStatus.COMPLETED}
    status = f"order {done.id} is {str(done.status)!r}, its refund {str(done.refund_status)!r}"
    raise Failed(
        "refund_failed" if refused else "unknown_status",
        f"{status} (refund {refund.refund_id}, payment {order.payment_id})",
        meaning=f"{order.total} were charged and did not come back.",
        todo="Refund the payment at the processor's dashboard, then record the bank statement with `bank`.",
    )


def _refund_settled(seen: Order) -> bool:
    """Whether the order says how the refund ended; a read that lags behind its request does not."""
    if seen.status is OrderStatus.COMPLETED and seen.refund_status is None:
        return False
    under_way = seen.status in {OrderStatus.COMPLETED, OrderStatus.REFUNDED} and seen.refund_status in _ON_ITS_WAY
    return not under_way and seen.status is not OrderStatus.REFUND_PENDING


def _await_licenses(session: Session, order: PlacedOrder) -> Sequence[License]:
    def ours() -> list[License]:
        return [one for one in session.api.licenses.mine(order_id=order.order_id) if one.order_id == order.order_id]

    def gone(licenses: Sequence[License]) -> bool:
        return all(one.status is LicenseStatus.REVOKED for one in licenses)

    try:
        return session.wait(ours, gone, timeout=session.options.grace)
    except TimedOut:
        raise Failed(
            "license_not_revoked",
            f"the order is refunded, but a license of order {order.order_id} is not revoked "
            f"after {session.options.grace:.0f} s",
            meaning=f"{order.total} came back; the buyer still holds the license.",
            todo="Report it to the backend's makers.",
        ) from None


def _cross_check(session: Session, order: PlacedOrder, refund: RequestedRefund) -> None:
    """R4 to R6 as far as the processor tells: the refund's amount, and the payment it belongs to."""
    seen = cross_check(session, order)
    if seen is None:
        return
    back = [one for one in seen.refunds if one.status is RefundStatus.SUCCEEDED]
    total = Money(sum(one.amount for one in back), seen.currency)
    received = Money(seen.amount_received, seen.currency)
    payments = ", ".join(sorted({one.payment_id for one in back})) or "none"
    equal = session.compare("R6", order.payment_id, payments, seen.call)
    equal = session.compare("R4", order.total, total, seen.call, session.call("getOrder")) and equal
    if total > received or not equal:
        raise Failed(
            "refund_differs",
            f"the processor refunded {total} of {received} received (refund {refund.refund_id}, payment {payments})",
            meaning=f"The order says that {order.total} came back; the processor does not bear it out.",
            todo="Compare with the processor's dashboard.",
        )


def _check_reversals(session: Session, order: PlacedOrder, _done: Order) -> None:
    """R5, where the books can be read without the operator: the seller's transfers were reversed."""
    rows = read_rows(session, order)
    if rows is None:
        return
    booked = [row for row in rows if row.get("amount_cents") is not None]
    transferred, reversed_ = (_sum(booked, name) for name in ("amount_cents", "reversed_amount_cents"))
    left, right = Money(transferred, order.currency), Money(reversed_, order.currency)
    if session.compare("R5", left, right, session.call("getOrder")):
        return
    reasons = ", ".join(sorted({str(row["error_message"]) for row in booked if row.get("error_message")}))
    raise Failed(
        "transfer_not_reversed",
        f"{left} were transferred to the seller, {right} reversed" + (f" ({reasons})" if reasons else ""),
        meaning=f"The buyer got {order.total} back; the platform pays for what the seller keeps.",
        todo="Reverse the transfer at the Stripe dashboard, and report it to the backend's makers.",
    )


def _sum(rows: Sequence[Mapping[str, JSON]], name: str) -> int:
    return sum(value for row in rows if isinstance(value := row.get(name), int))
