"""The rules by which a checkout page is offered: its host, its amount, and on a live run the LIVE box."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from veza.money import Money
from veza_e2e.journal.events import BrowserOpened
from veza_e2e.journal.findings import FindingCode
from veza_e2e.journal.readings import OrderNamed, PageOffered
from veza_e2e.journal.story import Story, text_of
from veza_e2e.money.payment_states import PAYABLE
from veza_e2e.ports.screen import framed
from veza_e2e.steps.context import Context
from veza_e2e.steps.results import PlacedOrder
from veza_e2e.steps.step import Failed, Paused


def offered_before(context: Context, order: PlacedOrder) -> bool:
    """Whether this process has offered the order's page already."""
    return any(isinstance(one, PageOffered) and one.order_id == order.order_id for one in context.own_events())


def refuse_other_hosts(context: Context, order: PlacedOrder) -> None:
    """Raise Failed unless the page is secure, and on a host where it may be."""
    hosts = context.options.checkout_hosts
    try:
        url = httpx.URL(order.checkout_url or "about:blank")
        host = url.host  # decodes an international name, which may be none
    except (httpx.InvalidURL, ValueError) as error:
        raise Failed(
            FindingCode.UNEXPECTED_CHECKOUT,
            f"the checkout address is not a valid URL: {type(error).__name__}",
            meaning=context.account().said,
            todo="Report it to the backend's makers; the order expires unpaid.",
        ) from error
    local = context.options.loopback and host == context.options.backend_host
    secure = url.scheme == "https" or (url.scheme == "http" and local)
    if not secure or not host or url.userinfo or (hosts and host not in hosts):
        raise Failed(
            FindingCode.UNEXPECTED_CHECKOUT,
            f"the checkout page is at {url.scheme}://{host}, which is not among checkout_hosts: {', '.join(hosts)}",
            meaning=context.account().said,
            todo="Do not open it. Report it to the backend's makers; the order expires unpaid.",
        )


def refuse_changed(context: Context, order: PlacedOrder) -> None:
    """Stop before the page if an answer by now says that it takes another amount than was agreed to.

    Raises:
        Failed: it does, and the operator was never shown the order.
        Paused: it does; the order may have been paid before, so that it is looked at again.
    """
    if context.options.first:
        return
    wrong = next(_changed(context, order), None)
    if wrong is None:
        return
    finding, observed = wrong
    if not _known(context, order):
        todo = f"Do not pay order {order.order_id}; it expires unpaid. Report it to the backend's makers."
        raise Failed(finding, observed, meaning=f"The page is not offered. {context.account().said}", todo=todo)
    raise Paused(
        # Over the limit is a refusal, and this order may have been paid.
        FindingCode.TOTAL_DIFFERS if finding is FindingCode.OVER_LIMIT else finding,
        observed,
        meaning=f"The page is not offered again. {context.account().said}",
        todo=f"Do not pay order {order.order_id}. If it was paid before, resume: it is looked at, and can be refunded. "
        "Else end the session with `abandon` when the page has expired.",
        waiting_for="operator",
    )


def _changed(context: Context, order: PlacedOrder) -> Iterator[tuple[FindingCode, str]]:
    """Yield what the last answers say of the order and its payments that the operator did not agree to."""
    name, agreed, limit = order.order_id, order.total, context.options.limit
    known = next((one for one in context.account().orders if one.order_id == name), None)
    now = agreed if known is None or known.total is None else known.total
    if now.currency != agreed.currency:
        yield FindingCode.CURRENCY_DIFFERS, f"order {name} was {agreed}, and is in {now.currency} now ({now})"
    if now.currency != limit.currency or now > limit:
        yield FindingCode.OVER_LIMIT, f"order {name} was {agreed} and is now {now}, the limit is {limit}"
    if now != agreed:
        yield FindingCode.TOTAL_DIFFERS, f"order {name} was {agreed} and is now {now}"
    for one in known.latest if known is not None else ():
        payment = f"payment {one.payment_id}"
        if one.status in PAYABLE and one.asked is not None and one.asked != agreed:
            yield FindingCode.AMOUNT_DIFFERS, f"the processor asks {one.asked} for {payment}, order {name} was {agreed}"


def _known(context: Context, order: PlacedOrder) -> bool:
    """Whether the operator was shown the order, or its page, so that it may have been paid."""
    shown = (e for e in context.journal.events() if isinstance(e, PageOffered | BrowserOpened | OrderNamed))
    return any(isinstance(one, BrowserOpened) or one.order_id == order.order_id for one in shown)


def type_amount(context: Context, order: PlacedOrder) -> None:
    """Show the LIVE box; ask for the order's total and currency until both are typed."""
    total = order.total

    def accept(answer: str) -> str | None:
        try:
            typed = Money.parse(answer.upper())
        except ValueError:
            return f"{answer!r:.40} is not an amount with its currency."
        return None if typed == total else f"{typed} is not the order's total of {total}."

    prompt = f"Your card will be charged {total}. Type the amount and currency to go on"
    context.ask("amount", f"{live_box(context, order)}\n{prompt}", accept)


def live_box(context: Context, order: PlacedOrder) -> str:
    """Return what is about to be charged, in a frame of at most 58 columns."""
    story = Story(context.journal.lines)
    started, gate = story.started, story.gate
    title = "LIVE: YOUR OWN CARD WILL BE CHARGED"
    if gate is not None and not gate.live:
        title = "--live WAS GIVEN, BUT THE BACKEND IS NOT LIVE: TEST FUNDS"
    elif context.options.rehearsal:
        title = "LIVE, REHEARSED: A TEST CARD WILL BE CHARGED"
    return framed(
        [
            title,
            ("environment", started.environment if started else ""),
            ("product", text_of(story.result("products").get("title")) or ""),
            ("amount", str(order.total)),
            # As sent, not as shown: letters that only look like others stand out.
            ("host", httpx.URL(order.checkout_url).netloc.decode("ascii")),
            ("session", started.session if started else ""),
        ]
    )
