"""Never twice, never stranded: writes in doubt, kills at every event, refusals after the charge."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from veza.testing import Reply
from veza_e2e.engine.session import open_stage
from veza_e2e.journal import MemorySink, parse
from veza_e2e.journal.events import (
    WALKTHROUGH,
    BrowserOpened,
    CallIntended,
    SessionResumed,
    StepFailed,
    StepFinished,
    StepPaused,
    StepSkipped,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.conftest import Walk


class KilledError(BaseException):
    """The process is gone: nothing of ours handles it."""


class KillingSink(MemorySink):
    """Ends the process at its n-th line: after the line is on the disk, or before."""

    def __init__(self, at: int, *, before: bool) -> None:
        super().__init__()
        self.left = at
        self.before = before

    def write(self, data: bytes) -> None:
        self.left -= 1
        if self.left == 0 and self.before:
            raise KilledError
        super().write(data)
        if self.left == 0:
            raise KilledError


def after_kill(walk: Walk, sink: MemorySink) -> None:
    """Go on as the next process does: from the bytes alone."""
    lines = parse(bytes(sink.data), Path("journal.jsonl")).lines
    walk.stage = open_stage(walk.parts(), sink, idempotency=walk.first().idempotency, lines=lines)
    walk.stage.journal.append(SessionResumed(tools={}))
    walk.go_on()


def whole(walking: Callable[[], Walk]) -> tuple[int, int]:
    """How many lines the pre-flight writes, and how many there are in the end."""
    walk = walking()
    walk.goes_through()
    walk.processes()
    gate = len(walk.begin().journal.lines)
    assert walk.go_on().outcome == "passed"
    return gate, len(walk.lines)


def test_a_kill_at_any_event_leaves_one_order_one_charge_one_refund(walking: Callable[[], Walk]) -> None:
    gate, last = whole(walking)
    for at in range(gate + 1, last + 1):
        walk = walking()
        walk.goes_through()
        walk.processes()
        walk.started = {"idempotency": bool(at % 2)}
        stage = walk.begin()
        sink = KillingSink(at - gate, before=bool(at % 4 // 2))
        moved = MemorySink()
        stage.journal.move(moved)
        sink.data[:0] = moved.data
        stage.journal._sink = sink
        with pytest.raises(KilledError):
            walk.go_on()
        after_kill(walk, sink)
        summary = walk.stage.summary()
        where = f"killed at event {at}: {walk.lines[min(at, len(walk.lines)) - 1].event}"
        if not walk.backend.shop.orders and not walk.started["idempotency"]:
            # The request was never sent, which nobody can know: without keys it is not sent again.
            assert (summary.outcome, summary.money.charged_cents) == ("incomplete", None), where
            walk.clock.sleep(300)
            walk.resume()
            assert walk.go_on().money.charged_cents == 0, f"{where}: nobody can be at it any more"
            continue
        assert summary.outcome == "passed", where
        assert len(walk.backend.shop.orders) == 1, where
        assert sum(sent.operation == "requestRefund" for sent in walk.backend.sent) <= 2, where
        assert summary.money.refunded_cents == 500, where
        numbers = [event.call for event in walk.events(CallIntended)]
        assert len(numbers) == len(set(numbers)), where


def test_a_refund_whose_answer_is_on_record_is_not_asked_for_again(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    refund = walk.backend.shop.refund

    def slow_to_show(order_id: str, amount_cents: int | None) -> dict[str, object]:
        answer = refund(order_id, amount_cents)
        walk.backend.shop.order(order_id).update(status="completed", refund_id=None, refund_status=None)
        return answer

    walk.backend.shop.refund = slow_to_show  # type: ignore[method-assign]  # a backend whose reads lag behind
    walk.go_on()
    asked = next(
        line.seq for line in walk.lines if isinstance(line.event, StepFinished) and line.event.step == "refund"
    )
    walk.resume(upto=asked - 1)
    walk.go_on()
    assert walk.backend.count("requestRefund") == 1


def test_a_refund_that_is_refused_is_said_to_be_refused_and_stays_open_to_resume(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    walk.backend.script("requestRefund", Reply(status=422, json={"success": False, "message": "window closed"}))
    summary = walk.go_on()
    assert (summary.outcome, summary.refund_open) == ("failed", True)
    walk.resume()
    summary = walk.go_on()
    assert (summary.outcome, summary.refund_open, summary.money.refunded_cents) == ("failed", False, 500)
    assert summary.step("refund").status == "failed", "what failed once stays failed"


def test_a_conflict_is_an_answer(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    walk.backend.script("requestRefund", Reply(status=409, json={"success": False, "message": "not now"}))
    walk.go_on()
    (paused,) = walk.events(StepPaused)
    assert "not answered" not in paused.observed
    assert "not now" in paused.observed
    walk.resume()
    assert walk.go_on().outcome == "passed"


@pytest.mark.parametrize("operation", ["getOrder", "listMyLicenses", "requestRefund"])
def test_a_login_that_is_refused_after_the_charge_is_no_end(walk: Walk, operation: str) -> None:
    walk.goes_through()
    walk.begin()
    pay = walk.page.act

    def paid(url: str) -> bool:
        for refused in (operation, operation, "refreshToken", "login"):
            walk.backend.script(refused, Reply(status=401))
        return pay(url)

    walk.page.act = paid
    assert walk.go_on().outcome == "incomplete"
    assert walk.backend.count("login") == 2
    walk.resume()
    summary = walk.go_on()
    assert (summary.outcome, summary.money.refunded_cents) == ("passed", 500)


def test_a_backend_that_refuses_to_show_the_order_while_it_may_be_paid_is_no_end(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    pay = walk.page.act

    def paid(url: str) -> bool:
        walk.backend.script("getOrder", Reply(status=404))
        return pay(url)

    walk.page.act = paid
    assert walk.go_on().outcome == "incomplete"
    walk.resume()
    assert walk.go_on().outcome == "passed"


def test_a_refund_made_at_the_dashboard_is_seen_and_not_said_to_be_missing(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    pay = walk.page.act

    def paid(url: str) -> bool:
        pay(url)
        walk.backend.script("listMyLicenses", Reply(status=403))
        return True

    walk.page.act = paid
    assert walk.go_on().outcome == "failed"
    walk.backend.shop.refund(walk.only_order(), None)
    walk.resume()
    summary = walk.go_on()
    assert (summary.outcome, summary.money.refunded_cents, summary.refund_open) == ("failed", 500, False)
    assert walk.backend.count("requestRefund") == 0


def test_a_read_that_lags_behind_the_refund_is_no_failed_refund(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    refund = walk.backend.shop.refund

    def refunded(order_id: str, amount_cents: int | None) -> dict[str, object]:
        late = dict(walk.backend.shop.order(order_id))
        walk.backend.script("getOrder", Reply(data=late), Reply(data=late))
        return refund(order_id, amount_cents)

    walk.backend.shop.refund = refunded  # type: ignore[method-assign]  # its reads lag behind
    assert walk.go_on().outcome == "passed"


@pytest.mark.parametrize("answer", [httpx.Response(401), httpx.Response(200, json=[]), httpx.Response(200, text="{")])
def test_an_order_whose_page_is_lost_is_said_to_be_so_whatever_the_processor_answers(
    walk: Walk, answer: httpx.Response
) -> None:
    walk.processor = lambda _: httpx.Response(answer.status_code, content=answer.content)
    walk.begin()
    walk.person.answers = ["1"]
    walk.backend.script("createOrder", Reply(breaks="read", carried_out=True))
    walk.go_on()
    (paused,) = walk.events(StepPaused)
    assert paused.finding == "page_lost"
    assert len(walk.backend.shop.orders) == 1


def test_an_order_in_doubt_is_not_sent_again_where_keys_are_not_honoured(walk: Walk) -> None:
    walk.begin()
    walk.person.answers = ["1"]
    walk.backend.script("createOrder", Reply(breaks="read"))
    assert walk.go_on().outcome == "incomplete"
    for _ in range(3):
        walk.resume()
        walk.go_on()
    assert [event.finding for event in walk.events(StepPaused)] == ["order_in_doubt"] * 4
    assert walk.backend.count("createOrder") == 1


@pytest.mark.parametrize("status", [400, 403, 404, 405])
def test_a_list_of_orders_that_is_refused_leaves_the_order_in_doubt(walk: Walk, status: int) -> None:
    walk.goes_through()
    walk.begin()
    walk.backend.script("createOrder", *[Reply(breaks="read", carried_out=True)] * 6)
    walk.backend.script("listOrders", Reply(status=status))
    summary = walk.go_on()
    assert (summary.outcome, summary.step("order").finding) == ("incomplete", "order_in_doubt")
    assert str(summary.money.state) == "at risk"
    walk.resume()
    assert walk.go_on().order_id == walk.only_order(), "it is found once the orders are shown"


@pytest.mark.parametrize(
    ("version", "hours", "sent"),
    [(WALKTHROUGH, 0.999, 2), (WALKTHROUGH, 1, 1), (WALKTHROUGH, -24, 1), ("1", 22.999, 2), ("1", 23, 1)],
)
def test_an_order_in_doubt_is_sent_again_only_while_its_key_holds(
    walk: Walk, version: str, hours: float, sent: int
) -> None:
    walk.started = {"idempotency": True, "walkthrough": version}
    walk.goes_through()
    walk.begin()
    walk.backend.script("createOrder", *[Reply(breaks="read")] * 6)
    walk.go_on()
    before = walk.backend.count("createOrder")
    walk.backend._scripts.clear()
    intended = next(line.at for line in walk.stage.journal.lines if isinstance(line.event, CallIntended))
    age = walk.clock.now() - datetime.fromisoformat(intended)
    walk.clock.advance(hours * 3600 - age.total_seconds())
    walk.resume()
    walk.stage.journal.append(SessionResumed(tools={}, walkthrough=version))
    walk.go_on()
    assert walk.backend.count("createOrder") - before == sent - 1
    keys = {event.idempotency_key for event in walk.events(CallIntended) if event.operation == "createOrder"}
    assert len(keys) == 1


def test_several_orders_that_could_be_ours_stop_the_run_and_are_named(walk: Walk) -> None:
    walk.begin()
    walk.person.answers = ["1"]
    create = walk.backend.shop.create

    def twice(buyer: str, items: list[dict[str, object]]) -> dict[str, object]:
        create(buyer, items)
        return create(buyer, items)

    walk.backend.shop.create = twice  # type: ignore[method-assign]  # another client orders at the same time
    walk.backend.script("createOrder", Reply(breaks="read", carried_out=True))
    walk.go_on()
    (failed,) = walk.events(StepFailed)
    assert failed.finding == "several_orders"
    assert all(order in failed.observed for order in walk.backend.shop.orders)


def test_an_order_from_before_the_intent_is_not_adopted(walk: Walk) -> None:
    walk.begin()
    product = next(iter(walk.backend.shop.products))
    walk.backend.shop.create("user-1", [{"product_id": product}])
    walk.clock.advance(301)
    walk.person.answers = ["1"]
    walk.backend.script("createOrder", Reply(breaks="read"))
    walk.go_on()
    (paused,) = walk.events(StepPaused)
    assert paused.finding == "order_in_doubt"


def test_keeping_the_purchase_is_a_choice_that_resume_takes_up_again(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    walk.person.always = {**walk.person.always, "refund": ""}
    summary = walk.go_on()
    assert (summary.outcome, summary.refund_open) == ("passed", True)
    assert [event.step for event in walk.events(StepSkipped)] == ["refund", "revoked"]
    walk.person.always = {**walk.person.always, "refund": "Y"}
    walk.resume()
    assert walk.go_on().money.refunded_cents == 500


UNREADABLE = {"order": {"id": 5.5}}


@pytest.mark.parametrize("listing", [None, Reply(data="no list"), Reply(data=[{"id": "1"}])])
def test_an_unreadable_answer_to_the_order_is_a_write_in_doubt_and_no_refusal(
    walk: Walk, listing: Reply | None
) -> None:
    walk.goes_through()
    walk.begin()
    walk.backend.script("createOrder", Reply(status=201, data=UNREADABLE))
    if listing is not None:
        walk.backend.script("listOrders", listing)
    assert walk.go_on().outcome == "incomplete"
    assert walk.events(StepFailed) == []
    (paused,) = walk.events(StepPaused)
    assert "refus" not in paused.observed.replace("this is not a refusal", "")
    assert listing is None or "unreadable as list of Order: $.data" in paused.observed
    assert walk.backend.count("createOrder") == 1
    walk.resume()
    walk.go_on()
    assert walk.backend.count("createOrder") == 1, "nothing is sent a second time"


def test_a_conflict_says_of_an_order_only_what_the_list_says_too(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    untold = {
        "id": "9", "buyer_id": "user-1", "status": "pending_payment", "total_amount_cents": 500, "currency": "EUR",
        "items": [], "created_at": walk.clock.now().isoformat(),
    }  # fmt: skip
    for _ in range(2):
        walk.backend.script("createOrder", Reply(status=409))
        whole = {"success": True, "data": [untold], "meta": {"page": 1, "total_pages": 1}}
        walk.backend.script("listOrders", Reply(json=whole))
        summary = walk.go_on()
        assert (summary.outcome, summary.money.state) == ("incomplete", "at risk")
        walk.backend._scripts.clear()
        walk.resume()
    assert walk.backend.count("createOrder") == 1
    assert walk.go_on().money.state == "untouched", "the list holds none any more"


@pytest.mark.parametrize("twice", [False, True])
def test_a_key_that_was_refused_twice_made_no_order(walk: Walk, *, twice: bool) -> None:
    walk.goes_through()
    walk.started = {"idempotency": True}
    walk.begin()
    first = Reply(status=409) if twice else Reply(breaks="read")
    walk.backend.script("createOrder", first, *[Reply(status=409)] * 3)
    walk.backend.script("listOrders", Reply(data=None))
    summary = walk.go_on()
    expected = ("failed", "untouched") if twice else ("incomplete", "at risk")
    assert (summary.outcome, summary.money.state) == expected


def test_an_order_of_another_product_is_never_paid(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    order = {
        "id": "other", "buyer_id": "user-1", "status": "pending_payment", "total_amount_cents": 500, "currency": "EUR",
        "items": [{"product_id": "another", "price_cents": 500}], "created_at": "2026-04-01T10:00:00Z",
    }  # fmt: skip
    walk.backend.script(
        "createOrder", Reply(status=201, data={"order": order, "checkout_url": "https://pay.veza.test/1"})
    )
    assert walk.go_on().step("order").finding == "order_differs"
    assert walk.events(BrowserOpened) == []


def test_an_unreadable_answer_to_the_refund_leaves_it_in_doubt_and_reachable(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    walk.begin()
    walk.backend.script("requestRefund", Reply(status=202, data={"refund": {}, "order": None}))
    summary = walk.go_on()
    assert (summary.outcome, summary.refund_open) == ("incomplete", True)
    (paused,) = walk.events(StepPaused)
    assert "unreadable as RefundedOrder: $.data.refund.id" in paused.observed
    walk.resume()
    assert walk.go_on().outcome == "incomplete", "the backend may still be at it"
    walk.clock.sleep(300)
    walk.resume()
    assert walk.go_on().money.refunded_cents == 500


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_retry_that_is_refused_says_nothing_of_the_first_try(walk: Walk, status: int) -> None:
    walk.goes_through()
    walk.processes()
    walk.started = {"idempotency": True}
    walk.begin()
    walk.backend.script("createOrder", Reply(breaks="read", carried_out=True), Reply(status=status))
    walk.backend.script("requestRefund", Reply(breaks="read", carried_out=True), Reply(status=status))
    summary = walk.go_on()
    assert len(walk.backend.shop.orders) == 1
    assert [event.finding for event in walk.events(StepFailed)] == []
    assert (summary.outcome, summary.money.refunded_cents) == ("passed", 500)


@pytest.mark.parametrize("status", [409, 422])
def test_an_order_that_is_refused_at_once_was_not_made(walk: Walk, status: int) -> None:
    walk.goes_through()
    walk.begin()
    walk.backend.script("createOrder", Reply(status=status))
    summary = walk.go_on()
    assert (summary.outcome, summary.money.state) == ("failed", "untouched")
    assert walk.backend.shop.orders == {}
