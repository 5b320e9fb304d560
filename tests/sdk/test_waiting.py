"""Waiting for an order: what ends it, what does not, how long it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import veza
from veza.testing import Reply

if TYPE_CHECKING:
    from veza.testing import FakeBackend


@pytest.fixture
def order_id(face: Any, backend: FakeBackend) -> str:
    made: str = face.call(face.connect(backend), lambda v: v.orders.create(["11"])).order.id
    backend.sent.clear()
    return made


def after(backend: FakeBackend, reads: int, act: Any) -> Any:
    """Return a progress callback that acts after so many reads, and notes the statuses seen."""
    seen: list[str] = []

    def note(order: veza.Order) -> None:
        seen.append(str(order.status))
        if len(seen) == reads:
            act()

    note.seen = seen  # type: ignore[attr-defined]  # beside the callback
    assert backend.sent == []
    return note


def test_an_order_is_awaited(face: Any, backend: FakeBackend, order_id: str) -> None:
    note = after(backend, 4, lambda: backend.shop.pay(order_id))
    client = face.connect(backend)
    order = face.call(client, lambda v: v.orders.wait_until_completed(order_id, deadline=60, on_progress=note))
    assert order.status is veza.OrderStatus.COMPLETED
    assert order.response_info.request_id is not None
    assert note.seen == ["pending_payment"] * 4 + ["completed"]
    assert backend.clock.sleeps == [2.0, 3.0, 4.5, 6.75]


def test_the_pauses_grow_to_fifteen_seconds(face: Any, backend: FakeBackend, order_id: str) -> None:
    client = face.connect(backend)
    with pytest.raises(veza.DeadlineExceededError) as caught:
        face.call(client, lambda v: v.orders.wait_until_completed(order_id, deadline=120))
    assert backend.clock.sleeps[-1] == 15
    assert backend.clock.monotonic() <= 120
    assert caught.value.details == {"order_id": order_id, "status": "pending_payment"}


def test_a_status_that_leads_nowhere_ends_the_wait_by_name(
    face: Any, backend: FakeBackend, order_id: str, subtests: pytest.Subtests
) -> None:
    client = face.connect(backend)
    for status in ("failed", "expired", "cancelled", "refunded", "brand_new"):
        backend.shop.set_status(order_id, status)
        with subtests.test(status=status):
            with pytest.raises(veza.UnexpectedStatusError, match=status) as caught:
                face.call(client, lambda v: v.orders.wait_until_completed(order_id, deadline=60))
            assert caught.value.details == {"order_id": order_id, "status": status}
            assert backend.clock.sleeps == []


def test_a_refund_is_awaited(face: Any, backend: FakeBackend, order_id: str) -> None:
    backend.shop.pay(order_id)
    client = face.connect(backend)
    face.call(client, lambda v: v.orders.refund(order_id, reason="test"))
    backend.sent.clear()
    note = after(backend, 2, lambda: backend.shop.settle_refund(order_id))
    order = face.call(client, lambda v: v.orders.wait_until_refunded(order_id, deadline=60, on_progress=note))
    assert order.refunded == veza.Money(500, "EUR")


def test_a_refund_that_the_order_does_not_show_yet_is_awaited(face: Any, backend: FakeBackend, order_id: str) -> None:
    backend.shop.pay(order_id)
    backend.shop.orders[order_id]["refund_status"] = "pending"
    note = after(backend, 2, lambda: backend.shop.settle_refund(order_id))
    client = face.connect(backend)
    face.call(client, lambda v: v.orders.wait_until_refunded(order_id, deadline=60, on_progress=note))
    assert note.seen == ["completed", "completed", "refunded"]


def test_a_refund_that_failed_or_was_never_asked_for_ends_the_wait(
    face: Any, backend: FakeBackend, order_id: str, subtests: pytest.Subtests
) -> None:
    backend.shop.pay(order_id)
    paid = dict(backend.shop.orders[order_id])
    client = face.connect(backend)
    for changes in (
        {"status": "completed", "refund_status": "failed"}, {"status": "completed"}, {"status": "refund_failed"},
        {"status": "disputed"}, {"status": "odd"},
    ):  # fmt: skip
        backend.shop.orders[order_id] = paid | changes
        with subtests.test(**changes), pytest.raises(veza.UnexpectedStatusError, match=changes["status"]):
            face.call(client, lambda v: v.orders.wait_until_refunded(order_id, deadline=60))


def test_failures_that_may_pass_are_waited_out(face: Any, backend: FakeBackend, order_id: str) -> None:
    backend.shop.pay(order_id)
    backend.script(
        "getOrder", Reply(status=503), Reply(breaks="read"), Reply(status=429, headers={"Retry-After": "90"})
    )
    client = face.connect(backend, max_retries=0)
    face.call(client, lambda v: v.orders.wait_until_completed(order_id, deadline=200))
    assert backend.clock.sleeps == [2.0, 3.0, 90.0]


def test_failures_that_do_not_pass_end_the_wait(face: Any, backend: FakeBackend) -> None:
    with pytest.raises(veza.NotFoundError):
        face.call(face.connect(backend), lambda v: v.orders.wait_until_completed("none", deadline=60))


def test_any_condition_can_be_awaited(face: Any, backend: FakeBackend, order_id: str) -> None:
    def asked(order: veza.Order) -> bool:
        return order.refund_id is not None

    client = face.connect(backend)
    backend.shop.pay(order_id)
    act = lambda: backend.shop.refund(order_id, None)  # noqa: E731  (as the other tests pass it)
    note = after(backend, 1, act)
    order = face.call(client, lambda v: v.orders.wait_until(order_id, asked, deadline=9, on_progress=note, interval=1))
    assert order.refund_id == f"refund-{order_id}"


def test_a_senseless_wait_is_refused(face: Any, backend: FakeBackend, subtests: pytest.Subtests) -> None:
    client = face.connect(backend)
    for options in ({"deadline": 0}, {"deadline": 9, "interval": 0}, {"deadline": float("inf")}):
        with subtests.test(**options), pytest.raises(veza.InvalidRequestError):
            face.call(client, lambda v, options=options: v.orders.wait_until_completed("1", **options))
    assert backend.sent == []


@pytest.fixture
def order_ids(face: Any, backend: FakeBackend) -> list[str]:
    client = face.connect(backend)
    made = [face.call(client, lambda v: v.orders.create(["11"])).order.id for _ in range(4)]
    backend.sent.clear()
    return made


def test_many_orders_are_awaited_round_by_round_and_one_that_fails_holds_up_no_other(
    face: Any, backend: FakeBackend, order_ids: list[str]
) -> None:
    first, second, third, fourth = order_ids
    rounds: list[str] = []

    def note(order: veza.Order) -> None:
        rounds.append(order.id)
        if rounds.count(fourth) == 1 and order.id == fourth:
            backend.shop.pay(second)
            backend.shop.set_status(third, "failed")
        elif rounds.count(fourth) == 2:
            backend.shop.pay(fourth)

    backend.shop.pay(first)
    client = face.connect(backend)
    waited = face.call(
        client, lambda v: v.orders.wait_until_all([*order_ids, "nowhere"], deadline=60, on_progress=note)
    )
    assert list(waited.arrived) == [first, second, fourth]
    assert {order.status for order in waited.arrived.values()} == {veza.OrderStatus.COMPLETED}
    assert {name: type(error) for name, error in waited.failed.items()} == {
        "nowhere": veza.NotFoundError, third: veza.UnexpectedStatusError,
    }  # fmt: skip
    assert rounds == [*order_ids, second, third, fourth, fourth]
    assert backend.clock.sleeps == [2.0, 3.0]


def test_many_orders_are_awaited_no_longer_than_the_deadline(
    face: Any, backend: FakeBackend, order_ids: list[str]
) -> None:
    backend.shop.pay(order_ids[2])
    waited = face.call(face.connect(backend), lambda v: v.orders.wait_until_all(order_ids, deadline=10))
    assert list(waited.arrived) == [order_ids[2]]
    assert sorted(waited.failed) == sorted({*order_ids} - {order_ids[2]})
    for name, error in waited.failed.items():
        assert isinstance(error, veza.DeadlineExceededError)
        assert error.details == {"order_id": name, "status": "pending_payment"}
    assert backend.clock.monotonic() <= 10


def test_a_limited_wait_for_many_asks_for_no_other_before_the_time(
    face: Any, backend: FakeBackend, order_ids: list[str]
) -> None:
    for one in order_ids:
        backend.shop.pay(one)
    client = face.connect(backend, max_retries=0)
    backend.script("getOrder", Reply(status=429, headers={"Retry-After": "40"}))
    waited = face.call(client, lambda v: v.orders.wait_until_all(order_ids, deadline=90))
    assert (list(waited.arrived), waited.failed) == (order_ids, {})
    assert backend.clock.sleeps == [40.0]
    assert backend.count("getOrder") == 5


def test_what_a_callback_raises_ends_the_wait_for_all(face: Any, backend: FakeBackend, order_ids: list[str]) -> None:
    def note(order: veza.Order) -> None:
        raise veza.APIConnectionError(f"of the callback, for {order.id}")

    with pytest.raises(veza.APIConnectionError, match="of the callback"):
        face.call(face.connect(backend), lambda v: v.orders.wait_until_all(order_ids, deadline=9, on_progress=note))
    assert backend.count("getOrder") == 1


def test_no_order_is_awaited_at_once_and_a_text_is_none(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend)
    assert face.call(client, lambda v: v.orders.wait_until_all([], deadline=9)).arrived == {}
    with pytest.raises(veza.InvalidArgumentError, match="list of ids"):
        face.call(client, lambda v: v.orders.wait_until_all("order-1", deadline=9))
    assert backend.sent == []
