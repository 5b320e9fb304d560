"""Writes in doubt: an intent is recorded, but no response. The backend is asked whether they were carried out."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from veza import BadRequestError, NotFoundError, Order, OrderStatus, UnprocessableEntityError
from veza_e2e.canonical import JSON
from veza_e2e.frozen import dataclass
from veza_e2e.journal.events import CallFinished, CallIntended, StepFinished, StepName
from veza_e2e.journal.readings import DashboardRead, OrderNamed
from veza_e2e.money.doubt import CARRIED_OUT, NOTHING_DONE, SKEW
from veza_e2e.steps.context import Context

KEY_LIFETIME = timedelta(hours=1)
"""How long a key is trusted: backends forget keys after a time that nobody tells."""
KEY_LIFETIME_OF_1 = timedelta(hours=23)
"""The same in walkthrough 1, for its recordings."""
REFUSALS = (BadRequestError, NotFoundError, UnprocessableEntityError)
"""Answers that refuse a request. To the retry of a request whose answer was lost they say nothing of the first try."""
_STEP_OF: Mapping[str, StepName] = {"createOrder": "order", "requestRefund": "refund"}
_UNTOUCHED = frozenset({OrderStatus.PENDING_PAYMENT, OrderStatus.CANCELLED, OrderStatus.EXPIRED})
_PAID = frozenset({
    OrderStatus.COMPLETED, OrderStatus.DISPUTED, OrderStatus.REFUND_PENDING, OrderStatus.REFUND_FAILED,
})  # fmt: skip
_TRUE_TIME = timedelta(seconds=10)
"""How far two clocks that are kept right differ."""
_SUCCESS = range(200, 300)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A write whose outcome is not recorded."""

    at: datetime
    """When the write was first intended."""
    key: str | None
    last: datetime
    """When it was last intended."""

    def settled(self, at: datetime) -> bool:
        """Whether nobody can be at the write any more: what is not there then was not done."""
        return at - self.last >= CARRIED_OUT


def open_doubt(context: Context, operation: str, nothing_done: AbstractSet[int] = NOTHING_DONE) -> Doubt | None:
    """Return the write of this operation that the journal leaves in doubt; None if there is no such write.

    An intent is settled by a response that says that nothing was done, and by the end of its step: what is asked for
    after that is another request.

    Args:
        context: the walkthrough's surroundings.
        operation: the write, such as `createOrder`.
        nothing_done: the HTTP statuses that say that nothing was done.
    """
    open_intents: dict[int, tuple[datetime, CallIntended]] = {}
    for line in context.journal.lines:
        event = line.event
        if isinstance(event, CallIntended) and event.operation == operation:
            open_intents[event.call] = (datetime.fromisoformat(line.at), event)
        elif isinstance(event, CallFinished) and event.operation == operation and event.status in nothing_done:
            open_intents.pop(event.call, None)
        elif isinstance(event, StepFinished) and event.step == _STEP_OF.get(operation):
            open_intents.clear()
    if not open_intents:
        return None
    at, intent = next(iter(open_intents.values()))
    return Doubt(at, intent.idempotency_key, max(moment for moment, _ in open_intents.values()))


def recorded_answer(context: Context, operation: str) -> JSON:
    """Return the recorded, redacted data of an operation's last success; None if there was no success."""
    for event in reversed(list(context.journal.events())):
        if isinstance(event, CallFinished) and event.operation == operation and event.status in _SUCCESS:
            body = (event.response_body or {}).get("json")
            return body.get("data", body) if isinstance(body, Mapping) else None
    return None


def nothing_seen_since(context: Context, doubt: Doubt) -> bool:
    """Whether a person read at the dashboard that nothing came back, when nobody was at the write in doubt any more."""
    later = (line for line in context.journal.lines if doubt.settled(datetime.fromisoformat(line.at)))
    read = [line.event for line in later if isinstance(line.event, DashboardRead)]
    told = [event.refunded_cents for event in read if event.refunded_cents is not None]
    return bool(told) and told[-1] == 0


def named_orders(context: Context) -> list[str]:
    """Return the orders that the operator was told of. They are part of the session for ever."""
    return list(dict.fromkeys(event.order_id for event in context.journal.events() if isinstance(event, OrderNamed)))


def may_send_again(context: Context, doubt: Doubt) -> bool:
    """Whether the request can be sent again: the environment honours keys, and the key is still valid."""
    age = context.clock.now() - doubt.at
    lifetime = KEY_LIFETIME_OF_1 if context.options.first else KEY_LIFETIME
    return context.options.idempotency and doubt.key is not None and timedelta() - SKEW <= age < lifetime


@dataclass(frozen=True, slots=True)
class Found:
    """The account's orders of the product since the request in doubt.

    Attributes:
        unpaid: those that may be this session's, and were not paid.
        paid: those that were paid: whether for this session, only the operator knows, since its page was not opened.
    """

    unpaid: tuple[Order, ...]
    paid: tuple[Order, ...]


def found_orders(context: Context, product_id: str, doubt: Doubt) -> Found:
    """Read the account's orders of this product since the request, with five minutes of clock skew.

    While the backend may still be making the order, one that it made well before the request is somebody else's. An
    order that ended unpaid may be this session's only if it was made after the request.
    """
    listed = [
        order
        for order in context.api.orders.list(limit=100)
        if any(item.product_id == product_id for item in order.items)
    ]
    since = doubt.at - (SKEW if context.options.first or doubt.settled(context.clock.now()) else _TRUE_TIME)
    unpaid = tuple(
        order
        for order in listed
        if order.status in _UNTOUCHED
        and order.created_at >= (since if order.status is OrderStatus.PENDING_PAYMENT else doubt.at)
    )
    paid = tuple(order for order in listed if order.status in _PAID and order.created_at >= doubt.at - SKEW)
    return Found(unpaid, () if context.options.first else paid)
