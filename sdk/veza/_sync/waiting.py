# Written by sdk/generate.py; not edited by hand.
"""Reading an order until it is where it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from veza._call import Budget
from veza._waited import Waited
from veza.errors import (
    APIConnectionError,
    DeadlineExceededError,
    InternalServerError,
    RateLimitError,
    UnexpectedStatusError,
    VezaError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from veza._clock import Clock
    from veza.models import Order, OrderStatus

_GROWTH = 1.5
_LONGEST_PAUSE = 15.0
_PASSING = (RateLimitError, APIConnectionError, InternalServerError, DeadlineExceededError)


def expect(reached: OrderStatus, on_the_way: Iterable[OrderStatus]) -> Callable[[Order], bool]:
    """Return whether an order is there, refusing a status from which nothing leads there, unknown ones included."""
    waiting = frozenset(on_the_way)

    def there(order: Order) -> bool:
        if order.status != reached and order.status not in waiting:
            raise UnexpectedStatusError(
                f"order {order.id} is {str(order.status)!r}; it was awaited to be {str(reached)!r}",
                details={"order_id": order.id, "status": str(order.status)},
            )
        return order.status == reached

    return there


def wait(
    read: Callable[[str, float | None], Order],
    there: Callable[[Order], bool],
    clock: Clock,
    *,
    order_ids: Iterable[str],
    deadline: float,
    interval: float,
    on_progress: Callable[[Order], object] | None,
) -> Waited[Order]:
    """Read until every order is there: at once, then after pauses that grow by half, to 15 seconds at most.

    A read that fails for a reason that may pass is repeated after the pause, or after the `Retry-After` it names. Any
    other `VezaError` ends the wait for its order.
    """
    budget = Budget(clock.monotonic, deadline)
    note = on_progress or id
    last: dict[str, Order | None] = dict.fromkeys(order_ids)
    arrived: dict[str, Order] = {}
    failed: dict[str, VezaError] = {}
    while True:
        pause = interval
        for order_id in [one for one in last if one not in arrived and one not in failed]:
            try:
                order = last[order_id] = read(order_id, budget.remaining())
            except _PASSING as error:
                pause = max(pause, error.retry_after or 0.0)
                if isinstance(error, RateLimitError):
                    break  # whoever asks too often does not ask for the others, either
                continue
            except VezaError as error:
                failed[order_id] = error
                continue
            note(order)
            try:
                if there(order):
                    arrived[order_id] = order
            except VezaError as error:
                failed[order_id] = error
        waiting = [one for one in last if one not in arrived and one not in failed]
        if waiting and not budget.allows(pause):
            failed |= {one: _late(deadline, last[one]) for one in waiting}
            waiting = []
        if not waiting:
            return Waited(arrived, failed)
        clock.sleep(pause)
        interval = min(interval * _GROWTH, max(interval, _LONGEST_PAUSE))


def _late(deadline: float, last: Order | None) -> DeadlineExceededError:
    seen = None if last is None else {"order_id": last.id, "status": str(last.status)}
    return DeadlineExceededError(f"the order was not there within {deadline:g} s", details=seen)
