"""What is sent again, how long is waited, and what bounds it."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from email.utils import format_datetime
from itertools import product
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import veza
from veza.testing import FakeBackend, FakeClock, Reply, connect

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[..., Any]

BREAKS: tuple[Any, ...] = ("connect", "connect_timeout", "write", "read", "read_timeout", "disconnect")
BEFORE_SENDING = {"connect", "connect_timeout"}
TRANSIENT = {408, 429, 500, 502, 503, 504}
KEYS = (None, "my-key")


def test_a_read_is_sent_again_whatever_broke(face: Any, subtests: pytest.Subtests) -> None:
    for breaks in BREAKS:
        backend = face.backend()
        backend.script("getStatus", Reply(breaks=breaks), Reply(breaks=breaks))
        with subtests.test(breaks=breaks):
            assert face.ask(backend, lambda v: v.system.status()).response_info.retry_count == 2
            assert backend.clock.sleeps == [0.5, 1.0]


def test_a_read_is_sent_again_after_a_transient_status_and_no_other(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend)
    again = set()
    for status in range(300, 600):
        backend.script("getStatus", Reply(status=status))
        try:
            assert face.call(client, lambda v: v.system.status()).response_info.retry_count == 1, status
            again.add(status)
        except veza.APIStatusError as error:
            assert (error.status_code, error.attempts) == (status, 1)  # noqa: PT017  (either outcome is right)
    assert again == TRANSIENT
    assert backend.count("getStatus") == 300 + len(TRANSIENT)


def test_a_read_whose_answer_is_not_json_is_sent_again(ask: Ask, backend: FakeBackend) -> None:
    backend.script("getStatus", Reply(body=b"<html>"), Reply(body=b'{"success": tru'))
    assert ask(lambda v: v.system.status()).response_info.retry_count == 2


def test_a_read_whose_answer_has_another_shape_is_not_sent_again(ask: Ask, backend: FakeBackend) -> None:
    backend.script("getStatus", Reply(data=[]))
    with pytest.raises(veza.InvalidResponseError):
        ask(lambda v: v.system.status())
    assert backend.count("getStatus") == 1


def test_a_keyed_write_carries_the_same_key_on_every_attempt(face: Any, subtests: pytest.Subtests) -> None:
    for breaks, own_key in product(BREAKS, KEYS):
        backend = face.backend()
        cut = Reply(breaks=breaks, carried_out=breaks not in BEFORE_SENDING)
        backend.script("createOrder", cut, Reply(status=503))
        with subtests.test(breaks=breaks, own_key=own_key):
            made = face.ask(backend, create(own_key), idempotency=True)
            keys = [one.headers["idempotency-key"] for one in backend.sent if one.operation == "createOrder"]
            assert len(keys) == 3
            assert len(set(keys)) == 1
            assert own_key in {None, keys[0]}
            assert made.response_info.idempotency_key == keys[0]
            assert len(backend.shop.orders) == 1


def create(key: str | None) -> Callable[[Any], Any]:
    return lambda v: v.orders.create(["11"], idempotency_key=key)


def test_the_key_is_on_the_error(ask: Ask, backend: FakeBackend) -> None:
    backend.script("createOrder", *[Reply(status=503)] * 3)
    with pytest.raises(veza.InternalServerError) as caught:
        ask(lambda v: v.orders.create(["11"]), idempotency=True, idempotency_keys=lambda: "key-1")
    assert (caught.value.idempotency_key, caught.value.attempts) == ("key-1", 3)
    assert [one.headers.get("idempotency-key") for one in backend.sent[1:]] == ["key-1"] * 3


def test_two_writes_have_two_keys(face: Any, backend: FakeBackend) -> None:
    client = face.connect(backend, idempotency=True)
    face.call(client, lambda v: v.orders.create(["11"]))
    face.call(client, lambda v: v.orders.create(["11"]))
    assert len(backend.shop.orders) == 2


def test_where_keys_are_not_honoured_a_write_is_sent_once_unless_nothing_was_sent(
    face: Any, subtests: pytest.Subtests
) -> None:
    for breaks, own_key in product(BREAKS, KEYS):
        backend = face.backend(idempotency=False)
        backend.script("createOrder", Reply(breaks=breaks, carried_out=breaks not in BEFORE_SENDING))
        with subtests.test(breaks=breaks, own_key=own_key):
            if breaks in BEFORE_SENDING:
                face.ask(backend, create(own_key))
            else:
                with pytest.raises(veza.APIConnectionError) as caught:
                    face.ask(backend, create(own_key))
                assert (caught.value.attempts, caught.value.idempotency_key) == (1, own_key)
                assert isinstance(caught.value, veza.APITimeoutError) is (breaks == "read_timeout")
            assert len(backend.shop.orders) == 1
            assert backend.sent[-1].headers.get("idempotency-key") == own_key


def test_an_unkeyed_write_is_not_sent_again_after_an_answer(face: Any, subtests: pytest.Subtests) -> None:
    for reply in (Reply(status=500), Reply(status=503, headers={"Retry-After": "1"}), Reply(body=b"<")):
        backend = face.backend()
        backend.script("createOrder", reply)
        with subtests.test(reply=reply):
            with pytest.raises(veza.VezaError):
                face.ask(backend, create(None))
            assert backend.count("createOrder") == 1


def test_an_unkeyed_write_is_sent_again_after_a_429(ask: Ask, backend: FakeBackend) -> None:
    backend.script("createOrder", Reply(status=429, headers={"Retry-After": "3"}))
    ask(lambda v: v.orders.create(["11"]))
    assert (len(backend.shop.orders), backend.clock.sleeps) == (1, [3.0])


def test_a_refund_is_never_asked_for_twice_in_doubt(ask: Ask, backend: FakeBackend) -> None:
    backend.script("requestRefund", Reply(breaks="read_timeout"))
    with pytest.raises(veza.APITimeoutError):
        ask(lambda v: v.orders.refund("1", reason="test"))
    assert backend.count("requestRefund") == 1


def test_retry_after_is_honoured_or_ignored(face: Any, subtests: pytest.Subtests) -> None:
    for value, waited in (
        ("7", 7.0), ("0", 0.5), ("0.2", 0.5), ("1.5", 1.5), (" 2 ", 2.0),
        ("", 0.5), ("-5", 0.5), ("soon", 0.5), ("nan", 0.5), ("inf", 0.5), ("1e400", 0.5), ("9" * 5000, 0.5),
        ("Thu, 32 Jan 2026 99:99:99 GMT", 0.5), ("Wed, 01 Apr 2026 09:59:00 GMT", 0.5), ("2026-04-01", 0.5),
        ("Wed, 01 Apr 2026 10:00:09 GMT", 9.0), ("Wed, 01 Apr 2026 12:00:09 +0200", 9.0),
        ("Wed, 01 Apr 2026 10:00:09 -0000", 0.5),
    ):  # fmt: skip
        backend = face.backend()
        backend.script("getStatus", Reply(status=429, headers={"Retry-After": value}))
        with subtests.test(value=value):
            face.ask(backend, lambda v: v.system.status())
            assert backend.clock.sleeps == [waited]


def test_a_retry_after_above_the_cap_raises_at_once(face: Any, backend: FakeBackend, subtests: pytest.Subtests) -> None:
    for value, seconds in (("86400", 86400), ("60.1", 60.1), ("Thu, 02 Apr 2026 10:00:00 GMT", 86400)):
        backend.script("getStatus", Reply(status=429, headers={"Retry-After": value}))
        with subtests.test(value=value):
            with pytest.raises(veza.RateLimitError) as caught:
                face.ask(backend, lambda v: v.system.status())
            assert caught.value.retry_after == seconds
            assert backend.clock.sleeps == []


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)) | st.datetimes().map(format_datetime))
def test_no_retry_after_raises_an_error_of_its_own(value: str) -> None:
    backend = FakeBackend()
    backend.script("getStatus", Reply(status=429, headers={"Retry-After": value.strip()}))
    client = connect(backend, clock=backend.clock, max_retries=1)
    with suppress(veza.RateLimitError):
        client.system.status()
    assert sum(backend.clock.sleeps) <= 60


def test_the_waits_grow_and_are_spread(ask: Ask, backend: FakeBackend) -> None:
    backend.script("getStatus", *[Reply(status=503)] * 7)
    ask(lambda v: v.system.status(), max_retries=7, jitter=lambda: 1.0)
    assert backend.clock.sleeps == [0.375, 0.75, 1.5, 3.0, 6.0, 6.0, 6.0]


def test_no_retries(ask: Ask, backend: FakeBackend) -> None:
    backend.script("getStatus", Reply(status=503))
    with pytest.raises(veza.InternalServerError):
        ask(lambda v: v.system.status(), max_retries=0)


@given(
    deadline=st.floats(0.2, 30),
    replies=st.lists(st.tuples(st.sampled_from(["503", "429", "read_timeout"]), st.floats(0, 10)), max_size=8),
)
def test_a_deadline_bounds_attempts_and_waits(deadline: float, replies: list[tuple[str, float]]) -> None:
    clock = FakeClock()

    def reply(kind: str, seconds: float) -> Reply:
        if kind == "read_timeout":
            return Reply(breaks="read_timeout", seconds=seconds)
        return Reply(status=int(kind), headers={"Retry-After": f"{seconds:.2f}"})

    def transport_ends_at_the_timeout(request: Any) -> Any:
        kind, seconds = pending.pop(0) if pending else ("200", 0.0)
        limit = request.extensions["timeout"]["read"]
        if kind == "read_timeout":
            clock.advance(min(limit, seconds))
            raise httpx.ReadTimeout("late")
        answer = Reply(data={"environment": "x", "services": {}}) if kind == "200" else reply(kind, seconds)
        return httpx.Response(answer.status, headers=dict(answer.headers), content=answer.content())

    pending = list(replies)
    http = httpx.Client(transport=httpx.MockTransport(transport_ends_at_the_timeout))
    client = veza.Veza("http://veza.test", http_client=http, clock=clock, max_retries=9)
    with suppress(veza.DeadlineExceededError, veza.APIStatusError, veza.APITimeoutError):
        client.system.status(deadline=deadline)
    assert clock.monotonic() <= deadline + 0.05


def test_a_deadline_is_said_with_what_failed_last(ask: Ask, backend: FakeBackend) -> None:
    backend.script("getStatus", Reply(status=503, json={"error": {"code": "DOWN", "message": "down"}}))
    with pytest.raises(veza.DeadlineExceededError, match="down") as caught:
        ask(lambda v: v.system.status(deadline=0.3))
    assert (caught.value.code, caught.value.status_code, caught.value.attempts) == ("DOWN", 503, 1)
    assert not isinstance(caught.value, veza.APIConnectionError)


def test_a_deadline_covers_the_login_within_the_call(ask: Ask, backend: FakeBackend) -> None:
    backend.script("login", *[Reply(status=429, headers={"Retry-After": "20"})] * 3)
    with pytest.raises(veza.DeadlineExceededError):
        ask(lambda v: v.auth.me(), deadline=30)
    assert backend.clock.monotonic() <= 30


def test_an_answer_that_came_is_not_thrown_away_for_being_late(ask: Ask, backend: FakeBackend) -> None:
    backend.script("createOrder", Reply(seconds=90, carried_out=True, status=201, data=None))
    with pytest.raises(veza.VezaError):  # the scripted answer holds nothing
        ask(lambda v: v.orders.create(["11"], deadline=5))
    backend.script("getStatus", Reply(seconds=90, data={"environment": "x", "services": {}}))
    assert ask(lambda v: v.system.status(deadline=5)).environment == "x"


def test_the_timeout_is_finite_and_at_most_thirty_seconds_unless_said() -> None:
    seen: list[dict[str, float]] = []

    def note(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        return httpx.Response(200, json={"status": "healthy"})

    http = httpx.Client(transport=httpx.MockTransport(note), timeout=None)
    for client in (
        veza.Veza("http://veza.test", http_client=http),
        veza.Veza("http://veza.test", http_client=http, timeout=5),
        veza.Veza("http://veza.test", http_client=http, deadline=2, clock=FakeClock()),
    ):
        client.system.health()
    assert [set(one.values()) for one in seen] == [{30.0}, {5.0}, {2.0}]
    assert timedelta(seconds=30) == timedelta(seconds=max(max(one.values()) for one in seen))
