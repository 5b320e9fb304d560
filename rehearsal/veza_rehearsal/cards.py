"""Checks card forms, and decides what happens to each test card."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

SUCCEEDS: Final = "4242424242424242"
"""A card that is charged at once."""

DECLINED: Final = "4000000000000002"
"""A card that is always declined."""

CHALLENGED: Final = "4000003800000446"
"""A card that opens a 3-D Secure challenge."""

_SUCCEED: Final = frozenset({SUCCEEDS, "4111111111111111"})
_EXPIRY: Final = re.compile(r"\s*(?P<month>\d{1,2})\s*[/\- ]?\s*(?:20)?(?P<year>\d{2})\s*")
_CVC: Final = re.compile(r"\d{3,4}")
_NUMBER: Final = re.compile(r"\d{12,19}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happens to a card.

    Attributes:
        card: What may be stored of it, as JSON: the last four digits and the network.
        error: Code and text of the decline, if it is declined.
        challenge: Whether it opens a 3-D Secure challenge.
    """

    card: str
    error: tuple[str, str] | None = None
    challenge: bool = False


def read_card(form: Mapping[str, str], now: datetime) -> tuple[Verdict | None, dict[str, str]]:
    """Check the card form.

    Args:
        form: `card_number`, `cvc`, and `expiry` (`MM/YY`) or `exp_month` and `exp_year`.
        now: The backend's time.

    Returns:
        The card's verdict, or None and what is wrong, by field.
    """
    number = re.sub(r"[\s-]", "", form.get("card_number", ""))
    expiry = form.get("expiry") or f"{form.get('exp_month', '')}/{form.get('exp_year', '')}"
    problems = {}
    if not number:
        problems["card_number"] = "Enter the card number."
    elif not _NUMBER.fullmatch(number) or not _luhn(number):
        problems["card_number"] = "This is not a card number; check its digits."
    problem = _expiry_problem(expiry, now)
    if problem:
        problems["expiry"] = problem
    if not _CVC.fullmatch(form.get("cvc", "").strip()):
        problems["cvc"] = "Enter the 3 or 4 digits of the security code."
    return (None, problems) if problems else (_verdict(number), {})


def _expiry_problem(expiry: str, now: datetime) -> str | None:
    match = _EXPIRY.fullmatch(expiry)
    if match is None:
        return "Enter the expiry date as MM/YY."
    month, year = int(match["month"]), 2000 + int(match["year"])
    if not 1 <= month <= 12:  # noqa: PLR2004 - months
        return "The month goes from 01 to 12."
    if (year, month) < (now.year, now.month):
        return "This card has expired."
    return None


def _verdict(number: str) -> Verdict:
    card = json.dumps({"last4": number[-4:], "card_network": _network(number)})
    if number in _SUCCEED:
        return Verdict(card)
    if number == CHALLENGED:
        return Verdict(card, challenge=True)
    if number == DECLINED:
        return Verdict(card, ("DC_01", "The card was declined by its bank."))
    return Verdict(card, ("DC_04", "Only the test cards are accepted here."))


def _network(number: str) -> str:
    return {"4": "Visa", "5": "Mastercard", "3": "AmericanExpress"}.get(number[0], "Unknown")


def _luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
