"""Steps 4 and 5: the operator pays on the processor's page, and the order completes by the processor's webhook."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NoReturn

import httpx

from veza import Order, OrderStatus, PaymentStatus
from veza.money import Money
from veza_e2e.events import BrowserOpened, StepFinished
from veza_e2e.journal import timestamp
from veza_e2e.processor import ProcessorError, ProcessorPayment
from veza_e2e.redaction import ALIAS
from veza_e2e.results import PaidOrder, Payment, PlacedOrder
from veza_e2e.run import Failed, Paused, step
from veza_e2e.session import Session, TimedOut
from veza_e2e.world import Left

RETRIES = timedelta(hours=24)
"""How long the processor goes on delivering its webhooks."""
UNPAID = "The order was not paid; nothing was charged."
UNASKED = "By the order nothing was charged; the processor was not asked."
_PAID = frozenset({PaymentStatus.SUCCEEDED, PaymentStatus.PARTIALLY_CAPTURED, PaymentStatus.REQUIRES_CAPTURE})
_PAYABLE = frozenset(
    {PaymentStatus.REQUIRES_PAYMENT_METHOD, PaymentStatus.REQUIRES_CONFIRMATION, PaymentStatus.REQUIRES_CUSTOMER_ACTION}
)
_NOT_PAID = frozenset({OrderStatus.CANCELLED, OrderStatus.EXPIRED})


@step("pay", Payment)
def pay(session: Session, order: PlacedOrder) -> Payment:
    """Offer the checkout page and wait for the operator, or for the order to move on by itself."""
    now = session.wait(lambda: session.api.orders.get(order.order_id), lambda _: True, timeout=session.options.grace)
    if now.status is not OrderStatus.PENDING_PAYMENT:
        return _moved_on(session, now)
    _check_host(session, order)
    if session.options.live:
        _type_amount(session, order)
    _open(session, order)
    return _operator_pays(session, order)


def _check_host(session: Session, order: PlacedOrder) -> None:
    url = httpx.URL(order.checkout_url or "about:blank")
    hosts = session.options.checkout_hosts
    local = session.options.loopback and url.host == session.options.backend_host
    secure = url.scheme == "https" or (url.scheme == "http" and local)
    if not secure or url.userinfo or (hosts and url.host not in hosts):
        raise Failed(
            "unexpected_checkout",
            f"the checkout page is at {url.scheme}://{url.host}, which is none of checkout_hosts: {', '.join(hosts)}",
            meaning=UNPAID,
            todo="Do not open it. If the address is right, add its host to checkout_hosts of the environment.",
        )


def _type_amount(session: Session, order: PlacedOrder) -> None:
    total = order.total

    def accept(answer: str) -> str | None:
        try:
            typed = Money.parse(answer.upper())
        except ValueError:
            return f"{answer!r:.40} is not an amount with its currency."
        return None if typed == total else f"{typed} is not the order's total of {total}."

    session.ask("amount", f"Your card will be charged {total}. Type the amount and currency to go on", accept)


def _open(session: Session, order: PlacedOrder) -> None:
    shown = session.recorder.redactor.url(order.checkout_url)
    session.operator.tell(f"The checkout page is at {httpx.URL(shown).host}: {shown}")
    address = session.pages.get(order.order_id, order.checkout_url)
    kept = order.order_id in session.pages or not ALIAS.search(address)
    if not kept:
        session.operator.tell("Its address holds a secret that no record keeps: open the order's page from the shop.")
    opened = kept and session.browser.open(address)
    session.journal.append(BrowserOpened(step="pay", url=shown, by=session.browser.by, opened=opened))


def _operator_pays(session: Session, order: PlacedOrder) -> Payment:
    text = "Pay on that page. Enter = paid, r = open it again, s = status, q = leave"
    since = session.clock.monotonic()
    session.asked("paid", text)
    pace, pause = session.pace(), 0.0
    while True:
        answer = session.operator.ask("paid", text, timeout=max(next(pace), pause))
        match None if answer is None else answer.strip().lower():
            case "":
                session.answered("paid", "paid", since)
                return Payment(session.operator.by, None, timestamp(session.clock.now()))
            case "q":
                session.answered("paid", "q", since)
                raise Left
            case "r":
                _open(session, order)
            case "s":
                session.operator.tell(_status(session, order))
            case None:
                current, pause = session.glance(lambda: session.api.orders.get(order.order_id))
                if current is not None and current.status is not OrderStatus.PENDING_PAYMENT:
                    session.answered("paid", f"the order is {current.status}", since)
                    return _moved_on(session, current)
            case other:
                session.operator.tell(f"{other!r:.20} is none of Enter, r, s, q.")


def _moved_on(session: Session, order: Order) -> Payment:
    """The order is past its payment: no page is offered for it again."""
    status = order.payment_status
    return Payment("status", None if status is None else str(status), timestamp(session.clock.now()))


def _status(session: Session, order: PlacedOrder) -> str:
    current, _ = session.glance(lambda: session.api.orders.get(order.order_id))
    if current is None:
        return "The backend does not answer now; try again."
    seen = cross_check(session, order)
    payment = f"; the processor says {seen.status}" if seen is not None else ""
    return f"order {current.id} is {current.status}{payment}"


@step("completed", PaidOrder)
def await_completed(session: Session, order: PlacedOrder, _payment: Payment) -> PaidOrder:
    """Read the order until it is completed (operation getOrder), and compare the amounts (R1)."""
    if session.options.resumed:
        _offer_again(session, order)
    try:
        done = session.wait(
            lambda: session.api.orders.get(order.order_id),
            lambda seen: seen.status is not OrderStatus.PENDING_PAYMENT,
            timeout=session.options.poll_timeout,
        )
    except TimedOut:
        _not_completed(session, order)
    seen = cross_check(session, order)
    _refuse_other_than_completed(done, order, seen)
    _compare(session, order, done, seen)
    return PaidOrder(
        order_id=done.id,
        payment_id=done.payment_id,
        status=str(done.status),
        total_cents=done.total_amount_cents,
        tax_cents=done.tax_amount_cents or 0,
        currency=done.currency,
        completed_at=timestamp(done.completed_at) if done.completed_at else None,
    )


def _offer_again(session: Session, order: PlacedOrder) -> None:
    """Offer the page once more, only where the processor says that it was not paid."""
    seen = cross_check(session, order)
    if seen is None or seen.status not in _PAYABLE:
        return
    current = session.api.orders.get(order.order_id)
    if current.status is OrderStatus.PENDING_PAYMENT and order.checkout_url:
        session.operator.tell(f"The processor says that the order is not paid yet ({seen.status}).")
        _open(session, order)
        _operator_pays(session, order)


def cross_check(session: Session, order: PlacedOrder) -> ProcessorPayment | None:
    """Return what the processor says of the payment; None where it cannot be asked or does not answer."""
    if session.processor is None or order.payment_id is None:
        return None
    try:
        return session.processor.payment(order.payment_id)
    except ProcessorError:
        return None


def _refuse_other_than_completed(done: Order, order: PlacedOrder, seen: ProcessorPayment | None) -> None:
    payment = f"payment {order.payment_id}"
    charged = seen is not None and seen.status in _PAID
    money = f"The card was charged ({payment})." if charged else UNPAID if seen is not None else UNASKED
    status = done.status
    if status is OrderStatus.COMPLETED:
        return
    if status is OrderStatus.FAILED:
        why = f" ({seen.error_message})" if seen is not None and seen.error_message else ""
        raise Failed(
            "declined",
            f"the payment was declined{why}: order {done.id} failed, {payment}",
            meaning=money,
            todo="Start a new session, with another card if this one is refused again.",
        )
    if status in _NOT_PAID:
        raise Failed(
            "not_paid",
            f"order {done.id} is {status}: the checkout page ran out or was left, {payment}",
            meaning=money,
            todo="Start a new session and pay within the page's time (15 minutes by default).",
        )
    if status is OrderStatus.DISPUTED:
        raise Failed(
            "dispute_opened",
            f"a dispute was opened on order {done.id} ({payment})",
            meaning="The money is held by the card's bank until the dispute is settled.",
            todo="Answer the dispute at the processor's dashboard; do not refund it twice.",
        )
    name, why = ("unexpected_status", "nobody asked for") if status.known else ("unknown_status", "is not known here")
    raise Failed(
        name,
        f"order {done.id} is {str(status)!r}, which {why}",
        meaning=f"Whether the card was charged is not known ({payment})." if not charged else money,
        todo="Look the payment up at the processor's dashboard and report the status to the backend's makers.",
    )


def _compare(session: Session, order: PlacedOrder, done: Order, seen: ProcessorPayment | None) -> None:
    total = Money(done.total_amount_cents, done.currency)
    wrong = [] if total == order.total else [f"the order was {order.total} and is now {total}"]
    if seen is not None:
        amount, received = Money(seen.amount, seen.currency), Money(seen.amount_received, seen.currency)
        right = f"{amount}, received {received}"
        equal = session.compare("R1", f"{total}, received {total}", right, session.call("getOrder"), seen.call)
        if not equal:
            wrong.append(f"the order's total is {total}, the processor's amount {amount}, received {received}")
    if wrong:
        raise Failed(
            "amount_differs",
            f"{'; '.join(wrong)} (payment {order.payment_id})",
            meaning="The card was charged; the amounts do not agree.",
            todo="Resume to refund, and compare with the processor's dashboard.",
        )


def _not_completed(session: Session, order: PlacedOrder) -> NoReturn:
    """Tell apart: paid but not completed, declined, challenge open, not paid, and not known."""
    seen = cross_check(session, order)
    payment = f"payment {order.payment_id}"
    if seen is None:
        raise Paused(
            "not_completed",
            f"order {order.order_id} is still pending; whether it was paid was not seen ({payment})",
            meaning="The card may have been charged.",
            todo="Look the payment up at the processor's dashboard; then resume.",
            waiting_for="completion",
        )
    if seen.status in _PAID or seen.status is PaymentStatus.PROCESSING:
        _paid_not_completed(session, order, seen)
    if seen.status in {PaymentStatus.EXPIRED, PaymentStatus.CANCELLED}:
        raise Failed(
            "not_paid",
            f"the checkout page of order {order.order_id} ran out unpaid ({payment}: {seen.status})",
            meaning=UNPAID,
            todo="Start a new session and pay within the page's time (15 minutes by default).",
        )
    if seen.status is PaymentStatus.REQUIRES_CUSTOMER_ACTION:
        raise Paused(
            "challenge_open",
            f"the 3-D Secure challenge was left open ({payment})",
            meaning="Nothing was charged yet.",
            todo="Resume, and complete or reject the challenge on the page.",
            waiting_for="operator",
        )
    if seen.status in {PaymentStatus.FAILED, PaymentStatus.REQUIRES_PAYMENT_METHOD} and seen.error_message:
        raise Paused(
            "declined",
            f"the card was declined: {seen.error_message} ({payment})",
            meaning=UNPAID,
            todo="Resume within the page's time to try another card, or end the session with `abandon`.",
            waiting_for="operator",
        )
    raise Paused(
        "not_paid",
        f"order {order.order_id} was not paid: the processor says {seen.status} ({payment})",
        meaning=UNPAID,
        todo="Resume and pay within the page's time, or end the session with `abandon`.",
        waiting_for="operator",
    )


def _paid_not_completed(session: Session, order: PlacedOrder, seen: ProcessorPayment) -> NoReturn:
    if not seen.amount_received:
        raise Paused(
            "payment_processing",
            f"payment {seen.payment_id} is {seen.status}, nothing of it was received yet, "
            f"and order {order.order_id} is still pending",
            meaning=f"{Money(seen.amount, seen.currency)} may be reserved on the card; no charge was seen.",
            todo="Resume later, or look the payment up at the processor's dashboard.",
            waiting_for="completion",
        )
    amount = Money(seen.amount_received, seen.currency)
    observed = (
        f"paid, not completed: the processor has {amount} of payment {seen.payment_id} ({seen.status}), "
        f"and order {order.order_id} is still pending"
    )
    since = _paid_at(session)
    if since is not None and session.clock.now() - since >= RETRIES:
        raise Failed(
            "paid_not_completed",
            observed + ", 24 hours after the payment",
            meaning=f"The card was charged {amount}. The order does not complete any more.",
            todo="Refund the payment at the processor's dashboard, then record it with `bank`.",
        )
    raise Paused(
        "paid_not_completed",
        observed,
        meaning=f"The card was charged {amount}. Webhooks are retried for 24 hours, so the order may still complete.",
        todo="Resume later. If it never completes, refund the payment at the processor's dashboard.",
        waiting_for="completion",
    )


def _paid_at(session: Session) -> datetime | None:
    """When the operator's part at the checkout ended."""
    for line in session.journal.lines:
        if isinstance(line.event, StepFinished) and line.event.step == "pay":
            return datetime.fromisoformat(line.at)
    return None
