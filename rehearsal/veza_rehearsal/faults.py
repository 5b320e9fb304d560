"""The fault switches, which inject every known failure on purpose."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from veza_rehearsal.database import Database


class Argument(StrEnum):
    """The argument after a switch's name."""

    NONE = "none"
    COUNT = "count"
    SECONDS = "seconds"
    OPTIONAL_SECONDS = "optional seconds"
    PERCENT = "percent"
    CENTS = "cents"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class Switch:
    """One kind of fault.

    Attributes:
        description: What happens while the switch is on.
        argument: What follows the name, after `=`.
    """

    description: str
    argument: Argument = Argument.NONE


FAULTS: Final[Mapping[str, Switch]] = {
    "webhook_delay": Switch("The processor's webhooks arrive SECONDS late.", Argument.SECONDS),
    "webhook_lost": Switch("Webhooks that fall due while the switch is on are never delivered."),
    "webhook_duplicate": Switch("Each webhook is delivered twice, with the same event id."),
    "webhook_out_of_order": Switch(
        "After each webhook of a success comes another one with an older `updated` and the state before it.",
    ),
    "webhook_bad_signature": Switch("Webhooks are signed with a wrong key: the shop answers 401 and changes nothing."),
    "checkout_expired": Switch("A payment link has expired as soon as it is made."),
    "order_completion_crash": Switch("The shop answers 500 to the webhook of a paid payment; the order stays pending."),
    "license_not_granted": Switch("A completed order grants no license."),
    "partial_capture": Switch("The processor captures half of the amount; the shop completes the order all the same."),
    "refund_pending": Switch("A refund stays pending until the switch is taken away, or 3 days have passed."),
    "refund_fails": Switch("The processor refuses the refund: the order is completed again, its refund failed."),
    "refund_fails_late": Switch(
        "SECONDS (default 2) after the order was first read as refunded, the refund fails after all.",
        Argument.OPTIONAL_SECONDS,
    ),
    "license_not_revoked": Switch("A refunded order leaves its licenses active."),
    "transfer_missing": Switch("A completed order books no seller transfer."),
    "transfer_not_reversed": Switch("A refunded order leaves its seller transfers as they are."),
    "seller_balance_low": Switch("The reversal of a transfer is refused: the seller's balance is too low."),
    "currency_mismatch": Switch("An order is made out in another currency than its products' (USD for EUR, else EUR)."),
    "vat_added": Switch("PERCENT of VAT are added to the listed price.", Argument.PERCENT),
    "jwt_ttl": Switch("Access tokens last SECONDS.", Argument.SECONDS),
    "three_ds": Switch("Every card opens a 3-D Secure challenge."),
    "three_ds_abandon": Switch("Every card opens a 3-D Secure challenge that nobody can answer."),
    "processor_mode_mismatch": Switch(
        "`/status` reports the processor's other mode: sandbox on live, live on sandbox."
    ),
    "hyperswitch_disabled": Switch("`/status` reports the processor as disabled, and orders answer 503."),
    "rate_limit": Switch("N API requests a minute for an address; then 429 with Retry-After.", Argument.COUNT),
    "login_limit": Switch("N logins in 15 minutes; then 429 with Retry-After.", Argument.COUNT),
    "account_lock": Switch("N wrong passwords in a row lock the account for 15 minutes (423).", Argument.COUNT),
    "server_error": Switch("The next N API requests answer 500 and do nothing.", Argument.COUNT),
    "drop_connection": Switch("The next N API requests are dropped before anything is done.", Argument.COUNT),
    "drop_after_commit": Switch("The Nth order or refund is committed, its answer dropped.", Argument.COUNT),
    "slow": Switch("Each API request waits SECONDS before it is carried out.", Argument.SECONDS),
    "garbage": Switch("The next N API requests are carried out and answer invalid JSON.", Argument.COUNT),
    "dispute_opened": Switch("A paid order is disputed in the same moment."),
    "second_payment": Switch(
        "A payment is declined, and the retry makes a second one that is charged; the order names the second.",
    ),
    "double_capture": Switch("The card is charged twice, by two payments of the order; the order names the first."),
    "processor_status": Switch(
        "The processor's API reports STATUS, any word, for a payment that was charged; the order completes.",
        Argument.STATUS,
    ),
    "processor_key_rejected": Switch("The processor's API answers 401 to every key."),
    "refund_lost_at_backend": Switch("A refund is carried out by the processor, the shop answers 500 and forgets it."),
    "processor_refund_lag": Switch(
        "The processor's API reports a refund as pending for SECONDS; the order says refunded at once.",
        Argument.SECONDS,
    ),
    "transfer_late": Switch("The seller transfer is booked SECONDS after the completion.", Argument.SECONDS),
    "reversal_late": Switch("The seller transfer is reversed SECONDS after the refund.", Argument.SECONDS),
    "partial_refund_untold": Switch(
        "CENTS less than the total come back; the order says refunded, and not how much.", Argument.CENTS
    ),
    "tax_inclusive": Switch("The list price includes PERCENT of tax, which the order tells.", Argument.PERCENT),
    "net_amount": Switch("The processor charges CENTS more than the amount, and reports that.", Argument.CENTS),
    "wrong_seller": Switch("The transfer is booked to another seller than the product's."),
    "async_method": Switch(
        "A payment stays processing for SECONDS after the checkout, then it is charged.", Argument.SECONDS
    ),
    "dispute_after_refund": Switch(
        "SECONDS (default 2) after the order was first read as refunded, a dispute is opened.",
        Argument.OPTIONAL_SECONDS,
    ),
    "dialect_2025": Switch("Answers take the forms of the public Go backend of July 2025; ids in bodies are integers."),
    "no_idempotency": Switch("`Idempotency-Key` is ignored, as a backend does that does not know it."),
}
"""Every switch by name."""

_FAULT: Final = re.compile(r"(?P<name>[a-z_0-9]+)(?:=(?P<value>[a-z0-9_.]+)(?:@(?P<target>[A-Za-z]+))?)?")
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_BARE: Final = frozenset({Argument.NONE, Argument.OPTIONAL_SECONDS})
_WHOLE: Final = frozenset({Argument.COUNT, Argument.CENTS})
_LIMIT: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Fault:
    """A switch with its argument.

    Attributes:
        name: A key of `FAULTS`.
        value: Its argument (a count, seconds, percent or cents), if it has one.
        target: The only operationId that a count applies to; None means all.
        word: Its argument, if that is a word.
    """

    name: str
    value: Decimal | None = None
    target: str | None = None
    word: str | None = None

    def __str__(self) -> str:
        """Write the switch as it is typed."""
        argument = self.value if self.word is None else self.word
        if argument is None:
            return self.name
        return f"{self.name}={argument}" + (f"@{self.target}" if self.target else "")


def parse_fault(text: str) -> Fault:
    """Read a switch, such as `webhook_delay=2`, `three_ds` or `server_error=1@createOrder`.

    Args:
        text: The switch. A count may name the operationId that it applies to.

    Returns:
        The switch.

    Raises:
        ValueError: The name is unknown, or the argument is missing, superfluous or of the wrong kind.
    """
    match = _FAULT.fullmatch(text)
    if match is None or match["name"] not in FAULTS:
        name = text.partition("=")[0]
        reason = "its argument cannot be read" if name in FAULTS else f"the switches are {', '.join(FAULTS)}"
        raise ValueError(f"no fault switch {text!r}: {reason}")
    name, value, target = match["name"], match["value"], match["target"]
    kind = FAULTS[name].argument
    if kind is Argument.NONE and value is not None:
        raise ValueError(f"fault switch {name} takes no argument, but was given {text!r}")
    if value is None and kind not in _BARE:
        example = "conflicted" if kind is Argument.STATUS else "2"
        raise ValueError(f"fault switch {name} needs its {kind}, as in {name}={example}")
    if target is not None and kind is not Argument.COUNT:
        raise ValueError(f"fault switch {name} concerns every operation, but was given {text!r}")
    if value is None:
        return Fault(name)
    if kind is Argument.STATUS:
        if not _WORD.fullmatch(value):
            raise ValueError(f"fault switch {name} takes a status in small letters, but was given {text!r}")
        return Fault(name, word=value)
    return Fault(name, _number(kind, name, value, text), target)


def _number(kind: Argument, name: str, value: str, text: str) -> Decimal:
    if not _NUMBER.fullmatch(value):
        raise ValueError(f"no fault switch {text!r}: its argument is not a number")
    if kind in _WHOLE and (not value.isdecimal() or int(value) < 1):
        raise ValueError(f"fault switch {name} counts from 1, but was given {text!r}")
    if Decimal(value) > _LIMIT:
        raise ValueError(f"fault switch {name} goes up to {_LIMIT}, but was given {text!r}")
    return Decimal(value)


class FaultBoard:
    """The switches that are on, stored in the database, so that they survive a restart.

    Args:
        database: Stores them.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._on: dict[str, tuple[Fault, int]] = {}
        for row in database.all("SELECT text, remaining FROM faults ORDER BY text"):
            fault = parse_fault(row["text"])
            self._on[fault.name] = (fault, row["remaining"])

    def replace(self, faults: Iterable[Fault]) -> None:
        """Turn on only these switches. A count that was on with the same argument keeps its remainder."""
        wanted = {fault.name: fault for fault in faults}
        self._on = {
            name: self._on[name] if name in self._on and self._on[name][0] == fault else (fault, _start(fault))
            for name, fault in wanted.items()
        }
        with self._database.transaction():
            self._database.run("DELETE FROM faults")
            for fault, remaining in self._on.values():
                self._database.run("INSERT INTO faults (text, remaining) VALUES (?, ?)", str(fault), remaining)

    def listed(self) -> list[dict[str, object]]:
        """Return the switches that are on, with the remainder of their counts."""
        return [
            {"fault": str(fault), "remaining": remaining}
            if FAULTS[name].argument is Argument.COUNT
            else {"fault": name}
            if fault.value is None and fault.word is None
            else {"fault": str(fault)}
            for name, (fault, remaining) in sorted(self._on.items())
        ]

    def on(self, name: str) -> bool:
        """Whether the switch is on."""
        return name in self._on

    def value(self, name: str) -> Decimal | None:
        """Return the switch's argument; None if it is off or has none."""
        entry = self._on.get(name)
        return entry[0].value if entry else None

    def cents(self, name: str) -> int:
        """Return the switch's argument as a whole number; 0 if it is off."""
        return int(self.value(name) or 0)

    def word(self, name: str) -> str | None:
        """Return the switch's argument if it is a word; None if it is off."""
        entry = self._on.get(name)
        return entry[0].word if entry else None

    def take(self, name: str, operation: str) -> bool:
        """Use up one of a count; return whether one was left for this operation."""
        return self._count(name, operation) is not None

    def strikes(self, name: str, operation: str) -> bool:
        """Use up one of a count; return whether it was the last."""
        return self._count(name, operation) == 0

    def _count(self, name: str, operation: str) -> int | None:
        fault, remaining = self._on.get(name, (None, 0))
        if fault is None or remaining < 1 or fault.target not in {None, operation}:
            return None
        self._on[name] = (fault, remaining - 1)
        with self._database.transaction():
            self._database.run("UPDATE faults SET remaining = ? WHERE text = ?", remaining - 1, str(fault))
        return remaining - 1


def _start(fault: Fault) -> int:
    counts = FAULTS[fault.name].argument is Argument.COUNT and fault.value is not None
    return int(fault.value) if counts and fault.value is not None else 0
