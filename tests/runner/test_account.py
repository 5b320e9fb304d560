"""The account: a smaller risk is only ever concluded from a witness's positive word."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scripted_session import ORDER, PAYMENT, Script

from veza_e2e.canonical import JSON
from veza_e2e.money.account import Account, AccountState, fold

Payment = dict[str, JSON]


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


def refund(**more: JSON) -> Payment:
    return {"refund_id": "r", "payment_id": PAYMENT, "status": "succeeded", "amount": 500, "currency": "EUR", **more}


def test_a_charge_that_came_back_is_returned() -> None:
    account = back(paid())
    assert (account.state, account.sentence) == (AccountState.RETURNED, "charged 5.00 EUR, refunded 5.00 EUR")
    assert [(one.by, one.cents) for one in account.figures("refunded")] == [("backend", 500)]


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


def test_a_capture_that_tells_no_currency_is_of_the_orders() -> None:
    script = paid()
    back(script)
    assert processor(script, amount_received=500, currency=None).state is AccountState.RETURNED


def test_a_capture_in_another_currency_is_said_in_it() -> None:
    account = processor(paid(), amount_received=540, currency="USD")
    assert (account.state, account.sentence) == (AccountState.CHARGED, "charged 5.40 USD, refunded 0.00 USD")


def test_a_charge_without_a_currency_is_not_nothing() -> None:
    account = fold(paid().lines)
    nameless = replace(account, seen=replace(account.seen, currency=None))
    assert nameless.sentence == "charged 500 minor units of a currency that is not known"


def test_what_was_read_again_in_another_currency_is_not_known() -> None:
    account = back(paid())
    assert account.read_again(500, "USD", 99).state is AccountState.UNKNOWN
    assert account.read_again(0, "EUR", 99).state is AccountState.CHARGED


def test_before_anything_can_be_paid_it_is_untouched_and_then_at_risk() -> None:
    assert fold(Script().start().until("products").lines).state is AccountState.UNTOUCHED
    assert fold(Script().start().until("pay").lines).state is AccountState.AT_RISK
