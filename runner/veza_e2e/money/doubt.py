"""Orders that were asked for and never answered: whether one may exist, by the account's list of orders."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, urlsplit

from veza_e2e.canonical import JSON
from veza_e2e.journal import Line
from veza_e2e.journal.events import CallFinished, CallIntended
from veza_e2e.journal.story import Story, text_of
from veza_e2e.money.order_account import RETRIES, UNPAID

NOTHING_DONE: Final = frozenset({400, 401, 403, 404, 405, 409, 415, 422, 423, 429})
"""Answers that say that a write was not carried out."""
CARRIED_OUT: Final = timedelta(minutes=5)
"""How long a backend, or the processor behind it, may still be at a request whose answer was lost."""
_OVER: Final = UNPAID | {"refunded"}
"""States of an order that takes no money any more."""


def in_doubt_since(story: Story) -> datetime | None:
    """Return when an order was asked for that may exist; None if each request was answered, or denied by a list.

    A list of the account's orders denies a request if it was read late enough, to its end, and holds no order that
    may be the one. What a list leaves out about an order is unknown, and settles nothing.
    """
    doubts: dict[int, Line] = {}
    suspects: list[Mapping[str, JSON]] = []
    product = text_of(story.result("products").get("product_id"))
    for line in story.lines:
        event = line.event
        if isinstance(event, CallIntended) and event.operation == "createOrder":
            doubts[event.call] = line
        elif not isinstance(event, CallFinished):
            continue
        elif event.operation == "createOrder" and event.status in NOTHING_DONE:
            doubts.pop(event.call, None)
        elif event.operation == "listOrders":
            page = _Page(event)
            suspects = page.orders if page.first else [*suspects, *page.orders]
            for call, asked in list(doubts.items()):
                late = _at(line) - _at(asked) >= CARRIED_OUT
                if late and page.ends(_at(asked)) and not any(may_be(one, _at(asked), product) for one in suspects):
                    del doubts[call]
    return next((_at(line) for line in doubts.values()), None)


def may_be(order: Mapping[str, JSON], asked_at: datetime, product: str | None) -> bool:
    """Whether an order of the list may be one that was asked for then, and can hold money."""
    if order.get("status") in _OVER or _made_before(order, asked_at - RETRIES):
        return False
    items = order.get("items")
    named = (
        [one.get("product_id") for one in items if isinstance(one, Mapping)] if isinstance(items, list | tuple) else []
    )
    return product is None or not named or None in named or product in {str(one) for one in named}


def _made_before(order: Mapping[str, JSON], moment: datetime) -> bool:
    told = order.get("created_at")
    try:
        made = datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return False
    return made is not None and made.tzinfo is not None and made < moment


class _Page:
    """A page of the account's orders, as far as it can be read."""

    def __init__(self, event: CallFinished) -> None:
        body = event.response_body.get("json") if event.status == 200 and event.response_body else None  # noqa: PLR2004
        told: Mapping[str, JSON] = body if isinstance(body, Mapping) else {}
        data, meta = told.get("data"), told.get("meta")
        number = parse_qs(urlsplit(event.url).query).get("page", ["1"])[0]
        whole = (data is None and "data" in told) or isinstance(data, list | tuple)
        self.orders = [one for one in data if isinstance(one, Mapping)] if isinstance(data, list | tuple) else []
        self.first = number == "1"
        pages = meta.get("total_pages") if isinstance(meta, Mapping) else None
        # Where nothing is on a page, its counts are left out.
        self._last = whole and (str(pages) == number or (not self.orders and not pages))

    def ends(self, asked_at: datetime) -> bool:
        """Whether no order that was asked for then can follow: the newest stand first."""
        old = bool(self.orders) and all(_made_before(one, asked_at - RETRIES) for one in self.orders)
        return self._last or old


def _at(line: Line) -> datetime:
    return datetime.fromisoformat(line.at)
