"""Serves the processor's checkout page, the bank's 3-D Secure page, and the shop's page after payment."""

from __future__ import annotations

import hmac
import re
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from veza_rehearsal.cards import CHALLENGED, DECLINED, SUCCEEDS, read_card
from veza_rehearsal.clock import moment
from veza_rehearsal.processor_views import ATTEMPTS, MERCHANT, retryable
from veza_rehearsal.states import CAPTURED, PaymentStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    import jinja2
    from starlette.requests import Request

    from veza_rehearsal.backend import Backend
    from veza_rehearsal.database import Row

_PAGE: Final = "/hyperswitch/payment_link/{merchant}/{payment_id}"
_ASSETS: Final = {"checkout.css": "text/css", "checkout.js": "text/javascript"}
_NO_DECIMALS: Final = frozenset({"JPY", "KRW", "CLP", "ISK", "VND", "XAF", "XOF"})
_LARGEST_FORM: Final = 16 << 10
_HINTS: Final = (
    (SUCCEEDS, "is charged"),
    (DECLINED, "is declined"),
    (CHALLENGED, "asks for 3-D Secure"),
)


class Checkout:
    """Serves the pages that a buyer sees.

    Args:
        backend: The backend.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._processor = backend.processor

    def routes(self) -> list[Route]:
        """Return the pages' routes."""
        return [
            Route(_PAGE, self._show, methods=["GET"]),
            Route(_PAGE, self._pay, methods=["POST"]),
            Route(f"{_PAGE}/3ds", self._challenge, methods=["POST"]),
            Route(f"{_PAGE}/cancel", self._cancel, methods=["POST"]),
            Route("/hyperswitch/checkout", self._by_secret, methods=["GET"]),
            Route("/hyperswitch/assets/{name}", self._asset, methods=["GET"]),
            Route("/shop/return", self._return, methods=["GET"]),
        ]

    @cached_property
    def _templates(self) -> jinja2.Environment:
        import jinja2  # noqa: PLC0415 - most runs of the backend never show a page

        loader = jinja2.PackageLoader("veza_rehearsal")
        return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)

    async def _show(self, request: Request) -> Response:
        await self._backend.outbox.catch_up()
        payment = self._payment(request)
        return self._missing() if payment is None else self._page(payment)

    async def _pay(self, request: Request) -> Response:
        await self._backend.outbox.catch_up()
        payment = self._payment(request)
        if payment is None:
            return self._missing()
        form = await _form(request)
        # A page from before another attempt has an old number: show it again instead of charging.
        if not retryable(payment) or form.get("attempt") != str(payment["attempts"]):
            return self._onward(payment)
        verdict, problems = read_card(form, self._backend.clock.now())
        if verdict is None:
            return self._page(payment, problems)
        with self._backend.database.transaction():
            payment = self._backend.retries.attempt(payment, verdict)
        await self._backend.outbox.catch_up()
        return self._onward(payment)

    async def _challenge(self, request: Request) -> Response:
        payment = self._payment(request)
        if payment is None:
            return self._missing()
        outcome = (await _form(request)).get("outcome")
        if outcome in {"complete", "reject"}:
            with self._backend.database.transaction():
                payment = self._backend.retries.challenge(payment, completed=outcome == "complete")
            await self._backend.outbox.catch_up()
        return self._onward(payment)

    async def _cancel(self, request: Request) -> Response:
        payment = self._payment(request)
        if payment is None:
            return self._missing()
        with self._backend.database.transaction():
            payment = self._processor.cancel(payment)
        await self._backend.outbox.catch_up()
        return RedirectResponse(_return_url(payment), 303)

    async def _by_secret(self, request: Request) -> Response:
        # Stands for the checkout page of a shop that hands out client secrets.
        secret = request.query_params.get("client_secret", "")
        payment = self._processor.find_payment(_plain(secret.partition("_secret_")[0]))
        if payment is None or not hmac.compare_digest(
            payment["client_secret"].encode(), secret.encode("utf-8", "replace")
        ):
            return self._missing()
        return RedirectResponse(self._processor.link(payment), 303)

    async def _return(self, request: Request) -> Response:
        payment = self._processor.find_payment(_plain(request.query_params.get("payment_id", "")))
        reported = payment["status"] if payment else "unknown"
        state = "paid" if reported in CAPTURED else "processing" if reported == PaymentStatus.PROCESSING else "unpaid"
        return self._render("return.html.j2", 200, "'self'", state=state, reported=reported)

    async def _asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _ASSETS:
            return self._missing()
        text = files("veza_rehearsal").joinpath("templates", name).read_text("utf-8")
        return Response(text, media_type=_ASSETS[name], headers={"Cache-Control": "no-cache"})

    def _payment(self, request: Request) -> Row | None:
        if request.path_params["merchant"] != MERCHANT:
            return None
        return self._processor.find_payment(_plain(request.path_params["payment_id"]))

    def _onward(self, payment: Row) -> Response:
        paid = payment["status"] in CAPTURED or payment["status"] == PaymentStatus.PROCESSING
        return RedirectResponse(_return_url(payment) if paid else self._processor.link(payment), 303)

    def _page(self, payment: Row, problems: Mapping[str, str] | None = None) -> Response:
        left = (moment(payment["expires_on"]) - self._backend.clock.now()).total_seconds()
        back = urlsplit(payment["return_url"])
        return self._render(
            "checkout.html.j2",
            200,
            # Chromium applies form-action to the redirect after a form too, so it includes the shop's origin.
            f"'self' {back.scheme}://{back.netloc}" if re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", back.netloc) else "'self'",
            state=self._state(payment),
            payment=payment,
            amount=_amount(payment["amount"], payment["currency"]),
            tax=_amount(payment["tax"], payment["currency"]) if payment["tax"] else None,
            link=urlsplit(self._processor.link(payment)).path,
            return_url=_return_url(payment),
            problems=problems or {},
            seconds_left=max(0, int(left)),
            attempts_left=ATTEMPTS - payment["attempts"],
            hints=[(" ".join(re.findall("....", number)), outcome) for number, outcome in _HINTS],
        )

    def _state(self, payment: Row) -> str:
        if payment["status"] == PaymentStatus.REQUIRES_CUSTOMER_ACTION:
            return "challenge_stuck" if self._backend.faults.on("three_ds_abandon") else "challenge"
        if retryable(payment):
            return "declined" if payment["status"] == PaymentStatus.FAILED else "open"
        return "paid" if payment["status"] in CAPTURED else str(payment["status"])

    def _missing(self) -> Response:
        return self._render("missing.html.j2", 404, "'none'")

    def _render(self, template: str, code: int, form_action: str, **values: object) -> Response:
        policy = (
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
            f"form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
        )
        headers = {
            "Content-Security-Policy": policy,
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        html = self._templates.get_template(template).render(**values)
        return Response(html, code, headers, media_type="text/html")


def _amount(minor: int, currency: str) -> str:
    if currency in _NO_DECIMALS:
        return f"{minor} {currency}"
    return f"{minor // 100}.{minor % 100:02d} {currency}"


def _return_url(payment: Row) -> str:
    # Hyperswitch adds the payment's id and status to the shop's own query.
    parts = urlsplit(payment["return_url"])
    query = [*parse_qsl(parts.query), ("payment_id", payment["payment_id"]), ("status", payment["status"])]
    return urlunsplit(parts._replace(query=urlencode(query)))


def _plain(identifier: str) -> str:
    # An invalid id never reaches the database, since PostgreSQL refuses NUL in a text.
    return identifier if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", identifier) else ""


async def _form(request: Request) -> dict[str, str]:
    raw = await request.body()
    if len(raw) > _LARGEST_FORM:
        return {}
    return {name: values[0] for name, values in parse_qs(raw.decode("utf-8", "replace"), max_num_fields=50).items()}
