# Written by sdk/generate.py; not edited by hand.
"""Reading an order until it is where it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from veza._call import Budget
from veza.errors import (
    APIConnectionError,
    DeadlineExceededError,
    InternalServerError,
    RateLimitError,
    UnexpectedStatusError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from veza._clock import Clock
    from veza.models import Order, OrderStatus

_GROWTH = 1.5
_LONGEST_PAUSE = 15.0


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
    read: Callable[[float | None], Order],
    there: Callable[[Order], bool],
    clock: Clock,
    *,
    deadline: float,
    interval: float,
    on_progress: Callable[[Order], object] | None,
) -> Order:
    """Read until the order is there: at once, then after pauses that grow by half, to 15 seconds at most.

    A read that fails for a reason that may pass is repeated after the pause, or after the `Retry-After` it names.

    Raises:
        UnexpectedStatusError: the order cannot come there any more.
        DeadlineExceededError: it did not come there in time; `details` has the status last seen.
        VezaError: a read failed for good.
    """
    budget = Budget(clock.monotonic, deadline)
    last: Order | None = None
    while True:
        pause = interval
        try:
            last = read(budget.remaining())
        except RateLimitError as error:
            pause = max(interval, error.retry_after or 0.0)
        except (APIConnectionError, InternalServerError, DeadlineExceededError) as error:
            pause = max(interval, error.retry_after or 0.0)
        else:
            if on_progress is not None:
                on_progress(last)
            if there(last):
                return last
        if not budget.allows(pause):
            seen = None if last is None else {"order_id": last.id, "status": str(last.status)}
            raise DeadlineExceededError(f"the order was not there within {deadline:g} s", details=seen)
        clock.sleep(pause)
        interval = min(interval * _GROWTH, max(interval, _LONGEST_PAUSE))
