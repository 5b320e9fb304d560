"""Step 4: lets the operator pay on the processor's page."""

from __future__ import annotations

import httpx

from veza import OrderStatus
from veza.money import Money
from veza_e2e.journal.findings import FindingCode
from veza_e2e.steps.checkout_page import moved_on, open_page, operator_pays, ran_out, refuse_dead_link
from veza_e2e.steps.context import Context
from veza_e2e.steps.results import Payment, PlacedOrder
from veza_e2e.steps.step import Failed, step


@step("pay", Payment)
def pay(context: Context, order: PlacedOrder) -> Payment:
    """Open the checkout page; wait until the operator confirms, or the order moves on."""
    now = context.wait(lambda: context.api.orders.get(order.order_id), lambda _: True, timeout=context.options.grace)
    if now.status is not OrderStatus.PENDING_PAYMENT:
        return moved_on(context, now)
    if ran_out(context):
        refuse_dead_link(context, order)
    _check_host(context, order)
    if context.options.live:
        _type_amount(context, order)
    open_page(context, order)
    return operator_pays(context, order)


def _check_host(context: Context, order: PlacedOrder) -> None:
    hosts = context.options.checkout_hosts
    try:
        url = httpx.URL(order.checkout_url or "about:blank")
    except (httpx.InvalidURL, ValueError) as error:
        raise Failed(
            FindingCode.UNEXPECTED_CHECKOUT,
            f"the checkout address is not a valid URL: {type(error).__name__}",
            meaning=context.account().said,
            todo="Report it to the backend's makers; the order expires unpaid.",
        ) from error
    local = context.options.loopback and url.host == context.options.backend_host
    secure = url.scheme == "https" or (url.scheme == "http" and local)
    if not secure or not url.host or url.userinfo or (hosts and url.host not in hosts):
        raise Failed(
            FindingCode.UNEXPECTED_CHECKOUT,
            f"the checkout page is at {url.scheme}://{url.host}, which is not among checkout_hosts: {', '.join(hosts)}",
            meaning=context.account().said,
            todo="Do not open it. If the address is right, add its host to checkout_hosts of the environment.",
        )


def _type_amount(context: Context, order: PlacedOrder) -> None:
    total = order.total

    def accept(answer: str) -> str | None:
        try:
            typed = Money.parse(answer.upper())
        except ValueError:
            return f"{answer!r:.40} is not an amount with its currency."
        return None if typed == total else f"{typed} is not the order's total of {total}."

    context.ask("amount", f"Your card will be charged {total}. Type the amount and currency to go on", accept)
