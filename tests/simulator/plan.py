"""What one history deviates in from a straight one, drawn from a seed.

A plan is data: shrinking a failing history sets one deviation after the other back to its straight value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from random import Random
from typing import Any

MINUTE, HOUR, DAY = 60, 3600, 86400
LATE = 24 * HOUR


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Each field's default is the straight value."""

    seed: int
    # The backend's dialect.
    ids: str = "uuid"
    absent: str = "null"
    extra: bool = False
    nanoseconds: bool = False
    money: str = "cents"
    currency_case: str = "upper"
    error_shape: int = 0
    payment_told: str = "created"
    services: str = "object"
    orders_list: str = "whole"
    payments_list: str = "whole"
    # The surroundings.
    live: bool = False
    dry_run: bool = True
    key: str = "good"
    ledger: str = "paste"
    honoured: bool = True
    token_ttl: int = HOUR
    login: str = "accepted"
    page: str = "hyperswitch"
    order_currency: str = ""
    order_of: str = "buyer"
    shelf: str = "full"
    echo: str = ""
    # The price.
    price: int = 500
    currency: str = "EUR"
    tax: str = "none"
    surcharge: int = 0
    # The buyer, the processor, and the backend.
    checkout: str = "pay"
    capture: str = "full"
    webhook: int = 2
    processor_status: str = ""
    metadata: str = "own"
    order_status: str = ""
    license: str = "granted"
    transfer: str = "booked"
    refund: str = "succeeds"
    refund_lag: int = 5
    revocation: str = "revoked"
    reversal: str = "reversed"
    dispute: str = ""
    again: str = ""
    foreign: str = ""
    # The operator.
    paste_format: str = "csv"
    paste: str = "good"
    mistake: str = ""
    bank: str = "credit"
    wander: str = ""
    second: str = ""
    gap: int = 5 * MINUTE
    # What breaks.
    network: tuple[tuple[int, str], ...] = ()
    processor_network: tuple[tuple[int, str], ...] = ()
    kills: tuple[int, ...] = ()
    disk_full: int = 0

    @property
    def deviations(self) -> dict[str, Any]:
        """The fields that are not straight."""
        return {f.name: getattr(self, f.name) for f in fields(self) if self._deviates(f.name, f.default)}

    def _deviates(self, name: str, straight: object) -> bool:
        return name != "seed" and getattr(self, name) != straight

    def having(self, name: str, value: Any) -> Plan:
        """This plan with another value of one field."""
        change: Any = {name: value}
        return replace(self, **change)

    def straightened(self, name: str) -> Plan:
        """This plan with one field at its straight value."""
        straight: Any = next(f.default for f in fields(self) if f.name == name)
        return self.having(name, straight)


DIALECT: Mapping[str, tuple[object, ...]] = {
    "ids": ("integer", "integer", "text", "nul"),
    "absent": ("omitted", "zero"),
    "extra": (True,),
    "nanoseconds": (True,),
    "money": ("decimal",),
    "currency_case": ("lower",),
    "error_shape": (1, 2, 3, 4),
    "payment_told": ("later",),
    "services": ("text",),
    "orders_list": ("no_items", "no_pages"),
    "payments_list": ("refused", "no_buyer"),
}
DEVIATIONS: Mapping[str, tuple[object, ...]] = {
    "key": ("none", "none", "rejected", "down", "revoked"),
    "ledger": ("connection", "connection", "skip", "broken", "empty"),
    "honoured": (False,),
    "token_ttl": (40,),
    "currency": ("USD", "JPY"),
    "login": ("refused", "locked"),
    "page": ("elsewhere",),
    "order_currency": ("USD",),
    "shelf": ("emptied",),
    "echo": ("password",),
    "tax": ("added", "inclusive", "untold"),
    "surcharge": (40,),
    "checkout": (
        "decline_then_pay", "decline", "leave", "challenge", "pay_twice", "early", "async", "watch", "late",
        "pay_and_close", "elsewhere",
    ),
    "capture": ("partial", "other_currency", "authorised"),
    "webhook": (150, 40 * MINUTE, 5 * HOUR, 20 * HOUR, -1),
    "processor_status": ("conflicted", "mystery", "processing", "failed"),
    "metadata": ("foreign",),
    "order_status": ("archived", "disputed", "refund_failed"),
    "license": ("late", "missing", "twice", "revoked"),
    "transfer": (
        "late", "very_late", "missing", "wrong_seller", "two_rows", "duplicate", "pending", "failed", "lower_case",
        "no_stripe_id", "odd_fee", "quoted_error", "other_currency", "cancelled_too",
    ),
    "refund": (
        "fails", "fails_late", "partial", "untold", "zero_told", "review", "lost_at_backend", "processor_lags",
        "processor_hides",
    ),
    "refund_lag": (90, 2 * HOUR, 3 * DAY),
    "revocation": ("late", "missing"),
    "reversal": ("late", "never", "refused"),
    "dispute": ("before_refund", "after_refund"),
    "again": ("captured",),
    "foreign": ("pending", "completed", "both"),
    "paste_format": ("aligned", "unaligned", "expanded", "tabs"),
    "paste": ("cut", "error", "nothing", "foreign", "doubted"),
    "mistake": ("wrong_number", "wrong_amount", "keep", "total_refused", "interrupt", "end_of_input", "quit"),
    "bank": ("charge-dropped", "wrong_amount", "nothing"),
    "wander": ("abandon", "abandon", "run", "show", "verify"),
    "second": ("run", "resume"),
    "gap": (3, HOUR, DAY + HOUR),
}  # fmt: skip
NETWORK = (
    "lost_before", "lost_after", "error_before", "error_after", "garbage", "limited", "limited_long", "conflict_after",
    "late_after",
)  # fmt: skip


TICKS, SYNCS = 320, 130
"""A straight run from its first tick and sync of the disk to its last (a test holds it to that), and a little more."""


def drawn(seed: int) -> Plan:
    """The plan of a seed."""
    chance = Random(seed)
    chosen: dict[str, Any] = {}
    if chance.random() < 0.5:
        for name in chance.sample(sorted(DIALECT), chance.randint(1, 4)):
            chosen[name] = chance.choice(DIALECT[name])
    for name in chance.sample(sorted(DEVIATIONS), chance.choice((0, 1, 1, 2, 2, 3, 4))):
        chosen[name] = chance.choice(DEVIATIONS[name])
    if chance.random() < 0.35:
        chosen["live"] = True
        chosen["dry_run"] = chance.random() < 0.5
    chosen["price"] = chance.choice((500, 500, 499, 990))
    if chance.random() < 0.12:
        chosen["wander"] = chance.choice(DEVIATIONS["wander"])
    if chance.random() < 0.3:
        chosen["network"] = tuple(
            (chance.randint(4, 30), chance.choice(NETWORK)) for _ in range(chance.choice((1, 1, 2)))
        )
    if chance.random() < 0.1:
        chosen["processor_network"] = ((chance.randint(0, 8), chance.choice(NETWORK)),)
    chosen |= _together(chance)
    return Plan(seed=seed, **chosen, **_machine(chance))


def _together(chance: Random) -> dict[str, Any]:
    """What matters only together, and would seldom be drawn so."""
    drawn_at = chance.random()
    if drawn_at < 0.04:
        how = ("lost_before", "lost_after", "error_after", "conflict_after", "late_after")
        return {
            "honoured": False, "network": ((chance.randint(6, 8), chance.choice(how)),),
            "key": chance.choice(("good", "none")), "foreign": chance.choice(("", "pending")),
            "checkout": chance.choice(("pay", "elsewhere")),
            "orders_list": chance.choice(("whole", "whole", "no_items", "no_pages")),
        }  # fmt: skip
    if drawn_at < 0.05:
        return {"tax": "added", "mistake": "total_refused"}
    if drawn_at < 0.06:
        return {"webhook": -1, "gap": DAY + HOUR}
    if drawn_at < 0.08:
        return {"honoured": False, "network": ((chance.randint(14, 24), chance.choice(("lost_before", "late_after"))),)}
    if drawn_at < 0.086:
        return {
            "honoured": False, "network": ((chance.randint(11, 14), chance.choice(("lost_after", "error_after"))),),
            "refund": "lost_at_backend", "refund_lag": chance.choice((2 * HOUR, 3 * DAY)), "gap": HOUR,
        }  # fmt: skip
    return {"order_of": chance.choice(("other_buyer", "other_product"))} if drawn_at < 0.09 else {}


def _machine(chance: Random) -> dict[str, Any]:
    """What befalls the machine itself: kills, and a full disk."""
    chosen: dict[str, Any] = {}
    if chance.random() < 0.06:
        chosen["disk_full"] = chance.randint(1, SYNCS)
    if chance.random() < 0.4:
        kills = [chance.randint(20, TICKS)]
        for _ in range(chance.choice((0, 0, 1, 2))):
            kills.append(kills[-1] + chance.randint(5, 160))
        chosen["kills"] = tuple(kills)
    return chosen
