"""The rules over rows of seller_transfers: booked, and reversed after the refund."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from amount import share
from hypothesis import given, settings
from hypothesis import strategies as st

from veza.money import Money
from veza_e2e.canonical import JSON
from veza_e2e.journal.findings import FindingCode
from veza_e2e.money.transfer_rows import OrderFacts, license_status
from veza_e2e.money.transfers import booking, reversal

UUID = "7d3f0e5e-93f5-4c1c-8d3a-0e0d3a1b2c3d"
ORDER = OrderFacts(UUID, Money(500, "EUR"), Money(80, "EUR"), "9")
ROW: dict[str, JSON] = {
    "order_id": UUID, "total_amount_cents": 500, "tax_amount_cents": 80, "currency": "EUR", "transfer_id": "11",
    "seller_id": "9", "stripe_transfer_id": "tr_a", "amount_cents": 370, "platform_fee_cents": 50,
    "transfer_currency": "EUR", "status": "completed", "reversed_amount_cents": 0, "stripe_reversal_id": None,
    "error_message": None, "unexplained_cents": 0, "row_count": 1,
}  # fmt: skip
NONE: dict[str, JSON] = {**dict.fromkeys(ROW), "order_id": UUID, "total_amount_cents": 500, "row_count": 1}
BACK: dict[str, JSON] = {"status": "reversed", "reversed_amount_cents": 370, "stripe_reversal_id": "trr_a"}


def rows(*changes: dict[str, JSON]) -> list[dict[str, JSON]]:
    """Rows of the order, each with its changes, its own ids, and the number of rows."""
    ids = ({"transfer_id": str(11 + i), "stripe_transfer_id": f"tr_{i}"} for i in range(len(changes)))
    return [ROW | own | {"row_count": len(changes)} | change for own, change in zip(ids, changes, strict=True)]


def euros(cents: int) -> Money:
    return Money(cents, "EUR")


def test_a_booked_transfer_explains_the_total() -> None:
    verdict = booking([ROW], ORDER)
    assert (verdict.status, verdict.problem, verdict.finding) == ("booked", "", None)
    assert (verdict.left, verdict.right) == (euros(420), euros(420))
    assert (verdict.seller_checked, verdict.complete) == (True, True)


@pytest.mark.parametrize(
    "change",
    [
        {"transfer_currency": "eur"},
        {"currency": None},
        {"transfer_currency": "eur", "currency": "eur"},
        {"order_id": UUID.upper()},
        {"order_id": UUID.replace("-", "")},
        {"reversed_amount_cents": None},
        {"total_amount_cents": None, "tax_amount_cents": None, "unexplained_cents": None},
        {"error_message": "the first try failed"},
        {"seller_id": 9},
    ],
)
def test_what_is_no_difference_is_booked(change: dict[str, JSON]) -> None:
    verdict = booking([ROW | change], ORDER)
    assert (verdict.status, verdict.problem) == ("booked", "")
    assert verdict.seller_checked


WRONG: dict[str, tuple[dict[str, JSON], str, FindingCode]] = {
    "another order": ({"order_id": "6"}, f"of order 6, not {UUID}", FindingCode.TRANSFER_MISSING),
    "another seller": (
        {"seller_id": "8"}, "booked to seller 8, the product's seller is 9", FindingCode.TRANSFER_SELLER,
    ),
    "failed": (
        {"status": "failed", "error_message": "no account"}, "is 'failed' (no account)",
        FindingCode.TRANSFER_NOT_BOOKED,
    ),
    "cancelled": ({"status": "cancelled"}, "is 'cancelled'", FindingCode.TRANSFER_NOT_BOOKED),
    "unknown": ({"status": "paid"}, "is 'paid', a status that this version", FindingCode.TRANSFER_NOT_BOOKED),
    "reversed": ({"status": "reversed"}, "is 'reversed'", FindingCode.TRANSFER_NOT_BOOKED),
    "partly reversed": ({"reversed_amount_cents": 1}, "reversed already", FindingCode.TRANSFER_NOT_BOOKED),
    "a reversal's id": ({"stripe_reversal_id": "trr"}, "reversed already", FindingCode.TRANSFER_NOT_BOOKED),
    "another currency": ({"transfer_currency": "USD"}, "is in USD, the order in EUR", FindingCode.TRANSFER_CURRENCY),
    "the order in another": ({"currency": "USD"}, "is in USD, the order in EUR", FindingCode.TRANSFER_CURRENCY),
    "a negative fee": (
        {"platform_fee_cents": -400, "amount_cents": 820}, "platform_fee_cents of transfer 11 is negative: -400",
        FindingCode.TRANSFER_DIFFERS,
    ),
    "a negative amount": ({"amount_cents": -1}, "amount_cents of transfer 11 is", FindingCode.TRANSFER_DIFFERS),
    "no whole amount": ({"amount_cents": "4.2"}, "transfer 11 has no amount", FindingCode.TRANSFER_DIFFERS),
    "another total": (
        {"total_amount_cents": 501}, "total is 5.01 EUR in the database, and 5.00 EUR by", FindingCode.TRANSFER_DIFFERS,
    ),
    "another tax": ({"tax_amount_cents": 0}, "tax is 0.00 EUR in the database", FindingCode.TRANSFER_DIFFERS),
    "a rest": ({"unexplained_cents": 200}, "leaves 2.00 EUR of the total", FindingCode.TRANSFER_DIFFERS),
    "too little": ({"amount_cents": 369}, "0.01 EUR are unexplained", FindingCode.TRANSFER_DIFFERS),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named(name: str) -> None:
    change, told, finding = WRONG[name]
    verdict = booking([ROW | change], ORDER)
    assert (verdict.status, verdict.finding) == ("wrong", finding)
    assert told in verdict.problem
    beside = booking(rows({"amount_cents": 0, "platform_fee_cents": 0}, change), ORDER)
    assert (beside.status, beside.finding) == ("wrong", finding), "not only the first row is looked at"


UNTOLD: dict[str, tuple[dict[str, JSON], str]] = {
    "no status": ({"status": None}, "the status of transfer 11"),
    "no amount": ({"amount_cents": None}, "the amount of transfer 11"),
    "no currency": ({"currency": None, "transfer_currency": None}, "the currency of transfer 11"),
    "no currency of its own": ({"transfer_currency": None}, "the currency of transfer 11"),
    "an empty currency": ({"transfer_currency": " "}, "the currency of transfer 11"),
}


@pytest.mark.parametrize("name", UNTOLD)
def test_what_a_transfer_does_not_tell_is_unknown_and_hides_nothing(name: str) -> None:
    change, told = UNTOLD[name]
    for verdict in (booking([ROW | change], ORDER), reversal([ROW | BACK | change], ORDER, before=[ROW])):
        assert (verdict.status, verdict.problem, verdict.compared) == ("unread", f"{told} is not told", False)
    late: dict[str, JSON] = {"status": "pending", "stripe_transfer_id": None}
    wrong: dict[str, JSON] = {"status": "failed"}
    assert booking(rows(change, late), ORDER).status == "late"
    assert booking(rows(change, late, wrong), ORDER).status == "wrong"
    assert booking(rows(change | {"seller_id": "8"}), ORDER).finding == FindingCode.TRANSFER_SELLER
    assert reversal(rows(BACK | change, BACK | {"status": "undone"}), ORDER).status == "wrong"


@pytest.mark.parametrize("name", [None, ""])
def test_a_stripe_id_may_be_late_and_hides_nothing(name: str | None) -> None:
    unnamed: dict[str, JSON] = {"stripe_transfer_id": name}
    verdict = booking([ROW | unnamed], ORDER)
    assert (verdict.status, verdict.problem, verdict.compared) == (
        "late", "transfer 11 is completed without a Stripe id", False,
    )  # fmt: skip
    assert booking([ROW | unnamed | {"amount_cents": 369}], ORDER).status == "wrong"
    back = BACK | {"stripe_reversal_id": name}
    verdict = reversal([ROW | back], ORDER)
    assert (verdict.status, verdict.problem, verdict.compared) == (
        "late", "transfer 11 is reversed without the Stripe id of a reversal", False,
    )  # fmt: skip
    refused = reversal([ROW | back | {"error_message": "balance too low"}], ORDER)
    assert (refused.status, refused.problem.endswith("id of a reversal (balance too low)")) == ("refused", True)
    assert reversal(rows(BACK, BACK, back), ORDER).status == "wrong", "one reversal stands in two rows"


def test_two_sellers_are_named_even_if_the_products_is_not_known() -> None:
    halves = rows({"amount_cents": 185, "platform_fee_cents": 25}, {"amount_cents": 185, "platform_fee_cents": 25})
    halves[1]["seller_id"] = "8"
    unknown = OrderFacts(UUID, ORDER.total, ORDER.tax)
    assert booking(halves, unknown).problem == "the transfers are booked to several sellers: 8, 9"
    halves[1]["seller_id"] = "9"
    verdict = booking(halves, unknown)
    assert (verdict.status, verdict.seller_checked) == ("booked", False)


def test_a_transfer_that_stands_in_two_rows_is_wrong() -> None:
    half: dict[str, JSON] = {"amount_cents": 185, "platform_fee_cents": 25, "stripe_transfer_id": "tr_a"}
    assert "tr_a stands in several rows" in booking(rows(half, half), ORDER).problem


@pytest.mark.parametrize(
    ("found", "told"),
    [([NONE], f"no row for order {UUID}"), (rows({"status": "pending", "stripe_transfer_id": None}), "is 'pending'")],
)
def test_late_is_not_missing(found: list[dict[str, JSON]], told: str) -> None:
    verdict = booking(found, ORDER)
    assert (verdict.status, verdict.left) == ("late", None)
    assert told in verdict.problem


def test_what_the_rows_do_not_tell_is_not_known() -> None:
    assert booking([], ORDER).problem == f"this database does not know the order {UUID}"
    verdict = booking([ROW | {"row_count": 2}], ORDER)
    assert (verdict.status, verdict.complete) == ("unread", False)
    assert booking([ROW | {"row_count": None}], ORDER).complete is None
    verdict = booking([ROW | {"platform_fee_cents": None}], ORDER)
    assert (verdict.status, verdict.left, verdict.right, verdict.compared) == ("booked", euros(420), None, False)
    assert not booking([ROW | {"seller_id": None}], ORDER).seller_checked
    absent = ROW | {"stripe_transfer_id": None}
    assert booking([absent], ORDER, absent={"stripe_transfer_id"}).status == "booked"
    absent = ROW | {"transfer_currency": None}
    assert booking([absent], ORDER, absent={"transfer_currency"}).status == "booked"
    assert reversal([absent | BACK], ORDER, absent={"transfer_currency"}).status == "reversed"


@pytest.mark.parametrize(("read", "told"), [(1, "1 row was read"), (2, "2 rows were read")])
def test_rows_that_are_not_all_there_are_counted(read: int, told: str) -> None:
    cut = [row | {"row_count": read + 1} for row in rows(*[{}] * read)]
    assert booking(cut, ORDER).problem == f"{told}, and row_count says that there are others"


def test_rows_that_are_read_after_the_refund_were_booked_though_they_are_reversed() -> None:
    assert booking([ROW | BACK], ORDER).status == "wrong"
    assert booking([ROW | BACK], ORDER, refund_asked=True).status == "booked"
    cancelled = booking([ROW | {"status": "cancelled"}], ORDER, refund_asked=True)
    assert (cancelled.status, cancelled.finding) == ("unread", None)


CANCELLED: dict[str, JSON] = {"status": "cancelled", "stripe_transfer_id": None}


@pytest.mark.parametrize("unexplained", [-420, 0, None])
def test_a_cancelled_row_beside_a_good_one_counts_zero(unexplained: int | None) -> None:
    found = [row | {"unexplained_cents": unexplained} for row in rows({}, CANCELLED)]
    verdict = booking(found, ORDER)
    assert (verdict.status, verdict.left, verdict.right) == ("booked", euros(420), euros(420))
    assert (verdict.seller_checked, verdict.complete) == (True, True)


def test_of_several_cancelled_rows_the_first_is_named() -> None:
    part = rows({"amount_cents": 300}, CANCELLED, CANCELLED)
    assert booking(part, ORDER).problem.startswith("transfer 12 is 'cancelled'; ")


def test_a_cancelled_row_hides_nothing() -> None:
    short = [row | {"unexplained_cents": -100} for row in rows({}, CANCELLED)]
    assert "leaves -1.00 EUR of the total unexplained" in booking(short, ORDER).problem
    part = rows({"amount_cents": 300}, CANCELLED)
    assert "0.70 EUR are unexplained" in booking(part, ORDER).problem
    verdict = booking(part, ORDER, refund_asked=True)
    assert (verdict.status, verdict.problem) == (
        "unread",
        "transfer 12 is 'cancelled': the refund came before it was paid out",
    )
    assert booking(rows({}, {"status": "failed"}), ORDER).status == "wrong"


def test_a_reversed_transfer_is_equal() -> None:
    verdict = reversal([ROW | BACK], ORDER, before=[ROW])
    assert (verdict.status, verdict.left, verdict.right, verdict.problem) == ("reversed", euros(370), euros(370), "")


@pytest.mark.parametrize("status", ["cancelled", "failed"])
def test_a_row_that_was_not_paid_out_counts_zero_on_both_sides(status: str) -> None:
    found = rows(BACK, {"status": status, "stripe_transfer_id": None, "error_message": "no account"})
    assert (reversal(found, ORDER).left, reversal(found, ORDER).status) == (euros(370), "reversed")


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({}, "late", "3.70 EUR were transferred to the seller, 0.00 EUR reversed"),
        ({"reversed_amount_cents": None}, "late", "0.00 EUR reversed"),
        ({"status": "partially_reversed", "reversed_amount_cents": 369}, "late", "3.69 EUR reversed"),
        ({"error_message": "balance too low"}, "refused", "0.00 EUR reversed (balance too low)"),
        ({"status": "pending"}, "late", "still pending"),
        (BACK | {"reversed_amount_cents": 371}, "wrong", "3.71 EUR of transfer 11 were reversed, more than"),
        (BACK | {"reversed_amount_cents": -1}, "wrong", "negative"),
        (BACK | {"stripe_reversal_id": "", "status": "completed"}, "late", "without the Stripe id"),
        (BACK | {"error_message": "balance too low"}, "unclear", "both a reversal and an error (balance too low)"),
        (BACK | {"reversed_amount_cents": None}, "unread", "how much of it is not told"),
        (BACK | {"transfer_currency": "USD"}, "wrong", "is in USD"),
        (BACK | {"status": "undone"}, "wrong", "a status that this version does not know"),
        (BACK | {"amount_cents": 0, "reversed_amount_cents": 0}, "wrong", "was booked with 370 minor units, and has 0"),
        ({"status": "cancelled"}, "wrong", "was completed, and is cancelled now"),
        (BACK | {"row_count": 2}, "unread", "row_count says that there are others"),
        (BACK | {"order_id": "6"}, "wrong", "of order 6"),
    ],
)
def test_what_is_not_reversed_is_named(change: dict[str, JSON], status: str, told: str) -> None:
    verdict = reversal([ROW | change], ORDER, before=[ROW])
    assert verdict.status == status
    assert told in verdict.problem
    assert (verdict.finding is None) is (status == "unread")


def test_an_error_that_stood_there_before_the_refund_is_no_refused_reversal() -> None:
    old = ROW | {"error_message": "the first try failed"}
    assert reversal([old], ORDER, before=[old]).status == "late"
    assert reversal([old | {"error_message": "balance too low"}], ORDER, before=[old]).status == "refused"
    assert reversal([old], ORDER).status == "refused"
    assert reversal([old | BACK], ORDER, before=[old]).status == "reversed"


def test_no_visible_row_is_not_zero_equals_zero() -> None:
    for found in ([], [NONE]):
        verdict = reversal(found, ORDER)
        assert (verdict.status, verdict.left, verdict.right) == ("unread", None, None)
    two = rows({}, {})
    verdict = reversal([ROW | two[0] | BACK | {"row_count": 1}], ORDER, before=two)
    assert (verdict.status, "transfer 12 was seen before" in verdict.problem) == ("unread", True)
    assert reversal([ROW | BACK], ORDER, absent={"reversed_amount_cents"}).status == "unread"


def test_what_proves_no_reversal_is_not_compared() -> None:
    unproven = ROW | BACK | {"stripe_reversal_id": None}
    assert not reversal([unproven], ORDER).compared
    assert reversal([unproven], ORDER, absent={"stripe_reversal_id"}).status == "reversed"
    assert not reversal([ROW | BACK | {"error_message": "balance too low"}], ORDER).compared
    over = reversal([ROW | BACK | {"reversed_amount_cents": 371}], ORDER)
    assert (over.left, over.right) == (euros(370), euros(371))
    half: dict[str, JSON] = {**BACK, "amount_cents": 185, "reversed_amount_cents": 185}
    twice = reversal(rows(half, half), ORDER)
    assert (twice.status, "trr_a stands in several rows" in twice.problem, twice.compared) == ("wrong", True, False)
    one = rows(half | {"reversed_amount_cents": 186}, half | {"reversed_amount_cents": 184, "stripe_reversal_id": "b"})
    assert (reversal(one, ORDER).status, reversal(one, ORDER).compared) == ("wrong", False), "the sums are equal"


UNTAXED = replace(ORDER, tax=None)


def test_a_tax_that_the_api_does_not_tell_is_the_databases() -> None:
    verdict = booking([ROW], UNTAXED)
    assert (verdict.status, verdict.left, verdict.right, verdict.tax) == ("booked", euros(420), euros(420), euros(80))
    assert booking([ROW], ORDER).tax is None
    untold: dict[str, JSON] = {"tax_amount_cents": None, "unexplained_cents": 80}
    verdict = booking([ROW | untold], ORDER)
    assert (verdict.status, verdict.left) == ("booked", euros(420)), "the database does not tell it"
    nobody = booking([ROW | untold | {"amount_cents": 450, "unexplained_cents": 0}], UNTAXED)
    assert (nobody.status, nobody.left, nobody.tax) == ("booked", euros(500), None)


def test_a_tax_of_nothing_that_only_the_database_tells_is_right() -> None:
    verdict = booking([ROW | {"tax_amount_cents": 0, "amount_cents": 450}], UNTAXED)
    assert (verdict.status, verdict.left, verdict.tax) == ("booked", euros(500), None)


def test_a_tax_that_the_database_tells_in_two_ways_is_wrong() -> None:
    half: dict[str, JSON] = {"amount_cents": 185, "platform_fee_cents": 25}
    two = booking(rows(half, half | {"tax_amount_cents": 0}), UNTAXED)
    assert (two.status, two.problem) == ("wrong", "the order's tax is 0.00 EUR and 0.80 EUR in the database")
    minus = booking([ROW | {"tax_amount_cents": -80, "amount_cents": 530}], UNTAXED)
    assert (minus.status, minus.problem) == ("wrong", "the order's tax is -0.80 EUR in the database")


def test_the_licenses_status_is_told_if_all_rows_tell_one() -> None:
    assert license_status([ROW | {"license_status": "revoked"}] * 2) == "revoked"
    assert license_status([ROW]) is None
    assert license_status([]) is None
    assert license_status([ROW | {"license_status": "revoked"}, ROW | {"license_status": None}]) is None
    assert license_status([ROW | {"license_status": "active"}, ROW | {"license_status": None}]) == "active"
    assert license_status([ROW | {"license_status": one} for one in ("revoked", "active,revoked")]) == "active, revoked"


@settings(max_examples=share(60))
@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=4),
    st.integers(0, 10**6),
    st.sampled_from(["EUR", "JPY", "KWD"]),
    st.data(),
)
def test_what_adds_up_is_equal_and_one_minor_unit_or_another_currency_is_not(
    parts: list[tuple[int, int]], tax: int, currency: str, data: st.DataObject
) -> None:
    total = tax + sum(map(sum, parts))
    order = OrderFacts(UUID, Money(total, currency), Money(tax, currency), "9")
    told: dict[str, JSON] = {
        "total_amount_cents": total, "tax_amount_cents": tax, "currency": currency, "transfer_currency": currency
    }  # fmt: skip
    found = rows(*({**told, "amount_cents": amount, "platform_fee_cents": fee} for amount, fee in parts))
    back: list[dict[str, Any]] = [
        row | {"status": "reversed", "reversed_amount_cents": row["amount_cents"], "stripe_reversal_id": f"trr_{n}"}
        for n, row in enumerate(found)
    ]
    assert booking(found, order).status == "booked"
    assert reversal(back, order, before=found).status == "reversed"
    at = data.draw(st.integers(0, len(parts) - 1))
    names = ["amount_cents", "platform_fee_cents", "total_amount_cents", "tax_amount_cents", "unexplained_cents"]
    name, by = data.draw(st.sampled_from(names)), data.draw(st.sampled_from([1, -1]))
    value = found[at][name]
    assert isinstance(value, int)
    changed = [row | ({name: value + by} if i == at else {}) for i, row in enumerate(found)]
    assert booking(changed, order).status == "wrong"
    other = [row | ({"transfer_currency": "USD"} if i == at else {}) for i, row in enumerate(found)]
    assert booking(other, order).finding == FindingCode.TRANSFER_CURRENCY
    short = [
        row | ({"reversed_amount_cents": row["reversed_amount_cents"] + by} if i == at else {})
        for i, row in enumerate(back)
    ]
    assert reversal(short, order, before=found).status in {"late", "wrong"}


@pytest.mark.parametrize("column", ["amount_cents", "status", "transfer_currency"])
@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"reversed_amount_cents": 0, "error_message": "no balance"}, "refused"),
        ({"reversed_amount_cents": 0}, "late"),
        (BACK | {"status": "partially_reversed", "reversed_amount_cents": 200}, "late"),
        (BACK | {"reversed_amount_cents": 371}, "wrong"),
        (BACK, "unread"),
    ],
)
def test_what_is_not_told_hides_no_reversal_that_is_wrong_and_proves_none(
    column: str, change: dict[str, JSON], status: str
) -> None:
    verdict = reversal(rows(change | {column: None}), ORDER, before=rows({}))
    assert verdict.status == status
    alone = reversal(rows(change | {column: None}), ORDER)
    assert alone.status == (status if column == "transfer_currency" else alone.status)
    assert alone.status != "reversed"


def test_a_currency_that_is_not_told_hides_no_sum_that_is_wrong() -> None:
    verdict = booking(rows({"transfer_currency": None, "amount_cents": 100}), ORDER)
    assert (verdict.status, verdict.finding) == ("wrong", FindingCode.TRANSFER_DIFFERS)
    assert booking(rows({"amount_cents": None}), ORDER).status == "unread"
