"""Money is exact, knows its currency, and never meets a float."""

from __future__ import annotations

import copy
import json
import operator
import pickle
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

import veza
from veza import Money
from veza.money import minor_digits, to_minor
from veza.testing import FakeBackend, Reply, connect

if TYPE_CHECKING:
    from collections.abc import Callable

MINOR = st.integers(-(10**17), 10**17)
CURRENCIES = st.sampled_from(["EUR", "USD", "JPY", "BHD", "CLF", "XAF"])


@given(minor=MINOR, currency=CURRENCIES)
def test_money_is_written_and_read_exactly(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert Money.parse(str(money)) == money
    assert Money.from_major(money.major, currency) == money
    assert Money.from_major(format(money.major, "f"), currency) == money
    for again in (pickle.loads(pickle.dumps(money)), copy.deepcopy(money)):
        assert again == money


@given(a=MINOR, b=MINOR, times=st.integers(-1000, 1000), currency=CURRENCIES)
def test_arithmetic_is_that_of_integers(a: int, b: int, times: int, currency: str) -> None:
    x, y = Money(a, currency), Money(b, currency)
    assert (x + y, x - y, -x, x * times, times * x) == (
        Money(a + b, currency), Money(a - b, currency), Money(-a, currency), Money(a * times, currency),
        Money(a * times, currency),
    )  # fmt: skip
    assert (x < y, x <= y, x > y, x >= y, x == y, bool(x)) == (a < b, a <= b, a > b, a >= b, a == b, bool(a))
    assert sum([x, y], Money(0, currency)) == Money(a + b, currency)


@given(minor=MINOR)
def test_no_decimal_context_changes_an_amount(minor: int) -> None:
    with localcontext() as context:
        context.prec = 3
        assert Money.parse(str(Money(minor, "EUR"))).minor == minor


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(500, "EUR"), "5.00 EUR"), (Money(-5, "EUR"), "-0.05 EUR"), (Money(0, "EUR"), "0.00 EUR"),
        (Money(500, "JPY"), "500 JPY"), (Money(1234, "BHD"), "1.234 BHD"), (Money(10**20, "EUR"), f"{10**18}.00 EUR"),
    ],
)  # fmt: skip
def test_money_is_formatted_with_its_currency(money: Money, text: str) -> None:
    assert str(money) == text


@pytest.mark.parametrize("minor", [5.0, True, "5", None, Decimal(5)])
def test_only_integers_are_minor_units(minor: Any) -> None:
    with pytest.raises(TypeError):
        Money(minor, "EUR")


@pytest.mark.parametrize("currency", ["eur", "EURO", "", "E1R", "\u00c9UR", None, "EUR\n"])
def test_a_currency_is_three_capitals(currency: Any) -> None:
    with pytest.raises(ValueError, match="currency"):
        Money(5, currency)


@pytest.mark.parametrize("amount", [5.0, True, None, float("nan")])
def test_a_float_is_refused(amount: Any) -> None:
    with pytest.raises(TypeError):
        to_minor(amount, "EUR")
    with pytest.raises(TypeError):
        _ = Money(5, "EUR") * amount


@pytest.mark.parametrize(
    "amount", ["", "5,00", "5.001", "NaN", "Infinity", "0x5", " 5", "5 ", "--5", "1_000", "\u0665", "."]
)
def test_what_is_no_exact_amount_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        to_minor(amount, "EUR")


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("Infinity"), Decimal("sNaN"), Decimal("0.001")])
def test_a_decimal_that_is_no_exact_amount_is_refused(amount: Decimal) -> None:
    with pytest.raises(ValueError, match="amount"):
        to_minor(amount, "EUR")


@pytest.mark.parametrize("text", ["5.00", "EUR 5.00", "5.00EUR", "5.00 eur", "5.00 EUR EUR", "", "5.00 EUR\n"])
def test_text_of_another_form_is_not_money(text: str) -> None:
    with pytest.raises(ValueError, match="money"):
        Money.parse(text)


@pytest.mark.parametrize(
    "mix",
    [operator.add, operator.sub, operator.lt, operator.le, operator.gt, operator.ge],
    ids=lambda one: one.__name__,
)
def test_two_currencies_do_not_mix(mix: Callable[[object, object], object]) -> None:
    with pytest.raises(ValueError, match="two currencies"):
        mix(Money(1, "EUR"), Money(1, "USD"))
    with pytest.raises(TypeError):
        mix(Money(1, "EUR"), 1)


def test_money_equals_the_same_amount_of_the_same_currency_only() -> None:
    others: list[object] = [Money(1, "USD"), Money(2, "EUR"), 1, "0.01 EUR"]
    assert all(other != Money(1, "EUR") for other in others)


def test_minor_digits() -> None:
    assert [minor_digits(one) for one in ("EUR", "JPY", "KWD", "CLF")] == [2, 0, 3, 4]


PRODUCT = {
    "id": "11", "title": "t", "seller_id": "3", "currency": "EUR", "status": "active", "license_types": [],
}  # fmt: skip


@pytest.mark.parametrize(
    ("price", "cents"),
    [
        ('"5.00"', 500), ('"5"', 500), ('"0.07"', 7), ("5.00", 500), ("5", 500), ("5e0", 500), ("0.29", 29),
        ("1.15", 115), ("70368744177664.33", 7036874417766433), ("90071992547409.93", 9007199254740993), ("0.0", 0),
    ],
)  # fmt: skip
def test_a_decimal_price_is_read_exactly(price: str, cents: int) -> None:
    backend = FakeBackend()
    body = json.dumps({"success": True, "data": PRODUCT | {"price": "@"}}).replace('"@"', price)
    backend.script("getProduct", Reply(body=body.encode()))
    product = connect(backend).products.get("11")
    assert (product.price_cents, product.price) == (cents, Money(cents, "EUR"))


@pytest.mark.parametrize("price", ['"5.001"', "5.001", "true", '"five"', "null", "[]", "-5", "1e400", '""'])
def test_a_price_that_is_no_amount_is_an_invalid_response(price: str) -> None:
    backend = FakeBackend()
    body = json.dumps({"success": True, "data": PRODUCT | {"price": "@"}}).replace('"@"', price)
    backend.script("getProduct", Reply(body=body.encode()))
    with pytest.raises(veza.InvalidResponseError):
        connect(backend, max_retries=0).products.get("11")


@pytest.mark.parametrize("price", [5.5, "5.50", 7.001, "seven", True, [], 5])
def test_a_price_that_is_not_the_cents_beside_it_is_refused(price: object) -> None:
    backend = FakeBackend()
    backend.script("getProduct", Reply(data=PRODUCT | {"price_cents": 700, "price": price}))
    with pytest.raises(veza.InvalidResponseError, match=r"\$\.data\.price \("):
        connect(backend, max_retries=0).products.get("11")


@pytest.mark.parametrize("price", [7.0, "7.00", 7, None, 700, "700", ""])
def test_a_price_that_agrees_with_the_cents_beside_it_is_read(price: object) -> None:
    backend = FakeBackend()
    backend.script("getProduct", Reply(data=PRODUCT | {"price_cents": 700, "price": price}))
    assert connect(backend).products.get("11").price == Money(700, "EUR")


ORDER = {
    "id": "41", "buyer_id": "7", "status": "refunded", "total_amount_cents": 605, "currency": "eur",
    "created_at": "2026-04-01T10:00:00Z",
}  # fmt: skip


def test_cents_here_and_decimals_there_are_one_order() -> None:
    mixed = ORDER | {"tax_amount": "1.05", "refunded_amount": 6.05, "items": [{"product_id": "11", "price": 5}]}
    backend = FakeBackend()
    backend.script("getOrder", Reply(data=mixed))
    read = connect(backend).orders.get("41")
    assert (read.total, read.tax, read.refunded) == (Money(605, "EUR"), Money(105, "EUR"), Money(605, "EUR"))
    assert read.items[0].price_cents == 500
    assert veza.Order.model_validate(mixed | {"refunded_amount": "6.05"}) is not None
    with pytest.raises(ValueError, match="exactly"):
        veza.Order.model_validate(mixed)


def test_a_small_currency_keeps_its_own_minor_unit() -> None:
    backend = FakeBackend()
    backend.script("getProduct", Reply(data=PRODUCT | {"currency": "jpy", "price": 500}))
    assert connect(backend).products.get("11").price == Money(500, "JPY")


@pytest.mark.parametrize("tax", ["1.055", True, {"cents": 105}, "EUR 1.05"])
def test_an_amount_in_major_units_is_never_ignored(tax: object) -> None:
    backend = FakeBackend()
    backend.script("getOrder", Reply(data=ORDER | {"tax_amount": tax}))
    with pytest.raises(veza.InvalidResponseError, match=r"\$\.data\.tax_amount \("):
        connect(backend, max_retries=0).orders.get("41")


def test_every_amount_of_an_order_may_be_decimal() -> None:
    backend = FakeBackend()
    order = {
        "id": "1", "buyer_id": "2", "status": "refunded", "currency": "EUR", "total_amount": 6.05, "tax_amount": "1.05",
        "refunded_amount": 6.05, "items": [{"product_id": "11", "price": 5.0}, {"product_id": "12", "price_cents": 0}],
        "created_at": "2026-04-01T10:00:00Z", "updated_at": "2026-04-01T10:00:00Z",
    }  # fmt: skip
    backend.script(
        "listOrders", Reply(json={"data": [order], "meta": {"page": 1, "per_page": 1, "total": 1, "total_pages": 1}})
    )
    (read,) = connect(backend).orders.list()
    assert (read.total, read.tax, read.refunded) == (Money(605, "EUR"), Money(105, "EUR"), Money(605, "EUR"))
    assert [item.price_cents for item in read.items] == [500, 0]
    backend.script(
        "requestRefund", Reply(data={"order": order, "refund": {"id": "r", "status": "pending", "amount": 6.05}})
    )
    assert connect(backend).orders.refund("1", reason="x").amount == Money(605, "EUR")


def test_money_works_with_sum_abs_and_format() -> None:
    price = Money(500, "EUR")
    assert sum([price, price]) == Money(1000, "EUR")
    assert abs(Money(-5, "EUR")) == Money(5, "EUR")
    assert f"{price:>10}|{price:<9}|{price}" == "  5.00 EUR|5.00 EUR |5.00 EUR"
    for spec in (".4", "012", "0>12", ".2f", "d", ">12.3"):  # "1234", "1234.56 EUR0": worse than an error
        with pytest.raises(ValueError, match=">12"):
            format(Money(123456, "EUR"), spec)
    for other in (1, True, 0.0):
        with pytest.raises(TypeError):
            _ = other + price  # type: ignore[operator,unused-ignore]


class Basket(BaseModel):
    total: Money


@pytest.mark.parametrize("minor", ["true", "500.0", '"500"', "null", "[]"])
def test_a_field_of_a_model_takes_no_amount_that_is_not_an_integer(minor: str) -> None:
    text = f'{{"total": {{"minor": {minor}, "currency": "EUR"}}}}'
    with pytest.raises(ValidationError):
        Basket.model_validate_json(text)
    with pytest.raises(ValidationError):
        Basket.model_validate(json.loads(text))


@pytest.mark.parametrize(
    "total", [{"minor": 5}, {"minor": 5, "currency": "eur"}, {"minor": 5, "currency": "EUR", "x": 1}, 5, "5.00 EUR"]
)
def test_a_field_of_a_model_takes_nothing_else(total: Any) -> None:
    with pytest.raises(ValidationError):
        Basket(total=total)


def test_a_field_of_a_model_is_written_and_read_again() -> None:
    basket = Basket(total=Money(500, "EUR"))
    assert basket.model_dump() == {"total": {"minor": 500, "currency": "EUR"}}
    assert Basket.model_validate_json(basket.model_dump_json()) == basket
    assert Basket.model_json_schema()["properties"]["total"]["properties"]["minor"] == {"type": "integer"}
