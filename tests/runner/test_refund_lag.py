"""The processor may lag behind an order that says refunded; late is not missing, and a zero tells no amount."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from veza_e2e.engine.reread import look_at, news
from veza_e2e.engine.session import open_stage
from veza_e2e.evidence import Summary
from veza_e2e.journal import MemorySink
from veza_e2e.journal.events import StepPaused
from veza_e2e.journal.readings import Compared

if TYPE_CHECKING:
    from runner.conftest import Walk

ORDER = "7d3f0e5e-93f5-4c1c-8d3a-0e0d3a1b2c3d"
DAY = 24 * 3600.0


@pytest.fixture
def walk(walk: Walk) -> Walk:
    walk.goes_through()
    walk.processes()
    return walk


def hidden(walk: Walk, **order: Any) -> Callable[[], None]:
    """Keep the refund out of the processor's answers until the returned function is called; change the order."""
    tell, state = walk.processor, [True]
    walk.payments_tell(lambda data: data.update(refunds=None) if state[0] else None)
    list_, none = walk.processor, httpx.Response(404, json={"error": {"code": "HE_02"}})
    assert list_ is not None
    walk.processor = lambda request: none if "/refunds/" in request.url.path else list_(request)
    if order:
        told_otherwise(walk, **order)
    assert tell is not None
    return lambda: state.__setitem__(0, False)


def told_otherwise(walk: Walk, **order: Any) -> None:
    refund = walk.backend.shop.refund

    def odd(order_id: str, amount_cents: int | None) -> dict[str, Any]:
        answer = refund(order_id, amount_cents)
        walk.backend.shop.order(ORDER).update(order)
        return answer

    walk.backend.shop.refund = odd  # type: ignore[method-assign]  # the fake tells the amount


def rules(summary: Summary) -> dict[str, str]:
    return {one.id: one.status for one in summary.reconciliation}


@pytest.mark.parametrize("told", [{}, {"refunded_amount_cents": None}, {"refunded_amount_cents": 0}])
def test_a_refund_that_the_processor_does_not_list_yet_is_waited_for(walk: Walk, told: dict[str, Any]) -> None:
    listed = hidden(walk, **told)
    walk.begin()
    since = walk.clock.monotonic()
    summary = walk.go_on()
    assert walk.clock.monotonic() - since >= walk.first().grace_ms / 1000
    assert (summary.outcome, summary.waiting_for) == ("incomplete", "refund")
    assert "the processor shows 0.00 EUR of 5.00 EUR back so far" in summary.step("revoked").observed
    assert (rules(summary)["R4"], rules(summary)["R6"]) == ("not_checked", "not_checked")
    assert str(summary.money.state) == "unknown"
    listed()
    walk.resume()
    summary = walk.go_on()
    assert (summary.outcome, str(summary.money.state)) == ("passed", "returned")
    assert (rules(summary)["R4"], rules(summary)["R6"]) == ("equal", "equal")
    assert summary.item("refund_completed").status == "met"
    assert walk.writes("requestRefund") == 1


def test_a_refund_that_is_not_listed_a_day_after_it_was_seen_is_missing(walk: Walk) -> None:
    hidden(walk)
    walk.begin()
    assert walk.go_on().outcome == "incomplete"
    walk.clock.sleep(DAY)
    walk.resume()
    summary = walk.go_on()
    assert (summary.outcome, summary.step("revoked").finding) == ("failed", "refund_differs")
    assert (rules(summary)["R4"], rules(summary)["R6"]) == ("differs", "differs")


def test_a_processor_that_falls_silent_before_it_listed_the_refund_is_waited_for(walk: Walk) -> None:
    hidden(walk)
    walk.begin()
    walk.go_on()
    walk.processor = lambda _: httpx.Response(503)
    walk.resume()
    summary = walk.go_on()
    assert (summary.outcome, summary.waiting_for) == ("incomplete", "refund")


def test_a_refund_that_the_processor_lists_is_its_word_however_little_it_brought(walk: Walk) -> None:
    walk.payments_tell(lambda data: [one.update(amount=470) for one in data["refunds"] or ()])
    walk.begin()
    assert walk.go_on().step("revoked").finding == "refund_differs"
    assert not walk.events(StepPaused)


def test_what_arrives_after_a_comparison_that_differed_is_what_counts(walk: Walk) -> None:
    """4.70 of 5.00 came back, by all witnesses; then the rest does, as another refund."""
    parts = [470]
    told_otherwise(walk, refunded_amount_cents=470)

    def tell(data: dict[str, Any]) -> None:
        (one, *_) = data["refunds"] or [{}]
        data["refunds"] = [{**one, "refund_id": f"r{n}", "amount": part} for n, part in enumerate(parts) if one]

    walk.payments_tell(tell)
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, rules(summary)["R4"]) == ("failed", "differs")

    def rest(order_id: str, amount_cents: int | None) -> dict[str, Any]:
        assert amount_cents == 30
        parts.append(30)
        order = walk.backend.shop.order(order_id)
        order.update(refunded_amount_cents=500)
        return {"refund": {"id": "r1", "status": "succeeded", "amount_cents": 30}, "order": dict(order)}

    walk.backend.shop.refund = rest  # type: ignore[method-assign]  # the fake refunds an order once
    walk.resume()
    summary = walk.go_on()
    assert [one.equal for one in walk.events(Compared) if one.id == "R4"] == [False, True]
    assert (rules(summary)["R4"], summary.item("refund_completed").status) == ("equal", "met")


def test_a_refund_of_another_payment_stays_one(walk: Walk) -> None:
    """The processor contradicts itself: whose refund it is cannot change."""
    stranger = ["pay_other"]
    walk.payments_tell(
        lambda data: [one.update(payment_id=stranger[-1] or data["payment_id"]) for one in data["refunds"] or ()]
    )
    walk.begin()
    assert rules(walk.go_on())["R6"] == "differs"
    stranger.append("")
    walk.resume()
    summary = walk.go_on()
    assert [one.equal for one in walk.events(Compared) if one.id == "R6"] == [False, True]
    assert rules(summary)["R6"] == "differs"


@pytest.mark.parametrize("key", [True, False])
def test_a_zero_beside_a_refund_that_is_done_tells_no_amount(walk: Walk, *, key: bool) -> None:
    told_otherwise(walk, refunded_amount_cents=0)
    if not key:
        walk.processor = None
    walk.begin()
    summary = walk.go_on()
    (said,) = [one for one in summary.money.figures("refunded") if one.by == "backend"]
    assert (said.amount, summary.outcome) == (None, "passed")
    assert str(summary.money.state) == ("returned" if key else "unknown")
    assert "0.00" not in summary.money.sentence
    assert summary.item("refund_completed").status == ("met" if key else "not_checked")


def test_what_arrived_and_was_not_compared_any_more_is_equal_all_the_same(walk: Walk) -> None:
    """The rest came back by a refund of its own, and the order never says that it is refunded."""
    parts = [200]

    def part(order_id: str, amount_cents: int | None) -> dict[str, Any]:
        order = walk.backend.shop.order(order_id)
        parts[1:] = [amount_cents] if amount_cents else []
        refund_id = f"r{len(parts)}"
        order.update(refund_status="succeeded", refund_id=refund_id, refunded_amount_cents=sum(parts))
        return {"refund": {"id": refund_id, "status": "succeeded", "amount_cents": parts[-1]}, "order": dict(order)}

    def tell(data: dict[str, Any]) -> None:
        one = {"payment_id": data["payment_id"], "status": "succeeded", "currency": "EUR"}
        asked = walk.writes("requestRefund") and data["status"] == "succeeded"
        data["refunds"] = [{**one, "refund_id": f"r{n}", "amount": cents} for n, cents in enumerate(parts, 1) if asked]

    walk.backend.shop.refund = part  # type: ignore[method-assign]  # the fake refunds an order once, and whole
    walk.payments_tell(tell)
    walk.begin()
    assert rules(walk.go_on())["R4"] == "differs"
    walk.resume()
    summary = walk.go_on()
    assert (summary.step("revoked").finding, str(summary.money.state)) == ("unknown_status", "returned")
    assert [one.equal for one in walk.events(Compared) if one.id == "R4"] == [False]
    assert next((one.status, one.right) for one in summary.reconciliation if one.id == "R4") == ("equal", "5.00 EUR")


def test_what_was_equal_and_is_taken_back_before_the_end_differs(walk: Walk) -> None:
    walk.ledger.held = lambda: [walk.transfer(status="completed", reversed_amount_cents=0, stripe_reversal_id=None)]
    walk.begin()
    summary = walk.go_on()
    assert (summary.waiting_for, rules(summary)["R4"]) == ("reversal", "equal")

    told = {"status": "refund_failed", "refund_status": "failed", "refunded_amount_cents": None}
    walk.backend.shop.order(ORDER).update(told)
    refund = {"refund_id": "r", "payment_id": "p", "status": "failed", "amount": 500, "currency": "EUR"}
    walk.payments_tell(lambda data: data.update(status="succeeded", amount_received=500, refunds=[refund]))
    walk.resume()
    summary = walk.go_on()
    assert [one.equal for one in walk.events(Compared) if one.id == "R4"] == [True]
    assert next((one.status, one.right) for one in summary.reconciliation if one.id == "R4") == ("differs", "0.00 EUR")


@pytest.mark.parametrize(
    ("changes", "state", "r4"),
    [
        ({}, "returned", "equal"),
        ({"amount": 470}, "unknown", "differs"),
        ({"status": "pending"}, "unknown", "not_checked"),
        ({"status": "failed"}, "unknown", "differs"),
        ({"payment_id": "another"}, "unknown", "not_checked"),
        ({"refund_id": "another"}, "unknown", "not_checked"),
        ({"amount": None}, "unknown", "not_checked"),
        (None, "unknown", "not_checked"),
    ],
)
def test_a_refund_that_its_payment_does_not_list_is_asked_for_by_its_name(
    walk: Walk, changes: dict[str, Any] | None, state: str, r4: str
) -> None:
    walk.payments_tell(lambda data: data.update(refunds=None))
    tell = walk.processor
    assert tell is not None

    def answer(request: httpx.Request) -> httpx.Response:
        if "/refunds/" not in request.url.path:
            return tell(request)
        order = walk.backend.shop.order(ORDER)
        assert request.url.path.endswith(f"/refunds/{order['refund_id']}")
        if changes is None:
            return httpx.Response(404, json={"error": {"code": "HE_02"}})
        named = {"refund_id": order["refund_id"], "payment_id": order["payment_id"], "amount": 500, "currency": "EUR"}
        return httpx.Response(200, json={**named, "status": "succeeded", **changes})

    walk.processor = answer
    walk.begin()
    summary = walk.go_on()
    assert (str(summary.money.state), rules(summary)["R4"]) == (state, r4)
    assert not summary.money.silent
    if not changes and changes is not None:
        assert (summary.outcome, rules(summary)["R6"]) == ("passed", "equal")
        stage = open_stage(walk.parts(), MemorySink(), idempotency=False)
        looked = look_at(stage.api, stage.processor, summary)
        assert news(looked, summary, walk.lines, (), walk.clock.now()) is None


def unlisted(walk: Walk, answer: list[httpx.Response]) -> None:
    """Let no payment list its refunds, and a refund that is asked for by its name be answered so."""
    walk.payments_tell(lambda data: data.update(refunds=None))
    tell = walk.processor
    assert tell is not None
    walk.processor = lambda request: answer[0] if "/refunds/" in request.url.path else tell(request)


def refund_told(walk: Walk, **changes: Any) -> httpx.Response:
    order = walk.backend.shop.order(ORDER)
    told = {"refund_id": order["refund_id"], "payment_id": order["payment_id"], "status": "succeeded"}
    return httpx.Response(200, json={**told, "amount": 500, "currency": "EUR", **changes})


@pytest.mark.parametrize("answer", [httpx.Response(503), httpx.Response(403), httpx.Response(200, json={})])
def test_a_refund_that_is_not_told_is_waited_for_and_never_called_nothing(walk: Walk, answer: httpx.Response) -> None:
    unlisted(walk, [answer])
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, summary.waiting_for, str(summary.money.state)) == ("incomplete", "refund", "unknown")
    assert summary.money.said_by("processor") == "says charged 5.00 EUR, back an amount that is not told"
    assert str(summary.money.at_stake) == "5.00 EUR"
    walk.clock.sleep(DAY)
    walk.resume()
    summary = walk.go_on()
    assert (summary.outcome, rules(summary)["R4"]) == ("passed", "not_checked")
    assert summary.item("refund_completed").status == "not_checked"


def test_what_was_told_of_a_refund_stands_while_it_is_not_told_again(walk: Walk) -> None:
    answer = [httpx.Response(404)]
    unlisted(walk, answer)
    refund = walk.backend.shop.refund

    def asked(order_id: str, amount_cents: int | None) -> dict[str, Any]:
        done = refund(order_id, amount_cents)
        answer[0] = refund_told(walk)
        return done

    walk.backend.shop.refund = asked  # type: ignore[method-assign]  # the processor tells it from now on
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, rules(summary)["R4"], str(summary.money.state)) == ("passed", "equal", "returned")
    answer[0] = httpx.Response(503)
    stage = open_stage(walk.parts(), MemorySink(), idempotency=False)
    looked = look_at(stage.api, stage.processor, summary)
    assert any("the processor: refund " in one for one in looked.unheard)
    assert news(looked, summary, walk.lines, (), walk.clock.now()) is None


def test_what_failed_for_good_is_said_before_what_is_late(walk: Walk) -> None:
    hidden(walk)
    refund = walk.backend.shop.refund

    def kept(order_id: str, amount_cents: int | None) -> dict[str, Any]:
        answer = refund(order_id, amount_cents)
        for one in walk.backend.shop.licenses.values():
            one.update(status="active", revoked_at=None)
        return answer

    walk.backend.shop.refund = kept  # type: ignore[method-assign]  # the fake revokes the license
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, summary.step("revoked").finding) == ("failed", "license_not_revoked")
