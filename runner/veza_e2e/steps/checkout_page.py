"""Opens the checkout page, waits for the payment, and notices an expired link. `live_rules` says when it may open."""

from __future__ import annotations

from datetime import datetime
from typing import NoReturn

import httpx

from veza import Order, OrderStatus
from veza_e2e.journal import timestamp
from veza_e2e.journal.events import BrowserOpened, CallFinished, StepFinished
from veza_e2e.journal.findings import FindingCode
from veza_e2e.journal.readings import PageOffered
from veza_e2e.money.payment_states import VOID
from veza_e2e.ports.payments import OrderPayments, ProcessorPayment
from veza_e2e.ports.protocols import Left
from veza_e2e.redaction import lacking
from veza_e2e.steps.context import Context
from veza_e2e.steps.cross_check import cross_check
from veza_e2e.steps.live_rules import offered_before, refuse_changed, refuse_other_hosts, type_amount
from veza_e2e.steps.results import Payment, PlacedOrder
from veza_e2e.steps.step import Failed
from veza_e2e.steps.waiting import link_left, order_said, paid_already, status_of, waiting_for

RAN_OUT = (
    "The link is more than 15 minutes old and has probably expired. If the page says so, this order cannot be paid any "
    "more: leave with q, and end the session with `abandon`."
)


def offer(context: Context, order: PlacedOrder) -> None:
    """Offer the page by the live rules, and open it. That it is offered is on the disk before a browser acts on it.

    Raises:
        Failed: the page is not where it may be, or takes another amount than was agreed to.
        Paused: the latter, and it may have been paid before.
        EndOfInput: standard input ended before the amount was typed.
    """
    refuse_other_hosts(context, order)
    refuse_changed(context, order)
    if context.options.live and not offered_before(context, order):
        type_amount(context, order)
    if not context.options.first:
        url = context.recorder.redactor.url(order.checkout_url)
        context.journal.append(PageOffered(step=context.recorder.step or "pay", order_id=order.order_id, url=url))
    open_page(context, order)


def open_page(context: Context, order: PlacedOrder) -> None:
    """Open the page once more, or show its address; record either in the journal. Raises as `refuse_changed`."""
    refuse_changed(context, order)
    shown = context.recorder.redactor.url(order.checkout_url)
    context.operator.tell(f"The checkout page is at {httpx.URL(shown).host}: {shown}")
    if ran_out(context):
        context.operator.tell(RAN_OUT)
    kept = _told_to_this_process(context, order) or not lacking(order.checkout_url)
    opened = kept and context.browser.open(order.checkout_url)
    if not opened and lacking(shown):
        context.operator.tell("Its address holds what no record keeps: open the order's page from the shop.")
    context.journal.append(BrowserOpened(step="pay", url=shown, by=context.browser.by, opened=opened))


def _told_to_this_process(context: Context, order: PlacedOrder) -> bool:
    """Whether the page's address is the one that was answered, and not what the journal keeps of it."""
    own = list(context.own_events())
    asked = any(isinstance(event, CallFinished) and event.operation == "createOrder" for event in own)
    return any(isinstance(event, StepFinished) and event.step == "order" for event in own) and (asked or order.adopted)


def offer_again(context: Context, order: PlacedOrder) -> None:
    """Open the page once more; the first time in this process, by the live rules.

    Raises:
        Failed: the page is not where it may be.
        Paused: it takes another amount than was agreed to.
    """
    if not order.checkout_url:
        context.operator.tell("The backend named no checkout page: open the order's page from the shop.")
    elif offered_before(context, order):
        open_page(context, order)
    else:
        offer(context, order)


def operator_pays(context: Context, order: PlacedOrder) -> Payment:
    """Prompt the operator until they confirm the payment, or the order moves on.

    Raises:
        Left: the operator left.
        Failed: the link expired, and the processor confirms it.
        Paused: the order, or what the page takes, has changed.
    """
    test_card = context.options.rehearsal and not context.options.first
    text = "Pay on that page. Enter = paid, r = open it again, s = status, q = leave"
    if test_card:
        text = text.replace(". ", ".\n") + ", p = test card"
    since = context.clock.monotonic()
    context.asked("paid", text)
    pace, pause = context.pace(), 0.0
    warned = ran_out(context)
    waiting = waiting_for(context, order, "waiting for the payment", reopen=lambda: open_page(context, order))
    begun, said = context.journal.lines[-1].at, ""
    while True:
        step = max(next(pace), pause)
        progress = waiting.progress(step, _between(begun, context.journal.lines[-1].at), None, said)
        answer = context.operator.ask("paid", text, timeout=step, progress=progress)
        match None if answer is None else answer.strip().lower():
            case "":
                context.answered("paid", "paid", since)
                paid = Payment(context.operator.by, None, timestamp(context.clock.now()))
                if not context.options.first:
                    _tell_processor(context, order)
                return paid
            case "q":
                context.answered("paid", "q", since)
                raise Left
            case None:
                current, pause = context.glance(lambda: context.api.orders.get(order.order_id))
                said = "backend: no answer" if current is None else order_said(current)
                if current is not None and current.status is not OrderStatus.PENDING_PAYMENT:
                    context.answered("paid", f"the order is {current.status}", since)
                    return moved_on(context, current)
                refuse_changed(context, order)
                if not warned and ran_out(context):
                    warned = True
                    refuse_dead_link(context, order)
                    context.operator.tell(RAN_OUT)
            case other:
                _act(context, order, other, test_card=test_card)


def _between(begun: str, now: str) -> float:
    return (datetime.fromisoformat(now) - datetime.fromisoformat(begun)).total_seconds()


def _act(context: Context, order: PlacedOrder, answer: str, *, test_card: bool) -> None:
    """Do what an answer asks for that does not end the wait."""
    match answer:
        case "r":
            if paid_already(context, order) is None:
                open_page(context, order)
        case "s":
            context.operator.tell(status_of(context, order))
        case "p" if test_card:
            refuse_changed(context, order)
            paid = context.till is not None and context.till(order.checkout_url)
            context.operator.tell(
                "Paid with a test card." if paid else "The test card could not be used: open the page."
            )
        case _:
            context.operator.tell(
                f"{answer!r:.20} is not an answer: press Enter, or type r, s{', q or p' if test_card else ' or q'}."
            )


def ran_out(context: Context) -> bool:
    """Whether the link is past its default lifetime, counted from the first request for the order."""
    left = link_left(context)
    return left is not None and left <= 0


def refuse_dead_link(context: Context, order: PlacedOrder) -> OrderPayments | None:
    """Ask the processor, and fail the step if the link has expired, or pays another order; return what it says."""
    seen = cross_check(context, order)
    if seen is not None and not seen.unread and all(one.status in VOID for one in seen.payments):
        link_gone(context, order, seen.named)
    if not context.options.first:
        refuse_other_order(context, order.order_id, seen)
    return seen


def refuse_other_order(context: Context, order_id: str, seen: OrderPayments | None) -> None:
    """Fail if a payment says by name that it is of another order."""
    for one in seen.payments if seen is not None else ():
        if one.order_id is not None and one.order_id != order_id:
            raise Failed(
                FindingCode.OTHER_ORDER,
                f"order {order_id} names payment {one.payment_id}, which is of order {one.order_id} at the processor",
                meaning=context.account().said,
                todo=f"Pay nothing for order {order_id}. Look the payment up at the processor's dashboard, and report "
                "it to the backend's makers.",
            )


def moved_on(context: Context, order: Order) -> Payment:
    """Whether the order's state is past payment, so that no page is offered again."""
    status = order.payment_status
    return Payment("status", None if status is None else str(status), timestamp(context.clock.now()))


def _tell_processor(context: Context, order: PlacedOrder) -> None:
    """Show what the processor says of the payment that the operator confirmed."""
    seen = cross_check(context, order)
    for one in seen.payments if seen is not None else ():
        received = "what it received is not told" if one.received is None else f"received {one.received}"
        context.operator.tell(f"The processor says: payment {one.payment_id} is {one.status}, {received}.")


def link_gone(context: Context, order: PlacedOrder, seen: ProcessorPayment) -> NoReturn:
    """Fail the step because the link has expired."""
    raise Failed(
        FindingCode.NOT_PAID,
        f"the checkout page of order {order.order_id} expired unpaid (payment {seen.payment_id}: {seen.status})",
        meaning=context.account().said,
        todo="Start a new session and pay within the page's time (15 minutes by default).",
    )
