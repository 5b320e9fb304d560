"""Step 4: the operator pays on the processor's page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NoReturn

import httpx

from veza import Order, OrderStatus
from veza.money import Money
from veza_e2e.events import BrowserOpened, CallIntended
from veza_e2e.journal import Journal, timestamp
from veza_e2e.processor import VOID, ProcessorError, ProcessorPayment
from veza_e2e.redaction import ALIAS
from veza_e2e.results import Payment, PlacedOrder
from veza_e2e.run import Failed, step
from veza_e2e.session import Session
from veza_e2e.world import Left

LINK = timedelta(minutes=15)
"""How long a payment link is open, where nobody said otherwise (Hyperswitch)."""
UNPAID = "The order was not paid; nothing was charged."
RAN_OUT = (
    "The link is more than 15 minutes old and has probably run out. If the page says so, this order cannot be paid any "
    "more: leave with q, and end the session with `abandon`."
)


@step("pay", Payment)
def pay(session: Session, order: PlacedOrder) -> Payment:
    """Offer the checkout page and wait for the operator, or for the order to move on by itself."""
    now = session.wait(lambda: session.api.orders.get(order.order_id), lambda _: True, timeout=session.options.grace)
    if now.status is not OrderStatus.PENDING_PAYMENT:
        return _moved_on(session, now)
    if _ran_out(session):
        _refuse_dead_link(session, order)
    _check_host(session, order)
    if session.options.live:
        _type_amount(session, order)
    open_page(session, order)
    return operator_pays(session, order)


def _check_host(session: Session, order: PlacedOrder) -> None:
    hosts = session.options.checkout_hosts
    try:
        url = httpx.URL(order.checkout_url or "about:blank")
    except (httpx.InvalidURL, ValueError) as error:
        raise Failed(
            "unexpected_checkout",
            f"the address of the checkout page is none: {type(error).__name__}",
            meaning=UNPAID,
            todo="Report it to the backend's makers; the order expires unpaid.",
        ) from error
    local = session.options.loopback and url.host == session.options.backend_host
    secure = url.scheme == "https" or (url.scheme == "http" and local)
    if not secure or not url.host or url.userinfo or (hosts and url.host not in hosts):
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


def open_page(session: Session, order: PlacedOrder) -> None:
    """Open the page, or say where it is; on record either way."""
    shown = session.recorder.redactor.url(order.checkout_url)
    session.operator.tell(f"The checkout page is at {httpx.URL(shown).host}: {shown}")
    if _ran_out(session):
        session.operator.tell(RAN_OUT)
    address = session.pages.get(order.order_id, order.checkout_url)
    kept = order.order_id in session.pages or not ALIAS.search(address)
    if not kept:
        session.operator.tell("Its address holds a secret that no record keeps: open the order's page from the shop.")
    opened = kept and session.browser.open(address)
    session.journal.append(BrowserOpened(step="pay", url=shown, by=session.browser.by, opened=opened))


def operator_pays(session: Session, order: PlacedOrder) -> Payment:
    """Wait at the prompt until the operator says that it is paid, or the order moves on.

    Raises:
        Left: the operator left.
        Failed: the link ran out, and the processor says so.
    """
    text = "Pay on that page. Enter = paid, r = open it again, s = status, q = leave"
    since = session.clock.monotonic()
    session.asked("paid", text)
    pace, pause = session.pace(), 0.0
    warned = _ran_out(session)
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
                open_page(session, order)
            case "s":
                session.operator.tell(_status(session, order))
            case None:
                current, pause = session.glance(lambda: session.api.orders.get(order.order_id))
                if current is not None and current.status is not OrderStatus.PENDING_PAYMENT:
                    session.answered("paid", f"the order is {current.status}", since)
                    return _moved_on(session, current)
                if not warned and _ran_out(session):
                    warned = True
                    _refuse_dead_link(session, order)
                    session.operator.tell(RAN_OUT)
            case other:
                session.operator.tell(f"{other!r:.20} is none of Enter, r, s, q.")


def _ran_out(session: Session) -> bool:
    return link_ran_out(session.journal, datetime.fromisoformat(session.journal.lines[-1].at))


def link_ran_out(journal: Journal, now: datetime) -> bool:
    """Return whether the link is older than links are open by default, from the first request for the order on."""
    lines = journal.lines
    asked = (line for line in lines if isinstance(line.event, CallIntended) and line.event.operation == "createOrder")
    first = next(asked, None)
    return first is not None and now - datetime.fromisoformat(first.at) >= LINK


def _refuse_dead_link(session: Session, order: PlacedOrder) -> None:
    seen = cross_check(session, order)
    if seen is not None and seen.status in VOID and not seen.amount_received:
        link_gone(order, seen)


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


def cross_check(session: Session, order: PlacedOrder) -> ProcessorPayment | None:
    """Return what the processor says of the payment; None where it cannot be asked or does not answer."""
    if session.processor is None or order.payment_id is None:
        return None
    try:
        return session.processor.payment(order.payment_id)
    except ProcessorError:
        return None


def link_gone(order: PlacedOrder, seen: ProcessorPayment) -> NoReturn:
    """Fail: nobody can pay on that page any more."""
    raise Failed(
        "not_paid",
        f"the checkout page of order {order.order_id} ran out unpaid (payment {order.payment_id}: {seen.status})",
        meaning=UNPAID,
        todo="Start a new session and pay within the page's time (15 minutes by default).",
    )
