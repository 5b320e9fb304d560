"""Books that agree pass R1 to R6; one minor unit or one currency that is changed fails, by the right name.

Each example is a whole walkthrough in memory. The witnesses speak from one set of books; a change is made at one mouth.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from amount import share
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from veza_e2e.evidence import Summary
from veza_e2e.ports.processor import NO_PAYMENT

if TYPE_CHECKING:
    from runner.conftest import Walk

ORDER = "7d3f0e5e-93f5-4c1c-8d3a-0e0d3a1b2c3d"
DAY = 24 * 3600
RULES = frozenset({"R1", "R2", "R3", "R4", "R5", "R6"})
examples = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], phases=[Phase.generate]
)
"""The fixture is a class: every example makes its own walk. To shrink walkthroughs would take minutes."""


@dataclass
class Told:
    """What each witness tells of the same purchase, in the shapes of their answers."""

    price: int
    included: bool
    order: dict[str, Any]
    """As it is created."""
    completed: dict[str, Any]
    """What the completed order tells otherwise."""
    refunded: dict[str, Any]
    """What the refunded order tells otherwise."""
    payments: list[dict[str, Any]]
    """The one that was captured first; without its refunds."""
    refunds: list[dict[str, Any]]
    booked: list[dict[str, Any]]
    reversed: list[dict[str, Any]]


def split(draw: st.DrawFn, amount: int, *, most: int) -> list[int]:
    """Split an amount into parts of at least one minor unit."""
    cuts = draw(st.sets(st.integers(1, amount - 1), max_size=min(most, amount) - 1)) if amount > 1 else set()
    edges = [0, *sorted(cuts), amount]
    return [after - before for before, after in itertools.pairwise(edges)]


@st.composite
def books(draw: st.DrawFn) -> Told:
    """Consistent books: tax added or included, discount, fees, declined payments, refunds and transfers in parts."""
    price = draw(st.integers(4, 700))
    discount = draw(st.integers(0, price - 3))
    # A tax of one minor unit: a price that differs by as much makes it an included tax, which is consistent again.
    tax = draw(st.integers(0, min(price - discount - 1, 200)).filter(lambda one: one != 1))
    included = bool(tax) and draw(st.booleans())
    total = price - discount + (0 if included else tax)
    order = {"total_amount_cents": total, "tax_amount_cents": tax}
    if discount or draw(st.booleans()):
        order["discount_amount_cents"] = discount
    payments = [_payment("pay-1", total)]
    payments += [_payment(f"pay-declined-{n}", total, received=0) for n in range(draw(st.integers(0, 2)))]
    refunds = [
        {"refund_id": f"ref-{n}", "payment_id": "pay-1", "status": "succeeded", "amount": part, "currency": "EUR"}
        for n, part in enumerate(split(draw, total, most=3))
    ]
    tells_order = draw(st.booleans())
    booked = []
    for number, part in enumerate(split(draw, total - tax, most=3), 1):
        fee = draw(st.integers(0, part - 1))
        booked.append(_row(f"t{number}", part - fee, fee, order if tells_order else {}))
    back = [
        {**row, "status": "reversed", "reversed_amount_cents": row["amount_cents"], "stripe_reversal_id": f"trr_{n}"}
        for n, row in enumerate(booked)
    ]
    return Told(price, included, order, {}, {}, payments, refunds, booked, back)


def _payment(name: str, amount: int, received: int | None = None) -> dict[str, Any]:
    return {
        "payment_id": name, "status": "succeeded" if received is None else "failed", "amount": amount,
        "amount_received": amount if received is None else received, "currency": "EUR", "customer_id": "cus",
        "metadata": {"order_id": ORDER},
    }  # fmt: skip


def _row(name: str, amount: int, fee: int, order: Mapping[str, int]) -> dict[str, Any]:
    return {
        "order_id": ORDER, "total_amount_cents": order.get("total_amount_cents"),
        "tax_amount_cents": order.get("tax_amount_cents"), "currency": "EUR", "transfer_id": name, "seller_id": None,
        "stripe_transfer_id": f"tr_{name}", "amount_cents": amount, "platform_fee_cents": fee,
        "transfer_currency": "EUR", "status": "completed", "reversed_amount_cents": 0, "stripe_reversal_id": None,
        "error_message": None, "unexplained_cents": None,
    }  # fmt: skip


def witnessed(walk: Walk, told: Told) -> Walk:
    """Let every witness of the walk speak from these books."""
    walk.goes_through()
    shop = walk.backend.shop
    (product, *others) = shop.products.values()
    for one in others:
        del shop.products[one["id"]]
    product["price_cents"] = told.price
    walk.person.always = {**walk.person.always, "vat": "y"}
    create, pay, settle = shop.create, shop.pay, shop.settle_refund

    def created(buyer: str, items: list[dict[str, Any]]) -> dict[str, Any]:
        answer = create(buyer, items)
        shop.orders[ORDER].update(told.order, payment_id=told.payments[0]["payment_id"])
        return {**answer, "order": dict(shop.orders[ORDER])}

    def paid(order_id: str) -> bool:
        pay(order_id)
        shop.orders[order_id].update(told.completed)
        return True

    def settled(order_id: str) -> bool:
        settle(order_id)
        shop.orders[order_id].update(told.refunded)
        return True

    shop.create, shop.pay, shop.settle_refund = created, paid, settled  # type: ignore[method-assign]  # other books
    walk.ledger.held = lambda: _counted(told.reversed if _is_refunded(walk) else told.booked, product["seller_id"])
    walk.processor = lambda request: _processor(walk, told, request.url.path)
    return walk


def _is_refunded(walk: Walk) -> bool:
    return bool(walk.backend.shop.orders) and walk.backend.shop.order(ORDER)["status"] == "refunded"


def _counted(rows: list[dict[str, Any]], seller: str) -> list[dict[str, Any]]:
    return [{**row, "seller_id": seller, "row_count": len(rows)} for row in rows]


def _processor(walk: Walk, told: Told, path: str) -> httpx.Response:
    if path.endswith(NO_PAYMENT):
        return httpx.Response(404, json={"error": {"code": "HE_02"}})
    refunds = told.refunds if _is_refunded(walk) else []
    order = walk.backend.shop.order(ORDER)
    answers = {
        one["payment_id"]: {**one, "refunds": refunds if one is told.payments[0] else []} for one in told.payments
    }
    if order["status"] == "pending_payment":
        asks = {"status": "requires_payment_method", "amount": order["total_amount_cents"], "amount_received": 0}
        answers = {order["payment_id"]: {"payment_id": order["payment_id"], "currency": order["currency"], **asks}}
    if path.endswith("/list"):
        return httpx.Response(200, json={"data": list(answers.values())})
    return httpx.Response(200, json=answers[path.rpartition("/")[2]])


def differing(summary: Summary) -> set[str]:
    return {one.id for one in summary.reconciliation if one.status == "differs"}


@settings(examples, max_examples=share(60))
@given(told=books())
def test_books_that_agree_are_equal_by_every_rule(walking: Callable[[], Walk], told: Told) -> None:
    walk = witnessed(walking(), told)
    walk.begin()
    summary = walk.go_on()
    assert {one.id for one in summary.reconciliation if one.status == "equal"} == RULES, [
        (one.name, one.status, one.observed) for one in summary.steps
    ]
    assert (summary.outcome, str(summary.money.state)) == ("passed", "returned")
    total = told.order["total_amount_cents"]
    assert (summary.money.charged_cents, summary.money.refunded_cents) == (total, total)


@dataclass(frozen=True)
class Change:
    """One figure that one witness tells otherwise, and what must notice it: a rule, or a finding by its name."""

    apply: Callable[[Told, int], None]
    rule: str | None = None
    finding: str | None = None
    fits: Callable[[Told], bool] = lambda _: True
    by: tuple[int, ...] = (1, -1)


def _add(name: str, *, at: Callable[[Told], dict[str, Any]]) -> Callable[[Told, int], None]:
    def change(told: Told, by: int) -> None:
        figures = at(told)
        figures[name] = figures.get(name, 0) + by

    return change


def _set(value: str, *names: str, at: Callable[[Told], dict[str, Any]]) -> Callable[[Told, int], None]:
    return lambda told, _: at(told).update(dict.fromkeys(names, value))


def _price(told: Told, by: int) -> None:
    told.price += by


def _total_later(told: Told, by: int) -> None:
    told.completed["total_amount_cents"] = told.order["total_amount_cents"] + by


def _net(told: Told, by: int) -> None:
    told.payments[0]["net_amount"] = told.payments[0]["amount"] + by


def _captured_twice(told: Told, by: int) -> None:
    told.payments.append(_payment("pay-again", by))


def _refunded_by_order(told: Told, by: int) -> None:
    told.refunded["refunded_amount_cents"] = told.order["total_amount_cents"] + by


def _transferred(told: Told, by: int) -> None:
    for row in (told.booked[-1], told.reversed[-1]):
        row["amount_cents"] += by
    told.reversed[-1]["reversed_amount_cents"] += by


def _tax_included(told: Told) -> bool:
    return told.included and not _by_database(told)


def _by_database(told: Told) -> bool:
    """Whether the database tells the order's total and tax too."""
    return told.booked[0]["total_amount_cents"] is not None


CHANGES = {
    "list price": Change(_price, "R3", "total_differs"),
    "discount": Change(
        _add("discount_amount_cents", at=lambda told: told.order), "R3", "total_differs",
        fits=lambda told: bool(told.order.get("discount_amount_cents")),
    ),
    "total": Change(_add("total_amount_cents", at=lambda told: told.order), "R3", "total_differs"),
    "added tax": Change(
        _add("tax_amount_cents", at=lambda told: told.order), "R3", "total_differs",
        fits=lambda told: not told.included and bool(told.order["tax_amount_cents"]),
    ),
    "included tax": Change(
        _add("tax_amount_cents", at=lambda told: told.order), "R2", "transfer_differs", fits=_tax_included
    ),
    "currency of the order": Change(
        _set("USD", "currency", at=lambda told: told.order), None, "currency_differs", by=(1,)
    ),
    "total when completed": Change(_total_later, "R1", "amount_differs"),
    "currency when completed": Change(
        _set("USD", "currency", at=lambda told: told.completed), "R1", "amount_differs", by=(1,)
    ),
    "amount asked for": Change(_add("amount", at=lambda told: told.payments[0]), "R1", "amount_differs"),
    "net amount": Change(_net, "R1", "amount_differs"),
    "amount received": Change(_add("amount_received", at=lambda told: told.payments[0]), "R1", "amount_differs"),
    "a further capture": Change(_captured_twice, "R1", "amount_differs", by=(1,)),
    "currency of the payment": Change(
        _set("USD", "currency", at=lambda told: told.payments[0]), "R1", "amount_differs", by=(1,)
    ),
    "transfer": Change(_transferred, "R2", "transfer_differs"),
    "fee": Change(
        _add("platform_fee_cents", at=lambda told: told.booked[-1]), "R2", "transfer_differs",
        fits=lambda told: bool(told.booked[-1]["platform_fee_cents"]),
    ),
    "currency of a transfer": Change(
        _set("USD", "transfer_currency", at=lambda told: told.booked[0]), None, "transfer_currency", by=(1,)
    ),
    "total in the database": Change(
        _add("total_amount_cents", at=lambda told: told.booked[0]), None, "transfer_differs", fits=_by_database
    ),
    "tax in the database": Change(
        _add("tax_amount_cents", at=lambda told: told.booked[0]), None, "transfer_differs",
        fits=lambda told: _by_database(told) and bool(told.booked[0]["tax_amount_cents"]),
    ),
    "refund": Change(_add("amount", at=lambda told: told.refunds[-1]), "R4", "refund_differs"),
    "currency of a refund": Change(
        _set("USD", "currency", at=lambda told: told.refunds[0]), "R4", "refund_differs", by=(1,)
    ),
    "payment of a refund": Change(
        _set("pay-other", "payment_id", at=lambda told: told.refunds[0]), "R6", "refund_differs", by=(1,)
    ),
    "refund by the order": Change(_refunded_by_order, None, "refund_differs"),
    "reversed too little": Change(
        _add("reversed_amount_cents", at=lambda told: told.reversed[-1]), "R5", "transfer_not_reversed", by=(-1,)
    ),
    "reversed too much": Change(
        _add("reversed_amount_cents", at=lambda told: told.reversed[-1]), "R5", "transfer_not_reversed", by=(1,)
    ),
    "currency of a reversal": Change(
        _set("USD", "transfer_currency", at=lambda told: told.reversed[0]), None, "transfer_currency", by=(1,)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
@settings(examples, max_examples=share(8))
@given(data=st.data())
def test_one_change_fails_the_right_rule_by_its_name(
    walking: Callable[[], Walk], name: str, data: st.DataObject
) -> None:
    change = CHANGES[name]
    told = data.draw(books().filter(change.fits))
    change.apply(told, data.draw(st.sampled_from(change.by)))
    walk = witnessed(walking(), told)
    walk.begin()
    summary = walk.go_on()
    if summary.waiting_for is not None:  # late is not missing, until a day later
        walk.clock.sleep(DAY)
        walk.resume()
        summary = walk.go_on()
    failed = [one.finding for one in summary.steps if one.status == "failed"]
    assert (differing(summary), failed) == ({change.rule} - {None}, [change.finding])
    assert summary.outcome == "failed"
