"""The account: a smaller risk is only ever concluded from a witness's positive word."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from scripted_session import ORDER, PAYMENT, PRODUCT, SESSION, Script

from veza.money import Money
from veza_e2e.canonical import JSON
from veza_e2e.evidence.facts import untold
from veza_e2e.journal.addenda import Addendum, BankStatement, Dashboard, Reread, SeenAtBank
from veza_e2e.journal.events import CallFinished
from veza_e2e.journal.readings import DashboardRead, OrderNamed
from veza_e2e.journal.story import Story
from veza_e2e.money.account import Account, fold
from veza_e2e.money.answers import body_of
from veza_e2e.money.figures import Figure, current, is_some_of
from veza_e2e.money.order_account import AccountState
from veza_e2e.money.transfer_rows import tax_told

Payment = dict[str, JSON]
EUR5 = Money(500, "EUR")


def paid() -> Script:
    """A session whose order was completed, and whose processor was never asked."""
    script = Script().start().until("pay")
    script.call("completed", "getOrder", script.order("completed"), path=f"/orders/{ORDER}")
    return script


def back(script: Script, **more: JSON) -> Account:
    script.call("revoked", "getOrder", script.refunded_order() | more, path=f"/orders/{ORDER}")
    return fold(script.lines)


def processor(script: Script, **more: JSON) -> Account:
    payment: Payment = {"payment_id": PAYMENT, "status": "succeeded", "amount": 500, "currency": "EUR", **more}
    script.call("revoked", "payment", payment, processor=True)
    return fold(script.lines)


def silent(script: Script) -> Account:
    script.call("revoked", "payment", {"error": {"code": "IR_01"}}, processor=True, status=401)
    return fold(script.lines)


def refund(**more: JSON) -> Payment:
    return {"refund_id": "r", "payment_id": PAYMENT, "status": "succeeded", "amount": 500, "currency": "EUR", **more}


def reread(status: str, refund_status: str | None, cents: int | None, currency: str = "EUR") -> Reread:
    return Reread(
        session=SESSION, session_hash="a" * 64, number=1, seq=99, at="2026-05-10T09:00:00.000Z", order_status=status,
        refund_status=refund_status, refunded_cents=cents, currency=currency, failed=False, observed="read again",
    )  # fmt: skip


def bank(seen: SeenAtBank, cents: int | None) -> BankStatement:
    return BankStatement(
        session=SESSION, session_hash="a" * 64, number=1, seq=99, at="2026-05-10T09:00:00.000Z", seen=seen,
        date="2026-05-10", amount_cents=cents, currency=None if cents is None else "EUR",
    )  # fmt: skip


def dashboard(**figures: int) -> DashboardRead:
    return DashboardRead(by="An Operator", currency="EUR", payment_id=PAYMENT, **figures)  # type: ignore[arg-type]


def test_a_charge_that_came_back_is_returned() -> None:
    account = back(paid())
    assert (account.state, account.sentence) == (AccountState.RETURNED, "charged 5.00 EUR, back 5.00 EUR")
    assert [(one.by, one.amount) for one in account.figures("refunded")] == [("backend", EUR5)]


@pytest.mark.parametrize(
    "more",
    [
        {"refunded_amount_cents": None},
        {"currency": "USD"},
        {"refunded_amount_cents": 200},
        {"refund_status": "failed"},
        {"total_amount_cents": 200, "refunded_amount_cents": 200},
    ],
)
def test_less_than_the_same_amount_of_the_same_currency_is_not_returned(more: dict[str, JSON]) -> None:
    assert back(paid(), **more).state in {AccountState.CHARGED, AccountState.UNKNOWN}


@pytest.mark.parametrize(
    "more",
    [
        {"payment_id": "pay_of_another_order"}, {"currency": "JPY"}, {"amount": None}, {"amount": 499},
        {"status": "pending"}, {"status": "review"},
    ],
)  # fmt: skip
def test_a_refund_at_the_processor_counts_for_this_payment_and_currency_only(more: dict[str, JSON]) -> None:
    assert processor(paid(), amount_received=500, refunds=[refund()]).state is AccountState.RETURNED
    account = processor(paid(), amount_received=500, refunds=[refund(**more)])
    assert account.state in {AccountState.CHARGED, AccountState.UNKNOWN}


def test_a_capture_that_tells_no_currency_is_not_known() -> None:
    script = paid()
    back(script)
    assert processor(script, amount_received=500, currency=None).state is AccountState.UNKNOWN


def test_a_charge_whose_amount_the_order_does_not_tell_is_proven_by_the_last_reading() -> None:
    script = Script().start().until("products")
    untold: dict[str, JSON] = {"total_amount_cents": None}
    script.call("order", "createOrder", {"order": script.order("pending_payment", **untold)}, method="POST")
    for _ in range(3):
        script.call("completed", "getOrder", script.order("completed", **untold), path=f"/orders/{ORDER}")
    account = fold(script.lines)
    (figure,) = account.figures("charged")
    assert (figure.by, figure.amount, figure.seq) == ("backend", None, len(script.lines))
    assert (account.state, account.moved) == (AccountState.UNKNOWN, True)


def test_an_amount_that_is_none_is_not_told() -> None:
    account = processor(paid(), amount_received=500, currency="EURO")
    assert "the processor says charged an amount that is not told" in account.sentence
    for told, total in (("5.00", EUR5), ("5.00.0", None), ("much", None), ("0.001", None)):
        script = Script().start().until("pay")
        order = {**script.order("completed"), "total_amount": told, "total_amount_cents": None}
        script.call("completed", "getOrder", order, path=f"/orders/{ORDER}")
        (read,) = fold(script.lines).orders
        assert read.reads[-1].total == total


def test_a_capture_in_another_currency_is_said_by_its_witness() -> None:
    account = processor(paid(), amount_received=540, currency="USD")
    assert (account.state, account.charged_cents) == (AccountState.UNKNOWN, None)
    assert "the processor says charged 5.40 USD" in account.sentence
    assert "the backend says charged 5.00 EUR" in account.sentence


def test_a_second_payment_is_added_up_and_still_out() -> None:
    script = paid()
    processor(script, amount_received=500, refunds=[refund()])
    account = processor(script, payment_id="pay_2222", amount_received=500, metadata={"order_id": ORDER})
    held = "5.00 EUR of payment pay_2222, which the backend cannot refund"
    assert account.sentence == f"charged 10.00 EUR, back 5.00 EUR, open 5.00 EUR ({held})"
    assert account.at_stake == EUR5
    assert (account.elsewhere, account.refundable) == ({"pay_2222": EUR5}, Money(0, "EUR"))
    assert account.refund_open is True


@pytest.mark.parametrize("untold", [PAYMENT, "pay_2222"])
def test_of_two_payments_one_that_is_not_told_leaves_open_what_came_back(untold: str) -> None:
    script = paid()
    for name in (PAYMENT, "pay_2222"):
        received = None if name == untold else 500
        account = processor(script, payment_id=name, amount_received=received, metadata={"order_id": ORDER})
    assert (account.state, account.charged, account.refunded) == (AccountState.UNKNOWN, None, None)
    assert "the processor says charged an amount that is not told" in account.sentence


def test_a_completed_order_without_money_at_the_processor_is_no_seen_charge() -> None:
    for status in ("processing", "requires_capture"):
        account = processor(paid(), status=status, amount_received=0)
        assert (account.state, account.moved, account.charged_cents) == (AccountState.AT_RISK, False, None)
        assert account.sentence == "the card may be charged"


def test_a_completed_order_whose_payment_failed_contradicts_the_processor() -> None:
    account = processor(paid(), status="failed", amount_received=0)
    assert account.state is AccountState.UNKNOWN
    assert "the processor says charged 0.00 EUR" in account.sentence


def test_reserved_money_beside_a_payment_that_was_received_is_a_charge() -> None:
    script = paid()
    processor(script, status="requires_capture", amount_received=0)
    other = processor(script, payment_id="pay_2222", amount_received=500, metadata={"order_id": ORDER})
    assert (other.state, other.charged_cents) == (AccountState.CHARGED, 500)


def test_a_refund_of_reserved_money_contradicts_that_none_was_charged() -> None:
    script = paid()
    processor(script, status="requires_capture", amount_received=0)
    account = back(script)
    assert (account.state, account.moved) == (AccountState.UNKNOWN, True)
    script = paid()
    account = processor(script, status="requires_capture", amount_received=0, refunds=[refund()])
    assert (account.state, account.moved) == (AccountState.UNKNOWN, True)


def test_a_processor_that_was_heard_before_the_order_completed_takes_no_charge_back() -> None:
    script = Script().start().until("pay")
    processor(script, status="processing", amount_received=0)
    script.call("completed", "getOrder", script.order("completed"))
    assert fold(script.lines).moved is True


def test_a_processor_that_saw_more_later_contradicts_nobody() -> None:
    script = Script().start().until("pay")
    assert processor(script, status="requires_payment_method", amount_received=None).state is AccountState.AT_RISK
    script.call("completed", "getOrder", script.order("completed"))
    assert fold(script.lines).state is AccountState.CHARGED


def test_a_refund_that_only_the_backend_saw_end_waits_for_the_processor() -> None:
    script = paid()
    back(script)
    account = processor(script, amount_received=500, refunds=[refund(status="pending")])
    assert account.state is AccountState.UNKNOWN
    assert "the processor says charged 5.00 EUR, back 0.00 EUR so far" in account.sentence


def test_two_witnesses_that_disagree_are_both_named() -> None:
    script = paid()
    processor(script, amount_received=500, refunds=[refund()])
    account = back(script, refunded_amount_cents=250)
    assert (account.state, account.refunded_cents) == (AccountState.UNKNOWN, None)
    assert "the backend says charged 5.00 EUR, back 2.50 EUR" in account.sentence
    assert "the processor says charged 5.00 EUR, back 5.00 EUR" in account.sentence


def test_a_witness_that_does_not_answer_is_said() -> None:
    script = paid()
    silent(script)
    assert back(script).sentence == "charged 5.00 EUR, back 5.00 EUR; the processor did not tell the payment"
    script = Script().start().until("pay")
    silent(script)
    script.call("completed", "getOrder", script.order("expired"))
    assert fold(script.lines).state is AccountState.UNKNOWN


@pytest.mark.parametrize(
    ("status", "refund_status", "cents", "state"),
    [
        ("refunded", "succeeded", 500, AccountState.RETURNED),
        ("disputed", "succeeded", 500, AccountState.RETURNED),
        ("disputed", None, None, AccountState.UNKNOWN),
        ("archived", None, None, AccountState.UNKNOWN),
        ("refunded", "review", None, AccountState.CHARGED),
        ("refund_failed", "failed", 0, AccountState.CHARGED),
    ],
)
def test_what_is_read_again_later(
    status: str, refund_status: str | None, cents: int | None, state: AccountState
) -> None:
    script = paid()
    back(script)
    assert fold(script.lines, [reread(status, refund_status, cents)]).state is state


def test_a_bank_credit_is_a_witness_too() -> None:
    script = paid()
    back(script)
    seen: list[Addendum] = [reread("archived", None, None)]
    assert fold(script.lines, seen).state is AccountState.UNKNOWN
    assert fold(script.lines, [*seen, bank("credit", 500)]).state is AccountState.RETURNED
    assert fold(script.lines, [bank("credit", 500)]).state is AccountState.RETURNED
    assert fold(script.lines, [bank("credit", 470)]).state is AccountState.UNKNOWN


def test_a_person_is_a_witness_by_hand() -> None:
    script = Script().start().until("pay")
    script.say(dashboard(charged_cents=500))
    assert fold(script.lines).state is AccountState.UNKNOWN  # nobody said yet how much came back
    script.say(dashboard(charged_cents=500, refunded_cents=500))
    assert fold(script.lines).state is AccountState.RETURNED


def test_a_dashboard_addendum_counts_like_the_event() -> None:
    said = Dashboard(
        session=SESSION, session_hash="a" * 64, number=1, seq=99, at="2026-05-10T09:00:00.000Z", by="An Operator",
        currency="EUR", payment_id=PAYMENT, charged_cents=500, refunded_cents=500,
    )  # fmt: skip
    assert fold(Script().start().until("pay").lines, [said]).state is AccountState.RETURNED


def test_before_anything_can_be_paid_it_is_untouched_and_then_at_risk() -> None:
    assert fold(Script().start().until("products").lines).state is AccountState.UNTOUCHED
    assert fold(Script().start().until("order").lines).state is AccountState.AT_RISK
    assert fold(Script().start().until("pay").lines).state is AccountState.AT_RISK


def test_an_order_that_was_named_is_at_risk_for_ever() -> None:
    script = Script().start().until("products")
    script.say(OrderNamed(step="order", order_id="7", payment_id=None))
    script.call("order", "listOrders", [])
    assert fold(script.lines).state is AccountState.AT_RISK


def test_an_order_that_was_asked_for_and_never_answered_is_at_risk_until_a_list_denies_it() -> None:
    script = Script().start().until("products")
    script.call("order", "createOrder", None, method="POST", path="/orders", status=502)
    assert fold(script.lines).state is AccountState.AT_RISK
    script.clock.at += timedelta(seconds=290)
    script.call("order", "listOrders", [])
    assert fold(script.lines).state is AccountState.AT_RISK, "the backend may still be making it"
    script.clock.at += timedelta(seconds=10)
    script.call("order", "listOrders", [])
    assert fold(script.lines).state is AccountState.UNTOUCHED


MADE: dict[str, JSON] = {
    "id": "9", "status": "pending_payment", "created_at": "2026-05-04T09:00:00.123456789Z",
    "items": [{"product_id": PRODUCT}],
}  # fmt: skip
WHOLE: JSON = {"page": 1, "total_pages": 1}


@pytest.mark.parametrize(
    ("data", "meta", "denied"),
    [
        (None, {}, True),
        ([], {"page": 1}, True),
        ([MADE], WHOLE, False),
        ([MADE | {"status": "completed"}], WHOLE, False),
        ([MADE | {"status": "archived"}], WHOLE, False),
        ([MADE | {"items": None}], WHOLE, False),
        ([MADE | {"items": [{}]}], WHOLE, False),
        ([MADE | {"created_at": "2026-05-04T08:00:00Z"}], WHOLE, False),
        ([MADE | {"created_at": "soon"}], WHOLE, False),
        ([MADE | {"created_at": "2020-05-04T08:00:00"}], WHOLE, False),
        ([MADE | {"created_at": "2026-05-03T08:00:00Z"}], WHOLE, True),
        ([MADE | {"created_at": "2026-05-03T08:00:00Z"}], {}, False),
        ([MADE | {"status": "expired"}], WHOLE, True),
        ([MADE | {"status": "refunded"}], WHOLE, True),
        ([MADE | {"items": [{"product_id": "another"}]}], WHOLE, True),
        ([MADE | {"items": [{"product_id": "another"}]}], {}, False),
        ([MADE | {"items": [{"product_id": "another"}]}], {"page": 1, "total_pages": 2}, False),
        ([MADE | {"items": [{"product_id": "another"}]}], {"page": 1, "per_page": 100, "total": 1}, True),
        ([MADE | {"items": [{"product_id": "another"}]}], {"page": 1, "per_page": 1, "total": 2}, False),
        ([MADE | {"items": [{"product_id": "another"}]}], {"page": 1, "total_pages": "many"}, False),
        ("nothing", WHOLE, False),
    ],
)  # fmt: skip
def test_a_list_denies_an_order_only_by_what_it_tells(data: JSON, meta: JSON, denied: bool) -> None:
    script = Script().start().until("products")
    script.call("order", "createOrder", None, method="POST", path="/orders", status=502)
    script.clock.at += timedelta(seconds=300)
    script.call("order", "listOrders", {"success": True, "data": data, "meta": meta}, path="/orders?page=1", whole=True)
    assert (fold(script.lines).state is AccountState.UNTOUCHED) == denied


def test_a_list_denies_an_order_only_with_all_its_pages() -> None:
    script = Script().start().until("products")
    script.call("order", "createOrder", None, method="POST", path="/orders", status=502)
    script.clock.at += timedelta(seconds=300)
    other: JSON = [MADE | {"items": [{"product_id": "another"}]}]
    for first, state in (([MADE], AccountState.AT_RISK), (other, AccountState.UNTOUCHED)):
        for number, data in ((1, first), (2, other)):
            told: JSON = {"success": True, "data": data, "meta": {"page": number, "total_pages": 2}}
            script.call("order", "listOrders", told, path=f"/orders?page={number}", whole=True)
        assert fold(script.lines).state is state


def test_the_times_of_an_order_in_doubt_count_from_its_last_request() -> None:
    script = Script().start().until("products")
    for _ in range(2):
        asked = script.clock.at
        script.call("order", "createOrder", None, method="POST", path="/orders", status=502)
        script.clock.at += timedelta(minutes=10)
    account = fold(script.lines)
    assert account.deniable_at is not None
    assert timedelta() <= account.deniable_at - asked - timedelta(minutes=5) < timedelta(seconds=1)
    assert account.late_after - account.deniable_at == timedelta(hours=24, minutes=15), (
        "its page could be paid until then"
    )


def test_nothing_is_to_be_expected_a_day_after_the_page_could_last_be_paid() -> None:
    script = Script().start().until("pay")
    account = fold(script.lines)
    placed = datetime.fromisoformat(
        next(x.at for x in script.lines if getattr(x.event, "operation", "") == "createOrder")
    )
    assert not account.lapsed(placed + timedelta(hours=24, minutes=10))
    assert account.lapsed(placed + timedelta(hours=24, minutes=20))
    assert account.lapsed(account.late_after)


@pytest.mark.parametrize(
    ("status", "state"), [("expired", "untouched"), ("failed", "at risk"), ("processing", "at risk")]
)
def test_a_pending_order_is_only_void_by_the_processors_word(status: str, state: str) -> None:
    assert processor(Script().start().until("pay"), status=status).state == state


def test_an_order_that_may_still_be_paid_is_at_risk_and_not_unknown() -> None:
    script = Script().start().until("pay")
    assert silent(script).state is AccountState.AT_RISK, "its page can be paid, whoever is silent"
    script = Script().start().until("pay")
    script.call("completed", "getOrder", script.order("expired"))
    assert processor(script, status="processing").state is AccountState.AT_RISK


def test_an_order_that_expired_while_the_processor_is_silent_is_settled_by_a_persons_zero() -> None:
    script = Script().start().until("pay")
    silent(script)
    script.say(dashboard(charged_cents=0))
    script.call("completed", "getOrder", script.order("expired"))
    assert fold(script.lines).state is AccountState.UNKNOWN, "that was read before the order ended"
    script.say(dashboard(charged_cents=0))
    assert fold(script.lines).state is AccountState.UNTOUCHED
    script.say(dashboard(charged_cents=500))
    assert fold(script.lines).state is AccountState.UNKNOWN


def test_what_is_open_is_not_known_while_nobody_tells_how_much_came_back() -> None:
    script = paid()
    account = back(script, refunded_amount_cents=None)
    assert (account.charged, account.refunded, account.open) == (Money(500, "EUR"), None, None)


def test_what_the_processor_answered_instead_of_a_payment_is_said() -> None:
    script = Script()
    assert untold(Story(script.lines)) is None
    script.call(None, "payment", {"error": {"code": "HE_02"}}, processor=True, status=404)  # the key, tried at the gate
    script.start().until("pay")
    assert untold(Story(script.lines)) == "the order names no payment to ask the processor for"
    processor(script, amount_received=None)
    assert untold(Story(script.lines)) == "the processor did not tell every amount"
    silent(script)
    assert untold(Story(script.lines)) == "the processor answered 401"


def test_an_untold_refund_is_not_settled_by_a_later_zero() -> None:
    script = paid()
    back(script, refunded_amount_cents=None)
    assert processor(script, amount_received=500).state is AccountState.UNKNOWN


@pytest.mark.parametrize("asked", [False, True])
def test_a_processor_that_was_last_heard_before_the_refund_is_a_needed_witness(asked: bool) -> None:
    script = paid()
    processor(script, amount_received=500)
    account = back(script)
    if asked:
        account = silent(script)
    assert (account.state, account.refunded_cents) == (AccountState.UNKNOWN, None)
    silence = "; the processor did not tell the payment" if asked else ""
    assert account.sentence.endswith(f"the processor said charged 5.00 EUR, back 0.00 EUR before the refund{silence}")


def read_by_hand(**figures: int) -> DashboardRead:
    members = {"refund_id": "ref_by_hand", **figures}
    return DashboardRead(by="An Operator", currency="EUR", payment_id=PAYMENT, **members)  # type: ignore[arg-type]


def test_a_person_tells_what_a_processor_that_fell_silent_no_longer_tells() -> None:
    script = paid()
    processor(script, amount_received=500)
    back(script)
    silent(script)
    account = fold(script.say(read_by_hand(charged_cents=500, refunded_cents=500)).lines)
    assert account.state is AccountState.RETURNED
    assert account.sentence == "charged 5.00 EUR, back 5.00 EUR; the processor did not tell the payment"
    assert account.said_by("processor") == "said charged 5.00 EUR, back 0.00 EUR before the refund"
    assert not account.unsettled_witness
    silent(script)
    assert fold(script.lines).state is AccountState.RETURNED, "it is no more silent than before"
    assert processor(script, amount_received=500).state is AccountState.UNKNOWN, "it speaks again"


def test_a_refund_at_the_dashboard_of_which_no_machine_tells_is_told_by_a_person() -> None:
    script = Script().start().until("pay")
    processor(script, amount_received=500)
    silent(script)
    assert fold(script.lines).state is AccountState.CHARGED
    assert fold(script.say(read_by_hand(charged_cents=500, refunded_cents=500)).lines).state is AccountState.RETURNED


@pytest.mark.parametrize("case", ["other amount", "before", "after the refund", "known refund", "pending"])
def test_a_person_settles_nothing_against_what_the_processor_told_of_the_refund(case: str) -> None:
    script = paid()
    known = {"known refund": [refund(refund_id="ref_by_hand", status="failed")], "pending": [refund(status="pending")]}
    if case == "after the refund":
        back(script)
    processor(script, amount_received=500, refunds=known.get(case, []))
    if case == "before":
        script.say(read_by_hand(charged_cents=500, refunded_cents=500))
    back(script)
    silent(script)
    if case != "before":
        script.say(read_by_hand(charged_cents=500, refunded_cents=470 if case == "other amount" else 500))
    assert fold(script.lines).state is AccountState.UNKNOWN


@pytest.mark.parametrize("status", ["pending", "review"])
def test_a_person_tells_how_a_refund_ended_that_the_processor_last_called_pending(status: str) -> None:
    script = paid()
    back(script)
    processor(script, amount_received=500, refunds=[refund(refund_id="ref_by_hand", status=status)])
    silent(script)
    assert fold(script.lines).state is AccountState.UNKNOWN
    account = fold(script.say(read_by_hand(charged_cents=500, refunded_cents=500)).lines)
    assert (account.state, account.refunded_cents) == (AccountState.RETURNED, 500)
    assert account.said_by("processor") == "said charged 5.00 EUR, back 0.00 EUR so far before the refund"


def test_a_further_payment_that_a_person_read_is_no_word_on_the_first() -> None:
    script = paid()
    processor(script, amount_received=500, refunds=[refund()])
    back(script)
    more = DashboardRead(by="O", currency="EUR", payment_id="pay_second", charged_cents=500)
    account = fold(script.say(more).lines)
    assert (account.state, account.charged) == (AccountState.UNKNOWN, None)
    first = DashboardRead(
        by="O", currency="EUR", payment_id=PAYMENT, charged_cents=500, refunded_cents=500, refund_id="r"
    )
    account = fold(script.say(first).lines)
    assert account.state is AccountState.UNKNOWN
    assert [one.amount for one in account.figures("charged") if one.by == "person"] == [Money(1000, "EUR")]


def test_what_is_given_up_is_the_most_that_a_witness_calls_open() -> None:
    script = paid()
    processor(script, amount_received=500)
    back(script)
    account = silent(script)
    assert (account.state, account.at_stake) == (AccountState.UNKNOWN, EUR5)


def test_what_may_be_charged_is_what_the_payments_ask_for() -> None:
    script = Script().start().until("order")
    asked = processor(script, status="requires_payment_method", net_amount=2500)
    assert (asked.state, asked.at_stake) == (AccountState.AT_RISK, Money(2500, "EUR"))
    assert processor(script, status="requires_payment_method", amount=None).at_stake == Money(2500, "EUR"), (
        "as last told"
    )
    assert processor(script, status="requires_payment_method", amount=300).at_stake == EUR5, "the order's total"
    assert processor(script, status="requires_payment_method", currency="USD").at_stake is None
    assert processor(script, status="failed", amount=2500).at_stake == EUR5, "nothing can be charged by it"
    second = paid()
    back(second)
    processor(second, amount_received=500, refunds=[refund()])
    reserved = processor(second, payment_id="pay_2", status="requires_capture", metadata={"order_id": ORDER})
    assert (reserved.state, reserved.at_stake) == (AccountState.UNKNOWN, EUR5)


def test_an_open_dispute_is_said_with_its_witness_and_its_payment() -> None:
    script = paid()
    back(script)
    assert fold(script.lines).sentence == "charged 5.00 EUR, back 5.00 EUR"
    disputed = processor(script, amount_received=500, refunds=[refund()], disputes=[{"dispute_status": "opened"}])
    assert disputed.sentence.endswith(f"; the processor has a dispute on payment {PAYMENT}")
    said = fold(script.lines, [reread("disputed", "succeeded", 500)]).sentence
    assert said.endswith(f"; the backend calls order {ORDER} disputed")


def test_a_refund_that_the_processor_calls_pending_is_not_settled_by_the_backend() -> None:
    script = paid()
    processor(script, amount_received=500, refunds=[refund(status="pending")])
    assert back(script).state is AccountState.UNKNOWN
    assert processor(script, amount_received=500, refunds=[refund()]).state is AccountState.RETURNED


REFUSALS = {400, 401, 403, 404, 405, 409, 415, 422, 423, 429}
"""What the contract, and HTTP for these codes, say: the request was not carried out."""


@pytest.mark.parametrize("status", [*range(300, 309), *range(400, 432), 451, 499, *range(500, 512), 520, 599])
def test_only_an_answer_that_says_that_nothing_was_done_leaves_no_order_in_doubt(status: int) -> None:
    script = Script().start().login().products()
    script.call("order", "createOrder", {}, method="POST", path="/orders", status=status)
    expected = AccountState.UNTOUCHED if status in REFUSALS else AccountState.AT_RISK
    assert fold(script.lines).state is expected


@pytest.mark.parametrize("status", [200, 401, 500])
def test_a_list_of_orders_that_holds_none_says_nothing_of_an_order(status: int) -> None:
    script = paid()
    before = fold(script.lines)
    script.call("order", "listOrders", None, path="/orders", status=status)
    after = fold(script.lines)
    assert (after.state, after.main) == (before.state, before.main)


def by_hand(charged: int, refunded: int) -> Dashboard:
    return Dashboard(
        session=SESSION, session_hash="a" * 64, number=1, seq=99, at="2026-05-10T09:00:00.000Z", by="A. Person",
        payment_id=PAYMENT, currency="EUR", charged_cents=charged, refunded_cents=refunded,
    )  # fmt: skip


def test_a_refund_that_a_person_saw_after_the_backend_knew_of_none_ends_the_account() -> None:
    script = paid()
    assert fold(script.lines).state is AccountState.CHARGED
    account = fold(script.lines, [by_hand(500, 500)])
    assert account.state is AccountState.RETURNED
    script.call("revoked", "getOrder", script.order("completed", refunded_amount_cents=0), path=f"/orders/{ORDER}")
    account = fold(script.lines, [by_hand(500, 500)])
    assert account.state is AccountState.RETURNED


@pytest.mark.parametrize(("count", "found"), [(2, True), (10, True), (11, False)])
def test_an_amount_is_that_of_some_refunds_if_there_are_at_most_ten(count: int, found: bool) -> None:
    refunds = [Money(1 << n, "EUR") for n in range(count)]
    whole = sum(one.minor for one in refunds)
    assert is_some_of(Money(whole - 1, "EUR"), refunds) is found
    assert is_some_of(refunds[-1], refunds) is found
    assert not is_some_of(Money(whole, "EUR"), refunds)
    assert not is_some_of(Money(0, "EUR"), refunds)
    assert not is_some_of(refunds[0], [*refunds, Money(1, "USD")])
    assert not is_some_of(refunds[0], [*refunds, Money(0, "EUR")])


def test_only_a_refusal_by_its_status_says_that_no_order_was_made() -> None:
    denied = set()
    for status in range(400, 600):
        script = Script().start().until("products")
        script.call("order", "createOrder", None, method="POST", path="/orders", status=status)
        if fold(script.lines).in_doubt_at is None:
            denied.add(status)
    assert denied == {400, 401, 403, 404, 405, 409, 415, 422, 423, 429}, "409 in the first walkthrough only"


def test_only_answers_about_orders_tell_of_an_order() -> None:
    script = paid()
    script.call("license", "getProduct", {**script.order("refunded", refund_status="succeeded"), "payment_id": "other"})
    (order,) = fold(script.lines).orders
    assert (order.reads[-1].status, order.payment_ids) == ("completed", (PAYMENT,))


def test_an_amount_in_cents_counts_where_a_decimal_is_told_as_well() -> None:
    script = Script().start().until("pay")
    for more in ({"total_amount": "6.00"}, {"total_amount_cents": None, "total_amount": "7.00"}):
        script.call("completed", "getOrder", script.order("completed") | more)
    (order,) = fold(script.lines).orders
    assert [one.total for one in order.reads[-2:]] == [Money(500, "EUR"), Money(700, "EUR")]


def test_the_tax_is_what_the_order_told_last() -> None:
    script = Script().start().until("pay")
    for tax in (80, 70, None):
        script.call("completed", "getOrder", script.order("completed", tax_amount_cents=tax))
    account = fold(script.lines)
    assert tax_told(account, ORDER, Money(500, "EUR")) == Money(70, "EUR")
    assert tax_told(account, ORDER, Money(500, "USD")) is None
    assert tax_told(account, "another", Money(500, "EUR")) is None


def test_an_answer_that_is_no_success_tells_nothing() -> None:
    script = Script().start()
    for status in (199, 200, 299, 300):
        script.call("order", "getOrder", {"id": "a"}, status=status)
    told = [body_of(line.event) for line in script.lines if isinstance(line.event, CallFinished)]
    assert told[-4:] == [None, {"id": "a"}, {"id": "a"}, None]


@pytest.mark.parametrize(("since", "heard", "kept"), [(10, 15, 1), (10, 10, 1), (0, 20, 1), (16, 15, 2), (0, 15, 2)])
def test_a_refund_that_is_not_told_contradicts_nobody_who_saw_it_since(since: int, heard: int, kept: int) -> None:
    untold = Figure("refunded", "backend", 20, None, since=since)
    assert len(current([untold, Figure("refunded", "processor", heard, Money(500, "EUR"))])) == kept


@pytest.mark.parametrize(("since", "kept"), [(0, 1), (10, 2), (11, 1)])
def test_who_looked_before_another_began_to_say_more_is_no_contradiction(since: int, kept: int) -> None:
    less = Figure("refunded", "processor", 10, Money(250, "EUR"))
    assert len(current([less, Figure("refunded", "backend", 20, Money(500, "EUR"), since=since)])) == kept
