"""What is learnt late, or in an unusual form, is neither lost, nor held against the seller, nor paid out twice."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from veza.testing import Reply
from veza_e2e.canonical import JSON
from veza_e2e.engine.reread import look_at, news
from veza_e2e.engine.session import open_stage
from veza_e2e.engine.supply import supply
from veza_e2e.evidence import Summary, summarise
from veza_e2e.evidence.due import still_open
from veza_e2e.journal import MemorySink
from veza_e2e.journal.addenda import Dashboard
from veza_e2e.journal.events import SessionAbandoned, StepFailed
from veza_e2e.journal.readings import DashboardRead, OrderNamed
from veza_e2e.ports.protocols import EndOfInput
from veza_e2e.ports.seller_transfers import COLUMNS

if TYPE_CHECKING:
    from runner.conftest import Walk

ORDER = "7d3f0e5e-93f5-4c1c-8d3a-0e0d3a1b2c3d"
DAY = 24 * 60 * 60
NOT_REVERSED: Mapping[str, JSON] = {"status": "completed", "reversed_amount_cents": 0, "stripe_reversal_id": None}


def printed(row: Mapping[str, JSON]) -> str:
    out = io.StringIO()
    table = csv.DictWriter(out, COLUMNS, extrasaction="ignore")
    table.writeheader()
    table.writerow(row)
    return out.getvalue()


def keeps(walk: Walk, change: Callable[[dict[str, Any]], None]) -> None:
    """Let the processor tell what it tells now with a change, whatever becomes of the order."""
    tell = walk.processor
    assert tell is not None
    data = tell(httpx.Request("GET", "https://processor.test/payments/pay")).json()
    change(data)
    walk.processor = lambda _: httpx.Response(200, json=data)


def looked_at_again(walk: Walk) -> tuple[str, Summary]:
    """Look at the ended session as `resume` does: what was news, and the session with it."""
    lines = list(walk.lines)
    stage = open_stage(walk.parts(), MemorySink(), idempotency=False)
    found = news(look_at(stage.api, stage.processor, summarise(lines)), summarise(lines), lines, (), walk.clock.now())
    assert found is not None
    return found.observed, summarise(lines, (found,))


def refund_waits(walk: Walk) -> None:
    """Let the refund stay pending until the shop settles it; nobody has a connection."""
    walk.goes_through()
    shop = walk.backend.shop
    shop.refund = type(shop).refund.__get__(shop)  # type: ignore[method-assign]  # as the fake has it
    walk.ledger.held = None
    walk.person.always = {**walk.person.always, "transfers_right": "y", "reversals_right": "y"}


def refunded_as(walk: Walk, **told: JSON) -> None:
    """Let the backend tell a refund that succeeded in this way."""
    refund = walk.backend.shop.refund

    def odd(order_id: str, amount_cents: int | None) -> dict[str, Any]:
        answer = refund(order_id, amount_cents)
        walk.backend.shop.order(ORDER).update(told)
        return answer

    walk.backend.shop.refund = odd  # type: ignore[method-assign]  # the fake has no such dialect


@pytest.mark.parametrize("pending", [False, True])
def test_a_second_payment_that_is_found_after_the_end_counts(walk: Walk, pending: bool) -> None:
    walk.goes_through()
    walk.processes(customer_id="cus", metadata={"order_id": ORDER})
    tell, second = walk.processor, list[dict[str, JSON]]()

    def answer(request: httpx.Request) -> httpx.Response:
        assert tell is not None
        if request.url.path.endswith("/payments/list"):
            return httpx.Response(200, json={"data": [*second, *tell(request).json()["data"]]})
        if request.url.path.endswith("/second"):
            return httpx.Response(200, json=second[0])
        return tell(request)

    walk.processor = answer
    walk.begin()
    assert walk.go_on().outcome == "passed"
    second.append(
        {
            "payment_id": "second", "status": "succeeded", "amount": 500, "amount_received": 500, "currency": "EUR",
            "metadata": {"order_id": ORDER},
        }
    )  # fmt: skip
    if pending:
        own: dict[str, JSON] = {"refund_id": "r2", "payment_id": "second", "amount": 500, "currency": "EUR"}
        second[0]["refunds"] = [{**own, "status": "pending"}]
    observed, after = looked_at_again(walk)
    assert "payment second is succeeded at the processor, received 5.00 EUR" in observed
    if pending:
        assert "refund nothing that came back already" in str(after.step("revoked").todo)
        return
    held = "5.00 EUR of payment second, which the backend cannot refund"
    assert after.money.sentence == f"charged 10.00 EUR, back 5.00 EUR, open 5.00 EUR ({held})"
    assert later_failure(walk, after) == "amount_differs"
    assert "cannot refund payment second" in str(after.step("revoked").todo)
    assert {evidence for one in after.reconciliation if one.id in {"R1", "R4"} for evidence in one.evidence} == {
        len(walk.lines) + 1
    }
    assert compared(after) == {"R1": ("differs", "5.00 EUR", "10.00 EUR"), "R4": ("differs", "10.00 EUR", "5.00 EUR")}
    items = {name: after.item(name).status for name in ("amount_matches", "refund_completed")}
    assert items == {"amount_matches": "not_met", "refund_completed": "not_met"}
    back: JSON = {"refund_id": "back", "payment_id": "second", "status": "succeeded", "amount": 500, "currency": "EUR"}
    second[0]["refunds"] = [back]
    _, returned = looked_at_again(walk)
    assert returned.money.sentence == "charged 10.00 EUR, back 10.00 EUR"
    assert later_failure(walk, returned) == "amount_differs", "whoever looks only now sees the second charge as well"


def compared(summary: Summary) -> dict[str, tuple[str, str | None, str | None]]:
    found = {one.id: (one.status, one.left, one.right) for one in summary.reconciliation}
    return {name: found[name] for name in ("R1", "R4")}


def later_failure(walk: Walk, after: Summary) -> str:
    """What step 9 fails by, with the addendum in its trace."""
    step = after.step("revoked")
    assert (after.outcome, step.status, step.trace[-1]) == ("failed", "failed", len(walk.lines) + 1)
    assert "ask for the refund" not in str(step.todo)
    return str(step.finding)


@pytest.mark.parametrize("key", [False, True])
def test_what_a_person_reads_after_the_end_counts_against_it_until_it_is_corrected(walk: Walk, key: bool) -> None:
    walk.goes_through()
    if key:
        walk.processes()
    walk.begin()
    payment = walk.go_on().payment_id
    lines = list(walk.lines)

    def after(*refunded: int) -> Summary:
        return summarise(lines, [read_by_hand(len(lines), n, payment, one) for n, one in enumerate(refunded, 1)])

    assert after(500).outcome == "passed"
    short = after(500, 0)
    assert (short.outcome, short.money.state, short.step("revoked").finding) == ("failed", "unknown", "refund_differs")
    assert short.step("revoked").observed == "a person says charged 5.00 EUR, back 0.00 EUR"
    assert short.step("revoked").trace[-1] == len(lines) + 2
    assert after(500, 0, 500).outcome == "passed", "the latest counts"


def read_by_hand(events: int, number: int, payment: str | None, refunded: int) -> Dashboard:
    return Dashboard(
        session="s", session_hash="0" * 64, number=number, seq=events + number, at="2026-11-05T09:00:00.000Z",
        by="An Operator", payment_id=payment, charged_cents=500, refund_id="re", refunded_cents=refunded,
        currency="EUR",
    )  # fmt: skip


def passed_with_the_processor(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    walk.begin()
    assert walk.go_on().outcome == "passed"


def test_a_dispute_that_is_found_after_the_end_is_named(walk: Walk) -> None:
    passed_with_the_processor(walk)
    walk.payments_tell(lambda payment: payment.update(disputes=[{"dispute_status": "dispute_opened"}]))
    observed, after = looked_at_again(walk)
    assert "a dispute: dispute_opened" in observed
    assert later_failure(walk, after) == "dispute_opened"
    assert "the processor has a dispute on payment" in after.money.sentence


def test_an_order_that_the_backend_calls_disputed_after_the_end_is_named(walk: Walk) -> None:
    passed_with_the_processor(walk)
    walk.backend.shop.order(ORDER).update(status="disputed")
    walk.processor = None
    _, after = looked_at_again(walk)
    assert later_failure(walk, after) == "dispute_opened"
    assert f"the backend calls order {ORDER} disputed" in after.money.sentence


def fail_refunds(payment: dict[str, Any]) -> None:
    for one in payment.get("refunds", ()):
        one.update(status="failed")


@pytest.mark.parametrize("aware", [False, True])
def test_a_refund_that_fails_after_the_end_is_no_refund(walk: Walk, *, aware: bool) -> None:
    passed_with_the_processor(walk)
    keeps(walk, fail_refunds)
    if aware:
        walk.backend.shop.order(ORDER).update(
            status="refund_failed", refund_status="failed", refunded_amount_cents=None
        )
    observed, after = looked_at_again(walk)
    assert "of 5.00 EUR failed" in observed
    assert later_failure(walk, after) == "refund_failed_late"
    todo = str(after.step("revoked").todo)
    assert todo.endswith("then look again with `resume`.")
    assert todo.startswith("Refund what is open" if aware else "Look at"), "what is due says the same"
    assert compared(after)["R4"] == ("differs", "5.00 EUR", "0.00 EUR")
    assert compared(after)["R1"][0] == "equal"
    assert after.item("refund_completed").status == "not_met"
    assert after.item("refund_completed").evidence[-1] == len(walk.lines) + 1


def test_what_only_the_backend_takes_back_after_the_end_differs(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    assert walk.go_on().outcome == "passed"
    walk.backend.shop.order(ORDER).update(refunded_amount_cents=250)
    _, after = looked_at_again(walk)
    assert later_failure(walk, after) == "refund_differs"
    assert compared(after)["R4"] == ("differs", "5.00 EUR", "2.50 EUR")


@pytest.mark.parametrize("told", [{"refunded_amount_cents": 250}, {"status": "expired"}, {"status": "disputed"}])
def test_what_is_said_of_a_failure_after_the_end_is_what_was_learnt_last(walk: Walk, told: dict[str, JSON]) -> None:
    passed_with_the_processor(walk)
    keeps(walk, lambda _: None)
    walk.backend.shop.order(ORDER).update(told)
    lines, stage = list(walk.lines), open_stage(walk.parts(), MemorySink(), idempotency=False)
    looked = look_at(stage.api, stage.processor, summarise(lines))
    first = news(looked, summarise(lines), lines, (), walk.clock.now())
    assert first is not None
    seen = [replace(first, number=n, seq=first.seq + n - 1, observed=f"seen {n} times") for n in (1, 2)]
    step = summarise(lines, seen).step("revoked")
    assert (step.status, step.observed) == ("failed", "seen 2 times")


def test_an_order_that_no_longer_tells_its_refund_may_be_out(walk: Walk) -> None:
    walk.goes_through()
    walk.begin()
    assert walk.go_on().outcome == "passed"
    walk.backend.shop.order(ORDER).update(status="archived", refund_status=None, refunded_amount_cents=None)
    _, after = looked_at_again(walk)
    assert later_failure(walk, after) == "refund_differs"
    assert "refund it" not in str(still_open(after))


@pytest.mark.parametrize("status", ["pending_payment", "expired", "cancelled", "failed"])
def test_an_order_that_no_longer_says_that_it_was_paid_is_a_failure(walk: Walk, status: str) -> None:
    passed_with_the_processor(walk)
    said = summarise(walk.lines).money.sentence
    keeps(walk, lambda _: None)
    gone = dict.fromkeys(("refund_status", "refunded_amount_cents", "completed_at"))
    walk.backend.shop.order(ORDER).update(gone, status=status)
    _, after = looked_at_again(walk)
    assert later_failure(walk, after) == "unexpected_status"
    assert after.item("order_completed").status == "not_met"
    assert status in after.item("order_completed").reason
    assert after.money.sentence == said, "who tells of the money still tells it"


def test_an_order_that_the_backend_does_not_know_any_more_is_a_failure_until_it_does(walk: Walk) -> None:
    passed_with_the_processor(walk)
    said = summarise(walk.lines).money.sentence
    keeps(walk, lambda _: None)
    gone = walk.backend.shop.orders.pop(ORDER)
    observed, after = looked_at_again(walk)
    assert f"the backend does not know order {ORDER} any more (404)" in observed
    assert later_failure(walk, after) == "unexpected_status"
    assert after.item("order_completed").reason == "completed before; now the order is not found"
    assert after.money.sentence == said, "who tells of the money still tells it"
    lines, stage = list(walk.lines), open_stage(walk.parts(), MemorySink(), idempotency=False)
    missing = news(look_at(stage.api, None, summarise(lines)), summarise(lines), lines, (), walk.clock.now())
    assert missing is not None, "with nobody else to tell of it"
    assert (missing.order_status, missing.currency) == ("not found", "EUR")
    walk.backend.shop.orders[ORDER] = gone
    looked = look_at(stage.api, stage.processor, summarise(lines))
    back = news(looked, summarise(lines), lines, (missing,), walk.clock.now())
    assert back is not None
    assert summarise(lines, (missing, back)).outcome == "passed"


def test_a_404_of_another_server_is_no_word_of_the_backend(walk: Walk) -> None:
    passed_with_the_processor(walk)
    page = Reply(status=404, body=b"404 page not found", headers={"Content-Type": "text/plain"})
    walk.backend.script("getOrder", page)
    walk.backend.shop.licenses.clear()
    stage = open_stage(walk.parts(), MemorySink(), idempotency=False)
    looked = look_at(stage.api, None, summarise(walk.lines))
    assert not looked.orders[0].heard
    assert looked.unheard[0].startswith(f"order {ORDER}, the backend: ")
    assert looked.unheard[1] == f"the licenses of order {ORDER}: the backend lists none"


def test_a_license_that_is_active_again_after_the_end_is_news_and_a_failure(walk: Walk) -> None:
    passed_with_the_processor(walk)
    for one in walk.backend.shop.licenses.values():
        one.update(status="active")
    observed, after = looked_at_again(walk)
    assert "is active" in observed
    assert later_failure(walk, after) == "license_not_revoked"
    assert after.item("license_revoked").status == "not_met"
    assert after.item("license_revoked").evidence == (len(walk.lines) + 1,)


def test_news_that_contradicts_nothing_fails_nothing(walk: Walk) -> None:
    passed_with_the_processor(walk)
    keeps(walk, lambda _: None)
    walk.backend.shop.order(ORDER).update(status="archived", refunded_amount_cents=None)
    observed, after = looked_at_again(walk)
    assert "archived" in observed
    assert (after.outcome, compared(after)["R4"][0]) == ("passed", "equal")


def test_a_purchase_that_was_kept_is_no_failure_when_it_is_looked_at_again(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    walk.person.always = {**walk.person.always, "refund": "n"}
    walk.begin()
    assert walk.go_on().outcome == "passed"
    walk.stage.journal.append(SessionAbandoned(reason="kept", accepted_cents=500, accepted_currency="EUR"))
    keeps(walk, lambda payment: payment.update(status="partially_captured"))
    _, after = looked_at_again(walk)
    assert after.outcome == "passed"


def test_a_reversal_is_not_late_while_the_refund_is_pending(walk: Walk) -> None:
    refund_waits(walk)
    walk.person.answers = ["skip", "no psql here"]
    walk.begin()
    assert walk.go_on().outcome == "incomplete"
    walk.clock.sleep(2 * DAY)
    walk.resume()
    supply(walk.stage, printed(walk.transfer()))
    assert walk.stage.summary().outcome == "incomplete"
    walk.clock.sleep(4 * DAY)
    walk.backend.shop.settle_refund(ORDER)
    walk.resume()
    with pytest.raises(EndOfInput):
        walk.go_on()  # the rows of the reversal are asked for: nothing failed
    assert walk.events(StepFailed) == []


def test_a_reversal_may_lag_a_day_behind_the_refund_and_not_behind_its_request(walk: Walk) -> None:
    refund_waits(walk)
    walk.person.answers = [lambda: printed(walk.transfer())]
    walk.begin()
    assert walk.go_on().outcome == "incomplete"
    walk.clock.sleep(6 * DAY)
    walk.backend.shop.settle_refund(ORDER)
    walk.person.answers = ["skip", "later"]
    walk.resume()
    assert walk.go_on().outcome == "passed"
    rows = printed(walk.transfer(**NOT_REVERSED))
    walk.clock.sleep(DAY / 2)
    supply(walk.stage, rows)
    assert walk.stage.summary().outcome == "passed"
    walk.clock.sleep(DAY)
    supply(walk.stage, rows)
    assert walk.stage.summary().outcome == "failed"


def test_rows_count_that_are_supplied_after_the_step_was_interrupted(walk: Walk) -> None:
    refund_waits(walk)
    walk.person.answers = []
    walk.begin()
    with pytest.raises(EndOfInput):
        walk.go_on()
    supply(walk.stage, printed(walk.transfer()))
    assert walk.stage.summary().item("transfer_booked").status == "met"


@pytest.mark.parametrize("status", ["completed", "disputed", "archived"])
def test_no_second_pay_out_is_advised_after_a_refund_that_succeeded(walk: Walk, status: str) -> None:
    walk.goes_through()
    refunded_as(walk, status=status)
    walk.begin()
    assert walk.go_on().outcome == "failed"
    (failed,) = walk.events(StepFailed)
    assert "ask for the refund" not in failed.todo
    assert "refund the payment" not in failed.todo
    assert failed.finding != "refund_failed"


@pytest.mark.parametrize("cents", [None, 500])
def test_a_refund_that_succeeded_is_not_asked_for_again_though_the_order_is_completed(
    walk: Walk, cents: int | None
) -> None:
    walk.goes_through()
    walk.person.always = {**walk.person.always, "refund": "n"}
    walk.begin()
    walk.go_on()
    walk.backend.shop.order(ORDER).update(refund_id="r", refund_status="succeeded", refunded_amount_cents=cents)
    walk.person.always = {**walk.person.always, "refund": "y"}
    walk.resume()
    assert walk.go_on().outcome == "failed", "the order contradicts itself"
    assert walk.writes("requestRefund") == 0


def test_a_voided_capture_is_a_refund_of_its_payment(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()

    def void(payment: dict[str, Any]) -> None:
        if payment.get("refunds"):
            payment.update(refunds=[], status="cancelled_post_capture")

    walk.payments_tell(void)
    walk.begin()
    summary = walk.go_on()
    assert summary.outcome == "passed"
    compared = {one.id: one.status for one in summary.reconciliation}
    assert (compared["R4"], compared["R6"]) == ("equal", "equal")


def test_an_order_that_was_found_again_and_is_wrong_stays_part_of_the_session(walk: Walk) -> None:
    walk.processes()
    walk.person.always = {"product": "1"}
    shop = walk.backend.shop
    create = shop.create

    def lost(buyer: str, items: list[dict[str, Any]]) -> dict[str, Any]:
        placed = create(buyer, items)
        shop.order(placed["order"]["id"])["total_amount_cents"] = 900
        raise httpx.ReadTimeout("lost")

    shop.create = lost  # type: ignore[method-assign]  # the answer is lost after the order was made
    walk.begin()
    summary = walk.go_on()
    assert summary.step("order").finding == "total_differs"
    assert summary.money.sentence == "the card may be charged"


@pytest.mark.parametrize("part", [{"amount": 250}, {"status": "pending"}])
@pytest.mark.parametrize("heard", ["no key", "no answer"])
def test_the_processors_word_against_the_backends_is_not_forgotten_when_it_is_silent(
    walk: Walk, part: dict[str, JSON], heard: str
) -> None:
    walk.goes_through()
    walk.processes()

    def some(payment: dict[str, Any]) -> None:
        for one in payment.get("refunds", ()):
            one.update(part)

    walk.payments_tell(some)
    walk.begin()
    assert str(walk.go_on().money.state) == "unknown"
    walk.processor = None if heard == "no key" else lambda _: httpx.Response(503)
    walk.resume()
    summary = walk.go_on()
    assert str(summary.money.state) == "unknown"
    assert "the processor says charged 5.00 EUR, back" in summary.money.sentence


@pytest.mark.parametrize("heard", ["no key", "no answer"])
def test_a_refund_that_the_processor_last_called_pending_is_ended_by_what_a_person_reads(
    walk: Walk, heard: str
) -> None:
    walk.goes_through()
    walk.processes()
    walk.payments_tell(lambda payment: [one.update(status="pending") for one in payment["refunds"]])
    walk.begin()
    assert walk.go_on().waiting_for == "refund"
    walk.processor = None if heard == "no key" else lambda _: httpx.Response(401)
    walk.resume()
    summary = walk.go_on()
    assert "had not ended when it last answered" in summary.step("revoked").observed
    assert "`attest dashboard`" in str(summary.step("revoked").todo)
    walk.resume()
    walk.stage.journal.append(
        DashboardRead(
            by="A Person", payment_id=summary.payment_id, charged_cents=500, refund_id=summary.refund_id,
            refunded_cents=500, currency="EUR",
        )
    )  # fmt: skip
    summary = walk.go_on()
    assert (summary.outcome, summary.money.state) == ("passed", "returned")
    assert {one.id: one.status for one in summary.reconciliation}["R4"] == "equal"


def test_a_processor_that_was_last_heard_before_the_refund_does_not_say_that_nothing_came_back(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    refunded_as(walk, refunded_amount_cents=None)
    tell = walk.processor
    assert tell is not None

    def answer(request: httpx.Request) -> httpx.Response:
        back = ORDER in walk.backend.shop.orders and walk.backend.shop.order(ORDER)["status"] == "refunded"
        return httpx.Response(503) if back else tell(request)

    walk.processor = answer
    walk.begin()
    summary = walk.go_on()
    assert str(summary.money.state) == "unknown"
    assert "open 5.00" not in summary.money.sentence


def two_orders(walk: Walk) -> None:
    """A backend that makes two orders of one request whose answer is lost; the operator is told of both."""
    walk.goes_through()
    shop = walk.backend.shop
    create = shop.create

    def twice(buyer: str, items: list[dict[str, Any]]) -> dict[str, Any]:
        create(buyer, items)
        shop.orders["other"] = {**shop.orders[ORDER], "id": "other", "payment_id": "pay_other"}
        before = "2026-01-01T00:00:00Z"
        shop.orders["theirs"] = {**shop.orders[ORDER], "id": "theirs", "payment_id": "pay", "created_at": before}
        return {"order": dict(shop.orders[ORDER]), "checkout_url": "https://pay.veza.test/x"}

    shop.create = twice  # type: ignore[method-assign]  # the fake makes one
    walk.begin()
    walk.backend.script("createOrder", *[Reply(breaks="read", carried_out=True)] * 3)
    assert walk.go_on().step("order").finding == "several_orders"


def test_each_order_of_the_session_is_read_again(walk: Walk) -> None:
    two_orders(walk)
    before = walk.stage.summary().money
    assert {one.order_id for one in before.orders} == {ORDER, "other"}
    assert not before.moved
    for name in (ORDER, "other"):
        walk.backend.shop.order(name).update(status="completed")
    observed, after = looked_at_again(walk)
    assert f"order {ORDER} is completed" in observed
    assert "order other is completed" in observed
    assert after.money.sentence == "charged 10.00 EUR, back 0.00 EUR, open 10.00 EUR"


def test_orders_that_version_1_named_only_in_words_are_the_sessions(walk: Walk) -> None:
    two_orders(walk)
    lines = [line for line in walk.lines if not isinstance(line.event, OrderNamed)]
    assert len(lines) == len(walk.lines) - 2
    assert {one.order_id for one in summarise(lines).money.orders} == {ORDER, "other"}


def test_what_was_learnt_before_addenda_named_their_order_is_no_news(walk: Walk) -> None:
    two_orders(walk)
    walk.backend.shop.order(ORDER).update(status="completed")
    lines, now = list(walk.lines), walk.clock.now()
    looked = look_at(open_stage(walk.parts(), MemorySink(), idempotency=False).api, None, summarise(lines))
    found = news(looked, summarise(lines), lines, (), now)
    assert found is not None
    kept = replace(found, order_id="")
    assert news(looked, summarise(lines, (kept,)), lines, (kept,), now) is None


def test_an_order_that_cannot_be_read_hides_no_other(walk: Walk) -> None:
    two_orders(walk)
    walk.backend.shop.order("other").update(status="completed")
    walk.backend.script("getOrder", Reply(status=403, body=b'{"error": "x\\nPASSED: nothing was charged"}'))
    lines = list(walk.lines)
    stage = open_stage(walk.parts(), MemorySink(), idempotency=False)
    looked = look_at(stage.api, stage.processor, summarise(lines))
    heard = {one.order_id: one.heard for one in looked.orders}
    assert sorted(heard.values()) == [False, True]
    found = news(looked, summarise(lines), lines, (), walk.clock.now())
    assert found is not None
    assert (found.order_status, found.currency, len(found.others)) == ("", "EUR", 1)
    (unheard,) = looked.unheard
    assert "\n" not in unheard, "what is said of who did not answer is one line"


def test_the_payment_that_an_order_names_only_now_is_read(walk: Walk) -> None:
    walk.goes_through()
    walk.processes()
    walk.begin()
    assert walk.go_on().outcome == "passed"
    walk.backend.shop.order(ORDER).update(payment_id="pay_new")
    asked = list[str]()
    tell = walk.processor
    assert tell is not None

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return tell(request)

    walk.processor = answer
    looked_at_again(walk)
    assert "/payments/pay_new" in asked
