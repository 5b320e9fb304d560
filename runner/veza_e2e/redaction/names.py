"""Lists the names whose values may be shown, and the names that hold secrets.

An allow-list: the value of a name in no table is withheld. A test compares the tables with the contract.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, TypeAlias


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CONTRACT = _words(
    """
    access_token all_devices amount_cents avatar_url buyer_id checkout_url code completed_at created_at currency
    data details disabled email enabled environment error error_code expires_in granted_at id items last_login
    license_type license_types message meta mode order order_id page password payment_id payment_status per_page
    price_cents product_id refresh_token refund refund_id refund_status refunded_amount_cents refunded_at
    remember_me request_id revoked_at reason reset_time retry_after_seconds role seller_id services status success
    tax_amount_cents timestamp title token_type total total_amount_cents total_pages updated_at user username
    version
    """
)
"""Every property of the contract's schemas. Those that name a secret or a person are still not shown."""

_BESIDE = _words(
    """
    amount amount_capturable amount_received attempt_count attempts capture_method connector created error_message
    error_reason expires_on hyperswitch link merchant_id modified_at net_amount order_tax_amount payment_link
    payment_link_id processor_merchant_id profile_id refund_amount refunds return_url type updated
    active books charges licenses orders payments revoked transfers
    amount_reversed error_message line_id platform_fee_cents processed reversed reversed_amount_cents reversed_at
    stripe_account_id stripe_reversal_id stripe_transfer_id transfer_currency transfer_id unexplained unexplained_cents
    limit price product products tax_amount total_amount discount_cents healthy database event_id event_type row_count
    refunded_amount license_status merchant_order_reference_id
    """
)
"""Names that the walkthrough reads from the processor, the rehearsal books and seller_transfers."""

ALLOWED = (CONTRACT | _BESIDE) - {"access_token", "refresh_token", "password", "email", "username"}

EVERYDAY = ALLOWED | _words(
    """
    login logout products order pay completed license transfers refund revoked passed failed skipped pending
    incomplete refused met not_met not_checked not_applicable equal differs untouched charged returned unknown
    rehearsal staging sandbox production prod live test real development local other
    operator script pasted backend processor bank person succeeded processing cancelled canceled expired refunded
    partial partially_refunded requires_payment_method requires_customer_action requires_capture partially_captured
    created reversed transfer reversal completion preflight dry_run order_completed amount_matches license_granted
    transfer_booked refund_completed license_revoked bank_statement credit charge-dropped nothing basic premium
    exclusive veza password secret token admin demo hyperswitch stripe
    """
)
"""Words that stand in every record: names, steps, states, environments. No search for a secret may withhold them."""

QUERY = _words(
    "page limit status order_id product_id payment_id refund_id license_type force_sync per_page sort starting_after"
)

HEADERS = _words(
    """
    accept allow content-type date idempotency-key location retry-after www-authenticate x-ratelimit-limit
    x-ratelimit-remaining x-ratelimit-reset x-request-id x-veza-rehearsal
    """
)

SECRET_HEADERS = {
    "api-key": "api_key",
    "x-api-key": "api_key",
    "x-csrf-token": "csrf_token",
    "x-xsrf-token": "csrf_token",
    "x-webhook-signature-512": "signature",
}

Class: TypeAlias = Literal["verbatim", "allowed", "secret", "email", "withheld"]

_VERBATIM = re.compile(
    r"id|.*_(id|cents|at|status|currency)|(net_|total_|tax_|order_tax_|refund_|refunded_)?amount(_[a-z]+)?|price|total"
    r"|unexplained|status|currency|created|updated|expires_on|license_types?|row_count"
)
"""Ids, amounts, currencies, statuses and times: what the walkthrough decides by."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_KINDS = (
    ("csrf_token", re.compile(r"csrf|xsrf")),
    ("refresh_token", re.compile(r"refresh.?token")),
    ("access_token", re.compile(r"access.?token|^token$|^jwt$|bearer")),
    ("client_secret", re.compile(r"client.?secret")),
    ("password", re.compile(r"passw(or)?d|passphrase|^pass$|^pwd$")),
    ("api_key", re.compile(r"api.?key|publishable.?key|private.?key")),
    ("card_number", re.compile(r"card.?number|^pan$")),
    ("card_cvc", re.compile(r"cvc|cvv|security.?code")),
    ("card_expiry", re.compile(r"exp(iry|iration)?.?(month|year|date)|^expiry$|card.?exp")),
    ("cookie", re.compile(r"cookie|^session.?(id|token|key)$")),
    ("authorization", re.compile(r"authorization|credential")),
    ("signature", re.compile(r"signature")),
    ("dsn", re.compile(r"^dsn$|database.?url")),
    ("secret", re.compile(r"secret|token|^otp$|one.?time")),
)


@lru_cache(maxsize=4096)
def verbatim(name: str) -> bool:
    """Whether a member of this name is an id, an amount, a currency, a status or a time.

    A request id is chosen by whoever sends it, and nothing is decided by it.
    """
    return name != "request_id" and _VERBATIM.fullmatch(name) is not None


_SHAPES = (
    (re.compile(r".*_at|created|updated|expires_on"), re.compile(r"[0-9TZtz:.+\- ]{0,40}")),
    (
        re.compile(r".*_cents|.*amount.*|price|total|unexplained|row_count"),
        re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,9})?(?:[eE][+-]?[0-9]{1,3})?"),
    ),
    (re.compile(r"(.*_)?currency"), re.compile(r"[A-Za-z]{0,8}")),
    (re.compile(r"(.*_)?status|license_types?"), re.compile(r"[A-Za-z0-9_ \-]{0,64}")),
    (re.compile(r".*"), re.compile(r"\S{0,200}")),
)
"""What a value looks like, by its name: times, amounts, currencies, statuses; then ids."""


@lru_cache(maxsize=4096)
def _shape(name: str) -> re.Pattern[str]:
    return next(shape for named, shape in _SHAPES if named.fullmatch(name))


def shaped(name: str, value: str) -> bool:
    """Whether a value looks as one of this name does. If it does not, it is a text like any other."""
    return _shape(name).fullmatch(value) is not None


@lru_cache(maxsize=4096)
def classify(name: str) -> tuple[Class, str]:
    """Return the class of a member, field or parameter name, and the kind if it is a secret."""
    plain = _CAMEL.sub("_", name).lower().replace("-", "_")
    if plain in ALLOWED:
        return "verbatim" if verbatim(plain) else "allowed", ""
    if plain in {"email", "e_mail", "email_address", "login"}:
        return "email", ""
    for kind, pattern in _KINDS:
        if pattern.search(plain):
            return "secret", kind
    return "withheld", ""
