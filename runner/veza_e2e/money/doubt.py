"""Orders that were asked for and never answered: whether one may exist, by the account's list of orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, urlsplit

from veza.models.paging import Meta
from veza_e2e.canonical import JSON
from veza_e2e.frozen import dataclass
from veza_e2e.journal.events import CallFinished, CallIntended
from veza_e2e.journal.story import Story, text_of
from veza_e2e.money.order_account import RETRIES, UNPAID

NOTHING_DONE: Final = frozenset({400, 401, 403, 404, 405, 409, 415, 422, 423, 429})
"""Answers that say that a write was not carried out."""
CONFLICT: Final = 409
"""May answer the repetition of a write that was carried out."""
SKEW: Final = timedelta(minutes=5)
"""How far two clocks may differ and still count as right."""
CARRIED_OUT: Final = timedelta(minutes=5)
"""How long a backend, or the processor behind it, may still be at a request whose answer was lost."""
_OVER: Final = UNPAID | {"refunded"}
"""States of an order that takes no money any more."""


def in_doubt_at(story: Story) -> datetime | None:
    """Return when an order was last asked for that may exist; None if each request was answered, or denied by a list.

    A list of the account's orders denies a request if it was read late enough, to its end, and holds no order that
    may be the one. What a list leaves out about an order is unknown, and settles nothing.
    """
    doubts: dict[int, _Asked] = {}
    suspects: list[Mapping[str, JSON]] = []
    product = text_of(story.result("products").get("product_id"))
    honoured = story.started is not None and story.started.idempotency
    told = NOTHING_DONE if story.started is None or story.started.walkthrough == "1" else NOTHING_DONE - {CONFLICT}
    for line in story.lines:
        event, at = line.event, datetime.fromisoformat(line.at)
        if isinstance(event, CallIntended) and event.operation == "createOrder":
            doubts[event.call] = _Asked(at, event.idempotency_key)
        elif not isinstance(event, CallFinished):
            continue
        elif event.operation == "createOrder" and event.call in doubts:
            if event.status in told:
                del doubts[event.call]
            elif event.status == CONFLICT:
                refused = doubts[event.call] = replace(doubts[event.call], refused=True)
                if honoured:
                    doubts = _without_twice_refused(doubts, refused.key)
        elif event.operation == "listOrders":
            page = _Page(event)
            suspects = page.orders if page.first else [*suspects, *page.orders]
            denied = [call for call, asked in doubts.items() if asked.denied(at, page, suspects, product)]
            doubts = {call: asked for call, asked in doubts.items() if call not in denied}
    return max((one.at for one in doubts.values()), default=None)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request for an order that nothing settled yet."""

    at: datetime
    key: str | None
    refused: bool = False
    """Whether it was answered by a conflict: nobody is at it any more, but an earlier try of it may have been done."""

    def denied(self, at: datetime, page: _Page, listed: Sequence[Mapping[str, JSON]], product: str | None) -> bool:
        """Whether the list that ends with this page denies that the order exists."""
        back = SKEW if self.refused else RETRIES
        if at - self.at < (timedelta() if self.refused else CARRIED_OUT) or not page.last:
            return False
        return not any(_may_be(one, self.at - back, product) for one in listed)


def _without_twice_refused(doubts: Mapping[int, _Asked], key: str | None) -> dict[int, _Asked]:
    """Leave out a key whose every request was refused, the repetition too: it would have brought the order."""
    own = [one for one in doubts.values() if one.key == key]
    settled = key is not None and len(own) > 1 and all(one.refused for one in own)
    return {call: one for call, one in doubts.items() if not settled or one.key != key}


def _may_be(order: Mapping[str, JSON], since: datetime, product: str | None) -> bool:
    """Whether an order of the list may be one that was asked for since then, and can hold money."""
    if order.get("status") in _OVER or _made_before(order, since):
        return False
    items = order.get("items")
    listed = items if isinstance(items, list | tuple) else ()
    products = [text_of(one.get("product_id")) if isinstance(one, Mapping) else None for one in listed]
    return product is None or not products or None in products or product in products


def _made_before(order: Mapping[str, JSON], moment: datetime) -> bool:
    told = order.get("created_at")
    try:
        made = datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return False
    return made is not None and made.tzinfo is not None and made < moment


def made_since(created: datetime | None, moment: datetime) -> bool:
    """Whether something says that it was made at this moment or later, by clocks that count as right."""
    return created is not None and created >= moment - SKEW


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
        try:
            pages = Meta.model_validate(meta).pages if isinstance(meta, Mapping) else 0
        except ValueError:
            pages = 0
        # Where nothing is on a page, its counts are left out.
        self.last = whole and (str(pages) == number or (not self.orders and not pages))
