"""Answers that the contract allows, made from a backend's own: odd ids, cookies, headers, extra members; by a seed."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

from meddling import Answer

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:pay|ref|tr|acct|trr)_[A-Za-z0-9]{8,}")
_ORDER = re.compile(r'"id": ?"([^"]+)", ?"buyer_id"')
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_NAMES = (
    "access_token", "refresh_token", "csrf_token", "csrf_mode", "client_secret", "password", "api_key", "session_id",
    "secret", "token", "last_order", "currency", "visits", "state", "theme", "cart", "cvc", "card_number", "email",
)  # fmt: skip
_WORDS = (
    "active",
    "EUR",
    "eur",
    "500",
    "450",
    "50",
    "0",
    "completed",
    "pending_payment",
    "revoked",
    "standard",
    "true",
)


class AnyAnswers:
    """Changes every answer of a backend, and says which odd id stands for which of the backend's own."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.renamed: dict[str, str] = {}
        """The odd id by the backend's own."""
        self.answers = 0

    def out(self, text: str) -> str:
        """Replace the backend's ids in what it says. An order's id must be one that may stand in SQL."""
        for own in _ORDER.findall(text):
            self.renamed.setdefault(own, self._random.choice((own, self._card())))
        return _ID.sub(lambda found: self._odd(found[0]), text)

    def back(self, text: str) -> str:
        """Replace the odd ids in what it is asked."""
        for own, odd in self.renamed.items():
            text = text.replace(odd, own)
        return text

    def _odd(self, own: str) -> str:
        if own not in self.renamed:
            tail = "".join(self._random.choices(_LETTERS, k=20))
            shapes = (
                f"prd_{tail}", f"sk_live_{tail}", f"x_secret_y{tail}", f"eyJ{tail}",
                self._card(), f"password-{tail}", tail, own, f"{tail}_token",
            )  # fmt: skip
            self.renamed[own] = self._random.choice(shapes)
        return self.renamed[own]

    def _card(self) -> str:
        """An 18-digit number with the check digit of a card number."""
        digits = "4" + "".join(self._random.choices("0123456789", k=16))
        total = sum(
            sum(divmod(int(digit) * (2 if place % 2 == 0 else 1), 10)) for place, digit in enumerate(reversed(digits))
        )
        return f"{digits}{-total % 10}"

    def __call__(self, answer: Answer) -> None:
        """Put cookies, headers and members into an answer."""
        self.answers += 1
        draw = self._random
        if answer.path.startswith("/rehearsal"):
            return
        values = [*_WORDS, *self.renamed.values(), "".join(draw.choices(_LETTERS, k=draw.choice((3, 9, 20, 40))))]
        for _ in range(draw.randrange(3)):
            answer.cookies.append(f"{draw.choice(_NAMES)}={draw.choice(values)}; Path=/")
        if draw.random() < 0.3:
            answer.headers.append((draw.choice(("X-CSRF-Token", "X-Api-Key", "X-Trace", "ETag")), draw.choice(values)))
        if answer.path.startswith("/api"):
            for place in _objects(answer.body):
                for name in draw.sample(_NAMES, k=draw.randrange(3)):
                    place.setdefault(f"x_{name}" if name in {"currency", "email"} else name, draw.choice(values))


def _objects(body: Any) -> Iterator[dict[str, Any]]:
    """Iterate over the objects of an answer whose schemas allow more members: all but maps of names and logins."""
    if isinstance(body, list):
        for item in body:
            yield from _objects(item)
    elif isinstance(body, dict):
        for name, item in body.items():
            if name not in {"services", "details"}:
                yield from _objects(item)
        if "access_token" not in body:
            yield body
